"""How one SKU is at one marketplace, judged on what is known of it. Pure: dated facts in, a state and its cause out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, get_args

from interlock.orders.money import Money

SkuState = Literal[
    "fine", "oversold", "drifting", "refused", "no product", "price differs", "edit blocked", "not known"
]
STATES: tuple[str, ...] = get_args(SkuState)


@dataclass(frozen=True, slots=True)
class SkuEdit:
    """An edit of an order that touched the SKU. `seconds` from the end of the quiet period until it was settled, or until now
    while `outcome`, as the clocks of edits have it, is empty."""

    at: datetime
    seconds: float
    outcome: str


@dataclass(frozen=True, slots=True)
class SkuFacts:
    """What is known of one SKU at one marketplace. `target` is what may be offered, `shown` what the marketplace shows as
    far as it is known; None where nothing is known. `problem` is the sentence of an open case about it, `file_problem` of
    one about the stock files of the connection, `paused` why no figure is told now. `publishes` is whether its stock is published from here at all, `uncounted`
    that nothing of the offer has a counted stock, so that it has no figure. `careful` are the inputs of the figure that are not believed, so that the
    lower one is published; `stock_read_at` is when the shop's stock was last read."""

    connection: str
    connection_id: int
    sku: str
    linked: bool
    shop_skus: tuple[str, ...] = ()
    last_sale_at: datetime | None = None
    edits: tuple[SkuEdit, ...] = ()
    target: int | None = None
    shown: int | None = None
    published: int | None = None
    published_at: datetime | None = None
    confirmed_at: datetime | None = None
    refused_why: str = ""
    drift_since: datetime | None = None
    drift_minutes: int = 0
    offer_price: Decimal | None = None
    shop_price: Decimal | None = None
    currency: str = ""
    problem: str = ""
    file_problem: str = ""
    paused: str = ""
    careful: tuple[str, ...] = ()
    stock_read_at: datetime | None = None
    publishes: bool = True
    uncounted: bool = False


@dataclass(frozen=True, slots=True)
class SkuHealth:
    """How one SKU is at one marketplace: p50 and p95 in seconds from an edit to its confirmation, where an edit that is still
    open and has taken longer than the p95 of the others counts in it with what it has taken so far; `drift` what the
    marketplace shows beyond what may be offered (negative for less), and why it is not fine."""

    facts: SkuFacts
    state: SkuState
    cause: str
    drift: int | None
    last_edit_at: datetime | None
    p50: float | None
    p95: float | None


def judged(facts: SkuFacts) -> SkuHealth:
    """The worst of what is wrong with the SKU, and in words why: more offered than there is goes before all."""
    drift = None if facts.target is None or facts.shown is None else facts.shown - facts.target
    state, cause = _state(facts, drift)
    took = sorted(one.seconds for one in facts.edits if one.outcome in ("confirmed", "released"))
    slow = _at(took, 0.95)
    # An open edit tells nothing while it is young; one that hangs must not make the others look better.
    hangs = [one.seconds for one in facts.edits if not one.outcome and (slow is None or one.seconds > slow)]
    return SkuHealth(
        facts=facts,
        state=state,
        cause=cause,
        drift=drift,
        last_edit_at=max((one.at for one in facts.edits), default=None),
        p50=_at(took, 0.5),
        p95=_at(sorted((*took, *hangs)), 0.95),
    )


def _state(facts: SkuFacts, drift: int | None) -> tuple[SkuState, str]:
    blocked = [one for one in facts.edits if one.outcome not in ("", "confirmed", "released")]
    if drift:
        state: SkuState = "oversold" if drift > 0 else "drifting"
        return state, _why_drift(facts)
    if facts.refused_why:
        return "refused", f"The marketplace refused the figure: {facts.refused_why}"
    if not facts.linked:
        return "no product", facts.problem or "No product of the shop stands behind the offer."
    if (
        facts.offer_price is not None
        and facts.shop_price is not None
        and facts.offer_price != facts.shop_price
    ):
        return (
            "price differs",
            f"Offered at {Money(facts.offer_price, facts.currency)}, in the shop at "
            f"{Money(facts.shop_price, facts.currency)}.",
        )
    if blocked:
        latest = max(blocked, key=lambda one: one.at)
        return "edit blocked", f"The last edit that did not get through: {latest.outcome.replace('_', ' ')}."
    if facts.publishes and not facts.uncounted and drift is None:
        return "not known", _why_unknown(facts)
    return "fine", ""


def _why_unknown(facts: SkuFacts) -> str:
    if facts.problem or facts.file_problem:
        return facts.problem or facts.file_problem
    if facts.target is None:
        return "What it may show is not known yet."
    if facts.published is None:
        return "Nothing was published for it yet, and the marketplace has not shown it."
    return (
        "Something may have moved the marketplace's figure since it was published; it is told again, or read."
    )


def _why_drift(facts: SkuFacts) -> str:
    if facts.refused_why:
        return f"The marketplace refused the figure: {facts.refused_why}"
    if facts.problem or facts.file_problem:
        return facts.problem or facts.file_problem
    if facts.paused:
        return facts.paused
    if facts.published is None:
        return "Nothing was published for it yet."
    if facts.published != facts.target:
        return "The figure has changed since it was published; the next file carries it."
    if facts.published_at is not None and (
        facts.confirmed_at is None or facts.confirmed_at < facts.published_at
    ):
        return "It was published, and the marketplace has not confirmed it yet."
    return "The marketplace shows something else than it confirmed."


def _at(took: Sequence[float], share: float) -> float | None:
    """The value below which this share lies, between neighbours; None of nothing."""
    if not took:
        return None
    place = share * (len(took) - 1)
    low = int(place)
    high = min(low + 1, len(took) - 1)
    return round(took[low] + (took[high] - took[low]) * (place - low), 1)
