"""The shortest log of a failure is about its order, around its time, and holds no personal data."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from interlock.rehearsal.judging.verdict import Violation
from tests.simulation.bench import Bench
from tests.simulation.runner import Outcome, failure
from tests.simulation.story import LINES_AFTER, MOST_LINES, Line, cut, shortest_log

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_failure_is_told_with_the_timeline_the_calls_and_the_effects_of_its_order(bench: Bench) -> None:
    accepted = bench.effects("accepted", ours=True)[0]
    bench.happen(accepted, at=bench.order.created - timedelta(seconds=1))
    broken = next(finding for finding in bench.judge().broken if finding.invariant == "I2")
    log = shortest_log(bench.world, bench.connection, broken)
    told = "\n".join(log)
    assert len(log) <= MOST_LINES + 2
    assert "< OR21, 204, AnswerAcceptance" in told
    assert "* accepted by api:shop" in told
    assert "Shopify < fulfillmentOrderHold, 200, PlaceHold" in told
    assert "Interlock: " in told
    # The planted acceptance comes before the order itself.
    assert told.index("accepted by api:shop") < told.index("created by customer")
    assert "CANARY" not in told


def test_reads_are_told_only_where_something_went_wrong_with_them(bench: Bench) -> None:
    at = bench.edit_at()
    read = bench.call("OR11")
    bench.mirakl.record.calls.append(replace(read, at=at, fault="slow", order_ids=(bench.order.id,)))
    told = shortest_log(bench.world, bench.connection, Violation("I9", bench.order.id, at, "Unplanned."))
    assert [line for line in told if "OR11" in line] == [f"{at:%H:%M:%S} shoply < OR11, 200, fault slow"]


def test_the_log_leaves_out_what_other_orders_went_through(bench: Bench) -> None:
    made = bench.effects("order_created")[0]
    later = made.at + timedelta(seconds=90)
    bench.happen(made, order_id="gid://shopify/Order/1", at=later, actor="staff", reference=None)
    told = shortest_log(bench.world, bench.connection, Violation("I1", bench.order.id, made.at, "Twice."))
    assert not any("order_created by staff" in line for line in told)
    told = shortest_log(bench.world, bench.connection, Violation("I14", "", made.at, "Too many."))
    assert any("order_created by staff" in line for line in told)


def test_an_order_that_the_failure_names_belongs_to_it_although_the_service_does_not_know_it(
    bench: Bench,
) -> None:
    made = bench.effects("order_created")[0]
    gid = "gid://shopify/Order/1"
    bench.happen(made, order_id=gid, at=made.at + timedelta(seconds=90), actor="staff", reference=None)
    named = Violation("I1", bench.order.id, made.at, "Another one lives.", (f"it is {gid}",))
    assert any("order_created by staff" in x for x in shortest_log(bench.world, bench.connection, named))
    (order,) = bench.world.shopify.shop.orders.values()
    by_name = Violation("I9", "gid://shopify/Order/2", made.at, f"{order.name} was changed unplanned.")
    assert any("order_created by api:" in x for x in shortest_log(bench.world, bench.connection, by_name))


def test_the_order_is_found_by_its_shopify_id_too(bench: Bench) -> None:
    at = bench.edit_at()
    by_shopify = Violation("I9", bench.shopify_gid, at, "Unplanned.")
    by_mirakl = Violation("I9", bench.order.id, at, "Unplanned.")
    assert shortest_log(bench.world, bench.connection, by_shopify) == shortest_log(
        bench.world, bench.connection, by_mirakl
    )


def test_a_long_log_is_cut_around_the_failure_and_says_so() -> None:
    lines = [Line(NOON + timedelta(seconds=number), f"thing {number}") for number in range(200)]
    told = cut(lines, NOON + timedelta(seconds=150))
    assert len(told) == MOST_LINES + 2
    assert told[0] == "(106 earlier)"
    assert told[-1] == "(34 later)"
    assert told[-2].endswith(f"thing {150 + LINES_AFTER}")
    assert cut(lines[:10], NOON) == tuple(f"12:00:0{number} thing {number}" for number in range(10))


def test_a_failing_seed_is_printed_with_its_log_and_the_way_back() -> None:
    outcome = Outcome(41, 0.5, violations=["I2 M-1: It broke."], log=("12:00:00 a", "12:00:01 b"))
    assert failure(outcome).splitlines() == [
        "seed 41: I2 M-1: It broke.",
        "  12:00:00 a",
        "  12:00:01 b",
        "  again: ./dev simulate --replay 41",
    ]
