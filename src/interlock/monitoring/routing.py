"""Which channels hear of an alert, and from when: by team, severity, connection and hours. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from interlock.monitoring.decide import Alert
from interlock.monitoring.ladders import Severity

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(range(7))
_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")


class HoursUnreadable(ValueError):
    """The hours of a route are not written as hours are."""

    def __init__(self, given: str) -> None:
        super().__init__(
            f"{given[:40]!r} are no hours. Write them as 08:00-18:00, with days before them where it is not every day: "
            "mon-fri 08:00-18:00. Nothing was changed."
        )


@dataclass(frozen=True, slots=True)
class Hours:
    """When messages may come, in the channel's time zone; `ends` before `starts` reaches past midnight, and belongs to
    the day it starts on."""

    starts: time
    ends: time
    days: frozenset[int] = EVERY_DAY

    def holds(self, local: datetime) -> bool:
        """Whether this local moment lies in the hours."""
        clock = local.time()
        if self.starts <= self.ends:
            return local.weekday() in self.days and self.starts <= clock < self.ends
        before = (local.weekday() - 1) % 7
        return (local.weekday() in self.days and clock >= self.starts) or (
            before in self.days and clock < self.ends
        )

    def opens(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The first moment from `now` on that lies in the hours, in UTC."""
        local = now.astimezone(zone)
        if self.holds(local):
            return now
        for ahead in range(8):
            day = (local + timedelta(days=ahead)).date()
            opening = datetime.combine(day, self.starts, zone).astimezone(UTC)
            if opening > now and day.weekday() in self.days:
                return opening
        return now


def hours_from(text: str) -> Hours | None:
    """Hours as a person writes them; None for always. Raises HoursUnreadable."""
    text = text.strip().lower()
    if not text or text == "always":
        return None
    *days, clock = text.split()
    found = _HOURS.fullmatch(clock)
    if found is None or len(days) > 1:
        raise HoursUnreadable(text)
    first, last = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    if first == last:
        raise HoursUnreadable(text)
    return Hours(first, last, _days(days[0], text) if days else EVERY_DAY)


def _days(text: str, whole: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last and last not in DAYS):
            raise HoursUnreadable(whole)
        start, end = DAYS.index(first), DAYS.index(last or first)
        if end < start:
            raise HoursUnreadable(whole)
        found |= set(range(start, end + 1))
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Route:
    """Alerts like this go to that channel. An empty team or severity, and no connection, mean any. `zone` is the
    channel's."""

    id: int
    channel_id: int
    team: str = ""
    severity: str = ""
    connection_id: int | None = None
    hours: Hours | None = None
    zone: str = "UTC"

    def takes(self, alert: Alert) -> bool:
        return (
            (not self.team or self.team in alert.teams)
            and (not self.severity or self.severity == alert.severity)
            and (self.connection_id is None or alert.connection_id in (None, self.connection_id))
        )


@dataclass(frozen=True, slots=True)
class Way:
    """A channel and the moment from which it may be used."""

    channel_id: int
    not_before: datetime


def ways_for(
    alert: Alert, routes: Sequence[Route], channels: Sequence[int], now: datetime
) -> tuple[Way, ...]:
    """Where the alert goes, each channel once, at the earliest its routes allow.

    Quiet hours never silence a page: a page leaves at once. A page no route takes goes to every channel there is,
    because nobody hearing of it is the worst that can happen; other alerts that no route takes go nowhere and are read
    on the page *Alerts*.
    """
    severity: Severity = alert.severity
    at: dict[int, datetime] = {}
    for route in routes:
        if route.takes(alert):
            opens = now
            if route.hours is not None and severity != "page":
                opens = route.hours.opens(now, ZoneInfo(route.zone))
            at[route.channel_id] = min(opens, at.get(route.channel_id, opens))
    if not at and severity == "page":
        at = dict.fromkeys(channels, now)
    return tuple(Way(channel, moment) for channel, moment in sorted(at.items()))
