"""Takes the measures, prints them, and writes them to docs/benchmarks.md."""

import argparse
import asyncio
import sys
from pathlib import Path

from interlock import logs
from tests.bench.desk import LINES
from tests.bench.labels import PRINTERS, STORED
from tests.bench.measures import BURST, DELIVERIES, MANDATORY, ORDERS, Measures, measure

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def page(found: Measures) -> str:
    """The measures as a page."""
    slower = found.ingress.median / found.bare.median
    more = found.calls_an_order / len(MANDATORY)
    share = found.orders_a_minute / found.ceiling_a_minute
    calls = "\n".join(f"| `{name}` | {number:.1f} |" for name, number in found.calls.items())
    return f"""# Benchmarks

Written by `./dev bench`. Every figure comes from one run of the whole service, both simulated platforms and
PostgreSQL (with every commit on disk) in one process; milliseconds depend on the machine, ratios hardly do. *Own time* is
what passes between the calls: the time the simulated platforms take is left out.

| what | figure | compared with |
|---|---|---|
| webhook accepted: signature, one row, the wake-up, one transaction | {found.ingress.median:.1f} ms, p95 {found.ingress.p95:.1f} ms | **{slower:.1f} ×** a bare endpoint with one durable insert ({found.bare.median:.1f} ms, p95 {found.bare.p95:.1f} ms), {DELIVERIES} deliveries each, in turns |
| label check, local path (what was seen is young), {PRINTERS} printers at once, {STORED} orders | {found.label.median:.1f} ms, p95 {found.label.p95:.1f} ms | **{found.label.p95 / found.bare_read.p95:.1f} ×** at p95, {found.label.median / found.bare_read.median:.1f} × in the middle, a bare endpoint that reads the same row ({found.bare_read.median:.1f} ms, p95 {found.bare_read.p95:.1f} ms), {found.label.number} calls each, in turns |
| Shopify order exists → OR21 leaves, own time | {found.accepted.median:.0f} ms, p95 {found.accepted.p95:.0f} ms | {found.accepted.number} orders, one at a time |
| edit delivered → hold leaves, own time | {found.held.median:.0f} ms, p95 {found.held.p95:.0f} ms | {found.held.number} edits of orders that nobody held |
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


def main() -> int:
    argparse.ArgumentParser(prog="./dev bench", description=__doc__).parse_args()
    logs.configure("error")
    text = page(asyncio.run(measure()))
    PAGE.write_text(text, encoding="utf-8")
    print(text)
    print(f"Written to {PAGE.relative_to(Path.cwd()) if PAGE.is_relative_to(Path.cwd()) else PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
