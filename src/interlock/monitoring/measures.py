"""How long things took, computed from what one order's rows say. Pure: dated facts in, durations out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Measure = Literal[
    "seen_accepted",
    "sold_accepted",
    "order_accepted",
    "edit_held",
    "edit_settled",
    "dispatch_told",
    "ingress",
    "freshness",
    "stock_drift",
]
TITLES: dict[Measure, str] = {
    "seen_accepted": "order first seen → accepted",
    "sold_accepted": "order sold → accepted",
    "order_accepted": "Shopify order exists → accepted",
    "edit_held": "edit → parcel held",
    "edit_settled": "edit → marketplace confirmed, or a case (quiet period not counted)",
    "dispatch_told": "parcel left → marketplace told",
    "ingress": "webhook → answered",
    "freshness": "age of the last good read, in intervals",
    "stock_drift": "how long an offer has shown another quantity than it may",
}
BOUNDS: tuple[float, ...] = (0.1, 0.3, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 14400)
"""Upper bounds of the counted classes, in seconds (for `freshness` in intervals); one more class takes what is longer.
Every limit of an objective is one of them, so that objectives are counted exactly."""

_REDUCING = ("CancelQuantities", "CancelMiraklOrder", "RefundLines", "EditShopifyOrder")
EDIT_REASONS = frozenset(
    {
        "edit_cannot_be_expressed",
        "reduction_not_allowed",
        "reduction_refused",
        "refund_task",
        "refund_approval",
        "confirm_withdrawn",
        "both_sides_changed",
        "incident_open",
        "edit_waiting",
        "price_discrepancy",
        "reason_code_missing",
        "impossible_combination",
        "cannot_hold",
        "shipped_on_disagreement",
        "label_before_agreement",
    }
)
"""Cases that answer an edit: from then on a person knows."""


@dataclass(frozen=True, slots=True)
class EndedCall:
    """An operation of ours that was confirmed: its kind and when."""

    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of the Shopify order by others, with the SKUs it touched."""

    id: str
    at: datetime
    skus: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What one order's rows say. `cases` are (reason, opened at), `quiet` the connection's quiet period, `left_at` when each
    parcel that is on its way left, `told_singly` the parcels the marketplace was told of one by one: when each left, and
    when it was told."""

    order_id: int
    connection_id: int
    seen_at: datetime
    sold_at: datetime | None
    quiet: timedelta
    calls: tuple[EndedCall, ...]
    cases: tuple[tuple[str, datetime], ...]
    edits: tuple[Edit, ...]
    left_at: tuple[datetime, ...] = ()
    told_singly: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Latency:
    """Something that ended at `at` after so many seconds."""

    measure: Measure
    at: datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class EditClock:
    """What became of one edit, and when. `outcome` is `confirmed`, `released`, a case's reason, or empty while nothing
    has."""

    edit: Edit
    held_at: datetime | None
    settled_at: datetime | None
    outcome: str


def _first(
    calls: Iterable[EndedCall], kinds: Sequence[str], since: datetime | None = None
) -> EndedCall | None:
    found = [call for call in calls if call.kind in kinds and (since is None or call.at >= since)]
    return min(found, key=lambda call: call.at, default=None)


def edit_clocks(facts: OrderFacts) -> tuple[EditClock, ...]:
    """For every edit of the order: when the parcel was held after it, and when it was settled.

    An edit made while our hold was on already is not measured for the hold. It is settled by the first of: a confirmed
    call that carries a reduction, a case that asks a person, the release of the hold, the cancelation of the order.
    """
    found = []
    for edit in facts.edits:
        hold = _first(facts.calls, ("PlaceHold",), edit.at)
        release = _first(facts.calls, ("ReleaseHold",), edit.at)
        ends: list[tuple[datetime, str]] = [
            (opened, reason) for reason, opened in facts.cases if reason in EDIT_REASONS and opened >= edit.at
        ]
        confirmed = _first(facts.calls, _REDUCING, edit.at)
        if confirmed is not None:
            ends.append((confirmed.at, "confirmed"))
        if release is not None:
            ends.append((release.at, "released"))
        settled, outcome = min(ends, default=(None, ""))
        held = hold.at if hold is not None and (release is None or hold.at < release.at) else None
        found.append(EditClock(edit, held, settled, outcome))
    return tuple(found)


def latencies(facts: OrderFacts) -> tuple[Latency, ...]:
    """Every duration of the order that has ended. Nothing is ever negative: clocks of two platforms may disagree."""
    found: list[Latency] = []

    def add(
        measure: Measure, start: datetime | None, end: datetime | None, off: timedelta = timedelta(0)
    ) -> None:
        if start is not None and end is not None:
            found.append(Latency(measure, end, max((end - start - off).total_seconds(), 0.0)))

    accepted = _first(facts.calls, ("AnswerAcceptance",))
    if accepted is not None:
        add("seen_accepted", facts.seen_at, accepted.at)
        add("sold_accepted", facts.sold_at, accepted.at)
        made = _first(facts.calls, ("CompleteDraft", "CreateOrder"))
        if made is not None and made.at <= accepted.at:
            add("order_accepted", made.at, accepted.at)
    for clock in edit_clocks(facts):
        add("edit_held", clock.edit.at, clock.held_at)
        quiet = facts.quiet if clock.outcome in ("confirmed", "released") else timedelta(0)
        add("edit_settled", clock.edit.at, clock.settled_at, quiet)
    shipped = _first(facts.calls, ("ShipOrder",))
    if shipped is not None and facts.left_at:
        # An order is told of as a whole once the last of it has left; what left after the word was not waited for.
        before = [at for at in facts.left_at if at <= shipped.at]
        add("dispatch_told", max(before, default=min(facts.left_at)), shipped.at)
    for left, told in facts.told_singly:
        add("dispatch_told", left, told)
    return tuple(found)


# -- counted durations -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counted:
    """Durations counted by class of BOUNDS; the last number counts what is longer than every bound."""

    counts: tuple[int, ...] = (0,) * (len(BOUNDS) + 1)

    @property
    def number(self) -> int:
        return sum(self.counts)

    def plus(self, other: "Counted") -> "Counted":
        return Counted(tuple(one + two for one, two in zip(self.counts, other.counts, strict=True)))

    def within(self, seconds: float) -> int:
        """How many took at most so long; exact where `seconds` is one of BOUNDS."""
        return sum(number for bound, number in zip(BOUNDS, self.counts, strict=False) if bound <= seconds)

    def at(self, share: float) -> float | None:
        """The duration that this share (0 to 1) stayed within, to the class: a bound, or infinity; None without any."""
        if not self.number:
            return None
        wanted, seen = share * self.number, 0
        for bound, number in zip(BOUNDS, self.counts, strict=False):
            seen += number
            if seen >= wanted - 1e-9:
                return bound
        return float("inf")


def class_of(seconds: float) -> int:
    """The place of a duration among the classes."""
    return next((place for place, bound in enumerate(BOUNDS) if seconds <= bound), len(BOUNDS))


def counted(seconds: Iterable[float]) -> Counted:
    """Durations, counted."""
    counts = [0] * (len(BOUNDS) + 1)
    for one in seconds:
        counts[class_of(one)] += 1
    return Counted(tuple(counts))
