"""Planted bugs: the rules with one thing wrong each, and in how many histories the judge finds it.

    ./dev run python -m tests.simulation.mutants [NAME …] [--most 60]

A bug that no history betrays shows that the stories or the judge are too weak. Histories are taken from seeds whose theme
gives the bug an occasion; a mutant is caught when the invariant it breaks is named.
"""

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import interlock.decide as router
from interlock.edits import diff, reading, refunding
from interlock.edits.diff import differences
from interlock.engine import run as engine
from interlock.engine import stock_figures as figures
from interlock.holds import gate
from interlock.inventory.target import to_offer
from interlock.orders import restraint
from interlock.orders.actions import ClearMarker, MarkOrder
from interlock.orders.memory import Memory
from interlock.orders.plan import Part, Plan
from interlock.orders.view import View
from interlock.refunds import decide as refunds
from interlock.rehearsal import bundles, pausing, stock
from interlock.rehearsal.themes import draw_theme
from interlock.replacements import decide as replacements
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, new_key
from tests.databases import ThrowawayServer
from tests.simulation.runner import run_seed


@dataclass(frozen=True)
class Mutant:
    """A planted bug: what is put in whose place, the themes that give it an occasion, or the seeds where no theme does, and
    which findings betray it."""

    name: str
    puts: tuple[tuple[Any, str, Callable[..., Any]], ...]
    themes: tuple[str, ...]
    betrayed_by: tuple[str, ...]
    occasion: Callable[[int], bool] | None = None

    def has_its_occasion(self, seed: int) -> bool:
        """Whether the history of this seed may betray the bug."""
        return self.occasion(seed) if self.occasion is not None else draw_theme(seed).name in self.themes


def _says_nothing(view: View, memory: Memory) -> Part:
    del view
    return Part(memory)


def _no_units(memory: Memory, line_id: str, tasks: object = None) -> int:
    del memory, line_id, tasks
    return 0


def _never_begun(task: object, operations: object) -> bool:
    del task, operations
    return False


def _nothing_on_its_way(view: View, memory: Memory) -> tuple[str, ...]:
    del view, memory
    return ()


_successor = replacements._successor


def _although_it_lives(mirakl: Any, linked: Any, waiting: Any, now: datetime) -> Any:
    gone = replace(linked, cancelled_at=linked.cancelled_at or linked.observed_at)
    return _successor(mirakl, gone, waiting, now)


_seen_before: dict[str, tuple[Any, ...]] = {}


def _as_it_once_was(view: View, memory: Memory) -> tuple[Any, ...]:
    """Reductions that were seen once are believed for ever."""
    found = differences(view, memory)
    if not found and view.order_id in _seen_before and view.shopify is not None and view.shopify.live:
        return _seen_before[view.order_id]
    if found and all(type(item).__name__ in ("QuantityReduced", "LineRemoved") for item in found):
        _seen_before[view.order_id] = found
    return found


_decide = router.decide


def _in_circles(view: View) -> Plan:
    """The marker of every live order goes off and on again, and nothing says that this has to end."""
    plan = _decide(view)
    if view.shopify is None or not view.shopify.live or plan.actions or view.mirakl is None:
        return plan
    gid = view.shopify.id
    turn = ClearMarker(gid) if view.shopify.marker else MarkOrder(gid)
    return replace(plan, actions=(turn,), look_at=view.now + timedelta(seconds=20))


def _unrestrained(plan: Plan, view: View) -> Plan:
    return replace(plan, actions=() if view.shopify_unreadable or not view.live else plan.actions)


def _always_whole(shopify: Any, memory: Memory) -> tuple[Any, ...]:
    del shopify, memory
    return ()


def _of_the_most(parts: Any, *rest: Any) -> Any:
    """The offer of a bundle counts by the article there is most of."""
    return max((to_offer((part,), *rest) for part in parts), key=lambda target: target.quantity or 0)


def _although_paused(plan: Plan, view: View) -> Plan:
    del view
    return plan


def _sells_bundles_and_publishes_stock(seed: int) -> bool:
    return bundles.are_sold(seed) and stock.is_drawn(seed)


MUTANTS = (
    Mutant(
        "lineage ignored",
        ((replacements, "decide", _says_nothing),),
        ("two that live on", "a take-over taken back", "split", "merged", "copied after it left"),
        ("I1",),
    ),
    Mutant(
        "taken over although the original lives",
        ((replacements, "_successor", _although_it_lives),),
        ("two that live on", "a take-over taken back"),
        ("I1", "I25", "I19"),
    ),
    Mutant(
        "units asked for twice",
        ((refunding, "covered_units", _no_units), (reading, "covered_units", _no_units)),
        ("two edits after the payment", "a refund two people approve", "a refund whose edit is undone"),
        ("I7", "I6"),
    ),
    Mutant(
        "refund forgotten when an edit is undone",
        ((refunding, "is_begun", _never_begun), (refunds, "_on_their_way", _nothing_on_its_way)),
        ("a refund whose edit is undone",),
        ("I6", "I7", "I8"),
    ),
    Mutant(
        "an order that is never parked",
        ((engine, "decide", _in_circles), (engine, "restrained", _unrestrained)),
        ("as it comes", "an edit undone in time"),
        ("I20",),
    ),
    Mutant(
        "an undone edit is sent all the same",
        ((router, "differences", _as_it_once_was),),
        ("an edit undone in time",),
        ("undone", "I5"),
    ),
    Mutant(
        "a bundle that is taken apart is taken for whole",
        ((diff, "broken_bundles", _always_whole), (gate, "broken_bundles", _always_whole)),
        (),
        ("I8", "I17", "label check"),
        bundles.are_sold,
    ),
    Mutant(
        "a bundle is offered by the article there is most of",
        ((figures, "to_offer", _of_the_most),),
        (),
        ("I26", "I27"),
        _sells_bundles_and_publishes_stock,
    ),
    Mutant(
        "what is paused is sent all the same",
        ((restraint, "without_paused", _although_paused),),
        (),
        ("pause",),
        pausing.are_set,
    ),
)


def _seeds(mutant: Mutant, first: int) -> Iterator[int]:
    return (seed for seed in itertools.count(first) if mutant.has_its_occasion(seed))


def hunt(mutant: Mutant, first: int, most: int) -> tuple[int, str]:
    """How many histories it took to betray the mutant, and what did; 0 when none of `most` did."""
    with ThrowawayServer() as server:
        database = Database(server.new_database(), pool_size=4, check_connections=False)
        keyring = Keyring([new_key()])
        patches = [mock.patch.object(where, name, put) for where, name, put in mutant.puts]
        for patch in patches:
            patch.start()
        try:
            for number, seed in enumerate(itertools.islice(_seeds(mutant, first), most), start=1):
                _seen_before.clear()
                for violation in run_seed(seed, database, keyring).violations:
                    if violation.startswith(mutant.betrayed_by):
                        return number, f"seed {seed}: {violation}"
        finally:
            for patch in patches:
                patch.stop()
            database.dispose()
    return 0, ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev run python -m tests.simulation.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these mutants")
    parser.add_argument("--most", type=int, default=40, help="histories to try for each")
    parser.add_argument("--first", type=int, default=500_000, help="the first seed")
    arguments = parser.parse_args()
    silent = []
    for mutant in MUTANTS:
        if arguments.names and mutant.name not in arguments.names:
            continue
        began = time.monotonic()
        number, finding = hunt(mutant, arguments.first, arguments.most)
        told = f"caught in history {number}: {finding}" if number else "SILENT"
        print(f"{mutant.name}: {told} ({time.monotonic() - began:.0f} s)", flush=True)
        if not number:
            silent.append(mutant.name)
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main())
