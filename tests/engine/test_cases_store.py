"""The queue of cases follows the plan, and answers of people are kept once or refused with a reason."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest
from sqlalchemy import Connection, select

from interlock.cases.store import (
    CannotAnswer,
    answer,
    cases,
    close_connection_cases,
    open_connection_case,
    sync_cases,
    take_answers,
    waiting_answers,
)
from interlock.orders.memory import Incident, RefundTask
from interlock.orders.plan import Case
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import OrderRow
from interlock.storage.database import Database
from tests.build import NOW, a_memory
from tests.engine.rows import a_leased_order

UNKNOWN_SKU = Case(Reason.SKU_UNKNOWN, "MUG", "MUG is not in the shop.", (Option.MAP_SKU,))
CARRIER = Case(Reason.CARRIER_UNKNOWN, "Pony", "Pony is not mapped.", (Option.MAP_CARRIER,))
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def c(database: Database) -> Iterator[Connection]:
    with database.begin() as connection:
        yield connection


@pytest.fixture
def row(c: Connection) -> OrderRow:
    return a_leased_order(c)


def _sync(c: Connection, row: OrderRow, *wanted: Case, may_close: bool = True) -> tuple[int, int]:
    change = sync_cases(c, row.id, row.connection_id, wanted, LATER, may_close)
    return len(change.opened), len(change.closed)


def _open(c: Connection) -> list[tuple[str, str]]:
    rows = c.execute(select(cases).where(cases.c.closed_at.is_(None)).order_by(cases.c.id))
    return [(row.reason, row.sentence) for row in rows]


def _case_id(c: Connection) -> int:
    return int(c.execute(select(cases.c.id).order_by(cases.c.id.desc()).limit(1)).scalar_one())


def test_an_order_that_was_not_judged_keeps_its_cases(c: Connection, row: OrderRow) -> None:
    """A state that nobody knows settles no task; what says why the order is not judged comes and goes, and so do incidents."""
    strange = Case(Reason.UNKNOWN_VALUE, "order", "A state is not known.")
    early = Case(Reason.LABEL_BEFORE_AGREEMENT, "F1", "A label exists.", (Option.DISMISS,))
    assert _sync(c, row, UNKNOWN_SKU, early) == (2, 0)
    stopped = a_memory(
        incidents=(Incident(Reason.LABEL_BEFORE_AGREEMENT, "F1", LATER, "A label exists.", closed_at=LATER),)
    )

    change = sync_cases(c, row.id, row.connection_id, [strange], LATER, True, memory=stopped, judged=False)
    assert (len(change.opened), len(change.closed)) == (1, 1)
    assert [reason for reason, _ in _open(c)] == ["sku_unknown", "unknown_value"]

    sync_cases(c, row.id, row.connection_id, [], LATER, True, judged=False)
    assert [reason for reason, _ in _open(c)] == ["sku_unknown"]


def test_cases_open_change_and_close_with_the_plan(c: Connection, row: OrderRow) -> None:
    assert _sync(c, row, UNKNOWN_SKU, CARRIER, UNKNOWN_SKU) == (2, 0)
    changed = Case(Reason.SKU_UNKNOWN, "MUG", "MUG is gone.", (Option.MAP_SKU,))
    assert _sync(c, row, changed, CARRIER) == (0, 0)
    assert _open(c) == [("sku_unknown", "MUG is gone."), ("carrier_unknown", "Pony is not mapped.")]
    change = sync_cases(c, row.id, row.connection_id, [CARRIER], LATER, True)
    assert change.closed == ("Settled: a SKU of the order is not in the shop.",)
    assert [reason for reason, _ in _open(c)] == ["carrier_unknown"]
    assert _sync(c, row, UNKNOWN_SKU, CARRIER) == (1, 0)


def test_an_urgent_case_alarms_when_it_opens_and_with_each_rung_it_climbs(
    c: Connection, row: OrderRow
) -> None:
    def alarms(rung: str, severity: Literal["urgent", "today"]) -> int:
        facts = (("rung", rung),)
        reason = Reason.ACCEPTANCE_RUNNING_OUT
        case = Case(reason, "order", "Time is running out.", facts=facts, severity=severity)
        return len(sync_cases(c, row.id, row.connection_id, (case, CARRIER), LATER, True).alarming)

    rungs: tuple[tuple[str, Literal["urgent", "today"]], ...]
    rungs = (("25 %", "today"), ("40 %", "urgent"), ("40 %", "urgent"), ("60 %", "urgent"))
    assert [alarms(rung, severity) for rung, severity in rungs] == [0, 1, 0, 1]


def test_what_merely_could_not_be_seen_closes_nothing(c: Connection, row: OrderRow) -> None:
    _sync(c, row, UNKNOWN_SKU)
    assert _sync(c, row, CARRIER, may_close=False) == (1, 0)
    assert len(_open(c)) == 2


def test_a_refund_task_that_is_over_closes_its_case_whatever_could_be_seen(
    c: Connection, row: OrderRow
) -> None:
    task = RefundTask("R1", LATER, ())
    _sync(c, row, UNKNOWN_SKU, Case(Reason.REFUND_TASK, "R1", "Refund 5.00 EUR in the portal."))
    for kept, left in ((task, 2), (replace(task, settled_at=LATER), 1)):
        memory = a_memory(refund_tasks=(kept,))
        sync_cases(c, row.id, row.connection_id, [], LATER, False, memory=memory)
        assert len(_open(c)) == left
    assert [reason for reason, _ in _open(c)] == ["sku_unknown"]


def test_an_answer_is_kept_and_taken_by_a_plan_once(c: Connection, row: OrderRow) -> None:
    _sync(c, row, UNKNOWN_SKU)
    assert answer(c, _case_id(c), "map_sku", " Ada ", " mapped ", LATER) == row.id
    ((answer_id, decision),) = waiting_answers(c, row.id)
    assert (decision.option, decision.who, decision.why) == (Option.MAP_SKU, "Ada", "mapped")
    take_answers(c, [answer_id], LATER)
    assert waiting_answers(c, row.id) == []
    assert answer(c, _case_id(c), "map_sku", "Bob", "again", LATER) == row.id


def test_two_people_cannot_answer_one_case_before_the_first_answer_is_taken(
    c: Connection, row: OrderRow
) -> None:
    _sync(c, row, UNKNOWN_SKU)
    answer(c, _case_id(c), "map_sku", "Ada", "mapped", LATER)
    with pytest.raises(CannotAnswer, match=r"Ada has just answered case \d+\. Nothing was changed\."):
        answer(c, _case_id(c), "map_sku", "Bob", "mapped too", LATER)
    assert len(waiting_answers(c, row.id)) == 1


def test_an_answer_that_is_not_possible_says_why_and_changes_nothing(c: Connection, row: OrderRow) -> None:
    _sync(c, row, UNKNOWN_SKU)
    number = _case_id(c)
    for option, who, why, sentence in (
        ("dismiss", "Ada", "because", f"Case {number} does not offer 'dismiss'; it offers: map_sku."),
        ("map_sku", " ", "because", "An answer needs the name of who gives it and a reason."),
        ("map_sku", "Ada", "", "An answer needs the name of who gives it and a reason."),
    ):
        with pytest.raises(CannotAnswer) as refused:
            answer(c, number, option, who, why, LATER)
        assert str(refused.value) == f"{sentence} Nothing was changed."
    with pytest.raises(CannotAnswer, match=r"There is no case 4711\."):
        answer(c, 4711, "map_sku", "Ada", "because", LATER)
    _sync(c, row)
    with pytest.raises(CannotAnswer, match=rf"Case {number} is closed: The reason for it is gone\."):
        answer(c, number, "map_sku", "Ada", "because", LATER)
    assert waiting_answers(c, row.id) == []


def test_a_case_of_a_connection_opens_once_and_is_closed_by_what_opened_it(
    c: Connection, row: OrderRow
) -> None:
    def opened() -> bool:
        sentence = "The marketplace cannot be read."
        return open_connection_case(c, row.connection_id, Reason.PLATFORM_REFUSED, "poll", sentence, NOW)

    assert (opened(), opened()) == (True, False)
    with pytest.raises(CannotAnswer, match="concerns a connection and closes by itself"):
        answer(c, _case_id(c), "dismiss", "Ada", "because", LATER)
    _sync(c, row)
    assert len(_open(c)) == 1
    closing = (c, row.connection_id, Reason.PLATFORM_REFUSED, "poll", LATER, "It answers again.")
    assert close_connection_cases(*closing) == 1
    assert close_connection_cases(*closing) == 0
    assert opened() is True


def test_the_same_person_approves_a_refund_once_however_the_name_is_written(
    c: Connection, row: OrderRow
) -> None:
    options = (Option.APPROVE_REFUND, Option.DISMISS)
    _sync(c, row, Case(Reason.REFUND_APPROVAL, "edit:1", "Two people have to approve it.", options))
    case_id = _case_id(c)

    answer(c, case_id, "approve_refund", "Ada Agent", "checked", NOW)
    with pytest.raises(CannotAnswer, match="has just answered"):
        answer(c, case_id, "approve_refund", "Ben", "checked", NOW)
    take_answers(c, [number for number, _ in waiting_answers(c, row.id)], NOW)
    with pytest.raises(CannotAnswer, match="a second, different person has to"):
        answer(c, case_id, "approve_refund", " ada  AGENT", "again", LATER)
    answer(c, case_id, "approve_refund", "Ben", "checked too", LATER)

    assert [decision.who for _, decision in waiting_answers(c, row.id)] == ["Ben"]
