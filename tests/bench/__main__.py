"""Takes the measures, prints them, and writes them to docs/benchmarks.md."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from interlock import logs
from tests.bench.desk import LINES
from tests.bench.freed import BLOCKED, FEW, FREED, OTHERS, Freed, freed
from tests.bench.freed import BY_SCRIPT as FREED_BY_SCRIPT
from tests.bench.labels import PRINTERS, STORED
from tests.bench.measures import BURST, DELIVERIES, MANDATORY, ORDERS, Measures, Spread, Ways, measure, ways
from tests.bench.parcels import BY_SCRIPT, PARCELS, Parcels, parcels
from tests.bench.stock import Stocked, stocked
from tests.bench.years import A_HUNDREDTH, ROUNDS, Years, years
from tests.filled import YEARS

PARTS = ("service", "ways", "years", "stock", "parcels", "freed")
WAYS_BEGIN = "\n## To the acceptance and to the hold\n"
YEARS_BEGIN = "\n## A database of years\n"
STOCK_BEGIN = "\n## Stock\n"
PARCELS_BEGIN = "\n## Parcels\n"
FREED_BEGIN = "\n## One answer for many orders\n"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def page(found: Measures, load: float) -> str:
    """The measures as a page."""
    slower = found.ingress.median / found.bare.median
    more = found.calls_an_order / len(MANDATORY)
    share = found.orders_a_minute / found.ceiling_a_minute
    calls = "\n".join(f"| `{name}` | {number:.1f} |" for name, number in found.calls.items())
    return f"""# Benchmarks

Written by `./dev bench`. Every figure comes from one run of the whole service, both simulated platforms and
PostgreSQL (with every commit on disk) in one process; milliseconds depend on the machine, ratios hardly do. *Own time* is
what passes between the calls: the time the simulated platforms take is left out. {_shared(load)}

| what | figure | compared with |
|---|---|---|
| webhook accepted: signature, one row, the wake-up, one transaction | {found.ingress.median:.1f} ms, p95 {found.ingress.p95:.1f} ms | **{slower:.1f} ×** a bare endpoint with one durable insert ({found.bare.median:.1f} ms, p95 {found.bare.p95:.1f} ms), {DELIVERIES} deliveries each, in turns |
| label check, local path (what was seen is young), {PRINTERS} printers at once, {STORED} orders | {found.label.median:.1f} ms, p95 {found.label.p95:.1f} ms | **{found.label.p95 / found.bare_read.p95:.1f} ×** at p95, {found.label.median / found.bare_read.median:.1f} × in the middle, a bare endpoint that reads the same row ({found.bare_read.median:.1f} ms, p95 {found.bare_read.p95:.1f} ms), {found.label.number} calls each, in turns |
| edit asked for at our desk → OR30 leaves: held, edited, both sides read, told | {found.desk.median:.0f} ms, p95 {found.desk.p95:.0f} ms | **{found.desk.median / found.script.median:.1f} ×** a bare script that makes the same calls one after the other ({found.script.median:.0f} ms, p95 {found.script.p95:.0f} ms), {found.desk.number} edits each, in turns; reads of the marketplace are collected for up to a second |
| preview of an edit of ten lines of an order with {LINES} | {found.preview.median:.0f} ms, p95 {found.preview.p95:.0f} ms | **{found.preview.median / found.two_reads.median:.2f} ×** the two reads it stands on ({found.two_reads.median:.0f} ms, p95 {found.two_reads.p95:.0f} ms) |
| calls in the life of an order, import to shipped | {found.calls_an_order:.1f} | **{more:.1f} ×** the {len(MANDATORY)} without which it cannot be done |
| orders a minute through import and acceptance | {found.orders_a_minute:.0f} | **{share:.0%}** of the {found.ceiling_a_minute:.0f} that a Plus shop's ceiling allows at {found.points_an_order:.0f} points each; {BURST} orders at once, one process; the bucket is full at first, so a burst may pass 100 % |

## Calls in the life of an order

Averages over {ORDERS - (ORDERS + 1) // 2} orders without an edit. Polls (OR11) and sweeps serve all orders together and are
not counted; OR04 carries up to 100 orders. A read of the order answers one or several deliveries, most of them echoes of our
own writes.

| call | an order |
|---|---|
{calls}

The {len(MANDATORY)} calls without which it cannot be done: {", ".join(MANDATORY)}.
"""


def _shared(load: float) -> str:
    """How busy the machine was as the run began, in a sentence."""
    cores = os.cpu_count() or 1
    if load <= cores / 2:
        return f"Nothing else kept the machine's {cores} cores busy."
    return (
        f"The machine was shared: {load:.1f} processes were running or waiting for its {cores} cores as the run began, so "
        "the milliseconds are worse than they need be."
    )


def years_section(found: Years, load: float) -> str:
    """What was found over a filled database, as the page's last section. `load` is the machine's as the run began: how
    many processes were running or waiting."""
    shared = _shared(load)
    rows = []
    for one in found.pages:
        page, bare, small = Spread.of(one.page), Spread.of(one.bare), Spread.of(one.small)
        rows.append(
            f"| {one.title} | {page.median:.0f} ms, p95 {page.p95:.0f} ms | **{page.median / bare.median:.1f} ×** "
            f"{one.bare_is} ({bare.median:.1f} ms) | **{page.median / small.median:.2f} ×** ({small.median:.0f} ms) |"
        )
    lines = "\n".join(rows)
    return f"""{YEARS_BEGIN}
Pages of the console over {YEARS.orders:,} orders of a year, {YEARS.open_cases:,} open and {YEARS.orders:,} closed cases, and
{YEARS.calls:,} rows in the ledger, {ROUNDS} times each, in turns with the bare query in the same process and with the same page
over {A_HUNDREDTH.orders:,} orders and {A_HUNDREDTH.open_cases} open cases. A page is the whole answer: its queries, the rules that explain
what they found, and the HTML. A hundredth has only 12 refund tasks, so that page is shorter there. {shared}

| page | figure | compared with the bare query | compared with a hundredth of the rows |
|---|---|---|---|
{lines}

Of the {found.statements} statements that the service, its open pages and the metrics run again and again, {found.whole or "none"} read{"s" if found.whole == 1 else ""}
a whole table of those that grow with every order, by the plans PostgreSQL makes over that database.
"""


def stock_section(found: Stocked, load: float) -> str:
    """What was found of a large change of stock, as the page's last section."""
    files = f"{found.files} file{'' if found.files == 1 else 's'}"
    return f"""{STOCK_BEGIN}
Every figure of {found.offers:,} offers changes at once, against a simulated marketplace, with real PostgreSQL; the memory is
what the process grew by at its peak. {_shared(load)}

| what | figure | compared with |
|---|---|---|
| files until every offer shows its new figure | {files} | at most 2 |
| computing every figure anew | {found.computed:.1f} s | **{found.computed / found.bare:.1f} ×** reading the stock of every item and writing a figure for each ({found.bare:.1f} s) |
| writing, keeping and sending them, and settling the import | {found.sent:.1f} s | |
| memory | {found.memory_mb:.0f} MB | {found.memory_small_mb:.0f} MB for {found.small:,} offers |
"""


def ways_section(found: Ways, load: float) -> str:
    """What was found of the two things that have to go fast."""
    return f"""{WAYS_BEGIN}
Own time: what passes between the calls, without what the simulated platforms take. {_shared(load)}

| what | figure | compared with |
|---|---|---|
| Shopify order exists → OR21 leaves | {found.accepted.median:.0f} ms, p95 {found.accepted.p95:.0f} ms | **{found.accepted.median / found.accepted_bare.median:.1f} ×** a bare script that makes the same calls over the same clients and keeps nothing ({found.accepted_bare.median:.1f} ms, p95 {found.accepted_bare.p95:.1f} ms), {found.accepted.number} orders each, one at a time |
| edit delivered → hold leaves | {found.held.median:.0f} ms, p95 {found.held.p95:.0f} ms | **{found.held.median / found.held_bare.median:.1f} ×** a bare script that reads the order and holds it ({found.held_bare.median:.1f} ms, p95 {found.held_bare.p95:.1f} ms), {found.held.number} orders each that nobody held |
"""


def parcels_section(found: Parcels, load: float) -> str:
    """What was found of many parcels that leave at once, as the page's last section."""
    return f"""{PARCELS_BEGIN}
{PARCELS} orders of a marketplace that knows single parcels, each with one parcel, all leaving in one moment; in real time, one
process. The marketplace names no ceiling for shipments, so Shopify's is the one to be kept. {_shared(load)}

| what | figure | compared with |
|---|---|---|
| parcels a minute, from the label in Shopify to the marketplace's word that they left | {found.a_minute:.0f} | **{found.a_minute / found.by_script:.0%}** of a bare script that reads the order, makes the shipment (ST01) and says that it left (ST24), one call after the other ({found.by_script:.0f}; only {BY_SCRIPT} parcels, which a full bucket pays for) |
| the same | {found.a_minute:.0f} | **{found.a_minute / found.ceiling:.0%}** of the {found.ceiling:.0f} that a Plus shop's ceiling allows at {found.points:.0f} points each; the bucket is full at first |
| calls of one parcel: orders and shipments read, told and confirmed | {found.calls:.1f} | **{found.calls / 3:.1f} ×** the 3 without which it cannot be done |
"""


def freed_section(found: Freed, load: float) -> str:
    """What was found of an answer that frees many orders, as the page's last section."""
    click, bare = 1000 * found.click, 1000 * found.click_bare
    page, counted = 1000 * found.page, 1000 * found.page_bare
    wake, few = 1000 * found.wake, 1000 * found.wake_few
    most = min(found.by_script, found.by_pace)
    return f"""{FREED_BEGIN}
One carrier stops {BLOCKED:,} orders and somebody maps it: what the database does for all of them, in a database of its own. Then
{FREED} of them with both simulated platforms and one process, in real time, while {OTHERS} further orders are sold. {_shared(load)}

| what | figure | compared with |
|---|---|---|
| the click: every order noted and told in its case's history, the first ones woken | {click:.0f} ms | **{click / bare:.1f} ×** one bare row for each order ({bare:.0f} ms) |
| the page that counts them as they go | {page:.0f} ms | **{page / counted:.1f} ×** counting the rows of the replay ({counted:.1f} ms) |
| waking the next ones | {wake:.0f} ms | **{wake / few:.2f} ×** the same with {FEW} orders ({few:.0f} ms) |
| orders a minute from the click to the marketplace's word that they left | {found.a_minute:.0f} | **{found.a_minute / most:.0%}** of {most:.0f}, the lower of two: a bare script that reads the order, tells the tracking (OR23) and ships (OR24), one call after the other ({found.by_script:.0f}, {FREED_BY_SCRIPT} orders), and the pace that a replay keeps for the sake of all other work ({found.by_pace:.0f}) |
| sale → acceptance of another order meanwhile | {found.meanwhile:.1f} s | **{found.meanwhile / found.before:.1f} ×** without a replay ({found.before:.1f} s) |
| calls that a platform refused because there were too many | {found.refused} | none is the aim |
"""


def main() -> int:
    asked = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    asked.add_argument(
        "--only", choices=PARTS, help="take this part anew and keep the others as they are on the page"
    )
    only = asked.parse_args().only
    logs.configure("error")
    service, _, rest = PAGE.read_text(encoding="utf-8").partition(YEARS_BEGIN)
    service, _, both_ways = service.partition(WAYS_BEGIN)
    both_ways = WAYS_BEGIN + both_ways
    over_years, _, rest = rest.partition(STOCK_BEGIN)
    stock, _, rest = rest.partition(PARCELS_BEGIN)
    one_by_one, _, at_once = rest.partition(FREED_BEGIN)
    over_years, stock, one_by_one = YEARS_BEGIN + over_years, STOCK_BEGIN + stock, PARCELS_BEGIN + one_by_one
    at_once = FREED_BEGIN + at_once
    if only in (None, "service"):
        load = os.getloadavg()[0]
        service = page(asyncio.run(measure()), load)
    if only in (None, "ways"):
        load = os.getloadavg()[0]
        both_ways = ways_section(asyncio.run(ways()), load)
    if only in (None, "stock"):
        load = os.getloadavg()[0]
        stock = stock_section(stocked(), load)
    if only in (None, "years"):
        load = os.getloadavg()[0]
        over_years = years_section(asyncio.run(years()), load)
    if only in (None, "parcels"):
        load = os.getloadavg()[0]
        one_by_one = parcels_section(asyncio.run(parcels()), load)
    if only in (None, "freed"):
        load = os.getloadavg()[0]
        at_once = freed_section(asyncio.run(freed()), load)
    text = service + both_ways + over_years + stock + one_by_one + at_once
    PAGE.write_text(text, encoding="utf-8")
    print(text)
    print(f"Written to {PAGE.relative_to(Path.cwd()) if PAGE.is_relative_to(Path.cwd()) else PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
