"""How one SKU is at one marketplace: a table of facts, and the samples behind them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from interlock.cases.store import cases, open_connection_case
from interlock.console.stock import set_publishing
from interlock.engine.stock import OF_STOCK
from interlock.engine.store import ConnectionRow, one_connection
from interlock.inventory.store import add_import, keep_import, lines_leave, stock_figures, touch
from interlock.monitoring.board import findings, make_board
from interlock.monitoring.rollup import counted_since, edit_clock_rows
from interlock.monitoring.sku_health import SkuEdit, SkuFacts, judged
from interlock.monitoring.skus import (
    MOST_NAMED,
    OFFER_STATES,
    SkuMark,
    drift_of_all,
    mark_of,
    note_sales,
    offer_states,
    sample_skus,
    sku_page,
    week_of,
)
from interlock.offers.store import offers
from interlock.orders.codec import encode
from interlock.orders.memory import Memory, OrderedLine
from interlock.orders.reasons import Reason
from interlock.orders.store import add_order, orders
from interlock.storage.database import Database
from tests.build import NOW
from tests.engine.rows import Wakes, a_connection
from tests.offers.seeded import both_sides

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FACTS = SkuFacts("atlas", 1, "MUG", True, ("MUG",), target=5, shown=5, published=5, published_at=NOW)
TOLD = replace(FACTS, confirmed_at=NOW + MINUTE)


@pytest.mark.parametrize(
    ("facts", "state", "cause"),
    [
        (TOLD, "fine", ""),
        (replace(TOLD, target=None, shown=None), "not known", "What it may show is not known yet."),
        (
            replace(TOLD, shown=None),
            "not known",
            "Something may have moved the marketplace's figure since it was published; it is told again, or read.",
        ),
        (
            replace(FACTS, shown=None, published=None),
            "not known",
            "Nothing was published for it yet, and the marketplace has not shown it.",
        ),
        (replace(TOLD, shown=None, file_problem="No file is taken."), "not known", "No file is taken."),
        # a stock that is not counted, or not published from here, has no figure to be known
        (replace(TOLD, target=None, shown=None, uncounted=True), "fine", ""),
        (replace(TOLD, target=None, shown=None, publishes=False), "fine", ""),
        (replace(TOLD, shown=7), "oversold", "The marketplace shows something else than it confirmed."),
        (replace(TOLD, shown=3), "drifting", "The marketplace shows something else than it confirmed."),
        (
            replace(FACTS, shown=3),
            "drifting",
            "It was published, and the marketplace has not confirmed it yet.",
        ),
        (
            replace(TOLD, target=4, shown=5),
            "oversold",
            "The figure has changed since it was published; the next file carries it.",
        ),
        (replace(TOLD, shown=9, published=None), "oversold", "Nothing was published for it yet."),
        (replace(TOLD, target=4, shown=5, paused="Ada paused it."), "oversold", "Ada paused it."),
        (replace(TOLD, paused="Ada paused it."), "fine", ""),
        (
            replace(TOLD, shown=9, refused_why="unknown offer"),
            "oversold",
            "The marketplace refused the figure: unknown offer",
        ),
        (replace(TOLD, refused_why="x"), "refused", "The marketplace refused the figure: x"),
        (replace(TOLD, linked=False, problem="No product."), "no product", "No product."),
        (
            replace(TOLD, offer_price=Decimal("9.90"), shop_price=Decimal("8.90"), currency="EUR"),
            "price differs",
            "Offered at 9.90 EUR, in the shop at 8.90 EUR.",
        ),
        (
            replace(TOLD, edits=(SkuEdit(NOW, 90.0, "edit_cannot_be_expressed"),)),
            "edit blocked",
            "The last edit that did not get through: edit cannot be expressed.",
        ),
    ],
)
def test_the_worst_of_a_sku_and_its_cause(facts: SkuFacts, state: str, cause: str) -> None:
    one = judged(facts)
    assert (one.state, one.cause) == (state, cause)


CONFIRMED = (SkuEdit(NOW, 10.0, "confirmed"), SkuEdit(NOW + MINUTE, 30.0, "released"))
BLOCKED = SkuEdit(NOW + 2 * MINUTE, 500.0, "refund_task")


@pytest.mark.parametrize(
    ("edits", "p50", "p95"),
    [
        ((*CONFIRMED, BLOCKED), 20.0, 29.0),
        # an edit that was just made tells nothing yet; one that hangs counts with what it has taken so far
        ((*CONFIRMED, SkuEdit(NOW, 29.0, "")), 20.0, 29.0),
        ((*CONFIRMED, SkuEdit(NOW, 600.0, "")), 20.0, 543.0),
        ((SkuEdit(NOW, 600.0, ""),), None, 600.0),
        ((), None, None),
    ],
)
def test_durations_are_of_confirmed_edits_and_of_those_that_hang(
    edits: tuple[SkuEdit, ...], p50: float | None, p95: float | None
) -> None:
    one = judged(replace(TOLD, edits=edits))
    assert (one.p50, one.p95) == (p50, p95)
    assert one.last_edit_at == max((edit.at for edit in edits), default=None)


@pytest.fixture
def c(database: Database) -> Iterator[Connection]:
    with database.begin() as connection:
        yield connection


@pytest.fixture
def row(c: Connection) -> ConnectionRow:
    found = one_connection(c, a_connection(c, publish_stock=True))
    both_sides(c, found)
    return found


def figure(
    c: Connection, row: ConnectionRow, sku: str, target: int | None, believed: int | None, **more: Any
) -> None:
    c.execute(
        insert(stock_figures).values(connection_id=row.id, sku=sku, target=target, believed=believed, **more)
    )


@pytest.mark.parametrize(
    ("of_mug", "state"),
    [
        (None, "not known"),
        ({"target": 5, "believed": None}, "not known"),
        ({"target": 5, "believed": 5}, "in agreement"),
        ({"target": 5, "believed": 6}, "oversold"),
        ({"target": 5, "believed": 4}, "drifting"),
        ({"target": 5, "believed": None, "shown_before": 4}, "drifting"),
        ({"target": 5, "believed": 5, "refused_why": "unknown offer"}, "refused"),
        ({"target": 5, "believed": 6, "refused_why": "unknown offer"}, "oversold"),
    ],
)
def test_every_offer_is_counted_once_by_its_state(
    c: Connection, row: ConnectionRow, of_mug: dict[str, Any] | None, state: str
) -> None:
    """MUG and OUT are linked; TWIN is carried by two products; SET and lamp-2 have none."""
    figure(c, row, "OUT", 0, 0)
    if of_mug is not None:
        figure(c, row, "MUG", **{"target": None, "believed": None, **of_mug})
    c.execute(update(offers).where(offers.c.sku == "SET").values(deleted=True))

    wanted = {"in agreement": 1, "unmapped": 1, "ambiguous": 1, "deleted": 1}
    wanted[state] = wanted.get(state, 0) + 1
    found = offer_states(c, row)
    assert {name: number for name, number in found if number} == wanted
    assert tuple(name for name, _ in found) == OFFER_STATES
    assert sum(number for _, number in found) == 5


def test_drift_is_counted_by_the_minute_and_begins_anew_each_week(c: Connection, row: ConnectionRow) -> None:
    figure(c, row, "MUG", 5, 7)
    figure(c, row, "OUT", 0, 0)
    figure(c, row, "SET", 3, None)
    at = NOW
    assert sample_skus(c, at) == 1
    for _ in range(4):
        at += MINUTE
        assert sample_skus(c, at) == 1
    (mug,) = sku_page(c, at, sku="MUG")[0]
    assert (mug.state, mug.drift, mug.facts.drift_minutes, mug.facts.drift_since) == ("oversold", 2, 4, NOW)
    # nobody sampled for an hour: no more than five minutes of it are known
    at += timedelta(hours=1)
    sample_skus(c, at)
    assert sku_page(c, at, sku="MUG")[0][0].facts.drift_minutes == 9
    c.execute(update(stock_figures).where(stock_figures.c.sku == "MUG").values(believed=5))
    assert sample_skus(c, at + MINUTE) == 0
    (mug,) = sku_page(c, at + MINUTE, sku="MUG")[0]
    assert (mug.drift, mug.facts.drift_since, mug.facts.drift_minutes) == (0, None, 9)
    assert week_of(at) != week_of(at + timedelta(days=7))
    assert sku_page(c, at + timedelta(days=7), sku="MUG")[0][0].facts.drift_minutes == 0
    counted = counted_since(c, "hour", NOW - timedelta(hours=1), row.id)["stock_drift"]
    assert counted.number == 14


def test_drift_goes_on_while_one_file_after_the_other_is_refused(c: Connection, row: ConnectionRow) -> None:
    """Every five minutes a file leaves, is refused whole, and the marketplace is read to show the former figure."""
    figure(c, row, "MUG", 0, 9)
    at = NOW
    for minute in range(120):
        if minute % 5 == 0:
            number = add_import(c, row.id, f"op{minute}", [("MUG", 0)], {"MUG": (at, 9)}, 0, at)
            lines_leave(c, row.id, number)
        if minute % 5 == 3:
            keep_import(c, number, state="refused", settled_at=at)
            c.execute(update(stock_figures).where(stock_figures.c.sku == "MUG").values(believed=9))
        sample_skus(c, at)
        at += MINUTE
    number = add_import(c, row.id, "last", [("MUG", 0)], {"MUG": (at, 9)}, 0, at)
    lines_leave(c, row.id, number)
    open_connection_case(c, row.id, Reason.STOCK_FILE_REFUSED, "file", "The file was refused whole.", at)
    (mug,) = sku_page(c, at, sku="MUG", state="oversold")[0]
    assert (mug.state, mug.drift, mug.cause) == ("oversold", 9, "The file was refused whole.")
    assert (mug.facts.drift_since, mug.facts.drift_minutes) == (NOW, 119)
    assert [one.connection for one in findings(c, at)] == ["atlas"]
    # a sale moves the marketplace's own figure: nothing is known until it is read, and nothing shows that it is right
    touch(c, row.id, ["MUG"], at)
    sample_skus(c, at + MINUTE)
    assert sku_page(c, at, sku="MUG")[0][0].facts.drift_since == NOW
    c.execute(update(stock_figures).where(stock_figures.c.sku == "MUG").values(believed=0))
    sample_skus(c, at + 2 * MINUTE)
    assert sku_page(c, at, sku="MUG")[0][0].facts.drift_since is None


def test_a_budget_of_drift_that_burns_pages_before_each_sku_is_an_error(
    c: Connection, row: ConnectionRow
) -> None:
    for number in range(20):
        figure(c, row, f"SKU-{number:02d}", 5, 5 if number else 9)
    at = NOW
    for _ in range(70):
        sample_skus(c, at)
        at += MINUTE
    # one of twenty for an hour: 5 % of the samples against a budget of 1 %
    assert [one.severity for one in findings(c, at)] == ["ticket"]
    c.execute(update(stock_figures).where(stock_figures.c.sku < "SKU-10").values(believed=9))
    for _ in range(60):
        sample_skus(c, at)
        at += MINUTE
    told = findings(c, at)
    assert [(one.severity, one.connection) for one in told] == [("page", "atlas")]
    assert told[0].title.startswith("S15 (offers that show another quantity than they may)")
    (drift,) = make_board(c, at).drift
    assert (drift.known, drift.drifting, drift.oversold) == (20, 10, 10)


def test_drift_goes_on_while_nothing_is_known_and_counts_as_what_it_is(
    c: Connection, row: ConnectionRow
) -> None:
    """Three of four SKUs drift when sales touch them: twenty minutes of it are counted, as three of four samples."""
    for number in range(4):
        figure(c, row, f"SKU-{number}", 5, 9 if number else 5)
    sample_skus(c, NOW)
    touch(c, row.id, ["SKU-1", "SKU-2", "SKU-3"], NOW)
    for minute in range(1, 21):
        assert sample_skus(c, NOW + minute * MINUTE) == 3
    found = sku_page(c, NOW + 20 * MINUTE, sku="SKU-1")[0][0].facts
    assert (found.drift_since, found.drift_minutes) == (NOW, 20)
    counted = counted_since(c, "hour", NOW - MINUTE, row.id)["stock_drift"]
    assert (counted.number, min(counted.counts)) == (4 * 21, 0)


def test_nothing_drifts_where_stock_is_not_published_any_more(c: Connection, row: ConnectionRow) -> None:
    figure(c, row, "MUG", 5, 9)
    sample_skus(c, NOW)
    open_connection_case(c, row.id, Reason.OVERSOLD, "MUG", "More was sold.", NOW)
    open_connection_case(c, row.id, Reason.STOCK_FILE_REFUSED, "file", "The file was refused.", NOW)
    set_publishing(c, Wakes(), row, False, "Ada", "the operator does it", NOW + MINUTE)
    assert sample_skus(c, NOW + 2 * MINUTE) == 0
    (mug,) = sku_page(c, NOW + 9 * MINUTE, sku="MUG")[0]
    assert (mug.state, mug.drift, mug.facts.drift_minutes) == ("price differs", None, 0)
    assert mug.facts.drift_since is None
    # switched on again much later, its drift is as old as that
    publishes = one_connection(c, row.id)
    set_publishing(c, Wakes(), publishes, True, "Ada", "it is ours again", NOW + DAY)
    c.execute(update(stock_figures).where(stock_figures.c.sku == "MUG").values(target=5, believed=9))
    sample_skus(c, NOW + DAY)
    assert sku_page(c, NOW + DAY, sku="MUG")[0][0].facts.drift_since == NOW + DAY
    set_publishing(c, Wakes(), one_connection(c, row.id), False, "Ada", "the operator does it", NOW + DAY)
    assert sku_page(c, NOW, state="oversold")[0] == ()
    left = set(c.execute(select(cases.c.reason).where(cases.c.closed_at.is_(None))).scalars())
    assert left.isdisjoint(reason.value for reason in OF_STOCK)


def test_the_metrics_name_the_skus_that_drift_most(c: Connection, row: ConnectionRow) -> None:
    for number in range(MOST_NAMED + 2):
        figure(c, row, f"SKU-{number:02d}", 5, 4)
    figure(c, row, "FINE", 5, 5)
    figure(c, row, "TOO-MANY", 5, 9)
    figure(c, row, "ONE-MORE", 5, 6)
    figure(c, row, "TOO-FEW", 105, 5)
    (drift,) = drift_of_all(c, NOW)
    assert drift.worst[:4] == (("TOO-MANY", 4), ("ONE-MORE", 1), ("TOO-FEW", -100), ("SKU-00", -1))
    assert len(drift.worst) == MOST_NAMED


def test_the_last_sale_of_a_sku_is_known_from_the_orders(c: Connection, row: ConnectionRow) -> None:
    one = add_order(c, row.id, "M-1-A", "M-1", NOW)
    two = add_order(c, row.id, "M-2-A", "M-2", NOW + MINUTE)
    line = OrderedLine("L1", "MUG", "Mug", 1, Decimal(5), Decimal(5), Decimal(0), (), (), ())
    c.execute(
        update(orders)
        .where(orders.c.id == one)
        .values(memory=encode(Memory(ordered=(line,))), created_at=NOW)
    )
    c.execute(update(orders).where(orders.c.id == two).values(created_at=NOW + MINUTE))
    assert note_sales(c, NOW + 2 * MINUTE) == 1
    assert sku_page(c, NOW, sku="MUG")[0][0].facts.last_sale_at == NOW
    # read late: the marketplace says when it was sold
    sold = {"mirakl": {"created_at": (NOW - 20 * DAY).isoformat()}}
    c.execute(
        update(orders)
        .where(orders.c.id == two)
        .values(memory=encode(Memory(ordered=(line, replace(line, sku="OUT")))), last_view=sold)
    )
    assert note_sales(c, NOW + 3 * MINUTE) == 1
    assert sku_page(c, NOW, sku="MUG")[0][0].facts.last_sale_at == NOW
    assert sku_page(c, NOW, sku="OUT")[0][0].facts.last_sale_at == NOW - 20 * DAY
    assert note_sales(c, NOW + 4 * MINUTE) == 0


def test_the_list_is_filtered_and_paged(c: Connection, row: ConnectionRow) -> None:
    figure(c, row, "lamp-2", 5, 3)
    order_id = add_order(c, row.id, "M-1-A", "M-1", NOW)
    c.execute(
        insert(edit_clock_rows).values(
            order_id=order_id,
            change_id="1",
            connection_id=row.id,
            edited_at=NOW - MINUTE,
            skus=["OUT"],
            quiet_seconds=0,
            outcome="refund_task",
        )
    )

    def skus(**asked: Any) -> list[str]:
        return [one.facts.sku for one in sku_page(c, NOW, **asked)[0]]

    everything = c.execute(select(1)).scalar_one() and skus()
    assert sorted(everything) == sorted(["MUG", "OUT", "SET", "TWIN", "lamp-2"])
    assert skus(state="drifting") == ["lamp-2"]
    assert skus(state="oversold") == []
    assert skus(state="price differs") == ["MUG"]
    assert sorted(skus(state="no product")) == ["SET", "TWIN", "lamp-2"]
    assert skus(state="edit blocked") == ["OUT"]
    assert skus(sku="T%") == []
    first, mark = sku_page(c, NOW, limit=2)
    rest, end = sku_page(c, NOW, limit=3, after=mark)
    assert [one.facts.sku for one in (*first, *rest)] == everything
    assert end is None
    assert mark_of(str(mark)) == mark
    assert mark_of("x:MUG") is None
    assert mark_of("12") is None
    assert mark_of("12:A:B") == SkuMark(12, "A:B")
