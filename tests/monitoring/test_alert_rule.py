"""What is told, when, how loudly and to whom, in values."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from interlock.monitoring.composing import CallOutcome, compose
from interlock.monitoring.decide import (
    PAGES_AT_ONCE,
    Alert,
    CaseStanding,
    Finding,
    Onset,
    PageStanding,
    Situation,
    WindowStanding,
    begun,
    decide,
    grouped,
)
from interlock.monitoring.ladders import Deadline
from interlock.orders.reasons import Reason

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_case(reason: Reason = Reason.SKU_UNKNOWN, number: int = 1, **values: object) -> CaseStanding:
    case = CaseStanding(
        number, reason, "operations", "urgent", 7, "atlas", NOON, order_id=number, order=f"M-{number}"
    )
    return replace(case, **values)  # type: ignore[arg-type]


def a_window(number: int = 1, hours: int = 10) -> WindowStanding:
    return WindowStanding(number, f"M-{number}", 7, "atlas", Deadline(NOON, NOON + hours * HOUR))


def told(*cases: CaseStanding, minutes: float = 0) -> list[tuple[str, str]]:
    due = decide(Situation(NOON + timedelta(minutes=minutes), cases=cases))
    return [(alert.key, alert.severity) for alert in due]


def test_an_urgent_case_is_a_message_and_once_more_when_nobody_took_it_up() -> None:
    assert told(a_case()) == [("case:1:opened:0", "message")]
    assert told(a_case(), minutes=14) == [("case:1:opened:0", "message")]
    assert told(a_case(), minutes=15) == [("case:1:opened:0", "message"), ("case:1:unseen:0", "message")]
    assert told(a_case(taken=True), minutes=15) == [("case:1:opened:0", "message")]


def test_a_case_that_comes_back_is_told_again_and_its_deadline_is_told_once() -> None:
    again = a_case(opening=1, due_at=NOON + 10 * HOUR, due_from=NOON - 20 * HOUR)

    assert [key for key, _ in told(again, minutes=15)] == [
        "case:1:opened:1",
        "case:1:unseen:1",
        "case:1:20260302T220000:60",
    ]


def test_a_case_for_today_is_a_ticket_and_a_note_is_told_to_nobody() -> None:
    assert told(a_case(severity="today"), minutes=600) == [("case:1:opened:0", "ticket")]
    assert told(a_case(severity="note"), minutes=600) == []


@pytest.mark.parametrize("reason", sorted(PAGES_AT_ONCE))
def test_some_cases_page_at_once(reason: Reason) -> None:
    assert told(a_case(reason)) == [("case:1:opened:0", "page")]


def test_a_case_climbs_by_the_time_to_ship_and_not_by_its_own_age() -> None:
    """Opened when half of twenty hours was gone."""
    case = a_case(Reason.SHIPPING_REFUSED, due_at=NOON + 10 * HOUR, due_from=NOON - 10 * HOUR, taken=True)

    assert told(case, minutes=119) == [("case:1:opened:0", "message")]
    assert told(case, minutes=120)[1:] == [("case:1:20260302T220000:60", "message")]
    assert told(case, minutes=300)[1:] == [("case:1:20260302T220000:75", "page")]
    assert told(case, minutes=360)[1:] == [("case:1:20260302T220000:80", "page")]
    assert told(case, minutes=600)[1:] == [("case:1:20260302T220000:100", "page")]


def test_what_ends_with_the_time_to_accept_is_told_by_that_window_alone() -> None:
    case = a_case(Reason.SKU_UNKNOWN, due_at=NOON + 10 * HOUR, taken=True)

    assert told(case, minutes=700) == [("case:1:opened:0", "message")]


def test_an_order_whose_time_to_ship_ends_is_told_of_by_the_case_that_says_why() -> None:
    window = {"due_at": NOON + 10 * HOUR, "due_from": NOON, "taken": True}
    near = a_case(Reason.SHIPPING_DEADLINE_NEAR, 1, **window)
    why = a_case(Reason.TRACKING_MISSING, 2, **window, order_id=1, severity="today")
    other = a_case(Reason.SHIPPING_DEADLINE_NEAR, 3, **window)

    assert told(near, minutes=360) == [("case:1:20260302T220000:60", "message")]
    assert told(near, why, other, minutes=360) == [
        ("case:2:opened:0", "ticket"),
        ("case:2:20260302T220000:60", "message"),
        ("case:3:20260302T220000:60", "message"),
    ]


def test_an_order_that_was_paid_after_its_deadline_is_late_at_once() -> None:
    near = a_case(Reason.SHIPPING_DEADLINE_NEAR, due_at=NOON - HOUR, due_from=NOON)

    assert told(near, minutes=1) == [("case:1:20260302T110000:100", "page")]


def test_a_note_takes_the_place_of_nothing() -> None:
    window = {"due_at": NOON + 10 * HOUR, "due_from": NOON}
    near = a_case(Reason.SHIPPING_DEADLINE_NEAR, 1, **window)
    note = a_case(Reason.EDIT_WAITING, 2, **window, order_id=1, severity="note")

    assert told(near, note, minutes=360) == [("case:1:20260302T220000:60", "message")]


def test_an_unknown_carrier_pages_once_half_the_time_to_ship_is_gone() -> None:
    case = a_case(
        Reason.CARRIER_UNKNOWN, due_at=NOON + 10 * HOUR, due_from=NOON, severity="today", taken=True
    )

    assert told(case, minutes=299) == [("case:1:opened:0", "ticket")]
    assert told(case, minutes=300)[1:] == [("case:1:20260302T220000:50", "page")]


def test_a_window_is_told_by_its_highest_rung_only() -> None:
    def due(minutes: int) -> list[tuple[str, str, tuple[str, ...]]]:
        found = decide(Situation(NOON + timedelta(minutes=minutes), windows=(a_window(),)))
        return [(alert.key.rpartition(":")[2], alert.severity, alert.teams) for alert in found]

    assert due(100) == []
    assert due(150) == [("25", "message", ("operations",))]
    assert due(240) == [("40", "page", ("operations",))]
    assert due(400) == [("60", "page", ("operations", "engineer"))]
    assert due(700) == [("100", "page", ("operations", "engineer"))]


def test_the_case_of_a_window_is_not_told_besides_the_window() -> None:
    assert told(a_case(Reason.ACCEPTANCE_RUNNING_OUT, due_at=NOON + HOUR), minutes=59) == []


def test_a_page_nobody_acknowledges_comes_again_three_times() -> None:
    page = PageStanding(5, NOON, 0, Alert("alert:5", "g", "page", ("operations",), "something"))

    def again(minutes: int, repeats: int) -> list[str]:
        standing = replace(page, repeats=repeats)
        return [
            alert.key for alert in decide(Situation(NOON + timedelta(minutes=minutes), pages=(standing,)))
        ]

    assert again(9, 0) == []
    assert again(10, 0) == ["again:5:1"]
    assert again(19, 1) == []
    assert again(20, 1) == ["again:5:2"]
    assert again(600, 3) == []


def test_a_finding_is_told_under_its_key() -> None:
    finding = Finding("burn:S5:7", "page", ("engineer",), "S5 burns", 7, "atlas")

    (alert,) = decide(Situation(NOON, findings=(finding,)))

    assert (alert.key, alert.severity, alert.teams, alert.connection) == (
        "burn:S5:7",
        "page",
        ("engineer",),
        "atlas",
    )


HOUR_KEY, SIX_KEY = "burn:S5:7:1h", "burn:S5:7:6h"
SHORT = Finding(HOUR_KEY, "page", ("engineer",), "S5 burns over 1 h", lasts=True)
LONG = Finding(
    SIX_KEY, "page", ("engineer",), "S5 burns over 6 h", lasts=True, after=(HOUR_KEY,), after_for=HOUR / 2
)


@pytest.mark.parametrize(
    ("found", "onsets", "told_as"),
    [
        pytest.param(SHORT, {}, f"{HOUR_KEY}:20260302T120000", id="it begins"),
        pytest.param(
            SHORT,
            {HOUR_KEY: Onset(NOON - HOUR, NOON - timedelta(minutes=9))},
            f"{HOUR_KEY}:20260302T110000",
            id="it goes on",
        ),
        pytest.param(
            SHORT,
            {HOUR_KEY: Onset(NOON - HOUR, NOON - timedelta(minutes=10))},
            f"{HOUR_KEY}:20260302T120000",
            id="it begins again",
        ),
        pytest.param(
            LONG, {HOUR_KEY: Onset(NOON - HOUR, NOON - timedelta(minutes=29))}, None, id="the same fire"
        ),
        pytest.param(
            LONG,
            {HOUR_KEY: Onset(NOON - HOUR, NOON - timedelta(minutes=30))},
            f"{SIX_KEY}:20260302T120000",
            id="it burns on by itself",
        ),
        pytest.param(
            SHORT,
            {SIX_KEY: Onset(NOON - HOUR, NOON)},
            f"{HOUR_KEY}:20260302T120000",
            id="it became worse",
        ),
        pytest.param(
            Finding("debt:2026-03-02", "ticket", (), "debt"), {}, "debt:2026-03-02", id="of the day"
        ),
    ],
)
def test_a_finding_that_lasts_is_told_each_time_it_begins(
    found: Finding, onsets: dict[str, Onset], told_as: str | None
) -> None:
    assert [one.told_as for one in begun([found], onsets, NOON)] == ([] if told_as is None else [told_as])


def test_one_cause_is_one_message_with_its_number() -> None:
    cases = [a_case(Reason.CARRIER_UNKNOWN, number) for number in range(1, 215)]

    ((alert, keys),) = grouped(decide(Situation(NOON, cases=tuple(cases))))

    assert alert.count == 214
    assert len(keys) == 214
    assert alert.orders == ("M-1", "M-2", "M-3", "M-4", "M-5")


def test_causes_connections_and_rungs_are_told_apart() -> None:
    cases = (
        a_case(Reason.CARRIER_UNKNOWN, 1),
        a_case(Reason.SKU_UNKNOWN, 2),
        a_case(Reason.SKU_UNKNOWN, 3, connection_id=8, connection="borealis"),
    )

    assert len(grouped(decide(Situation(NOON, cases=cases)))) == 3


def test_an_alert_says_where_which_order_until_when_what_failed_and_what_to_press() -> None:
    alert = Alert(
        "k",
        "g",
        "page",
        ("operations",),
        "40 % of the time to accept an order is gone",
        connection="atlas",
        orders=("M-1",),
        due_at=NOON,
    )
    calls = (
        CallOutcome("AnswerAcceptance", "REJECTED", "ORDER_STATE"),
        CallOutcome("CreateDraft", "CONFIRMED", ""),
    )

    composed = compose(alert, calls, "https://il.example/orders/1", "https://il.example/a/x", "Europe/Berlin")

    assert composed.title == "[PAGE] atlas: 40 % of the time to accept an order is gone M-1"
    assert composed.body == (
        "atlas: 40 % of the time to accept an order is gone.\n"
        "Marketplace order: M-1\n"
        "Deadline: 2026-03-02 13:00 CET\n"
        "Last calls: AnswerAcceptance REJECTED (ORDER_STATE); CreateDraft CONFIRMED\n"
        "For: operations\n"
        "What to do: https://il.example/orders/1\n"
        "Acknowledge: https://il.example/a/x"
    )
