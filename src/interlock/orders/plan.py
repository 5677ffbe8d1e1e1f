"""What `decide` answers: actions, the cases that must be open, what to remember, when to look next, and why."""

from dataclasses import dataclass, field
from datetime import datetime

from interlock.orders.actions import Action
from interlock.orders.label import Label
from interlock.orders.memory import Memory
from interlock.orders.reasons import CATALOGUE, Option, Reason, Severity


class OptionNotInCatalogue(ValueError):
    """A rule offered an answer that the catalogue does not list for the reason."""

    def __init__(self, reason: Reason, options: tuple[Option, ...]):
        names = ", ".join(option.value for option in options)
        super().__init__(
            f"A case of {reason.value} offers {names}, which the catalogue does not list for it. Add it to the entry in "
            "orders/reasons.py, or do not offer it."
        )


@dataclass(frozen=True, slots=True)
class Case:
    """A case that must be open. Its identity within an order is (reason, subject).

    `subject` distinguishes cases of one reason: a line id, a carrier name, a refund id, or `order`.
    `due_from` is when the stretch of time began that ends at `due_at`; people are told by the part of it that is gone. It
    is None where no ladder belongs to the case, or the order itself has one (the time to accept it).
    `sentence` says what happened, what it means and what to do. `facts` are shown as a small table. Raises
    OptionNotInCatalogue: what may be answered is written down in one place.
    """

    reason: Reason
    subject: str
    sentence: str
    options: tuple[Option, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    due_at: datetime | None = None
    severity: Severity | None = None
    due_from: datetime | None = None

    def __post_init__(self) -> None:
        strange = tuple(option for option in self.options if option not in CATALOGUE[self.reason].options)
        if strange:
            raise OptionNotInCatalogue(self.reason, strange)

    @property
    def how_severe(self) -> Severity:
        """The case's own severity, or its reason's."""
        return self.severity or CATALOGUE[self.reason].severity


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer to one view. All `actions` may be performed at the same time; what has to follow them is
    decided after the next look. `look_at` is the latest moment for that look when nothing else happens.
    `mirakl_since` asks for a marketplace snapshot at least that young. `because` is the reasoning in sentences
    an operator can read. `agreed` is the quantity per Mirakl line the marketplace agrees to. `label` is what a label
    printer is told; None while the Shopify order was not seen. `judged` is false where the rules that open most cases were not
    asked: a case that is missing then is not settled."""

    memory: Memory
    actions: tuple[Action, ...] = ()
    cases: tuple[Case, ...] = ()
    look_at: datetime | None = None
    mirakl_since: datetime | None = None
    because: tuple[str, ...] = ()
    agreed: tuple[tuple[str, int], ...] = ()
    label: Label | None = None
    judged: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """What one room adds to a plan. `memory` is handed from room to room; `keep_held` are reasons, in
    sentences, why the parcel must not move; `look_at` the room's own timer. `as_decided` is a person's decision, in a
    sentence with who and why, to ship exactly what Shopify shows now although the sides differ; the room that gives
    it leaves those differences out of `keep_held`. `label` is what a label printer is told."""

    memory: Memory
    actions: tuple[Action, ...] = ()
    cases: tuple[Case, ...] = ()
    keep_held: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    look_at: datetime | None = None
    mirakl_since: datetime | None = field(default=None)
    as_decided: str = ""
    label: Label | None = None


def earliest(*moments: datetime | None) -> datetime | None:
    """The first of the moments that are set."""
    there = [moment for moment in moments if moment is not None]
    return min(there) if there else None


def latest(*moments: datetime | None) -> datetime | None:
    """The last of the moments that are set."""
    there = [moment for moment in moments if moment is not None]
    return max(there) if there else None
