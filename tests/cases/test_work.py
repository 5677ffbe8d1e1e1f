"""Cases as work: one history per question, people's hands on it, and rest that never reaches into damage."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection, select, update

from interlock.cases import work
from interlock.cases.store import (
    REOPENS_WITHIN,
    WORDS_KEPT_FOR,
    answer,
    answers,
    case_events,
    cases,
    close_connection_cases,
    each_time_open,
    forget_old_words,
    open_connection_case,
    sync_cases,
    take_answers,
)
from interlock.cases.work import NoSuchCase, NotDone
from interlock.console.case_story import story_of
from interlock.orders.plan import Case
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import OrderRow
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.build import NOW, a_decision, a_memory, an_order
from tests.engine.rows import a_leased_order

CARRIER = Case(Reason.CARRIER_UNKNOWN, "Pony", "Pony is not mapped.", (Option.MAP_CARRIER,))
RELEASED = Case(Reason.HOLD_RELEASED_BY_OTHERS, "fo-1", "Somebody released it.", (Option.DISMISS,))
HOUR = timedelta(hours=1)


@pytest.fixture
def c(database: Database) -> Iterator[Connection]:
    with database.begin() as connection:
        yield connection


@pytest.fixture
def row(c: Connection) -> OrderRow:
    return a_leased_order(c)


def opened(c: Connection, row: OrderRow, *wanted: Case, at: timedelta = timedelta(0)) -> int:
    order = an_order(state="SHIPPING", shipping_deadline=NOW + 48 * HOUR)
    sync_cases(c, row.id, row.connection_id, wanted, NOW + at, True, order, a_memory())
    return int(c.execute(select(cases.c.id).order_by(cases.c.id.desc()).limit(1)).scalar_one())


def happened(c: Connection, case_id: int) -> list[tuple[str, str, str]]:
    return [(event.who, event.what, event.detail) for event in work.history(c, case_id)]


def a_case(c: Connection, case_id: int) -> object:
    return c.execute(select(cases).where(cases.c.id == case_id)).one()


# -- one question, one case --------------------------------------------------------------------------------


def test_the_same_question_within_a_week_is_the_same_case_with_its_history(
    c: Connection, row: OrderRow
) -> None:
    first = opened(c, row, CARRIER)
    work.assign(c, first, "Ada", "Grace", NOW)
    opened(c, row, at=HOUR)
    again = opened(c, row, CARRIER, at=2 * HOUR)

    assert again == first
    case = c.execute(select(cases).where(cases.c.id == first)).one()
    assert (case.closed_at, case.reopened, case.assignee) == (None, 1, "Ada")
    assert (case.first_opened_at, case.opened_at) == (NOW, NOW + 2 * HOUR)
    assert [what for _, what, _ in happened(c, first)] == ["opened", "assigned", "closed", "reopened"]
    spans = c.execute(each_time_open()).all()
    assert [(s.opened_at, s.closed_at) for s in spans] == [(NOW, NOW + HOUR), (NOW + 2 * HOUR, None)]


def test_after_a_week_it_is_a_new_case(c: Connection, row: OrderRow) -> None:
    first = opened(c, row, CARRIER)
    opened(c, row, at=HOUR)

    assert opened(c, row, CARRIER, at=HOUR + REOPENS_WITHIN) != first


def test_a_reopened_case_takes_a_new_answer(c: Connection, row: OrderRow) -> None:
    case_id = opened(c, row, CARRIER)
    answer(c, case_id, Option.MAP_CARRIER.value, "Ada", "It is PONY.", NOW)
    c.execute(update(case_events).where(case_events.c.what == "answered").values(detail="map_carrier"))
    opened(c, row, at=HOUR)
    from interlock.cases.store import latest_answer, take_answers, waiting_answers

    take_answers(c, [number for number, _ in waiting_answers(c, row.id)], NOW + HOUR)
    opened(c, row, CARRIER, at=2 * HOUR)

    assert latest_answer(c, case_id) is None
    answer(c, case_id, Option.MAP_CARRIER.value, "Grace", "It is PONY2.", NOW + 3 * HOUR)
    assert ("Grace", "answered", "map_carrier") in happened(c, case_id)


def test_a_case_of_a_connection_reopens_too(c: Connection, row: OrderRow) -> None:
    def once() -> int:
        open_connection_case(c, row.connection_id, Reason.REASON_CODE_MISSING, "X", "It is gone.", NOW)
        return int(c.execute(select(cases.c.id).where(cases.c.closed_at.is_(None))).scalar_one())

    first = once()
    assert close_connection_cases(c, row.connection_id, Reason.REASON_CODE_MISSING, "X", NOW, "Back.") == 1
    assert once() == first
    assert [what for _, what, _ in happened(c, first)] == ["opened", "closed", "reopened"]


# -- hands -------------------------------------------------------------------------------------------------


def test_whoever_begins_has_the_case_and_nobody_takes_it_away_unseen(c: Connection, row: OrderRow) -> None:
    case_id = opened(c, row, CARRIER)
    work.begin(c, case_id, "Ada", NOW)

    with pytest.raises(NotDone, match="Ada is working on case"):
        work.begin(c, case_id, "Grace", NOW)
    work.assign(c, case_id, "Grace", "Grace", NOW)
    work.begin(c, case_id, "Grace", NOW)
    work.put_back(c, case_id, "Grace", NOW)

    assert happened(c, case_id)[1:] == [
        ("Ada", "begun", ""),
        ("Grace", "assigned", "Grace"),
        ("Grace", "begun", ""),
        ("Grace", "put back", ""),
    ]


@pytest.mark.parametrize(
    ("closed", "snoozed", "begun", "status"),
    [
        (None, None, None, "open"),
        (None, None, NOW, "in progress"),
        (None, NOW + HOUR, None, "snoozed"),
        (None, NOW, None, "open"),
        (NOW, NOW + HOUR, NOW, "closed"),
    ],
)
def test_the_status_follows_from_what_happened(
    closed: object, snoozed: object, begun: object, status: str
) -> None:
    assert work.status_of(closed, snoozed, begun, NOW) == status  # type: ignore[arg-type]


# -- rest --------------------------------------------------------------------------------------------------


def test_a_case_rests_until_it_does_damage_and_no_longer(c: Connection, row: OrderRow) -> None:
    case_id = opened(c, row, CARRIER)

    with pytest.raises(NotDone, match="does damage from 2026-03-04"):
        work.snooze(c, case_id, NOW + 49 * HOUR, "Ada", b"sealed", NOW)
    work.snooze(c, case_id, NOW + 47 * HOUR, "Ada", b"sealed", NOW)

    (_, event) = work.history(c, case_id)
    assert (event.what, event.words) == ("snoozed", b"sealed")


def test_what_does_damage_already_does_not_rest(c: Connection, row: OrderRow) -> None:
    case_id = opened(c, row, RELEASED)

    with pytest.raises(NotDone, match="does damage already"):
        work.snooze(c, case_id, NOW + HOUR, "Ada", b"sealed", NOW + HOUR / 2)


@pytest.mark.parametrize(("until", "why"), [(NOW, "has passed"), (NOW + timedelta(days=8), "at most 7 days")])
def test_a_rest_has_an_end_in_reach(c: Connection, row: OrderRow, until: object, why: str) -> None:
    case_id = opened(c, row, CARRIER)

    with pytest.raises(NotDone, match=why):
        work.snooze(c, case_id, until, "Ada", b"sealed", NOW)  # type: ignore[arg-type]


def test_a_case_that_becomes_urgent_wakes_by_itself(c: Connection, row: OrderRow) -> None:
    calm = Case(Reason.ACCEPTANCE_RUNNING_OUT, "order", "25 % are gone.", severity="today")
    case_id = opened(c, row, calm)
    work.snooze(c, case_id, NOW + HOUR, "Ada", b"sealed", NOW)

    opened(c, row, Case(Reason.ACCEPTANCE_RUNNING_OUT, "order", "40 % are gone.", severity="urgent"))

    assert c.execute(select(cases.c.snoozed_until).where(cases.c.id == case_id)).scalar_one() is None
    assert happened(c, case_id)[-1] == ("Interlock", "woken", "It became more urgent.")


def test_a_case_whose_damage_comes_nearer_than_its_rest_wakes_by_itself(c: Connection, row: OrderRow) -> None:
    case_id = opened(c, row, CARRIER)
    work.snooze(c, case_id, NOW + 47 * HOUR, "Ada", b"sealed", NOW)

    def deadline(hours: int) -> object:
        order = an_order(state="SHIPPING", shipping_deadline=NOW + hours * HOUR)
        sync_cases(c, row.id, row.connection_id, (CARRIER,), NOW + HOUR, True, order, a_memory())
        return c.execute(select(cases.c.snoozed_until).where(cases.c.id == case_id)).scalar_one()

    assert deadline(47) == NOW + 47 * HOUR
    assert deadline(24) is None
    assert happened(c, case_id)[-1] == ("Interlock", "woken", "It does damage before it was to wake.")
    deadline(23)
    assert [what for _, what, _ in happened(c, case_id)] == ["opened", "snoozed", "woken"]


# -- words -------------------------------------------------------------------------------------------------


def test_comments_are_kept_sealed_and_erased_after_a_year(c: Connection, row: OrderRow) -> None:
    case_id = opened(c, row, CARRIER)
    work.comment(c, case_id, "Ada", b"sealed words", NOW)

    assert forget_old_words(c, NOW + WORDS_KEPT_FOR) == 0
    assert forget_old_words(c, NOW + WORDS_KEPT_FOR + HOUR) == 1
    assert [(e.what, e.words) for e in work.history(c, case_id)] == [("opened", None), ("commented", None)]


def test_the_reasons_of_answers_are_erased_after_a_year_also_where_they_closed_a_case(
    c: Connection, row: OrderRow, keyring: Keyring
) -> None:
    case_id = opened(c, row, RELEASED)
    answer(c, case_id, "dismiss", "Ada", "Mrs Example rang.", NOW)
    take_answers(c, c.execute(select(answers.c.id)).scalars().all(), NOW)
    said = replace(
        a_decision(RELEASED.reason, RELEASED.subject, Option.DISMISS, NOW), why="Mrs Example rang."
    )
    sync_cases(c, row.id, row.connection_id, (), NOW, True, an_order(), a_memory(decisions=(said,)))

    def told() -> list[object]:
        because = c.execute(select(cases.c.closed_because).where(cases.c.id == case_id)).scalar_one()
        return [because, *(entry.words for entry in story_of(work.history(c, case_id), keyring))]

    assert forget_old_words(c, NOW + WORDS_KEPT_FOR) == 0
    assert told() == ["Ada dismissed it: Mrs Example rang.", "", "Mrs Example rang.", ""]
    assert forget_old_words(c, NOW + WORDS_KEPT_FOR + HOUR) == 2
    assert told() == ["Ada dismissed it.", "", "(erased after a year)", ""]
    assert forget_old_words(c, NOW + WORDS_KEPT_FOR + HOUR) == 0


def test_the_reason_of_an_answer_that_no_plan_has_taken_stays(c: Connection, row: OrderRow) -> None:
    answer(c, opened(c, row, RELEASED), "dismiss", "Ada", "because", NOW)

    assert forget_old_words(c, NOW + WORDS_KEPT_FOR + HOUR) == 0


@pytest.mark.parametrize(
    ("option", "answered_at", "because", "told"),
    [
        (Option.DISMISS, NOW, "Ada dismissed it: because.", "Ada dismissed it."),
        (Option.DISMISS, NOW - HOUR, "The reason for it is gone.", "The reason for it is gone."),
        (Option.DONE_IN_PORTAL, NOW, "The reason for it is gone.", "The reason for it is gone."),
    ],
)
def test_a_case_that_a_person_dismissed_since_it_opened_is_closed_with_their_reason(
    c: Connection, row: OrderRow, option: Option, answered_at: datetime, because: str, told: str
) -> None:
    case_id = opened(c, row, RELEASED)
    said = a_decision(RELEASED.reason, RELEASED.subject, option, answered_at)

    sync_cases(c, row.id, row.connection_id, (), NOW + HOUR, True, an_order(), a_memory(decisions=(said,)))

    assert c.execute(select(cases.c.closed_because).where(cases.c.id == case_id)).scalar_one() == because
    assert happened(c, case_id)[-1] == ("Interlock", "closed", told)


def test_the_history_has_the_reason_of_every_answer(c: Connection, row: OrderRow) -> None:
    case_id, other = opened(c, row, RELEASED), opened(c, row, RELEASED, CARRIER)
    answer(c, case_id, Option.DISMISS.value, "Ada", "Meant so.", NOW + HOUR)
    answer(c, other, Option.MAP_CARRIER.value, "Ada", "It is PONY.", NOW + HOUR)

    assert [(e.what, e.why) for e in work.history(c, case_id)] == [("opened", ""), ("answered", "Meant so.")]
    assert [e.why for e in work.history(c, other)] == ["", "It is PONY."]


def test_a_case_that_does_not_exist_and_one_that_is_closed_take_nothing(c: Connection, row: OrderRow) -> None:
    case_id = opened(c, row, CARRIER)
    opened(c, row, at=HOUR)

    with pytest.raises(NoSuchCase):
        work.comment(c, case_id + 1, "Ada", b"sealed", NOW)
    with pytest.raises(NotDone, match="is closed: The reason for it is gone"):
        work.assign(c, case_id, "Ada", "Ada", NOW)
    with pytest.raises(NotDone, match="Your name is needed"):
        work.comment(c, case_id, " ", b"sealed", NOW)


# -- what is at stake --------------------------------------------------------------------------------------


def test_a_case_knows_when_it_does_damage_and_how_much_money_that_is(c: Connection, row: OrderRow) -> None:
    case = c.execute(select(cases).where(cases.c.id == opened(c, row, CARRIER))).one()

    assert (case.damage_at, case.at_risk, case.currency) == (
        NOW + 48 * HOUR,
        an_order().total_price,
        an_order().currency,
    )
    assert isinstance(case.at_risk, Decimal)
    assert case.cause == "pony"
