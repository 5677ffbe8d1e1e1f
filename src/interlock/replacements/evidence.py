"""Why one Shopify order may have taken another's place: every trace an editing app leaves, as points and a sentence.

No app documents a machine-readable link from the order it makes to the one it replaces (Shopify reference, section 13),
so the link is put together from what is left. Points only rank; what decides is the *band*:

- **certain** needs CERTAIN points and a *tie*: a trace that nobody but a copy of this very order carries. An innocent
  order of the same customer, with the same lines, to the same address, in the same minute, has no tie and can never be
  certain, whatever its points.
- **likely** needs LIKELY points. An order of a stranger with the same lines, total and minute stays below it.
- **weak** is everything else, and nothing follows from it.

Points, and why that many. A tie is worth most of CERTAIN or all of it: our own numbers (100 each) are written by us
alone and can only have been copied. A name that continues ours (60) is a naming rule of one vendor that a shop's own
numbering may produce as well, so it needs the person or the content beside it. A mention in an attribute or metafield
(60) was written by a program; one in a note (40) may be a customer's, so it is no tie. An editing app's tag (30) says *that* the order is
a copy, not of which one: it ties only where e-mail, address and SKUs agree too. Traces of the person (e-mail 40,
address 20) belong to every order of that person; the customer's id would say no more and needs another scope. Content (all lines 20, some of them 10, total 10) belongs
to every order for the same goods. The minute (20) belongs to everybody. Another total currency, or a number that names
another marketplace order, says it is not this one; unless an app of somebody else made it for the same address with all of
our lines and more, as an app does that makes one order of several and copies the number of the first.
"""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from interlock.orders.snapshots import ShopifyOrder

Band = Literal["certain", "likely", "weak"]

CERTAIN = 100
LIKELY = 60

OUR_NUMBER = 100
NAME_CONTINUES = 60
WRITTEN_MENTION = 60
NOTE_MENTION = 40
COPY_TAG = 30
REPLACED_TAG = 20
SAME_EMAIL = 40
SAME_ADDRESS = 20
SAME_LINES = 20
SOME_LINES = 10
NO_LINES = -40
SAME_TOTAL = 10
SAME_TIME = 20
MADE_BY_APP = 10
NAME_OF_ANOTHER = -100
IMPOSSIBLE = -1000

NEAR = timedelta(minutes=30)
"""An app makes and cancels within seconds; staff who duplicate and complete a draft by hand take minutes."""

COPY_TAGS = ("edit order", "orderediting:duplicated")
"""Tags known apps leave on the order they make (Shopify reference, section 13), in lower case."""

REPLACED_TAGS = ("edit order - cancelled",)
"""Tags known apps leave on the order they replaced."""

# A letter may follow at once; a number only behind a separator, because #10312 does not continue #1031.
_CONTINUED = re.compile(r"#?(?P<base>.*?\d[A-Z]?)(?:[-. ]?(?:[A-Z]|R\d*)|[-. ]\d{1,2})")


@dataclass(frozen=True, slots=True)
class Trace:
    """One piece of evidence. `tie` is true where only a copy of this very order can carry it."""

    name: str
    points: int
    sentence: str
    tie: bool = False


@dataclass(frozen=True, slots=True)
class Original:
    """The order that may have been replaced: its last snapshot, every name of its lineage, and our numbers.

    `marker` is `<connection>:<Mirakl order id>`, `line_ids` the Mirakl lines'.
    """

    order: ShopifyOrder
    names: tuple[str, ...]
    marker: str
    line_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All traces of one candidate, strongest first, and what they come to."""

    traces: tuple[Trace, ...]

    @property
    def points(self) -> int:
        return sum(trace.points for trace in self.traces)

    @property
    def band(self) -> Band:
        if self.points >= CERTAIN and any(trace.tie for trace in self.traces):
            return "certain"
        return "likely" if self.points >= LIKELY else "weak"

    @property
    def sentence(self) -> str:
        """The reasons in words, for a case or the timeline."""
        return (
            "; ".join(trace.sentence for trace in self.traces if trace.points > 0) or "nothing points to it"
        )

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """Every trace with its points, for the table of a case."""
        shown = tuple((trace.sentence, f"{trace.points:+d}") for trace in self.traces)
        return (*shown, ("together", f"{self.points} points: {self.band}"))


def weigh(original: Original, candidate: ShopifyOrder) -> Evidence:
    """What speaks for and against `candidate` having taken the place of `original`.

    Says nothing of orders that stand for another marketplace order already: the caller knows those.
    """
    found = [
        *_numbers(original, candidate),
        *_name(original, candidate),
        *_mentions(candidate),
        *_person(original.order, candidate),
        *_content(original.order, candidate),
        *_time(original.order, candidate),
        *_app(original.order, candidate),
    ]
    found.extend(_tags(original.order, candidate, found))
    return Evidence(tuple(sorted(found, key=lambda trace: -abs(trace.points))))


# -- what names the original -------------------------------------------------------------------------------


def _numbers(original: Original, candidate: ShopifyOrder) -> list[Trace]:
    traces, found = candidate.traces, []
    marks = {"attribute": traces.attribute, "lineage": traces.lineage, "marker": candidate.marker}
    for name, value in marks.items():
        if value and value == original.marker:
            found.append(Trace(name, OUR_NUMBER, "it carries this marketplace order's number", True))
            break
    others = sorted({value for value in marks.values() if value and value != original.marker})
    if others and _merges(original.order, candidate):
        sentence = f"it carries the number of {others[0]} and has the lines of this order besides"
        found.append(Trace("number of another", 0, sentence))
    elif others:
        found.append(
            Trace("another number", IMPOSSIBLE, f"it carries another marketplace order's number, {others[0]}")
        )
    named = {line.mirakl_line_id for line in candidate.lines if line.mirakl_line_id}
    if named & set(original.line_ids):
        found.append(
            Trace("line attribute", OUR_NUMBER, "its lines carry this order's marketplace line numbers", True)
        )
    if "tag" in traces.mentions:
        found.append(Trace("our tag", OUR_NUMBER, "it carries our tag of this marketplace order", True))
    return found


def has_more(order: ShopifyOrder, candidate: ShopifyOrder) -> bool:
    """Whether the candidate has every unit of the order, and units beside them."""
    ours, theirs = units_of(order), units_of(candidate)
    return bool(ours) and not ours - theirs and bool(theirs - ours)


def _merges(order: ShopifyOrder, candidate: ShopifyOrder) -> bool:
    """Whether an app may have made the candidate of this order and another one of the same person."""
    there = order.address.digest
    by_another_app = bool(candidate.traces.app) and candidate.traces.app != order.traces.app
    return by_another_app and bool(there) and there == candidate.address.digest and has_more(order, candidate)


def bases_of(name: str) -> tuple[str, ...]:
    """The names that `name` continues by a letter or a small number, as #1031A continues #1031: with and without #."""
    match = _CONTINUED.fullmatch(name)
    return (f"#{match['base']}", match["base"]) if match is not None else ()


def _name(original: Original, candidate: ShopifyOrder) -> list[Trace]:
    bases = bases_of(candidate.name)
    known = next((name for name in original.names if name in bases), "")
    if known:
        sentence = f"its name {candidate.name} continues the order's name {known}"
        return [Trace("name", NAME_CONTINUES, sentence, True)]
    # In a shop whose own numbers end like this, it says nothing.
    if bases and not any(bases_of(name) for name in original.names):
        sentence = f"its name {candidate.name} continues another order's name"
        return [Trace("name of another", NAME_OF_ANOTHER, sentence)]
    return []


def _mentions(candidate: ShopifyOrder) -> list[Trace]:
    found = []
    for place in candidate.traces.mentions:
        if place == "note":
            # A customer who writes "like #1031, please" has not replaced it.
            found.append(Trace("note", NOTE_MENTION, "its note names the order"))
        elif place != "tag":
            found.append(Trace(place, WRITTEN_MENTION, f"its {place} names the order", True))
    return found


# -- what an order shares with others of the same person or goods ------------------------------------------


def _person(order: ShopifyOrder, candidate: ShopifyOrder) -> list[Trace]:
    found = []
    if order.traces.email and order.traces.email == candidate.traces.email:
        found.append(Trace("e-mail", SAME_EMAIL, "it has the same e-mail address"))
    if order.address.digest and order.address.digest == candidate.address.digest:
        found.append(Trace("address", SAME_ADDRESS, "it goes to the same address"))
    return found


def units_of(order: ShopifyOrder) -> Counter[str]:
    """Units per SKU that the order is, or was before it was cancelled, to deliver (a cancelation sets
    `currentQuantity` to 0)."""
    current = Counter({line.sku or line.title: 0 for line in order.lines})
    for line in order.lines:
        current[line.sku or line.title] += line.current_quantity if order.live else line.quantity
    return +current


def _content(order: ShopifyOrder, candidate: ShopifyOrder) -> list[Trace]:
    if order.currency and candidate.currency and order.currency != candidate.currency:
        return [
            Trace("currency", IMPOSSIBLE, f"it is in {candidate.currency}, the order in {order.currency}"),
        ]
    found = []
    ours, theirs = units_of(order), units_of(candidate)
    if ours and ours == theirs:
        found.append(Trace("lines", SAME_LINES, "it has exactly the same lines"))
    elif ours and not ours - theirs:
        found.append(Trace("lines", SAME_LINES, "it has all of the lines, and more"))
    elif ours.keys() & theirs.keys():
        shared = ", ".join(sorted(ours.keys() & theirs.keys()))
        found.append(Trace("lines", SOME_LINES, f"it has lines in common ({shared})"))
    elif ours and theirs:
        found.append(Trace("lines", NO_LINES, "it has no line in common"))
    if order.live and candidate.total == order.total:
        found.append(Trace("total", SAME_TOTAL, "it adds up to the same total"))
    return found


def _time(order: ShopifyOrder, candidate: ShopifyOrder) -> list[Trace]:
    if candidate.created_at < order.created_at:
        return [Trace("earlier", IMPOSSIBLE, "it is older than the order")]
    if order.cancelled_at is not None and _near(order.cancelled_at, candidate.created_at):
        return [Trace("time", SAME_TIME, "it was made within half an hour of the cancelation")]
    return []


def _near(one: datetime, other: datetime) -> bool:
    return abs(one - other) <= NEAR


def _app(order: ShopifyOrder, candidate: ShopifyOrder) -> list[Trace]:
    app = candidate.traces.app
    if app and app != order.traces.app:
        return [Trace("app", MADE_BY_APP, f"the app {app} made it")]
    return []


def _tags(order: ShopifyOrder, candidate: ShopifyOrder, found: list[Trace]) -> list[Trace]:
    traces = []
    copied = [tag for tag in candidate.tags if tag.lower() in COPY_TAGS]
    if copied:
        names = {trace.name for trace in found}
        shared = any(trace.name == "lines" and trace.points > 0 for trace in found)
        ties = {"e-mail", "address"} <= names and shared
        traces.append(Trace("copy tag", COPY_TAG, f"an order-editing app tagged it “{copied[0]}”", ties))
    replaced = [tag for tag in order.tags if tag.lower() in REPLACED_TAGS]
    if replaced:
        traces.append(
            Trace("replaced tag", REPLACED_TAG, f"an order-editing app tagged the order “{replaced[0]}”")
        )
    return traces
