"""Durations, objectives and burn rates, in values."""

from datetime import UTC, datetime, timedelta

import pytest

from interlock.monitoring.measures import (
    BOUNDS,
    Counted,
    Edit,
    EndedCall,
    OrderFacts,
    counted,
    edit_clocks,
    latencies,
)
from interlock.monitoring.objectives import TIMED, Numbers, burn, objectives

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
QUIET = timedelta(seconds=60)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def facts(
    *calls: tuple[str, float],
    edits: tuple[float, ...] = (),
    cases: tuple[tuple[str, float], ...] = (),
    left: tuple[float, ...] = (),
    singly: tuple[tuple[float, float], ...] = (),
) -> OrderFacts:
    return OrderFacts(
        1,
        7,
        NOON,
        at(-30),
        QUIET,
        tuple(EndedCall(kind, at(seconds)) for kind, seconds in calls),
        tuple((reason, at(seconds)) for reason, seconds in cases),
        tuple(Edit(f"edit {seconds}", at(seconds), ("MUG",)) for seconds in edits),
        tuple(at(seconds) for seconds in left),
        tuple((at(seconds), at(told)) for seconds, told in singly),
    )


def took(of: OrderFacts) -> dict[str, float]:
    return {one.measure: one.seconds for one in latencies(of)}


def test_an_acceptance_is_measured_from_first_sight_from_the_sale_and_from_the_order() -> None:
    assert took(facts(("CompleteDraft", 3), ("AnswerAcceptance", 5))) == {
        "seen_accepted": 5,
        "sold_accepted": 35,
        "order_accepted": 2,
    }


def test_only_the_first_acceptance_counts_and_an_order_made_later_does_not() -> None:
    assert took(facts(("AnswerAcceptance", 5), ("CreateOrder", 9), ("AnswerAcceptance", 50))) == {
        "seen_accepted": 5,
        "sold_accepted": 35,
    }


def test_the_quiet_period_is_not_counted_for_what_has_to_wait_for_it() -> None:
    calls = (("PlaceHold", 103), ("CancelQuantities", 165), ("ReleaseHold", 170))

    assert took(facts(*calls, edits=(100,))) == {"edit_held": 3, "edit_settled": 5}


def test_an_edit_that_becomes_a_case_is_settled_when_the_case_opens() -> None:
    of = facts(
        ("PlaceHold", 103), edits=(100,), cases=(("edit_cannot_be_expressed", 104), ("sku_unknown", 101))
    )

    assert took(of) == {"edit_held": 3, "edit_settled": 4}
    (clock,) = edit_clocks(of)
    assert clock.outcome == "edit_cannot_be_expressed"


def test_an_edit_that_is_taken_back_is_settled_by_the_release() -> None:
    (clock,) = edit_clocks(facts(("PlaceHold", 103), ("ReleaseHold", 130), edits=(100,)))

    assert (clock.outcome, clock.settled_at) == ("released", at(130))


def test_an_edit_made_while_the_hold_was_on_is_not_measured_for_it() -> None:
    (clock,) = edit_clocks(facts(("PlaceHold", 10), ("ReleaseHold", 130), ("PlaceHold", 900), edits=(100,)))

    assert clock.held_at is None


def test_nothing_is_measured_before_it_has_ended_and_nothing_is_negative() -> None:
    assert took(facts(edits=(100,), left=(50,))) == {}
    assert took(facts(("ShipOrder", 40), left=(50,))) == {"dispatch_told": 0}
    assert took(facts(("ShipOrder", 90), left=(50,))) == {"dispatch_told": 40}


@pytest.mark.parametrize(
    ("left", "seconds"),
    [
        pytest.param((50.0, 172_850.0), 5, id="the rest followed two days later"),
        pytest.param((172_850.0, 50.0), 5, id="in whatever order"),
        pytest.param((50.0, 172_900.0), 172_805, id="what left after the word was not waited for"),
    ],
)
def test_a_dispatch_is_measured_from_when_the_last_of_the_order_left(
    left: tuple[float, ...], seconds: float
) -> None:
    assert took(facts(("ShipOrder", 172_855), left=left)) == {"dispatch_told": seconds}


def test_each_parcel_that_is_told_of_for_itself_is_measured() -> None:
    of = facts(
        ("ValidateShipment", 60),
        ("ValidateShipment", 259_300),
        left=(50, 100),
        singly=((50, 60), (100, 259_300)),
    )

    assert [(one.at, one.seconds) for one in latencies(of)] == [(at(60), 10), (at(259_300), 259_200)]


def test_counted_durations_know_their_shares_to_the_class() -> None:
    many = counted([0.5] * 50 + [7] * 45 + [40] * 4 + [10**6])

    assert many.number == 100
    assert (many.at(0.5), many.at(0.95), many.at(0.99), many.at(1)) == (1, 10, 60, float("inf"))
    assert many.within(10) == 95
    assert Counted().at(0.5) is None
    assert many.plus(many).number == 200


def test_every_limit_of_an_objective_is_counted_exactly() -> None:
    assert {seconds for one in TIMED for _, seconds in one.limits} <= set(BOUNDS)


def verdicts(numbers: Numbers) -> dict[str, str]:
    return {one.code: one.verdict for one in objectives(numbers)}


def test_there_are_fourteen_objectives_and_without_events_none_is_broken() -> None:
    found = verdicts(Numbers())

    assert list(found) == [f"S{number}" for number in range(1, 16)]
    assert set(found.values()) == {"held", "no events"}


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [
        ([5.0] * 100, "held"),
        ([5.0] * 40 + [25.0] * 60, "bounded"),  # half of them took longer than 20 s, all less than 5 min
        ([5.0] * 98 + [400.0] * 2, "broken"),
    ],
)
def test_an_objective_is_held_bounded_or_broken(seconds: list[float], verdict: str) -> None:
    assert verdicts(Numbers(durations={"seen_accepted": counted(seconds)}))["S2"] == verdict


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        (Numbers(lost=1), "S1"),
        (Numbers(edits=100, edits_overdue=1), "S8"),
        (Numbers(cases=99, cases_late=1), "S9"),
        (Numbers(unclear=1), "S10"),
        (Numbers(debt=1), "S11"),
        (Numbers(while_poisoned=counted([30.0]), otherwise=counted([5.0])), "S14"),
    ],
)
def test_what_breaks_an_objective(numbers: Numbers, code: str) -> None:
    assert [one for one, verdict in verdicts(numbers).items() if verdict == "broken"] == [code]


def windows(bad: int, number: int) -> dict[tuple[str, timedelta], Counted]:
    durations = counted([1.0] * (number - bad) + [1000.0] * bad)
    return {
        ("edit_settled", span): durations
        for span in (timedelta(hours=1), timedelta(minutes=5), timedelta(hours=6), timedelta(minutes=30))
    }


@pytest.mark.parametrize(
    ("bad", "number", "window"),
    [(0, 1000, ""), (5, 1000, ""), (6, 1000, "6h"), (15, 1000, "1h"), (99, 99, ""), (100, 100, "1h")],
)
def test_a_budget_that_burns_is_told_only_where_enough_happened(bad: int, number: int, window: str) -> None:
    found = burn(7, "atlas", windows(bad, number), "2026-03-02")

    assert [(one.key, one.severity, one.lasts) for one in found] == (
        [(f"burn:S5:7:{window}", "page", True)] if window else []
    )
    assert all(one.after == (("burn:S5:7:1h",) if window == "6h" else ()) for one in found)


def test_a_budget_that_has_stopped_burning_is_not_told() -> None:
    over = windows(100, 1000)
    for span in (timedelta(minutes=5), timedelta(minutes=30)):
        over[("edit_settled", span)] = counted([1.0] * 50)

    assert burn(7, "atlas", over, "2026-03-02") == ()
