"""Runs seeded histories on both cores, judges each, and says what was covered and what broke."""

import argparse
import io
import itertools
import json
import multiprocessing
import subprocess
import time
import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from interlock.logs import configure
from interlock.rehearsal.history import draw_plan, live, on_virtual_time
from interlock.rehearsal.judge import (
    i23_an_older_copy_makes_nothing_twice,
    i23_the_mapping_can_be_rebuilt,
    judge,
)
from interlock.rehearsal.judging.verdict import Verdict
from interlock.rehearsal.troubles import Ended
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, new_key
from tests.databases import ThrowawayServer, compact, count_from_one, empty
from tests.simulation.cost import Cost, counted, in_words, too_dear
from tests.simulation.story import shortest_log

EXPECTED = (
    # what befalls the service
    "crash",
    "crash between send and commit",
    "frozen",
    "lease lost",
    "database away",
    "platform down",
    "reordered start",
    "trouble: commit failed before it was kept",
    "trouble: commit failed after it was kept",
    "trouble: machine clock stepped",
    "trouble: machine clocks wrong",
    "trouble: database clock skewed",
    "trouble: settings changed",
    "trouble: marketplace rules changed",
    "trouble: carrier table changed",
    "trouble: web process away",
    "trouble: platform down for long",
    "fault: html",
    "fault: items_missing",
    "fault: late_apply",
    "fault: rate_limited",
    "fault: refused_before",
    "fault: reply_lost",
    "fault: server_error",
    "fault: server_error_after",
    "fault: slow",
    "fault: truncated",
    "late commit",
    "outcome unknown, found applied",
    "outcome unknown, found not applied",
    "settled by reading back",
    "throttled",
    "marketplace page failed",
    "marketplace list was behind",
    # webhooks
    "webhook lost",
    "webhook repeated",
    "webhook reordered",
    "webhook failed",
    "subscription removed",
    "found only by sweep",
    # stories of orders
    "accepted by Interlock",
    "refused by Interlock",
    "shipped by Interlock",
    "parcel told by Interlock",
    "parcel told in the portal",
    "order told of in several parcels",
    "shipment's tracking sent by Interlock",
    "ST01 settled by reading back",
    "tracking not corrected",
    "people: part of an order left",
    "people: order told in the portal",
    "people: tracking corrected",
    "people: number added late",
    "people: number added without a carrier",
    "number told after the dispatch",
    "checked I15 number",
    "auto-refused at the deadline",
    "draft adopted after an unclear creation",
    "hidden address completed later",
    "custom line",
    "lines cut by Interlock",
    "CancelMiraklOrder confirmed",
    "marketplace cancellation mirrored",
    "operator race on one line",
    "edit undone",
    "hold placed",
    "hold released",
    "held again",
    "our hold released by staff",
    "label before hold",
    "unknown carrier, then mapped and shipped",
    "refund task opened",
    "refund task settled",
    "task of an edit after debit",
    "OR28 confirmed",
    "OR28 settled by reading back",
    "OR28 with 0 approvals",
    "OR28 with 1 approvals",
    "OR28 with 2 approvals",
    "second approval asked for",
    "units withdrawn",
    "people: payment fails",
    "people: cancelled order deleted",
    "people: unit sent back while others wait",
    "people: order deleted that was not cancelled",
    "people: replaced by an app",
    "people: copied after the parcel left",
    "an app's cancel came too late",
    "lineage of three or more",
    "taken over by itself",
    "taken over by a person's word",
    "taken back",
    "mirror of the marketplace made in Shopify",
    "undo made in Shopify",
    "bundle sold",
    "bundle left",
    "bundle edited",
    "bundle taken apart",
    "bundle cut by Interlock",
    "shipped as edited",
    "message to the customer sent",
    "desk edit of lines",
    "desk edit of cancel",
    "desk edit of address",
    "desk edit of undo",
    "desk edit agreed",
    "service asked to stop",
    "service: cancellation accepted",
    "service: cancellation rejected",
    "service did not answer",
    "label purchase started",
    "people: label check said yes",
    "people: label check said no",
    "people: label printed anyway",
    "people: label check answered: stored",
    "people: label check answered: read now",
    "answer accept_anyway",
    "answer accept_without_order",
    "answer approve_refund",
    "answer cancel_and_message",
    "answer cancel_at_marketplace",
    "answer cancel_original",
    "answer confirm_withdrawn",
    "answer create_with_custom_line",
    "answer dismiss",
    "answer done_in_portal",
    "answer give_up",
    "answer keep_address",
    "answer no_successor",
    "answer refuse_order",
    "answer second_delivery",
    "answer send_again",
    "answer print_anyway",
    "answer left_under_number",
    "answer ship_as_edited",
    "answer take_over",
    "answer undo_by_interlock",
    "answer undo_in_shopify",
    "answer undo_take_over",
    # cases
    "case acceptance_refused",
    "case acceptance_running_out",
    "case accepted_without_order",
    "case both_sides_changed",
    "case cancelled_in_shopify",
    "case cannot_hold",
    "case carrier_gone",
    "case carrier_unknown",
    "case confirm_withdrawn",
    "case desk_edit_stuck",
    "case destination_differs",
    "case edit_cannot_be_expressed",
    "case edit_waiting",
    "case ended_after_picking",
    "case fulfillment_cancelled",
    "case hold_released_by_others",
    "case incident_open",
    "case label_before_agreement",
    "case label_given_back",
    "case label_overridden",
    "case marketplace_changed",
    "case operation_unclear",
    "case original_not_cancelled",
    "case outcome_unclear",
    "case oversold",
    "case platform_refused",
    "case poller_stale",
    "case possible_successor",
    "case price_discrepancy",
    "case reduction_not_allowed",
    "case refund_approval",
    "case refund_not_paid",
    "case refund_refused",
    "case refund_task",
    "case replacement_merged",
    "case replacement_split",
    "case service_does_not_stop",
    "case service_to_ask_again",
    "case setting_refuted",
    "case shipped_on_disagreement",
    "case shipping_refused",
    "case sku_unknown",
    "case still_here",
    "case stock_file_refused",
    "case stock_line_refused",
    "case stock_short",
    "case tracking_missing",
    "case tracking_not_corrected",
    "case two_live_orders",
    "case unknown_value",
    "case unreadable_order",
    "checked I23",
    "checked I23 older copy",
    # deliveries of strangers
    "checked I16 signature",
    "checked I16 foreign_shop",
    "checked I16 unknown_topic",
    "checked I16 unreadable",
    # what closes by itself, and what stood for long
    "checked I15 rung",
    "checked I21 closed",
    "checked I17 standing",
    # what is searched for personal data
    "checked I12 logs",
    "checked I12 urls",
    "checked I12 metrics",
    # pauses
    "case flow_paused",
    "checked pause",
    "people: flow resumed",
    "people: stock paused",
    # what the operator changes after the import
    "people: address changed at the marketplace",
    "people: address set at the marketplace as in Shopify",
    "people: address changed by both",
    "people: taxes recalculated",
    "people: price recalculated",
    "people: shipping recalculated",
    "checked I8 address",
    # what differs from the shop we know, and what staff change there
    "people: prices shown otherwise in the shop",
    "people: telephone number changed",
    "people: telephone number followed by the marketplace",
    "people: telephone number set back",
    "people: sku renamed in the shop",
    "people: renamed sku mapped",
    "people: dropped from the list of carriers",
    "people: title of a shipping method set",
    "people: refund recorded as money",
    "people: refund recorded by the unit",
    "checked I7 recorded",
    "checked I6 total",
    "checked I24 price",
    "checked shipping title",
    # stock that is published
    "stock file sent",
    "stock file refused",
    "stock file unclear",
    "stock line refused",
    "stock drifted",
    "checked I26 bundle",
    "checked I27 bundle",
    "people: stock: sold in the shop",
    "people: stock: sold on a marketplace",
    "people: stock: refused in the portal",
)
"""What must have happened for a run to prove anything about it: the list of the reliability study, section 3, as far as
it is built, and every fault of section 4.3."""

REBUILD_EVERY = 5
COMPACT_EVERY = 20
REGRESSIONS = Path(__file__).parent / "regressions.txt"


@dataclass
class Outcome:
    """What one seed gave. `log` is the shortest log of the first violation."""

    seed: int
    seconds: float
    calls: int = 0
    cost: Cost | None = None
    counters: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    bounded: list[str] = field(default_factory=list)
    log: tuple[str, ...] = ()


def run_seed(seed: int, database: Database, keyring: Keyring) -> Outcome:
    """Live through one seed on a clean database and judge it; on some, lose every row afterwards and rebuild, on others
    go on from an older copy of the database."""
    empty(database)
    count_from_one(database)
    # Lines as the service writes them; the library's own way would draw every failure with all its values.
    written = io.StringIO()
    configure(stream=written)
    began, cpu_began = time.perf_counter(), time.process_time()
    verdicts: list[Verdict] = []
    costs: list[Cost] = []
    log: tuple[str, ...] = ()

    def keep_the_log(ended: Ended) -> None:
        nonlocal log
        if verdicts[0].broken and not log:
            with database.begin() as c:
                log = shortest_log(ended.world, c, verdicts[0].broken[0])

    async def at_rest(ended: Ended) -> None:
        cpu_seconds = time.process_time() - cpu_began
        hours = ended.world.process_world.clock.monotonic() / 3600
        costs.append(replace(counting, calls=ended.calls, hours=hours, cpu_seconds=cpu_seconds))
        verdicts.append(
            judge(
                ended.world,
                quiescent=True,
                interruptions=ended.interruptions,
                asked=ended.crowd.asked,
                paused=ended.crowd.paused,
                settings_said=ended.crowd.settings_said,
                told=ended.crowd.told,
                logs=written.getvalue().splitlines(),
            )
        )
        # What follows may empty the tables.
        keep_the_log(ended)
        if seed % REBUILD_EVERY == 0:
            await i23_the_mapping_can_be_rebuilt(ended.world, verdicts[0])
        elif seed % REBUILD_EVERY == 2 and ended.copy is not None:
            await i23_an_older_copy_makes_nothing_twice(ended.world, ended.copy, verdicts[0])
        keep_the_log(ended)

    try:
        plan = draw_plan(seed)
        with counted(database) as counting:
            ended: Ended = on_virtual_time(seed, lambda: live(seed, plan, database, keyring, at_rest=at_rest))
        verdict = verdicts[0]
    except Exception:
        return Outcome(seed, time.perf_counter() - began, violations=[traceback.format_exc()])
    outcome = Outcome(seed, time.perf_counter() - began, ended.calls, costs[0], log=log)
    outcome.counters.update(verdict.counters)
    outcome.counters.update({f"checked {name}": number for name, number in verdict.checked.items()})
    outcome.counters.update({f"story: {name}": 1 for name in ended.stories})
    outcome.counters.update({f"people: {name}": number for name, number in ended.crowd.did.items()})
    outcome.counters.update({f"trouble: {name}": number for name, number in ended.crashes.items()})
    for platform in (plan.shopify_faults, plan.mirakl_faults):
        outcome.counters.update({f"fault: {name}": number for name, number in platform.injected.items()})
    outcome.violations.extend(str(finding) for finding in verdict.broken)
    outcome.violations.extend(f"trouble: {trouble}" for trouble in ended.world.process_world.troubles)
    outcome.bounded.extend(str(finding) for finding in verdict.bounded)
    return outcome


def work(seeds: "multiprocessing.Queue[int | None]", done: "multiprocessing.Queue[Outcome]") -> None:
    """One core: a server of its own, seed after seed."""
    with ThrowawayServer() as server:
        database = Database(server.new_database(), pool_size=4, check_connections=False)
        keyring = Keyring([new_key()])
        lived = 0
        while (seed := seeds.get()) is not None:
            done.put(run_seed(seed, database, keyring))
            lived += 1
            if lived % COMPACT_EVERY == 0:
                compact(database)
        database.dispose()


def print_calls(seed: int) -> int:
    """Print every call both platforms received in one history, a line each."""
    from tests.simulation.test_histories import calls_of

    configure(stream=io.StringIO())
    with ThrowawayServer() as server:
        database = Database(server.new_database(), pool_size=4, check_connections=False)
        for line in calls_of(seed, database, Keyring([new_key()])):
            print(line)
        database.dispose()
    return 0


def replay(seed: int) -> int:
    """Live through one seed once more and print its story: what each order went through, and the verdict."""
    from sqlalchemy import select

    from interlock.orders.store import orders, timeline_of

    with ThrowawayServer() as server:
        database = Database(server.new_database(), pool_size=4, check_connections=False)
        outcome = run_seed(seed, database, Keyring([new_key()]))
        with database.begin() as c:
            for row in c.execute(select(orders.c.id, orders.c.mirakl_order_id).order_by(orders.c.id)).all():
                print(f"\nOrder {row.mirakl_order_id}")
                for at, who, sentence in timeline_of(c, row.id):
                    print(f"  {at:%H:%M:%S} {who}: {sentence}")
        database.dispose()
    for violation in outcome.violations:
        print(f"\nBROKEN {violation}")
    if outcome.log:
        print("\nThe shortest log of the first of them:")
    for line in outcome.log:
        print(f"  {line}")
    for bounded in outcome.bounded:
        print(f"\nBOUNDED {bounded}")
    print(
        f"\nseed {seed}: {outcome.calls} calls, {outcome.seconds:.2f} s, {len(outcome.violations)} violations"
    )
    return 1 if outcome.violations else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev simulate", description=__doc__)
    parser.add_argument("--seeds", default="0:200", help="A:B, the first seed and the one after the last")
    parser.add_argument(
        "--for-seconds",
        type=float,
        default=None,
        help="stop taking new seeds so long after the first that is no regression seed",
    )
    parser.add_argument("--fresh", action="store_true", help="seeds of this very commit")
    parser.add_argument("--regressions", action="store_true", help="run the committed regression seeds too")
    parser.add_argument("--replay", type=int, default=None, help="one seed again, with its whole story")
    parser.add_argument("--calls-of", type=int, default=None, help="print every call of one seed")
    parser.add_argument("--json", type=Path, default=None, help="write the figures to this file")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument(
        "--expect",
        type=int,
        default=None,
        help="fail unless everything that must happen for the run to prove something happened so often",
    )
    arguments = parser.parse_args()
    if arguments.replay is not None:
        return replay(arguments.replay)
    if arguments.calls_of is not None:
        return print_calls(arguments.calls_of)
    first, last = (int(part) for part in arguments.seeds.split(":"))
    if arguments.fresh:
        first = seeds_of_this_commit()
        last = first + 100_000
        print(f"seeds from {first}")
    again = regressions() if arguments.regressions else []
    seeds = itertools.chain(again, range(first, last))
    return run(seeds, arguments.cores, arguments.for_seconds, arguments.json, arguments.expect, len(again))


def regressions() -> list[int]:
    """The committed seeds that once broke something."""
    lines = REGRESSIONS.read_text().splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


def seeds_of_this_commit() -> int:
    """The first of a range of seeds that belongs to the checked-out commit, so that every change brings new ones."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    digits = commit.stdout.strip()[:6] or "0"
    return 1_000_000 + int(digits, 16) * 100


def run(
    seeds: Iterable[int],
    cores: int,
    for_seconds: float | None,
    report: Path | None,
    expect: int | None = None,
    always: int = 0,
) -> int:
    """Spread the seeds over the cores; 0 when nothing broke and everything expected happened often enough. The first
    `always` seeds are run however long they take; the seconds count from the one after them."""
    context = multiprocessing.get_context("spawn")
    waiting: multiprocessing.Queue[int | None] = context.Queue()
    done: multiprocessing.Queue[Outcome] = context.Queue()
    workers = [context.Process(target=work, args=(waiting, done), daemon=True) for _ in range(cores)]
    for worker in workers:
        worker.start()
    began = time.monotonic()
    pending = iter(enumerate(seeds))
    under_way = 0
    outcomes: list[Outcome] = []
    ends: float | None = None

    def feed() -> bool:
        nonlocal ends
        if ends is not None and time.monotonic() > ends:
            return False
        number, seed = next(pending, (0, None))
        if seed is None:
            return False
        if for_seconds is not None and ends is None and number >= always:
            ends = time.monotonic() + for_seconds
        waiting.put(seed)
        return True

    for _ in range(cores * 2):
        under_way += feed()
    while under_way:
        outcome = done.get()
        under_way -= 1
        outcomes.append(outcome)
        if outcome.violations:
            print(failure(outcome), flush=True)
        if len(outcomes) % 25 == 0:
            minutes = (time.monotonic() - began) / 60
            print(f"{len(outcomes)} histories, {len(outcomes) / minutes:.0f} a minute", flush=True)
        under_way += feed()
    for _ in workers:
        waiting.put(None)
    for worker in workers:
        worker.join(20)
    return summarise(outcomes, time.monotonic() - began, report, expect)


def failure(outcome: Outcome) -> str:
    """A failing seed in words: what broke first, the shortest log of it, and how to see it again."""
    return "\n".join(
        [
            f"seed {outcome.seed}: {outcome.violations[0]}",
            *(f"  {line}" for line in outcome.log),
            f"  again: ./dev simulate --replay {outcome.seed}",
        ]
    )


def seldom(counters: Counter[str], expect: int) -> list[str]:
    """What must have happened and did less often than expected."""
    return [name for name in EXPECTED if counters[name] < expect]


def summarise(outcomes: list[Outcome], seconds: float, report: Path | None, expect: int | None = None) -> int:
    """Print the figures a reader wants first: how many, how fast, what was covered, what broke."""
    counters: Counter[str] = Counter()
    for outcome in outcomes:
        counters.update(outcome.counters)
    broken = [outcome for outcome in outcomes if outcome.violations]
    costs = [(outcome.seed, outcome.cost) for outcome in outcomes if outcome.cost is not None]
    dear = too_dear(costs)
    bounded = sum(len(outcome.bounded) for outcome in outcomes)
    calls = sum(outcome.calls for outcome in outcomes)
    for name, number in sorted(counters.items()):
        print(f"{number:8d}  {name}")
    wanted = 1 if expect is None else expect
    missing = seldom(counters, wanted)
    print(f"\nwhat must have happened, {wanted} times or more:")
    for name in EXPECTED:
        print(f"{counters[name]:8d}  {name}{'  <-- too seldom' if name in missing else ''}")
    print(
        f"{len(EXPECTED) - len(missing)} of {len(EXPECTED)} happened often enough"
        + (f"; too seldom: {', '.join(missing)}" if missing else "")
    )
    print(
        f"{len(outcomes)} histories in {seconds:.0f} s ({len(outcomes) * 60 / max(seconds, 1):.0f} a minute), {calls} "
        f"calls, {bounded} bounded, {len(broken)} with violations"
    )
    print(in_words([cost for _, cost in costs]))
    for excess in dear:
        print(f"too dear: {excess}")
    for outcome in broken[:10]:
        print(f"seed {outcome.seed} ({len(outcome.violations)}): {outcome.violations[0]}")
        print(f"  again: ./dev simulate --replay {outcome.seed}")
    if report is not None:
        report.write_text(
            json.dumps(
                {
                    "histories": len(outcomes),
                    "seconds": round(seconds),
                    "calls": calls,
                    "bounded": bounded,
                    "broken": {str(o.seed): o.violations for o in broken},
                    "logs": {str(o.seed): o.log for o in broken},
                    "too_seldom": missing,
                    "too_dear": dear,
                    "counters": dict(sorted(counters.items())),
                },
                indent=1,
            )
        )
    return 1 if broken or dear or not outcomes or (expect is not None and missing) else 0
