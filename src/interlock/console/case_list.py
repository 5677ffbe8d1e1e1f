"""Cases as lists and pages show them: what does damage first comes first, and one cause is one line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

from sqlalchemy import ColumnElement, Connection, String, and_, case, cast, false, func, literal, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from interlock.cases.causes import cause_key
from interlock.cases.store import answers, cases
from interlock.cases.work import Status, status_of
from interlock.console import wording
from interlock.console.lists import Asked, MarkUnreadable, known, row_mark
from interlock.engine.store import connections
from interlock.orders.reasons import Reason, Severity
from interlock.orders.store import orders

PAGE_LENGTH = 50
DAMAGE_MARK = r"(-|[0-9]{1,17})_(-|-?[0-9]{1,20}(?:\.[0-9]{1,20})?)_([0-9]{1,18})"
OWN_FILTERS = ("status", "reason", "cause", "severity", "assignee")
STATUSES = ("", "mine", "open", "in progress", "snoozed", "closed")
"""What a list of cases may be filtered by; empty means everything that somebody has to look at now."""
SEVERITIES: tuple[str, ...] = get_args(Severity)
NOBODY = "nobody"
"""Asks for the cases that no person has."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAMAGE_MARK = re.compile(DAMAGE_MARK)
FIRST_DAMAGE = (cases.c.damage_at.asc().nulls_last(), cases.c.at_risk.desc().nulls_last(), cases.c.id)
"""The order of the queue: the first damage first, then the most money."""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case, with the order or connection it belongs to. `answered_by` is who has answered and is not yet heard.
    `at_risk` is in `currency`, None where nothing can be counted."""

    id: int
    order_id: int | None
    connection_id: int | None
    connection: str
    order_name: str
    kind: str
    reason: str
    title: str
    subject: str
    owner: str
    severity: str
    sentence: str
    options: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    due_at: datetime | None
    cause: str
    damage_at: datetime | None
    at_risk: Decimal | None
    currency: str
    first_opened_at: datetime
    opened_at: datetime
    reopened: int
    closed_at: datetime | None
    closed_because: str
    assignee: str
    begun_at: datetime | None
    snoozed_until: datetime | None
    answered_by: str

    def status(self, now: datetime) -> Status:
        """What the case is at the moment."""
        return status_of(self.closed_at, self.snoozed_until, self.begun_at, now)

    @property
    def money(self) -> str:
        """The money at risk in words; empty where nothing can be counted."""
        return "" if self.at_risk is None else wording.money(self.at_risk, self.currency)

    @property
    def shared_name(self) -> str:
        """The SKU, carrier or other name the case has in common with others, as the platform writes it where that is kept;
        empty where it has none, or only a digest that nobody can read."""
        if not self.cause or self.reason == Reason.EMAIL_NOT_RELAY:
            return ""
        written = (
            self.subject,
            *(part for fact in self.facts for part in (fact[1], fact[0].rpartition(":")[0])),
        )
        return next((name for name in written if cause_key(name) == self.cause), self.cause)

    @property
    def named_title(self) -> str:
        """The title with that name."""
        return f"{self.title}: “{self.shared_name}”" if self.shared_name else self.title


@dataclass(frozen=True, slots=True)
class Folded:
    """Cases of one cause as one line of the queue; `count` is 1 for a case on its own. `first` is the one that does damage
    first, `at_risk` the money of all of them."""

    first: CaseRow
    count: int
    at_risk: Decimal | None

    @property
    def title(self) -> str:
        """What the line says: the title with the cause, and how many orders it stops where it is several."""
        return self.first.named_title if self.count == 1 else f"{self.first.named_title}, {self.count} orders"

    @property
    def money(self) -> str:
        """The money at risk of all of them in words."""
        return "" if self.at_risk is None else wording.money(self.at_risk, self.first.currency)


def one_case(c: Connection, case_id: int) -> CaseRow | None:
    """One case by its number, open or closed."""
    found = case_rows(c, cases.c.id == case_id)
    return found[0] if found else None


def folded_page(
    c: Connection,
    asked: Asked,
    me: str,
    now: datetime,
    limit: int = PAGE_LENGTH,
    first: Sequence[str] = (),
) -> tuple[list[Folded], str]:
    """The queue a list's address asks for, one line for each cause, and the mark where the next page begins: empty when
    this is the last. `me` is whose cases are “mine”; the cases of the teams in `first` stand before all others. Raises
    MarkUnreadable."""
    begins = row_mark(asked.after) if asked.after else 0
    apart = bool(asked.other("cause")) or asked.other("status") == "closed"
    alone = literal("case ") + cast(cases.c.id, String)
    shared = cases.c.reason + " " + cast(cases.c.connection_id, String) + " " + cases.c.cause
    key = alone if apart else case((cases.c.cause == "", alone), else_=shared)
    grouped = (
        select(
            func.min(cases.c.damage_at).label("damage_at"),
            func.sum(cases.c.at_risk).label("at_risk"),
            func.count().label("number"),
            func.bool_or(cases.c.owner.in_(first)).label("ours"),
            func.array_agg(aggregate_order_by(cases.c.id, *FIRST_DAMAGE))[1].label("first"),
        )
        .where(*conditions_of(asked, me, now))
        .group_by(key)
        .subquery()
    )
    lines = c.execute(
        select(grouped)
        .order_by(
            grouped.c.ours.desc(),
            grouped.c.damage_at.asc().nulls_last(),
            grouped.c.at_risk.desc().nulls_last(),
            grouped.c.first,
        )
        .offset(begins)
        .limit(limit + 1)
    ).all()
    rows = {row.id: row for row in case_rows(c, cases.c.id.in_([line.first for line in lines[:limit]]))}
    found = [Folded(rows[line.first], int(line.number), line.at_risk) for line in lines[:limit]]
    return found, str(begins + limit) if len(lines) > limit else ""


def cases_page(
    c: Connection, asked: Asked, me: str, now: datetime, limit: int = PAGE_LENGTH
) -> tuple[list[CaseRow], str]:
    """The cases a list's address asks for, each on its own, and the mark of the next page. Raises MarkUnreadable."""
    begins = row_mark(asked.after) if asked.after else 0
    found = case_rows(c, and_(*conditions_of(asked, me, now)), limit + 1, begins)
    return found[:limit], str(begins + limit) if len(found) > limit else ""


def causes(c: Connection, now: datetime, connection: str = "", limit: int = 500) -> list[Folded]:
    """What one answer may settle for several orders, the first damage first."""
    found, _ = folded_page(c, Asked("/cases", connection), "", now, limit)
    return [line for line in found if line.first.cause]


def conditions_of(asked: Asked, me: str, now: datetime) -> Sequence[ColumnElement[bool]]:
    """Which cases the address of a list asks for. Besides STATUSES there are two for programs: `not closed`, whether they
    rest or not, and `all`. Raises FilterUnknown."""
    status = asked.other("status")
    wanted: list[ColumnElement[bool]] = []
    if status != "all":
        wanted.append(cases.c.closed_at.is_not(None) if status == "closed" else cases.c.closed_at.is_(None))
    match status:
        case "mine":
            wanted.append(cases.c.assignee == me)
        case "open":
            wanted += [_awake(now), cases.c.begun_at.is_(None)]
        case "in progress":
            wanted += [_awake(now), cases.c.begun_at.is_not(None)]
        case "snoozed":
            wanted.append(cases.c.snoozed_until > now)
        case "closed" | "not closed" | "all":
            pass
        case _:
            wanted.append(_awake(now))
    if asked.connection:
        named = select(connections.c.id).where(connections.c.name == asked.connection).scalar_subquery()
        wanted.append(cases.c.connection_id == named)
    if asked.team:
        wanted.append(cases.c.owner == asked.team)
    if reason := asked.other("reason"):
        wanted.append(cases.c.reason == reason)
    if cause := asked.other("cause"):
        wanted.append(cases.c.cause == cause_key(cause))
    if severity := known("severity", asked.other("severity"), SEVERITIES):
        wanted.append(cases.c.severity == severity)
    if assignee := asked.other("assignee"):
        wanted.append(cases.c.assignee == ("" if assignee == NOBODY else assignee))
    return wanted


def who_has_cases(c: Connection, asked: Asked) -> tuple[str, ...]:
    """Who has an open case, of the connection that is asked for or of any that may be named to whoever asks."""
    wanted: list[ColumnElement[bool]] = [cases.c.closed_at.is_(None), cases.c.assignee != ""]
    if asked.connection:
        named = select(connections.c.id).where(connections.c.name == asked.connection).scalar_subquery()
        wanted.append(cases.c.connection_id == named)
    if asked.own is not None:
        wanted.append(cases.c.connection_id.in_(asked.own))
    found = c.execute(select(cases.c.assignee).where(*wanted).distinct().order_by(cases.c.assignee))
    return tuple(found.scalars())


@dataclass(frozen=True, slots=True)
class DamageMark:
    """Where a page of cases begins whose order is the damage: behind the case with these values, which it may have had only
    when the page before was read. `at_risk` in the currency of the case."""

    damage_at: datetime | None
    at_risk: Decimal | None
    id: int

    @classmethod
    def read(cls, mark: str) -> "DamageMark":
        """The mark as `str` wrote it. Raises MarkUnreadable."""
        found = _DAMAGE_MARK.fullmatch(mark)
        if found is None:
            raise MarkUnreadable
        micros, at_risk, number = found.groups()
        at = None if micros == "-" else _EPOCH + timedelta(microseconds=int(micros))
        return cls(at, None if at_risk == "-" else Decimal(at_risk), int(number))

    def __str__(self) -> str:
        at = "-" if self.damage_at is None else (self.damage_at - _EPOCH) // timedelta(microseconds=1)
        return f"{at}_{'-' if self.at_risk is None else format(self.at_risk, 'f')}_{self.id}"

    @property
    def later(self) -> ColumnElement[bool]:
        """The cases behind it in FIRST_DAMAGE."""
        at, risk = cases.c.damage_at, cases.c.at_risk
        same_at = at.is_(None) if self.damage_at is None else at == self.damage_at
        same_risk = risk.is_(None) if self.at_risk is None else risk == self.at_risk
        later = false() if self.damage_at is None else or_(at > self.damage_at, at.is_(None))
        less = false() if self.at_risk is None else or_(risk < self.at_risk, risk.is_(None))
        return or_(later, and_(same_at, or_(less, and_(same_risk, cases.c.id > self.id))))


def cause_written(c: Connection, connection_id: int, reason: str, cause: str) -> str:
    """A cause as the platform writes it, where a case that has it still tells; else as it is kept for comparing."""
    condition = and_(
        cases.c.connection_id == connection_id, cases.c.reason == reason, cases.c.cause == cause_key(cause)
    )
    found = case_rows(c, condition, 1)
    return (found[0].shared_name if found else "") or cause


def reasons_there(c: Connection, connection: str = "") -> tuple[tuple[str, str], ...]:
    """The reasons that have an open case, of the connection of that name or of any, with their titles: what the list may
    be filtered by."""
    named = select(connections.c.id).where(connections.c.name == connection).scalar_subquery()
    found = c.execute(
        select(cases.c.reason)
        .where(cases.c.closed_at.is_(None), *((cases.c.connection_id == named,) if connection else ()))
        .group_by(cases.c.reason)
        .order_by(cases.c.reason)
    ).scalars()
    return tuple((code, wording.reason_title(code)) for code in found if code in set(Reason))


def _awake(now: datetime) -> ColumnElement[bool]:
    return or_(cases.c.snoozed_until.is_(None), cases.c.snoozed_until <= now)


def case_rows(
    c: Connection, condition: ColumnElement[bool], limit: int | None = 500, offset: int = 0
) -> list[CaseRow]:
    """Cases that meet a condition, the first damage first, then the most money; without `limit` all of them."""
    waiting = (
        select(answers.c.who)
        .where(
            answers.c.order_id == cases.c.order_id,
            answers.c.reason == cases.c.reason,
            answers.c.subject == cases.c.subject,
            answers.c.taken_at.is_(None),
        )
        .order_by(answers.c.id)
        .limit(1)
        .scalar_subquery()
    )
    rows = c.execute(
        select(
            cases,
            connections.c.name.label("connection"),
            orders.c.mirakl_order_id,
            orders.c.shopify_name,
            waiting.label("answered_by"),
        )
        .outerjoin(orders, orders.c.id == cases.c.order_id)
        .outerjoin(connections, connections.c.id == cases.c.connection_id)
        .where(condition)
        .order_by(*FIRST_DAMAGE)
        .limit(limit)
        .offset(offset)
    )
    return [_case_row(row) for row in rows]


def _case_row(row: Any) -> CaseRow:
    return CaseRow(
        id=row.id,
        order_id=row.order_id,
        connection_id=row.connection_id,
        connection=row.connection or "",
        order_name=row.shopify_name or row.mirakl_order_id or "",
        kind=row.kind,
        reason=row.reason,
        title=wording.reason_title(row.reason),
        subject=row.subject,
        owner=row.owner,
        severity=row.severity,
        sentence=row.sentence,
        options=tuple(row.options),
        facts=tuple((str(name), str(value)) for name, value in row.facts),
        due_at=row.due_at,
        cause=row.cause,
        damage_at=row.damage_at,
        at_risk=row.at_risk,
        currency=row.currency,
        first_opened_at=row.first_opened_at,
        opened_at=row.opened_at,
        reopened=row.reopened,
        closed_at=row.closed_at,
        closed_because=row.closed_because or "",
        assignee=row.assignee,
        begun_at=row.begun_at,
        snoozed_until=row.snoozed_until,
        answered_by=row.answered_by or "",
    )
