"""The demo without a spectator: whole days on virtual time, one for each seed, and what became of the promises."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from rich import table as rich_table
from rich.console import Console
from rich.markup import escape

from interlock.demo.day import STORIES, live, open_day
from interlock.demo.ground import Ground
from interlock.demo.promises import UNDERNEATH, Promise, tally
from interlock.orders.timeline import counted
from interlock.rehearsal.history import on_virtual_time
from interlock.storage.encryption import Keyring, new_key

MOST_LINES = 6


@dataclass
class Result:
    """All days together."""

    seeds: list[int] = field(default_factory=list)
    promises: dict[str, Promise] = field(default_factory=dict)
    stories: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def missing(self) -> list[str]:
        """Stories that never happened: without them the days prove less than they claim."""
        return [story for story in STORIES if not self.stories[story]]

    @property
    def passed(self) -> bool:
        """Nothing is broken, every story happened, and at least one bounded case was among them."""
        broken = any(promise.broken for promise in self.promises.values())
        bounded = any(promise.bounded for promise in self.promises.values())
        return bool(self.seeds) and not broken and bounded and not self.missing

    def as_dict(self) -> dict[str, object]:
        """The report: the promises, and apart from them what they stand on."""
        named = [promise for promise in self.promises.values() if promise.name != UNDERNEATH]
        underneath = self.promises.get(UNDERNEATH, Promise(UNDERNEATH))
        return {
            "promises": [promise.as_dict() for promise in named],
            "not_built": [],
            "underneath": underneath.as_dict(),
            "seeds": self.seeds,
            "counts": dict(sorted(self.counts.items())),
            "stories": {story: self.stories[story] for story in STORIES},
            "stories_missing": self.missing,
            "passed": self.passed,
        }


def run(seeds: range, json_file: Path | None, console: Console) -> int:
    """Live through a day for each seed; 0 only if nothing broke, something was bounded and every story happened."""
    result = Result()
    with Ground(None) as ground:
        for seed in seeds:
            ground.clear()
            _one_day(seed, ground, result)
            console.print(f"Day {seed} is over: {result.counts['orders']} orders so far.", style="dim")
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(result.as_dict(), indent=1) + "\n", encoding="utf-8")
    show(result, console)
    return 0 if result.passed else 1


def _one_day(seed: int, ground: Ground, result: Result) -> None:
    keyring = Keyring([new_key()])

    async def whole() -> tuple[list[Promise], Counter[str], Counter[str]]:
        day = open_day(seed, ground.database, keyring)
        await live(day)
        promises, verdict = tally(day)
        platforms = [day.world.shopify.record, *(m.record for m in day.world.mirakl.values())]
        counts = Counter(
            {
                "orders": day.team.orders,
                "parcels": day.team.parcels,
                "calls": sum(len(record.calls) for record in platforms),
                "edits carried": verdict.counters["CancelQuantities confirmed"]
                + verdict.counters["CancelMiraklOrder confirmed"],
                "answers of people": sum(
                    number for name, number in verdict.counters.items() if name.startswith("answer ")
                ),
                "cases": sum(n for name, n in verdict.counters.items() if name.startswith("case ")),
            }
        )
        return promises, Counter(day.team.did), counts

    lived: tuple[list[Promise], Counter[str], Counter[str]] = on_virtual_time(seed, whole)
    promises, did, counts = lived
    result.seeds.append(seed)
    result.stories += did
    result.counts += counts
    for promise in promises:
        promise.evidence = [
            line.replace(": ", f": day {seed}: ", 1) if ": " in line else line for line in promise.evidence
        ]
        if promise.name in result.promises:
            result.promises[promise.name].add(promise)
        else:
            result.promises[promise.name] = promise


def show(result: Result, console: Console) -> None:
    """Print the promises as a table, then what stands behind the numbers."""
    table = rich_table.Table(title="What became of the promises", title_justify="left")
    table.add_column("promise")
    for column in ("checked", "held", "bounded", "broken"):
        table.add_column(column, justify="right")
    for promise in result.promises.values():
        broken = f"[bold red]{promise.broken}[/]" if promise.broken else "0"
        bounded = f"[yellow]{promise.bounded}[/]" if promise.bounded else "0"
        table.add_row(promise.name, str(promise.checked), str(promise.held), bounded, broken)
    console.print(table)
    for promise in result.promises.values():
        for line in promise.evidence[:MOST_LINES]:
            console.print(f"  {escape(line)}", style="red" if line.startswith("broken") else "dim")
    counts = ", ".join(f"{number} {name}" for name, number in sorted(result.counts.items()))
    console.print(f"{counted(len(result.seeds), 'day')}: {counts}.")
    if result.missing:
        console.print(f"Never happened: {', '.join(result.missing)}.", style="red")
    if result.passed:
        console.print("Every promise was kept or bounded.", style="green")
    else:
        console.print("The days did not show what they should; see above.", style="bold red")
