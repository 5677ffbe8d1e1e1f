"""The objectives S1 to S15, judged on counted rows. Pure: numbers in, held, bounded or broken out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal

from interlock.monitoring.decide import Finding
from interlock.monitoring.ladders import Severity, Team
from interlock.monitoring.measures import Counted, Measure
from interlock.orders.timeline import counted

Verdict = Literal["held", "bounded", "broken", "no events"]
"""`held`: as promised. `bounded`: a tighter share was missed, the outermost limit holds. `broken`: it does not."""


@dataclass(frozen=True, slots=True)
class Objective:
    """One objective as judged. `is_now` says in words what was measured."""

    code: str
    what: str
    promise: str
    verdict: Verdict
    is_now: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class Timed:
    """An objective about durations: this share of them (0 to 1) within so many seconds, the outermost last."""

    code: str
    what: str
    measure: Measure
    limits: tuple[tuple[float, float], ...]


TIMED: tuple[Timed, ...] = (
    Timed("S2", "first seen to accepted", "seen_accepted", ((0.5, 20), (0.95, 60), (0.99, 300))),
    Timed("S3", "sold to accepted", "sold_accepted", ((0.95, 120),)),
    Timed("S4", "edit to parcel held", "edit_held", ((0.95, 10), (0.99, 60))),
    Timed(
        "S5",
        "edit to confirmed or a case",
        "edit_settled",
        ((0.95, 60), (0.99, 300), (0.999, 900)),
    ),
    Timed("S6", "parcel left to marketplace told", "dispatch_told", ((0.95, 120), (0.99, 900))),
    Timed("S7", "webhook answered", "ingress", ((0.9995, 1),)),
    Timed("S12", "freshness of reads, in intervals", "freshness", ((0.999, 2),)),
    Timed("S15", "offers that show another quantity than they may", "stock_drift", ((0.99, 900),)),
)


@dataclass(frozen=True, slots=True)
class Numbers:
    """What was counted over the last 30 days, or stands now."""

    durations: Mapping[Measure, Counted] = field(default_factory=dict)
    lost: int = 0
    edits: int = 0
    edits_overdue: int = 0
    cases: int = 0
    cases_late: int = 0
    unclear: int = 0
    debt: int = 0
    # requests about personal data: all whose time is over, answered in 7 days, later than 30
    erasures: tuple[int, int, int] = (0, 0, 0)
    # durations first seen → accepted, in hours with a poison order and in all others
    while_poisoned: Counted = field(default_factory=Counted)
    otherwise: Counted = field(default_factory=Counted)


def objectives(numbers: Numbers) -> tuple[Objective, ...]:
    """Every objective, S1 to S15, in order."""
    timed = {one.code: _timed(one, numbers.durations.get(one.measure, Counted())) for one in TIMED}
    found = {
        **timed,
        "S1": _none(
            "S1",
            "orders lost because nobody accepted them in time",
            numbers.lost,
            "0 in 30 days",
            "order",
            " lost",
        ),
        "S8": _share(
            "S8",
            "edits that neither reached the marketplace nor became a case in 15 min",
            numbers.edits_overdue,
            numbers.edits,
            0.001,
        ),
        "S9": _share("S9", "cases closed after their deadline", numbers.cases_late, numbers.cases, 0.01),
        "S10": _none("S10", "calls unclear for more than 10 min", numbers.unclear, "0 now", "call"),
        "S11": _none("S11", "refunds on one side older than 3 working days", numbers.debt, "0 now", "refund"),
        "S13": _erased(numbers.erasures),
        "S14": _poisoned(numbers),
    }
    return tuple(found[f"S{number}"] for number in range(1, 16))


def _timed(one: Timed, durations: Counted) -> Objective:
    unit = "intervals" if one.measure == "freshness" else "s"
    promise = ", ".join(f"{share * 100:g} % within {seconds:g} {unit}" for share, seconds in one.limits)
    if not durations.number:
        return Objective(one.code, one.what, promise, "no events", "nothing to count yet")
    kept = [durations.within(seconds) >= share * durations.number - 1e-9 for share, seconds in one.limits]
    verdict: Verdict = "held" if all(kept) else "bounded" if len(kept) > 1 and kept[-1] else "broken"
    reached = ", ".join(
        f"{100 * durations.within(seconds) / durations.number:.4g} % within {seconds:g} {unit}"
        for _, seconds in one.limits
    )
    return Objective(one.code, one.what, promise, verdict, reached, durations.number)


def _none(code: str, what: str, number: int, promise: str, of: str, more: str = "") -> Objective:
    found = f"{counted(number, of)}{more}"
    return Objective(code, what, promise, "broken" if number else "held", found, number)


def _share(code: str, what: str, bad: int, number: int, most: float) -> Objective:
    promise = f"at most {most * 100:g} %"
    if not number:
        return Objective(code, what, promise, "no events", "nothing to count yet")
    verdict: Verdict = "held" if bad <= most * number else "broken"
    return Objective(code, what, promise, verdict, f"{bad} of {number}", number)


def _erased(erasures: tuple[int, int, int]) -> Objective:
    what, promise = "personal data erased when asked", "95 % in 7 days, all in 30"
    number, soon, too_late = erasures
    if not number:
        return Objective("S13", what, promise, "no events", "no request whose time is over")
    verdict: Verdict = "broken" if too_late else "held" if soon >= 0.95 * number else "bounded"
    said = f"{soon} of {number} in 7 days, {too_late} later than 30"
    return Objective("S13", what, promise, verdict, said, number)


def _poisoned(numbers: Numbers) -> Objective:
    what, promise = "other orders while one is poisoned", "95 % of acceptances within 10 % of other hours"
    during, other = numbers.while_poisoned.at(0.95), numbers.otherwise.at(0.95)
    if during is None or other is None:
        return Objective("S14", what, promise, "no events", "no hour with a poisoned order to compare")
    verdict: Verdict = "held" if during <= other * 1.1 else "broken"
    return Objective(
        "S14",
        what,
        promise,
        verdict,
        f"95 % within {during:g} s, in other hours {other:g} s",
        numbers.while_poisoned.number,
    )


# -- burn rates --------------------------------------------------------------------------------------------

FEWEST_EVENTS = 100


@dataclass(frozen=True, slots=True)
class BurnWindow:
    """A budget that burns `rate` times too fast over both windows is told with `severity`."""

    severity: Severity
    long: timedelta
    short: timedelta
    rate: float


BURN_WINDOWS: tuple[BurnWindow, ...] = (
    BurnWindow("page", timedelta(hours=1), timedelta(minutes=5), 14.4),
    BurnWindow("page", timedelta(hours=6), timedelta(minutes=30), 6),
    BurnWindow("ticket", timedelta(days=3), timedelta(hours=6), 1),
)
BURNING: tuple[str, ...] = ("S2", "S5", "S6", "S7", "S15")


def burn(
    connection_id: int | None,
    connection: str,
    windows: Mapping[tuple[str, timedelta], Counted],
    day: str,
) -> tuple[Finding, ...]:
    """Which budgets burn too fast. `windows` holds the durations of each measure over each window. Only windows with
    at least FEWEST_EVENTS events say anything; the loudest finding of an objective is told: a page as often as it begins, a
    ticket once a `day`. After a fire the wider window burns on for as long as its short one: that is the same fire."""
    found = []
    teams: tuple[Team, ...] = ("engineer",)
    for one in TIMED:
        if one.code not in BURNING:
            continue
        share, limit = one.limits[-1]
        narrower: tuple[str, ...] = ()
        for window in BURN_WINDOWS:
            lasts = window.severity == "page"
            hours = window.long.total_seconds() / 3600
            when = f"{hours:g}h" if lasts else f"{window.severity}:{day}"
            key = f"burn:{one.code}:{connection_id or 0}:{when}"
            before, narrower = narrower, (*narrower, key)
            long = windows.get((one.measure, window.long), Counted())
            short = windows.get((one.measure, window.short), Counted())
            if long.number < FEWEST_EVENTS or not short.number:
                continue
            budget = 1 - share
            rates = [(part.number - part.within(limit)) / part.number / budget for part in (long, short)]
            if min(rates) >= window.rate - 1e-6:
                title = f"{one.code} ({one.what}) uses up its budget {min(rates):.0f} times too fast over {hours:g} h"
                whole = Finding(key, window.severity, teams, title, connection_id, connection, lasts)
                found.append(replace(whole, after=before, after_for=window.short) if lasts else whole)
                break
    return tuple(found)
