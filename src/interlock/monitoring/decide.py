"""What people are told now: open cases, running windows and burning budgets in, alerts out. No clock, no database.

Every alert has a key and is said once for it. An alert holds codes, numbers and names of connections, and never a
sentence of a case: so nothing about a customer can get into it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from interlock.monitoring.ladders import (
    ACCEPTANCE,
    CARRIER,
    SHIPPING,
    TEAMS,
    Deadline,
    Ladder,
    Rung,
    Severity,
    Team,
    louder,
    rungs_reached,
)
from interlock.orders.reasons import CATALOGUE, Reason

UNSEEN_AFTER = timedelta(minutes=15)
"""An urgent case that nobody took up by then is told again (S9: seen in 15 minutes)."""
REPEAT_PAGE_AFTER = timedelta(minutes=10)
MOST_REPEATS = 3
OVER_AFTER = timedelta(minutes=10)
"""A finding that lasts and was not found for so long is over."""
GROUPED_FOR = timedelta(minutes=10)
MOST_NAMED = 5

PAGES_AT_ONCE: frozenset[Reason] = frozenset(
    {
        Reason.TWO_LIVE_ORDERS,
        Reason.SHIPPED_ON_DISAGREEMENT,
        Reason.LABEL_BEFORE_AGREEMENT,
        Reason.OUTCOME_UNCLEAR,
        Reason.QUARANTINE,
        Reason.CREDENTIAL_REFUSED,
        Reason.SCOPE_MISSING,
        Reason.SUBSCRIPTION_MISSING,
        Reason.POLLER_STALE,
        Reason.OPERATION_UNCLEAR,
        Reason.AUDIT_LOG_BROKEN,
        Reason.BACKUP_OLD,
        Reason.CANARY_IN_LOG,
        Reason.HEARTBEAT_MISSING,
        Reason.INGRESS_REDIRECTS,
    }
)
"""Reasons that wake somebody the moment their case opens, whatever the hour."""


@dataclass(frozen=True, slots=True)
class CaseStanding:
    """One open case as the alerts see it. `order` is the marketplace's order number, empty for a connection's case;
    `opening` how often it has come back; `taken` whether a person has taken it up, answered it, or acknowledged an alert about
    it since it opened last; `due_from` when the time began that ends at `due_at`, None where no ladder of its own belongs
    to the case."""

    id: int
    reason: Reason
    team: Team
    severity: str
    connection_id: int | None
    connection: str
    opened_at: datetime
    order_id: int | None = None
    order: str = ""
    due_at: datetime | None = None
    due_from: datetime | None = None
    opening: int = 0
    taken: bool = False

    @property
    def window(self) -> Deadline | None:
        """The time by whose part that is gone people are told of the case; a note is there to be found, not to be told. Time
        that was over before it began (an order that was paid too late) is over."""
        if self.due_at is None or self.due_from is None or self.severity == "note":
            return None
        return Deadline(self.due_from, self.due_at)


@dataclass(frozen=True, slots=True)
class WindowStanding:
    """An order that waits for acceptance: when its time began and when it ends."""

    order_id: int
    order: str
    connection_id: int
    connection: str
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class PageStanding:
    """A page that was sent and that nobody has acknowledged, while any of what it is about still stands. `alert` names what
    stands, and nothing else."""

    alert_id: int
    at: datetime
    repeats: int
    alert: "Alert"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something measured that people must hear of: a budget of an objective that burns, a queue that grows. `key` is
    the same as long as it is the same finding; one that `lasts` is told again each time it begins, `since` then. It says
    nothing new within `after_for` of a finding whose key is in `after`."""

    key: str
    severity: Severity
    teams: tuple[Team, ...]
    title: str
    connection_id: int | None = None
    connection: str = ""
    lasts: bool = False
    after: tuple[str, ...] = ()
    after_for: timedelta = timedelta()
    since: datetime | None = None

    @property
    def told_as(self) -> str:
        """The key of its alert."""
        return self.key if self.since is None else f"{self.key}:{_stamp(self.since)}"


@dataclass(frozen=True, slots=True)
class Onset:
    """Since when a lasting finding has been found, and when it was found last."""

    since: datetime
    found_at: datetime


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to tell. Alerts of one `group` are told together, with their number in `count`. `opening` is of its case, None
    where the alert is of a time that ends and not of the case having opened."""

    key: str
    group: str
    severity: Severity
    teams: tuple[Team, ...]
    title: str
    reason: str = ""
    connection_id: int | None = None
    connection: str = ""
    orders: tuple[str, ...] = ()
    order_id: int | None = None
    case_id: int | None = None
    opening: int | None = None
    due_at: datetime | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything the rule looks at."""

    now: datetime
    cases: tuple[CaseStanding, ...] = ()
    windows: tuple[WindowStanding, ...] = ()
    pages: tuple[PageStanding, ...] = ()
    findings: tuple[Finding, ...] = ()


def decide(situation: Situation) -> tuple[Alert, ...]:
    """Every alert that is due at this moment, whether it was said before or not: whoever keeps them says each key once."""
    due: list[Alert] = []
    for window in situation.windows:
        due.extend(_of_window(window, situation.now))
    told_by_name = {
        case.order_id
        for case in situation.cases
        if case.window is not None and case.reason is not Reason.SHIPPING_DEADLINE_NEAR
    }
    for case in situation.cases:
        if case.reason is not Reason.SHIPPING_DEADLINE_NEAR:
            due.extend(_of_case(case, situation.now))
            due.extend(_of_deadline(case, situation.now))
        elif case.order_id not in told_by_name:
            # The case that says why the order does not leave climbs in its place.
            due.extend(_of_deadline(case, situation.now))
    for page in situation.pages:
        due.extend(_again(page, situation.now))
    due.extend(_of_finding(finding) for finding in situation.findings)
    return tuple(due)


def _of_window(window: WindowStanding, now: datetime) -> Iterable[Alert]:
    """Only the highest rung reached: whoever comes late to a window hears of it once."""
    reached = rungs_reached(ACCEPTANCE, window.deadline, now)
    if reached:
        rung = reached[-1]
        yield Alert(
            key=f"window:{window.order_id}:{_stamp(window.deadline.due_at)}:{rung.percent}",
            group=f"window:{window.connection_id}:{rung.percent}",
            severity=rung.severity,
            teams=rung.teams,
            title=_of_rung(ACCEPTANCE, rung),
            reason=Reason.ACCEPTANCE_RUNNING_OUT.value,
            connection_id=window.connection_id,
            connection=window.connection,
            orders=(window.order,),
            order_id=window.order_id,
            due_at=window.deadline.due_at,
        )


def _of_case(case: CaseStanding, now: datetime) -> Iterable[Alert]:
    if case.reason is Reason.ACCEPTANCE_RUNNING_OUT or case.severity == "note":
        return  # its window has its own ladder; a note is there to be found, not to be told
    # What comes back is told again: whoever settled it believed that it was over.
    at_once = case.reason in PAGES_AT_ONCE
    urgent = case.severity == "urgent"
    severity: Severity = "page" if at_once else "message" if urgent else "ticket"
    yield _of_opening(case, "opened", severity, CATALOGUE[case.reason].title)
    if urgent and not at_once and not case.taken and now - case.opened_at >= UNSEEN_AFTER:
        minutes = round(UNSEEN_AFTER.total_seconds() / 60)
        title = f"not taken up for {minutes} minutes: {CATALOGUE[case.reason].title}"
        yield _of_opening(case, "unseen", "message", title)


def _of_opening(case: CaseStanding, what: str, severity: Severity, title: str) -> Alert:
    told = _told(case, f"{what}:{case.opening}", what, severity, (case.team,), title)
    return replace(told, opening=case.opening)


def _of_deadline(case: CaseStanding, now: datetime) -> Iterable[Alert]:
    """Only the highest rung reached of the time to ship, counted from where the marketplace counts it and not from the
    case's opening. What ends with the time to accept is told by that window's own ladder."""
    if case.window is None:
        return
    ladder = CARRIER if case.reason is Reason.CARRIER_UNKNOWN else SHIPPING
    reached = rungs_reached(ladder, case.window, now)
    if reached:
        rung = reached[-1]
        title = f"{CATALOGUE[case.reason].title}; {_of_rung(SHIPPING, rung)}"
        teams = tuple(dict.fromkeys((case.team, *rung.teams)))
        which = f"{_stamp(case.window.due_at)}:{rung.percent}"
        yield _told(case, which, str(rung.percent), rung.severity, teams, title)


def _told(
    case: CaseStanding, which: str, together: str, severity: Severity, teams: tuple[Team, ...], title: str
) -> Alert:
    return Alert(
        key=f"case:{case.id}:{which}",
        group=f"case:{case.reason.value}:{case.connection_id or 0}:{together}",
        severity=severity,
        teams=teams,
        title=title,
        reason=case.reason.value,
        connection_id=case.connection_id,
        connection=case.connection,
        orders=(case.order,) if case.order else (),
        order_id=case.order_id,
        case_id=case.id,
        due_at=case.due_at,
    )


def _again(page: PageStanding, now: datetime) -> Iterable[Alert]:
    """A page that nobody acknowledges is sent again after ten minutes, three times at most, for what of it still stands."""
    number = page.repeats + 1
    if number <= MOST_REPEATS and now - page.at >= REPEAT_PAGE_AFTER * number:
        first = page.alert
        yield replace(
            first,
            key=f"again:{page.alert_id}:{number}",
            group=f"again:{page.alert_id}:{number}",
            title=f"nobody has acknowledged ({number}): {first.title}",
        )


def _of_finding(finding: Finding) -> Alert:
    return Alert(
        key=finding.told_as,
        group=finding.key,
        severity=finding.severity,
        teams=finding.teams,
        title=finding.title,
        connection_id=finding.connection_id,
        connection=finding.connection,
    )


def begun(found: Iterable[Finding], onsets: Mapping[str, Onset], now: datetime) -> tuple[Finding, ...]:
    """What is found now and says something of its own; what lasts, with the moment since when. Not found for
    OVER_AFTER, it is over: the next time is another one. `onsets` is by key."""
    kept = []
    for finding in found:
        follows = any(
            key in onsets and now - onsets[key].found_at < finding.after_for for key in finding.after
        )
        if follows:
            continue
        last = onsets.get(finding.key) if finding.lasts else None
        goes_on = last is not None and now - last.found_at < OVER_AFTER
        since = last.since if last is not None and goes_on else now
        kept.append(replace(finding, since=since) if finding.lasts else finding)
    return tuple(kept)


def grouped(alerts: Iterable[Alert]) -> tuple[tuple[Alert, tuple[Alert, ...]], ...]:
    """One alert for each group, with all it stands for. It names the first orders, counts all, and has the
    nearest deadline and the loudest severity."""
    groups: dict[str, list[Alert]] = {}
    for alert in alerts:
        groups.setdefault(alert.group, []).append(alert)
    found = []
    for together in groups.values():
        together.sort(key=lambda alert: (alert.due_at is None, alert.due_at or _NEVER))
        first = together[0]
        severity = first.severity
        for alert in together[1:]:
            severity = louder(severity, alert.severity)
        orders = tuple(dict.fromkeys(order for alert in together for order in alert.orders))
        whole = replace(
            first,
            severity=severity,
            orders=orders[:MOST_NAMED],
            count=sum(alert.count for alert in together),
            teams=tuple(team for team in TEAMS if any(team in alert.teams for alert in together)),
        )
        found.append((whole, tuple(together)))
    return tuple(found)


_NEVER = datetime.max.replace(tzinfo=UTC)


def _of_rung(ladder: Ladder, rung: Rung) -> str:
    if rung.percent >= 100:
        return f"{ladder.title} is over"
    return f"{rung.percent} % of {ladder.title} is gone"


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%S")
