"""Where the marketplace knows single parcels (multi-shipment): each parcel that leaves is told of once, with its own units
and tracking, and never with a unit the marketplace did not agree to.

A parcel is a Shopify fulfillment. It is told of in two steps: a shipment with our marker in it (ST01), then the word that
it left (ST24). In between it can still be taken back (ST06), and a tracking that changes later follows it (ST23).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from interlock.orders.actions import (
    CreateShipment,
    DeleteShipment,
    TrackShipment,
    ValidateShipment,
)
from interlock.orders.agreement import (
    agreed_quantities,
    link_of,
    mirakl_line_id_of,
    parts_of,
    whole_bundles,
)
from interlock.orders.differences import AddressChanged, AddressMoved, Difference, LineAdded, ShippingChanged
from interlock.orders.leaving import with_parcel_back
from interlock.orders.memory import Memory, ParcelSeen
from interlock.orders.plan import Case, Part, latest
from interlock.orders.reasons import Reason
from interlock.orders.refunded import goods_are_refunded
from interlock.orders.snapshots import TO_SHIP, Fulfillment, MiraklOrder, Shipment, ShopifyOrder
from interlock.orders.view import View
from interlock.shipping.telling import (
    SHOWN,
    Tracking,
    as_given_in_portal,
    is_given_in_portal,
    is_told,
    left_behind_case,
    live_parcels,
    shows,
    still_refused,
    tracking_of,
    want,
)
from interlock.shipping.tracking import sent_number

JUST_AFTER = timedelta(microseconds=1)
_NOT_IN_A_MARKER = re.compile(r"[^0-9a-zA-Z_-]")
Units = dict[str, int]


def marker_of(fulfillment_id: str) -> str:
    """What stands in the shipment of this parcel (ST01 `invoice_reference`: letters, digits, `_` and `-`), such as
    `IL-4411`. It names the parcel and not the attempt, so whoever looks for it finds it (ST11)."""
    return f"IL-{_NOT_IN_A_MARKER.sub('-', fulfillment_id.rpartition('/')[2])}"


def decide(view: View, memory: Memory, differences: tuple[Difference, ...], as_decided: bool = False) -> Part:
    """What the marketplace is to hear of this order's parcels now: at most one step for each of them.

    With `as_decided` a person has decided to ship what Shopify shows although the sides differ: then everything the
    marketplace still waits for is told of with the last parcel, once all that Shopify shows has left.
    """
    mirakl, shopify = view.mirakl, view.shopify
    if mirakl is None or shopify is None or not shopify.fulfillments:
        return Part(memory)
    memory = _seen(view, memory, shopify)
    if mirakl.shipments_hidden == "forbidden":
        return Part(memory, cases=(_forbidden_case(mirakl),) if mirakl.state in TO_SHIP else ())
    if mirakl.shipments is None:
        because = "The marketplace is asked which parcels of this order it knows."
        return Part(memory, mirakl_since=mirakl.observed_at + JUST_AFTER, because=(because,))
    # A person may have told of a parcel in the portal before we saw it.
    young_enough = latest(view.mirakl_written_at, *(seen.at for seen in memory.parcels_seen))
    if not view.mirakl_is_current or (young_enough is not None and mirakl.observed_at < young_enough):
        return Part(memory, cases=still_refused(view), mirakl_since=young_enough)
    books = _Books.of(view, memory, mirakl, shopify, mirakl.shipments, differences)
    memory = _came_back(view, memory, mirakl, books)
    part = Part(memory)
    for shipment in books.left_over:
        part = _with(part, want(view, memory, DeleteShipment(shipment.id), (_TAKEN_BACK,)))
    for shipment, heirs in books.left_anew():
        part = _with(part, _number_follows(view, memory, books, shipment, heirs))
    if as_decided:
        return _with(part, _the_rest(view, memory, books))
    for parcel in books.parcels:
        part = _with(part, _parcel(view, memory, books, parcel))
    return part


_TAKEN_BACK = (
    "A parcel was cancelled or its label given back in Shopify before the marketplace heard that it left; its shipment is "
    "taken back."
)


@dataclass(slots=True)
class _Books:
    """Who told the marketplace of which units: what is agreed, what is in shipments, and what is free for a parcel.

    `told` counts units in every shipment that exists, ours of this very plan included, `validated` those the marketplace
    heard left. `spare` are units in validated
    shipments that belong to no parcel of ours: told of in the portal, or in the name of a parcel that was cancelled.
    `taken` are units in shipments that others made and nobody validated. `left_over` are shipments of ours whose parcel
    is gone before it was told of. `adopted` are shipments of cancelled parcels, by the parcel that takes their place: the
    same units leave anew.
    """

    mirakl: MiraklOrder
    parcels: tuple[Fulfillment, ...]
    gone: tuple[Fulfillment, ...]
    alive: tuple[Shipment, ...]
    units: dict[str, Units]
    agreed: Units
    told: Units
    ours: dict[str, Shipment]
    spare: Units
    taken: Units
    orphans: list[Shipment]
    left_over: tuple[Shipment, ...]
    disputed: frozenset[str]
    still_here: str
    fulfilled: Units = field(default_factory=dict)
    validated: Units = field(default_factory=dict)
    adopted: dict[str, Shipment] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        view: View,
        memory: Memory,
        mirakl: MiraklOrder,
        shopify: ShopifyOrder,
        shipments: tuple[Shipment, ...],
        differences: tuple[Difference, ...],
    ) -> "_Books":
        alive = tuple(shipment for shipment in shipments if shipment.alive)
        parcels = live_parcels(shopify)
        cancelled = tuple(parcel for parcel in shopify.fulfillments if not parcel.live)
        live = {marker_of(parcel.id) for parcel in parcels}
        gone = {marker_of(parcel.id) for parcel in cancelled}
        ours = {shipment.marker: shipment for shipment in alive if shipment.marker in live}
        others = [shipment for shipment in alive if shipment.marker not in live]
        agreed = dict(agreed_quantities(mirakl, memory))
        units = _units_of(parcels, shopify, memory)
        books = cls(
            mirakl=mirakl,
            parcels=parcels,
            gone=cancelled,
            alive=alive,
            units=units,
            agreed=agreed,
            told=_sum(alive),
            ours=ours,
            spare=_sum(shipment for shipment in others if shipment.validated),
            taken=_sum(s for s in others if not s.validated and s.marker not in gone),
            orphans=[s for s in others if s.validated and s.marker in gone],
            left_over=tuple(s for s in others if s.state == "SHIPPING" and s.marker in gone),
            disputed=_disputed(differences, agreed),
            still_here=still_here(shopify),
            fulfilled=_total(units.values()),
            validated=_sum(shipment for shipment in alive if shipment.validated),
        )
        for parcel in parcels:
            # What others had told of a parcel when its own shipment was made is used up for ever.
            if marker_of(parcel.id) in ours:
                books.without_spare(books.without_own(parcel))
        for parcel in parcels:
            if marker_of(parcel.id) not in ours:
                books._adopt(parcel)
        return books

    def room_for(self, units: Units) -> bool:
        """Whether the marketplace agreed to these units beside those it was told of already."""
        return all(
            line_id and self.told.get(line_id, 0) + count <= self.agreed.get(line_id, 0)
            for line_id, count in units.items()
        )

    def left(self, shipment: Shipment) -> bool:
        """Whether as many units have left as the marketplace would have been told of with this shipment too: somebody may
        have told of them in the portal after it was made."""
        with_it = _total((self.validated, dict(shipment.lines)))
        return all(
            count <= self.fulfilled.get(line_id, 0)
            for line_id, count in with_it.items()
            if dict(shipment.lines).get(line_id, 0)
        )

    def told_of(self, units: Units) -> None:
        for line_id, count in units.items():
            self.told[line_id] = self.told.get(line_id, 0) + count

    def without_spare(self, units: Units) -> Units:
        """What of these units nobody has told of yet; the spare ones are used up by it."""
        left: Units = {}
        for line_id, count in units.items():
            used = min(count, self.spare.get(line_id, 0))
            if used:
                self.spare[line_id] -= used
            if count > used:
                left[line_id] = count - used
        return left

    def without_own(self, parcel: Fulfillment) -> Units:
        """The units of the parcel that are not in a shipment of its own."""
        shipment = self.ours.get(marker_of(parcel.id))
        return _less(self.units[parcel.id], {} if shipment is None else dict(shipment.lines))

    def left_anew(self) -> list[tuple[Shipment, tuple[Fulfillment, ...]]]:
        """The shipments of cancelled parcels whose units, or some of them, have left anew, each with the parcels that hold
        them: the one that took its place, else those whose units it counts as told of."""
        heirs = {
            shipment.id: [parcel for parcel in self.parcels if self.adopted.get(parcel.id) is shipment]
            for shipment in self.orphans
        }
        counted = {one.id: {} if heirs[one.id] else dict(one.lines) for one in self.orphans}
        for parcel in self.parcels:
            anew = {} if parcel.id in self.adopted else self.without_own(parcel)
            for shipment in self.orphans:
                both = {line: min(count, counted[shipment.id].get(line, 0)) for line, count in anew.items()}
                if any(both.values()) and self._may_follow(parcel, shipment):
                    heirs[shipment.id].append(parcel)
                    anew, counted[shipment.id] = _less(anew, both), _less(counted[shipment.id], both)
        return [(shipment, tuple(heirs[shipment.id])) for shipment in self.orphans if heirs[shipment.id]]

    def _may_follow(self, parcel: Fulfillment, shipment: Shipment) -> bool:
        """Whether a parcel can hold units of this cancelled one: it is not older, and nobody told of it in the portal under
        its own number."""
        made = {marker_of(one.id): one.created_at for one in self.gone}
        number = sent_number(parcel.tracking_number)
        in_portal = (
            one for one in self.alive if one.marker != marker_of(parcel.id) and one.marker not in made
        )
        told = bool(number) and any(sent_number(one.tracking_number) == number for one in in_portal)
        return parcel.created_at >= made[shipment.marker] and not told

    def _adopt(self, parcel: Fulfillment) -> None:
        """Let the parcel take the place of a cancelled one whose units no other parcel has used up."""
        units = self.units[parcel.id]
        taken = [shipment.id for shipment in self.adopted.values()]
        for shipment in self.orphans:
            free = all(self.spare.get(line_id, 0) >= count for line_id, count in units.items())
            same = dict(shipment.lines) == units and self._may_follow(parcel, shipment)
            if free and same and shipment.id not in taken:
                self.without_spare(units)
                self.adopted[parcel.id] = shipment
                return


# -- one parcel --------------------------------------------------------------------------------------------


def _parcel(view: View, memory: Memory, books: _Books, parcel: Fulfillment) -> Part:
    units = books.units[parcel.id]
    shipment = books.ours.get(marker_of(parcel.id))
    if shipment is not None:
        return _known(view, memory, books, parcel, shipment)
    if parcel.id in books.adopted:
        return Part(memory)
    if not units:
        because = "A parcel holds parts of a bundle only; it is told of with the parcel that makes the bundle whole."
        return Part(memory, because=(because,))
    untold = books.without_spare(units)
    if not untold:
        because = "The marketplace was told of a parcel's units already, in its portal or with a parcel that was cancelled since."
        return Part(memory, because=(because,))
    if books.mirakl.state not in TO_SHIP or not books.mirakl.can_ship:
        return Part(memory)
    if any(line_id in untold for shipment in books.left_over for line_id, _ in shipment.lines):
        return Part(memory)
    if any(books.taken.get(line_id, 0) for line_id in untold):
        return Part(memory, cases=(_in_portal_case(books, untold),))
    if not books.room_for(untold):
        because = "A parcel holds more than the marketplace agreed to, so it is not told of that parcel."
        return Part(memory, because=(because,))
    tracking = tracking_of(view, books.mirakl, parcel)
    if any(line_id in books.disputed for line_id in untold):
        because = (
            "A parcel has left, but the two sides disagree about what is in it, so it is not told of yet."
        )
        return Part(memory, cases=(tracking,) if isinstance(tracking, Case) else (), because=(because,))
    if isinstance(tracking, Case):
        return Part(memory, cases=(tracking,))
    books.told_of(untold)
    because = f"A parcel has left; the marketplace gets a shipment of its own for it.{tracking.said}"
    return want(view, memory, _shipment(view, parcel, untold, tracking), (because,))


def _known(view: View, memory: Memory, books: _Books, parcel: Fulfillment, shipment: Shipment) -> Part:
    """A parcel whose shipment exists: its tracking first, then the word that it left."""
    tracking = tracking_of(view, books.mirakl, parcel)
    if not shipment.validated and not _within(books, shipment):
        because = (
            "Units of a shipment were cancelled before the marketplace heard that it left; it is taken back."
        )
        return want(view, memory, DeleteShipment(shipment.id), (because,))
    action = None if isinstance(tracking, Case) or tracking.none else _action(shipment, tracking)
    if shipment.validated:
        other = sent_number(shipment.tracking_number) != sent_number(parcel.tracking_number)
        if other and is_given_in_portal(view, memory, shipment.tracking_number, action):
            return as_given_in_portal(
                view, memory, parcel, shipment.tracking_number, action, shipment_id=shipment.id
            )
        # What the marketplace was told already stands; tracking that cannot follow it is said.
        left_behind = left_behind_case(view, books.mirakl, parcel, shipment.tracking_number)
        if left_behind is not None:
            return Part(memory, cases=(left_behind,))
    if isinstance(tracking, Case):
        return Part(memory, cases=() if shipment.validated else (tracking,))
    if (
        action is not None
        and not _shown(view, shipment, action)
        and not _shown_otherwise(view, shipment, action)
    ):
        if not shipment.validated:
            because = f"The tracking of a shipment goes to the marketplace first.{tracking.said}"
            return want(view, memory, action, (because,))
        what = "The tracking of a parcel was changed after it was told of; the new one is sent."
        if shipment.marker != marker_of(parcel.id):
            what = "A parcel was cancelled after it was told of, and units of it left anew; the new parcel's number is sent."
        return want(view, memory, action, (f"{what}{tracking.said}",))
    if shipment.state != "SHIPPING":
        return Part(memory)
    if not books.mirakl.can_ship:
        return Part(memory)
    if not books.left(shipment):
        because = "The marketplace was told of a parcel's units in its portal meanwhile, so its own shipment is taken back."
        return want(view, memory, DeleteShipment(shipment.id), (because,))
    books.validated = _total((books.validated, dict(shipment.lines)))
    return want(view, memory, ValidateShipment(shipment.id), ("A parcel has left; the marketplace is told.",))


def _number_follows(
    view: View, memory: Memory, books: _Books, shipment: Shipment, heirs: tuple[Fulfillment, ...]
) -> Part:
    """A parcel was cancelled after it was told of, and its units left anew: its shipment gets the number of a parcel that
    is on its way, for the other is dead. It takes one number; parcels beyond that are a case where nothing else of the
    order shows theirs."""
    shown = {sent_number(one.tracking_number) for one in books.alive}
    of_it = sent_number(shipment.tracking_number)
    has_it = [parcel for parcel in heirs if of_it and sent_number(parcel.tracking_number) == of_it]
    can_be_sent = [
        parcel
        for parcel in heirs
        if isinstance(tracking := tracking_of(view, books.mirakl, parcel), Tracking) and not tracking.none
    ]
    elsewhere = [parcel for parcel in can_be_sent if sent_number(parcel.tracking_number) not in shown]
    chosen = (*has_it, *elsewhere, *can_be_sent, *heirs)[0]
    part = _known(view, memory, books, chosen, shipment)
    for parcel in heirs:
        number = sent_number(parcel.tracking_number)
        if (
            parcel is chosen
            or not number
            or number in (*shown, sent_number(chosen.tracking_number))
            or marker_of(parcel.id) in books.ours
            or _less(books.units[parcel.id], dict(shipment.lines))
        ):
            continue
        part = _with(part, Part(memory, cases=(_without_a_place_case(parcel),)))
    return part


def _the_rest(view: View, memory: Memory, books: _Books) -> Part:
    """As a person decided: all that the marketplace still waits for goes with the last parcel."""
    known = [
        (parcel, books.ours[marker_of(parcel.id)])
        for parcel in books.parcels
        if marker_of(parcel.id) in books.ours
    ]
    part = Part(memory)
    for parcel, shipment in known:
        part = _with(part, _known(view, memory, books, parcel, shipment))
    if books.still_here:
        because = f"Waiting for the rest: {books.still_here}."
        return _with(part, Part(memory, because=(because,)))
    rest = {
        line_id: count - books.told.get(line_id, 0)
        for line_id, count in books.agreed.items()
        if count > books.told.get(line_id, 0)
    }
    untold = [parcel for parcel in books.parcels if marker_of(parcel.id) not in books.ours]
    if not rest or not untold or books.mirakl.state not in TO_SHIP or not books.mirakl.can_ship:
        return part
    tracking = tracking_of(view, books.mirakl, untold[-1])
    if isinstance(tracking, Case):
        return _with(part, Part(memory, cases=(tracking,)))
    because = f"Everything Shopify shows has left, as was decided; the marketplace is told of the rest.{tracking.said}"
    action = _shipment(view, untold[-1], rest, tracking)
    return _with(part, want(view, memory, action, (because,)))


def _shipment(view: View, parcel: Fulfillment, units: Units, tracking: Tracking) -> CreateShipment:
    return CreateShipment(
        marker_of(parcel.id),
        tuple(units.items()),
        tracking.code,
        tracking.name,
        tracking.number,
        tracking.url,
        view.rules.warehouse_of(parcel.location_id),
    )


def _action(shipment: Shipment, tracking: Tracking) -> TrackShipment:
    return TrackShipment(shipment.id, tracking.code, tracking.name, tracking.number, tracking.url)


def _shown(view: View, shipment: Shipment, action: TrackShipment) -> bool:
    code, name = shipment.carrier_code, shipment.carrier_name
    return shows(view, code, name, shipment.tracking_number, shipment.tracking_url, action)


def _shown_otherwise(view: View, shipment: Shipment, action: TrackShipment) -> bool:
    """Whether the marketplace took exactly this tracking from us and shows its number, with the carrier as it calls it."""
    return sent_number(shipment.tracking_number) == action.number and is_told(view, action)


def _within(books: _Books, shipment: Shipment) -> bool:
    """Whether the units of a shipment, with all others, are still agreed."""
    return all(
        books.told.get(line_id, 0) <= books.agreed.get(line_id, 0)
        for line_id, count in shipment.lines
        if count
    )


# -- what came back ----------------------------------------------------------------------------------------


def _came_back(view: View, memory: Memory, mirakl: MiraklOrder, books: _Books) -> Memory:
    """The incident of a parcel that was cancelled in Shopify after the marketplace had been told that it left. It closes
    by itself once as many units have left anew. An order that is shipped as a whole is watched as a whole."""
    if mirakl.state not in TO_SHIP:
        return memory
    short = any(
        dict(shipment.lines).get(line_id, 0) and books.told.get(line_id, 0) > books.fulfilled.get(line_id, 0)
        for shipment in books.orphans
        for line_id in dict(shipment.lines)
    )
    if not short or goods_are_refunded(mirakl, memory):
        because = "As many units have left anew as the marketplace was told of, or they were refunded."
        return memory.with_incidents_closed(Reason.FULFILLMENT_CANCELLED, view.now, because)
    sentence = (
        "The marketplace was told that a parcel left, but the parcel was cancelled or its label given back in Shopify afterwards "
        "and nothing has left in its place. Find out where the goods are: send them anew, or refund the customer in the marketplace portal and "
        "close this with the reason."
    )
    marker = books.orphans[-1].marker
    gone = next(one.fulfillment_id for one in memory.parcels_seen if marker_of(one.fulfillment_id) == marker)
    return with_parcel_back(memory, marker, gone, view.now, sentence)


# -- cases -------------------------------------------------------------------------------------------------


def _forbidden_case(mirakl: MiraklOrder) -> Case:
    return Case(
        Reason.SHIPMENTS_HIDDEN,
        "order",
        "A parcel has left, and this marketplace is told of parcels one by one, but the key of the connection may not read "
        "shipments, so nobody can tell what it was told of already. Nothing is sent. Ask the marketplace for the role to "
        "read and ship orders, or say in the portal that the parcel left.",
        due_at=mirakl.shipping_deadline,
        due_from=mirakl.to_ship_from,
    )


def _without_a_place_case(parcel: Fulfillment) -> Case:
    return Case(
        Reason.TRACKING_NOT_CORRECTED,
        parcel.id,
        "A parcel was cancelled in Shopify after the marketplace had been told of it, and its units left anew in several "
        "parcels. The marketplace keeps one number for them, that of another one of these parcels, so the customer has no "
        "number for this one. Write it to the customer in the marketplace portal.",
        facts=(
            ("Carrier in Shopify", parcel.carrier.strip()[:SHOWN] or "none"),
            ("Tracking number", sent_number(parcel.tracking_number)[:SHOWN]),
        ),
    )


def _in_portal_case(books: _Books, untold: Units) -> Case:
    skus = {line.id: line.sku for line in books.mirakl.lines}
    held = ", ".join(
        f"{books.taken[line_id]} of {skus.get(line_id, line_id)}"
        for line_id in untold
        if books.taken.get(line_id, 0)
    )
    return Case(
        Reason.SHIPMENT_IN_PORTAL,
        "order",
        f"A parcel has left, but somebody made a shipment in the marketplace portal that holds its units ({held}) and has "
        "not said that it left. Say so there, or delete that shipment: then the marketplace is told of the parcel by "
        "itself.",
        due_at=books.mirakl.shipping_deadline,
        due_from=books.mirakl.to_ship_from,
    )


# -- counting ----------------------------------------------------------------------------------------------


def _seen(view: View, memory: Memory, shopify: ShopifyOrder) -> Memory:
    known = {seen.fulfillment_id for seen in memory.parcels_seen}
    new = tuple(ParcelSeen(f.id, view.now) for f in shopify.fulfillments if f.id not in known)
    return replace(memory, parcels_seen=(*memory.parcels_seen, *new)) if new else memory


def _units_of(parcels: Iterable[Fulfillment], shopify: ShopifyOrder, memory: Memory) -> dict[str, Units]:
    """Units of each parcel per Mirakl line; those that stand for nothing the marketplace sold under an empty id. A bundle
    leaves with the parcel that makes it whole, in the order in which the parcels are given."""
    stands_for = {line.id: mirakl_line_id_of(line, memory) for line in shopify.lines}
    part_of = {line.id: link.part for line in shopify.lines if (link := link_of(line, memory))}
    gone: dict[str, Units] = {}
    whole: Units = {}
    found: dict[str, Units] = {}
    for parcel in parcels:
        units = found[parcel.id] = {}
        bundles: list[str] = []
        for shopify_line_id, count in parcel.lines:
            line_id, part = stands_for.get(shopify_line_id, ""), part_of.get(shopify_line_id, "")
            if count and part:
                articles = gone.setdefault(line_id, {})
                articles[part] = articles.get(part, 0) + count
                bundles.append(line_id)
            elif count:
                units[line_id] = units.get(line_id, 0) + count
        for line_id in dict.fromkeys(bundles):
            now = whole_bundles(gone[line_id], parts_of(line_id, memory))
            if now > whole.get(line_id, 0):
                units[line_id] = now - whole.get(line_id, 0)
                whole[line_id] = now
    return found


def _sum(shipments: Iterable[Shipment]) -> Units:
    return _total(dict(shipment.lines) for shipment in shipments)


def _total(parts: Iterable[Units]) -> Units:
    total: Units = {}
    for part in parts:
        for line_id, count in part.items():
            total[line_id] = total.get(line_id, 0) + count
    return total


def _less(units: Units, other: Units) -> Units:
    left = {line_id: count - other.get(line_id, 0) for line_id, count in units.items()}
    return {line_id: count for line_id, count in left.items() if count > 0}


def _disputed(differences: tuple[Difference, ...], agreed: Units) -> frozenset[str]:
    """The lines the two sides disagree about; all of them where the order as a whole is meant."""
    lines: set[str] = set()
    for difference in differences:
        match difference:
            case AddressChanged() | AddressMoved() | ShippingChanged():
                lines.update(agreed)
            case LineAdded():
                continue  # what was added stands for no line of the marketplace, and no parcel with it is told of
            case _:
                lines.add(difference.line_id)
    return frozenset(lines)


def still_here(shopify: ShopifyOrder) -> str:
    """What of a Shopify order has not left, in words; empty when nothing is missing."""
    return ", ".join(
        f"{line.fulfilled_quantity} of {shopify.to_come(line)} of {line.sku or line.title} have left"
        for line in shopify.lines
        if shopify.to_leave(line) > 0
    )


def _with(part: Part, more: Part) -> Part:
    """Both parts; what one parcel's tracking lacks for two shipments is one case."""
    asked = {(case.reason, case.subject) for case in part.cases}
    return replace(
        part,
        actions=(*part.actions, *more.actions),
        cases=(*part.cases, *(case for case in more.cases if (case.reason, case.subject) not in asked)),
        because=tuple(dict.fromkeys((*part.because, *more.because))),
    )
