"""Whether the parcel may move: one rule, asked by the holds and by the label check."""

from dataclasses import dataclass
from datetime import datetime

from interlock.holds.astray import astray, astray_because
from interlock.orders.agreement import (
    agreed_quantities,
    broken_bundles,
    mirakl_line_id_of,
    standing_quantities,
)
from interlock.orders.destination import is_agreed
from interlock.orders.label import BY_ITSELF, THE_MARKETPLACE, Label
from interlock.orders.memory import Memory
from interlock.orders.plan import latest
from interlock.orders.reasons import Option
from interlock.orders.snapshots import (
    BEFORE_ACCEPTANCE,
    BEFORE_DEBIT_DONE,
    GONE_OUT,
    TO_SHIP,
    FulfillmentOrder,
    MiraklOrder,
    ShopifyOrder,
)
from interlock.orders.view import Unread, View

HELD_WHILE = (*BEFORE_ACCEPTANCE, *BEFORE_DEBIT_DONE)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why the parcel may not move, and which team, person or platform can change that."""

    sentence: str
    who: str


@dataclass(frozen=True, slots=True)
class Gate:
    """`closed` is evidence against moving, `missing` what would have to be seen before it may; `seen_since` is how young the
    marketplace's snapshot has to be for that. `unpaid` says that nothing is in the way but the payment lock. `window_ends` is when the edit window does. `as_decided` is the decision of
    a person to ship what Shopify shows although the sides differ."""

    closed: tuple[Obstacle, ...] = ()
    missing: tuple[Obstacle, ...] = ()
    unpaid: bool = False
    window_ends: datetime | None = None
    as_decided: str = ""
    seen_since: datetime | None = None

    @property
    def is_open(self) -> bool:
        return not self.closed and not self.missing and not self.unpaid


def gate_of(
    view: View,
    memory: Memory,
    shopify: ShopifyOrder,
    keep_held: tuple[str, ...] = (),
    settled_by: str = BY_ITSELF,
    as_decided: str = "",
) -> Gate:
    """The gate of a live Shopify order. `keep_held` are the other rooms' reasons why it must not move, `settled_by` who
    can settle them. With `as_decided` a person has decided to ship exactly what Shopify shows now: then the lines need
    not agree, and everything else stays as it is."""
    mirakl = view.mirakl
    window_ends = _edit_window_ends(view, shopify)
    closed = tuple(Obstacle(sentence, settled_by) for sentence in keep_held)
    closed = (*closed, *_closed_by(mirakl, window_ends))
    if not closed and not as_decided and mirakl is not None and disagreeing(shopify, memory, mirakl):
        closed = (Obstacle("The two sides do not show the same lines.", settled_by),)
    if not closed and mirakl is not None and _goes_elsewhere(mirakl, shopify, memory):
        closed = (Obstacle("The two sides do not name the same delivery address.", settled_by),)
    missing = () if closed else _missing(view, memory, mirakl, shopify, as_decided)
    since = _to_be_seen_since(memory, shopify)
    if closed or missing:
        since = None
    elif view.unread is not None:
        missing = (_unread(view.unread),)
        since = view.unread.old_at
    elif mirakl is not None and since is not None and mirakl.observed_at < since:
        sentence = "The marketplace is read once more before the hold comes off, because the order was changed since."
        missing = (Obstacle(sentence, BY_ITSELF),)
    else:
        since = None
    unpaid = (
        not closed
        and not missing
        and view.rules.import_route == "order"
        and view.rules.payment_lock
        and not shopify.paid
    )
    return Gate(closed, missing, unpaid, window_ends, as_decided, since)


def _goes_elsewhere(mirakl: MiraklOrder, shopify: ShopifyOrder, memory: Memory) -> bool:
    """Whether both sides show where the parcel goes and it is not the same, nor what a person let stand."""
    both = mirakl.address.complete and shopify.address.complete
    return both and not is_agreed(mirakl, shopify, memory)


def _to_be_seen_since(memory: Memory, shopify: ShopifyOrder) -> datetime | None:
    """From when the marketplace has to have been seen before a hold comes off: since the last edit of the Shopify order,
    and since somebody said that they settled it in the portal. Whether what is done there shows in lists of changed
    orders is not documented (`last_updated_date`, Mirakl reference 4.1), so an older snapshot proves nothing."""
    edited = memory.content_since if shopify.edited else None
    portal = (d.at for d in memory.decisions if d.option is Option.DONE_IN_PORTAL)
    return latest(edited, *portal)


def _unread(unread: Unread) -> Obstacle:
    """Whoever cancelled or changed the order at the marketplace since then is not known."""
    since = unread.since
    sentence = (
        f"The marketplace could not be read since {since:%H:%M} UTC on {since:%d %B}, so whether the order was changed or "
        "cancelled there is not known."
    )
    return Obstacle(sentence, "engineer")


def _edit_window_ends(view: View, shopify: ShopifyOrder) -> datetime | None:
    if view.rules.edit_window is None:
        return None
    ends = shopify.created_at + view.rules.edit_window
    return ends if view.now < ends else None


def _closed_by(mirakl: MiraklOrder | None, window_ends: datetime | None) -> tuple[Obstacle, ...]:
    """Evidence against moving, apart from what the other rooms found."""
    reasons = []
    if mirakl is not None and mirakl.state not in TO_SHIP:
        sentence = f"The marketplace has not released the order for shipping (it says {mirakl.state})."
        reasons.append(Obstacle(sentence, THE_MARKETPLACE))
    elif mirakl is not None and not mirakl.can_ship:
        sentence = "The marketplace does not let the shop ship this order now."
        reasons.append(Obstacle(sentence, THE_MARKETPLACE))
    if window_ends is not None:
        reasons.append(Obstacle(f"The edit window is open until {window_ends:%H:%M} UTC.", BY_ITSELF))
    return tuple(reasons)


def _missing(
    view: View, memory: Memory, mirakl: MiraklOrder | None, shopify: ShopifyOrder, as_decided: str
) -> tuple[Obstacle, ...]:
    """What would have to be seen before the gate may open."""
    if mirakl is None:
        return (Obstacle("The marketplace order cannot be read at the moment.", BY_ITSELF),)
    if not view.mirakl_is_current:
        return (Obstacle("The marketplace is asked again after our last change.", BY_ITSELF),)
    reasons = []
    if not mirakl.address.complete:
        sentence = "The marketplace does not show a complete address yet."
        reasons.append(Obstacle(sentence, THE_MARKETPLACE))
    if not shopify.address.complete:
        reasons.append(Obstacle("The Shopify order has no complete address yet.", "CX"))
    reasons.extend(Obstacle(sentence, "operations") for sentence in astray_because(astray(shopify)))
    if not as_decided and (
        dict(memory.settled) != dict(agreed_quantities(mirakl, memory)) or not memory.settled
    ):
        reasons.append(Obstacle("The two sides have not been seen in agreement yet.", BY_ITSELF))
    return tuple(reasons)


def disagreeing(shopify: ShopifyOrder, memory: Memory, mirakl: MiraklOrder) -> frozenset[str]:
    """Ids of the Shopify lines of which nothing should have left yet. Only looked up, never iterated."""
    if mirakl.state in HELD_WHILE:
        return frozenset(line.id for line in shopify.lines)
    if mirakl.state not in TO_SHIP:
        return frozenset()
    agreed = dict(agreed_quantities(mirakl, memory))
    shown = dict(standing_quantities(shopify, memory))
    broken = {bundle.line_id for bundle in broken_bundles(shopify, memory)}
    links = {link.shopify_line_id: link for link in memory.links}
    wrong = []
    for line in shopify.lines:
        line_id = mirakl_line_id_of(line, memory)
        if (
            shown.get(line_id, 0) != agreed.get(line_id, 0)
            or line_id in broken
            or (not line_id and line.current_quantity > 0)
            or (line.id in links and not links[line.id].accepts(line.unit_price))
        ):
            wrong.append(line.id)
    return frozenset(wrong)


# -- the label -----------------------------------------------------------------------------------------------


def label_of(view: View, gate: Gate | None) -> Label | None:
    """What a label printer is told on this view; None while the view shows no Shopify order. `gate` is None where the
    gate has nothing to say any more: the order was cancelled, or it left at the marketplace."""
    shopify, mirakl = view.shopify, view.mirakl
    if shopify is None:
        return None
    parcels = tuple(fo.id for fo in shopify.fulfillment_orders if fo.is_open)

    def no(sentence: str, who: str) -> Label:
        return Label(False, sentence, who, parcels)

    if view.quarantined:
        sentence = "Interlock is in quarantine: what it remembers may be old."
        return no(f"Cannot confirm. {sentence}", "engineer")
    if not shopify.live:
        return no("The order is cancelled in Shopify.", "CX")
    if not parcels:
        return no("Nothing of this order is left to ship.", "operations")
    if gate is None:
        if mirakl is not None and mirakl.state in GONE_OUT:
            sentence = f"The marketplace counts the whole order as sent already (it says {mirakl.state})."
            return no(sentence, "operations")
        return no("The order is not linked to its marketplace order yet.", BY_ITSELF)
    if gate.closed:
        return no(_said(gate.closed), _who(gate.closed))
    if gate.missing:
        return no(f"Cannot confirm. {_said(gate.missing)}", _who(gate.missing))
    if gate.unpaid:
        return no("The Shopify order is marked paid first.", BY_ITSELF)
    held = tuple(fo for fo in shopify.fulfillment_orders if fo.is_open and fo.holds)
    if any(_is_ours(fo, view.rules.hold_handle) for fo in held):
        return no("Everything agrees; our hold comes off within seconds.", BY_ITSELF)
    if held:
        sentence = (
            "Somebody else's hold is on the fulfillment order in Shopify; Interlock never takes it off."
        )
        return no(sentence, "operations")
    yes = gate.as_decided or "Both sides agree and the marketplace waits for the parcel."
    return Label(True, yes, "", parcels)


def _is_ours(fo: FulfillmentOrder, handle: str) -> bool:
    return any(hold.ours and hold.handle == handle for hold in fo.holds)


def _said(obstacles: tuple[Obstacle, ...]) -> str:
    return " ".join(dict.fromkeys(obstacle.sentence for obstacle in obstacles))


def _who(obstacles: tuple[Obstacle, ...]) -> str:
    """The first that names somebody: what settles by itself is nobody's to change."""
    return next((o.who for o in obstacles if o.who != BY_ITSELF), BY_ITSELF)
