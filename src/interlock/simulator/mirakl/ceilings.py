"""How often each operation may be called, per key (section 2 of the reference)."""

import math
from collections import deque
from datetime import datetime, timedelta

from interlock.simulator.mirakl.profile import MarketplaceProfile
from interlock.simulator.switches import Switches

_MINUTE = 60.0
_HOUR = 3600.0
_DAY = 86400.0
FULL_EXPORT = "OF52 without last_request_date"


def ceiling(
    operation: str, persona: str, profile: MarketplaceProfile, switches: Switches
) -> tuple[int, float] | None:
    """Calls allowed within so many seconds, or None where Mirakl publishes no ceiling for it.

    OR11 once a minute, 15 minutes for an external partner; OR04 once a minute; A01, SH12 and SH21 once a day; OF52 once a
    minute, a full one once a day; OF53 once in 10 seconds; STO01 and STO03 once a minute, STO02 once in 15 seconds.
    The tolerance on top is the simulator's: how strictly the ceilings are kept is not published.
    """
    hourly = switches["ceiling_window"] == "hour"
    tolerance = profile.call_tolerance
    if operation in ("OR11", "OR04"):
        if operation == "OR11" and persona == "external_partner":
            return (4 + tolerance, _HOUR) if hourly else (1 + tolerance, 15 * _MINUTE)
        return (60 + tolerance, _HOUR) if hourly else (1 + tolerance, _MINUTE)
    if operation == "OF52":
        return (60 + tolerance, _HOUR) if hourly else (1 + tolerance, _MINUTE)
    if operation == FULL_EXPORT:
        return (1 + tolerance, _DAY)
    if operation == "OF53":
        return (1 + tolerance, 10.0)
    if operation in ("STO01", "STO03"):
        return (60 + tolerance, _HOUR) if hourly else (1 + tolerance, _MINUTE)
    if operation == "STO02":
        return (240 + tolerance, _HOUR) if hourly else (1 + tolerance, 15.0)
    if operation in ("A01", "SH12", "SH21"):
        return (24, _DAY) if switches["daily_ceilings"] == "lenient" else (2, _DAY)
    return None


class CallMeter:
    """The calls each key made, as long as they matter."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], deque[datetime]] = {}

    def count(self, key: str, operation: str, limit: tuple[int, float], now: datetime) -> int | None:
        """None when the call is within its ceiling (it is then counted), else the seconds to wait."""
        allowed, seconds = limit
        window = timedelta(seconds=seconds)
        made = self._made.setdefault((key, operation), deque())
        while made and made[0] <= now - window:
            made.popleft()
        if len(made) >= allowed:
            return max(1, math.ceil((made[len(made) - allowed] + window - now).total_seconds()))
        made.append(now)
        return None
