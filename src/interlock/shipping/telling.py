"""What the marketplace can be told of a parcel: its tracking with a carrier it knows, or the case that says why not."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import assert_never

from interlock.orders.actions import (
    CreateShipment,
    DeleteShipment,
    SetTracking,
    ShipmentAction,
    ShipOrder,
    TrackShipment,
    ValidateShipment,
)
from interlock.orders.connection import ConnectionRules
from interlock.orders.memory import Memory
from interlock.orders.plan import Case, Part, earliest
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import GONE_OUT, TO_SHIP, Fulfillment, MiraklOrder, ShopifyOrder
from interlock.orders.view import OpenOperation, View
from interlock.shipping.carriers import CarrierChoice, NotMapped, resolve
from interlock.shipping.suggest import suggest
from interlock.shipping.tracking import number_problem, sent_number

SUGGESTIONS = 5
SHOWN = 200
"""So much of what somebody typed into Shopify is shown; longer names cannot be mapped."""

REFUSED_UNSEEN_FOR = timedelta(minutes=1)
"""So long a refusal waits for a read of the marketplace before it is said without one."""

Told = SetTracking | ShipOrder | ShipmentAction


@dataclass(frozen=True, slots=True)
class Tracking:
    """A parcel's tracking as it is sent (OR23, ST01, ST23): a registered carrier's `code`, or a `name` with the `url`.
    All are empty for a parcel that needs none. `said` is what the order's story says of it, empty for nothing."""

    code: str = ""
    name: str = ""
    number: str = ""
    url: str = ""
    said: str = ""

    @property
    def none(self) -> bool:
        return not self.code and not self.name


def live_parcels(shopify: ShopifyOrder) -> tuple[Fulfillment, ...]:
    """Fulfillments that exist, the first made first."""
    found = [fulfillment for fulfillment in shopify.fulfillments if fulfillment.live]
    return tuple(sorted(found, key=lambda fulfillment: (fulfillment.created_at, fulfillment.id)))


def tracking_of(view: View, mirakl: MiraklOrder, parcel: Fulfillment) -> Tracking | Case:
    """What can be sent of this parcel's tracking, or why it cannot be told of as it is: a carrier nobody mapped, a number
    or an address that can be none, or no tracking where the shipping method demands it (SH12 `mandatory_tracking`)."""
    if parcel.tracking_number.strip() and number_problem(parcel.tracking_number):
        return unusable_case(mirakl, parcel)
    if is_complete(view, mirakl, parcel):
        choice = choice_for(view, mirakl, parcel)
        if isinstance(choice, NotMapped):
            return not_mapped_case(view, mirakl, parcel, choice)
        return sent(choice, parcel)
    if mirakl.shipping_type_code in view.rules.tracking_mandatory_for:
        return missing_case(mirakl, (parcel,), parcel.id)
    return Tracking(said=f" {WITHOUT_CARRIER}" if parcel.tracking_number.strip() else "")


WITHOUT_CARRIER = (
    "The tracking number stands without the name of a carrier, and no default carrier takes it: it does not go along, and "
    "follows by itself once one of the two is there."
)


def is_complete(view: View, mirakl: MiraklOrder, parcel: Fulfillment) -> bool:
    """Whether the parcel has a number and the name of a carrier, wherever that leads; without a name, whether the default
    of the connection stands in for it."""
    if not parcel.tracking_number.strip():
        return False
    return bool(parcel.carrier.strip()) or isinstance(choice_for(view, mirakl, parcel), CarrierChoice)


def choice_for(view: View, mirakl: MiraklOrder, parcel: Fulfillment) -> CarrierChoice | NotMapped:
    """The marketplace's carrier for the one the shop names on this parcel."""
    return resolve(view.rules, parcel.carrier, parcel.tracking_url, mirakl.country, mirakl.shipping_type_code)


def carriers_asked_about(
    rules: ConnectionRules, mirakl: MiraklOrder | None, shopify: ShopifyOrder | None
) -> tuple[str, ...]:
    """The carrier names of live parcels that lead nowhere at this marketplace, so that somebody is asked about them."""
    if mirakl is None or shopify is None:
        return ()
    found = [
        parcel.carrier
        for parcel in live_parcels(shopify)
        if parcel.carrier.strip()
        and isinstance(
            resolve(rules, parcel.carrier, parcel.tracking_url, mirakl.country, mirakl.shipping_type_code),
            NotMapped,
        )
    ]
    return tuple(dict.fromkeys(found))


def sent(choice: CarrierChoice, parcel: Fulfillment) -> Tracking:
    """The tracking of a parcel whose carrier was found. Of a registered carrier the marketplace knows the URL itself."""
    url = parcel.tracking_url.strip() if choice.name else ""
    number = sent_number(parcel.tracking_number)
    return Tracking(choice.code, choice.name, number, url, how_found(choice, parcel))


def shows(
    view: View, code: str, name: str, number: str, url: str, wanted: SetTracking | TrackShipment
) -> bool:
    """Whether the marketplace already shows this tracking (carrier code or name, number and URL, as OR11 or ST11 has them).
    The URL is compared for an unregistered carrier alone, whose only way to the parcel it is; where none is shown, what the
    marketplace took from us last counts."""
    if sent_number(number) != wanted.number:
        return False
    if wanted.carrier_code:
        registered = [one for one in view.rules.carriers if one.code == wanted.carrier_code]
        labels = [carrier.label.casefold() for carrier in registered]
        return code == wanted.carrier_code or (not code and name.casefold() in labels)
    if name.strip().casefold() != wanted.carrier_name.strip().casefold():
        return False
    last = told_last(view, wanted)
    known = url.strip() or ("" if last is None or last.number != wanted.number else last.url)
    return not known or known == wanted.url


def told_last(view: View, action: SetTracking | TrackShipment) -> SetTracking | TrackShipment | None:
    """The tracking the marketplace took from us last for the same order or shipment, however it shows it since."""
    return _last_of(view, _shipment_of(action))


def is_told(view: View, action: SetTracking | TrackShipment) -> bool:
    """Whether exactly this carrier, number and URL is what the marketplace took from us last."""
    return told_last(view, action) == action


def _last_of(view: View, shipment_id: str) -> SetTracking | TrackShipment | None:
    return next((one for one in reversed(_told_of(view)) if _shipment_of(one) == shipment_id), None)


def is_given_in_portal(
    view: View, memory: Memory, shown: str, wanted: SetTracking | TrackShipment | None
) -> bool:
    """Whether somebody else gave the number that the marketplace shows after the dispatch: no parcel of the order ever
    carried it, or what is `wanted` in its place is what the marketplace took from us last, so that it was changed there
    since."""
    number = sent_number(shown)
    return bool(number) and (
        number not in memory.carried_numbers or (wanted is not None and is_told(view, wanted))
    )


def _told_of(view: View) -> tuple[SetTracking | TrackShipment, ...]:
    """The trackings the marketplace took from us, oldest first; one that went with its shipment (ST01) as one of that
    shipment."""
    mirakl = view.mirakl
    shipments = mirakl.shipments or () if mirakl is not None else ()
    found: list[SetTracking | TrackShipment] = []
    for told in view.trackings_told:
        if not isinstance(told, CreateShipment):
            found.append(told)
        elif told.number:
            found += [
                TrackShipment(one.id, told.carrier_code, told.carrier_name, told.number, told.url)
                for one in shipments
                if one.marker == told.marker
            ]
    return tuple(found)


def _shipment_of(action: SetTracking | TrackShipment) -> str:
    return action.shipment_id if isinstance(action, TrackShipment) else ""


def how_found(choice: CarrierChoice, parcel: Fulfillment) -> str:
    """How the carrier was found, in a sentence that follows another one; empty where it was simply mapped."""
    match choice.found:
        case "mapped":
            return ""
        case "by name":
            return f" “{parcel.carrier.strip()}” is the name of a carrier in the marketplace's own list."
        case "default" if not parcel.carrier.strip():
            return " The parcel names no carrier; the default carrier of this connection is sent."
        case "default":
            return (
                f" “{parcel.carrier.strip()}” is not mapped; the default carrier of this connection is sent."
            )
        case _:
            assert_never(choice.found)


def half_tracked(parcels: Iterable[Fulfillment]) -> Fulfillment | None:
    """The first parcel with a carrier or a number, if any."""
    return next((f for f in parcels if f.tracking_number.strip() or f.carrier.strip()), None)


NO_CARRIER = ("Missing", "the name of a carrier")
"""The fact of a case that a default carrier would answer: a number is there, and no name of a carrier."""
_SET_DEFAULT = "set a default carrier for this connection (the name * of its carrier map)"


# -- cases -------------------------------------------------------------------------------------------------


def missing_case(mirakl: MiraklOrder, parcels: tuple[Fulfillment, ...], subject: str = "order") -> Case:
    """The case of parcels without the tracking that their shipping method demands."""
    half = half_tracked(parcels)
    missing, default = "no tracking", ""
    facts: tuple[tuple[str, str], ...] = ()
    if half is not None and half.tracking_number.strip():
        missing, facts, default = "a tracking number without a carrier", (NO_CARRIER,), f", or {_SET_DEFAULT}"
    elif half is not None:
        missing = "a carrier without a number"
    return Case(
        Reason.TRACKING_MISSING,
        subject,
        f"The parcel has {missing} in Shopify and the marketplace demands tracking for the shipping method "
        f"{mirakl.shipping_type_code}. Add carrier and tracking number to the fulfillment in Shopify{default}; the dispatch "
        "is then reported by itself.",
        facts=(("Shipping method", mirakl.shipping_type_code), ("Fulfillments", str(len(parcels))), *facts),
        due_at=mirakl.shipping_deadline,
        due_from=mirakl.to_ship_from,
    )


def unusable_case(mirakl: MiraklOrder, parcel: Fulfillment) -> Case:
    """The case of a tracking number that can be none."""
    return Case(
        Reason.TRACKING_UNUSABLE,
        parcel.id,
        f"The tracking number of the parcel in Shopify cannot be sent: {number_problem(parcel.tracking_number)} The "
        "marketplace is told neither the number nor the dispatch. Put the number right in the fulfillment in Shopify; "
        "the dispatch is then reported by itself.",
        facts=(("Carrier in Shopify", parcel.carrier.strip()[:SHOWN] or "none"),),
        due_at=mirakl.shipping_deadline,
        due_from=mirakl.to_ship_from,
    )


def left_behind_case(view: View, mirakl: MiraklOrder, parcel: Fulfillment, shown: str) -> Case | None:
    """The case of a parcel that was told of, whose tracking was added or changed afterwards so that it cannot take the
    place of `shown`, the number the marketplace has, if any: it can be none, its carrier leads nowhere, perhaps because
    the marketplace renamed it, or number or carrier are not there. None where it can be sent and where `shown` is the
    parcel's own. One that somebody gave in the portal is none that this one takes the place of."""
    number, carrier = sent_number(parcel.tracking_number), parcel.carrier.strip()
    if number == sent_number(shown):
        return None
    options: tuple[Option, ...] = ()
    facts: tuple[tuple[str, str], ...] = (("Carrier in Shopify", carrier[:SHOWN] or "none"),)
    what_to_do = "Put the tracking right in the fulfillment in Shopify"
    if number and (problem := number_problem(number)):
        why = problem
    elif not is_complete(view, mirakl, parcel):
        why = "It has no tracking number any more."
        if number:
            why, facts = "It has a number without a carrier.", (*facts, NO_CARRIER)
            what_to_do = f"Add the carrier to the fulfillment in Shopify, or {_SET_DEFAULT}"
    else:
        choice = choice_for(view, mirakl, parcel)
        if not isinstance(choice, NotMapped):
            return None
        why, options = choice.why, (Option.MAP_CARRIER,)
        what_to_do = "Map the carrier, or put the tracking right in the fulfillment in Shopify"
    what = (
        "The tracking of a parcel was changed in Shopify after the marketplace had been told, and as it is now it cannot be "
        f"sent: {why} The customer still has the old number."
        if shown
        else "The marketplace was told of a parcel without a tracking number, and the one it has in Shopify cannot be sent: "
        f"{why} The customer has no number to follow."
    )
    return Case(
        Reason.TRACKING_NOT_CORRECTED,
        parcel.id,
        f"{what} {what_to_do}; it is then sent by itself. Or correct it in the marketplace portal.",
        options,
        facts,
    )


def as_given_in_portal(
    view: View,
    memory: Memory,
    parcel: Fulfillment,
    shown: str,
    wanted: SetTracking | TrackShipment | None,
    shipment_id: str = "",
) -> Part:
    """What there is to do where somebody gave the number that the marketplace shows (`is_given_in_portal`): it stays.
    Where the parcel has another one in Shopify than the marketplace was told, too, both sides were put right, and a person
    says which one it is; `wanted` is Shopify's as it would be sent, None where it cannot be."""
    last, number, there = _last_of(view, shipment_id), sent_number(parcel.tracking_number), sent_number(shown)
    if last is None or not last.number or number in ("", last.number):
        return Part(memory)
    case = _both_corrected_case(parcel, number, there, wanted is not None)
    answer = memory.decision(case.reason, case.subject)
    if answer is not None and answer.option is Option.DISMISS:
        because = "A person said that the tracking number given in the marketplace portal stays."
        return Part(memory, because=(because,))
    if answer is not None and answer.option is Option.SEND_NUMBER and wanted is not None:
        because = "A person said that Shopify's tracking number goes in place of the one given in the portal."
        return want(view, memory, wanted, (because,))
    return Part(memory, cases=(case,))


def _both_corrected_case(parcel: Fulfillment, number: str, there: str, can_be_sent: bool) -> Case:
    """The case of a number that was put right on both sides, to different ones."""
    as_it_is = (
        "Send Shopify's from here"
        if can_be_sent
        else "Shopify's cannot be sent as it is: put carrier and number right in the fulfillment first"
    )
    return Case(
        Reason.TRACKING_NOT_CORRECTED,
        f"{parcel.id} {there[:SHOWN]} {number[:SHOWN]}",
        "The tracking number of a parcel was changed after the marketplace had been told, on both sides and to different "
        f"numbers: its portal shows {there[:SHOWN]}, Shopify {number[:SHOWN]}. The customer follows the portal's, and nothing "
        f"is sent. Find out which one is on the parcel. {as_it_is}; or close this to keep the portal's.",
        ((Option.SEND_NUMBER,) if can_be_sent else ()) + (Option.DISMISS,),
        (
            ("Number in the portal", there[:SHOWN]),
            ("Number in Shopify", number[:SHOWN]),
            ("Carrier in Shopify", parcel.carrier.strip()[:SHOWN] or "none"),
        ),
    )


def with_numbers_carried(memory: Memory, shopify: ShopifyOrder) -> Memory:
    """Remember every tracking number that a parcel of the order carried: another one that the marketplace shows was given
    there."""
    seen = (sent_number(parcel.tracking_number) for parcel in shopify.fulfillments)
    carried = tuple(dict.fromkeys((*memory.carried_numbers, *filter(None, seen))))
    return memory if carried == memory.carried_numbers else replace(memory, carried_numbers=carried)


def not_mapped_case(view: View, mirakl: MiraklOrder, parcel: Fulfillment, choice: NotMapped) -> Case:
    """The case of a carrier name that leads nowhere, with what it sounds like; of a tracking URL, where the name leads
    somewhere and only the URL is at fault."""
    if choice.url:
        return Case(
            Reason.TRACKING_UNUSABLE,
            parcel.id,
            f"{choice.why} The marketplace is not told of the dispatch. Put the tracking URL right in the fulfillment in "
            "Shopify, beginning with http:// or https://; the dispatch is then reported by itself.",
            facts=(("Carrier in Shopify", parcel.carrier.strip()[:SHOWN]),),
            due_at=mirakl.shipping_deadline,
            due_from=mirakl.to_ship_from,
        )
    facts = [("Carrier in Shopify", parcel.carrier.strip()[:SHOWN])]
    if mirakl.country:
        facts.append(("Goes to", mirakl.country))
    if mirakl.shipping_type_code:
        facts.append(("Shipping method", mirakl.shipping_type_code))
    found = suggest(
        view.rules.carriers,
        parcel.carrier,
        tracking=parcel.tracking_number,
        country=mirakl.country,
        earlier=view.earlier_carriers,
        limit=SUGGESTIONS,
    )
    for rank, one in enumerate(found, start=1):
        facts.append((f"Sounds like {rank}", f"{one.label} ({one.code}): {'; '.join(one.reasons)}"))
    return Case(
        Reason.CARRIER_UNKNOWN,
        parcel.carrier.strip()[:SHOWN],
        f"{choice.why} The marketplace is not told of the dispatch until the carrier is mapped; nothing is guessed. Map it "
        "once and every waiting order with this carrier goes on by itself.",
        (Option.MAP_CARRIER,),
        tuple(facts),
        due_at=mirakl.shipping_deadline,
        due_from=mirakl.to_ship_from,
    )


# -- wanting a call, and its refusal -----------------------------------------------------------------------


def want(view: View, memory: Memory, action: Told, because: tuple[str, ...]) -> Part:
    """Want the call; after a refusal it stays wanted, so that the ledger keeps it in sight and paces a repetition."""
    for operation, case in _refusals(view, (action,)):
        if operation.is_sent_again_by(memory.decision(case.reason, case.subject)):
            break
        return Part(memory, actions=(action,), cases=(case,))
    return Part(memory, actions=(action,), because=because)


def refused_unseen(view: View, memory: Memory, wanted: Collection[Told]) -> Part:
    """What there is to say while the marketplace was not seen since a call of ours: where it refused one that is wanted
    still, its case. A read mostly follows at once and shows what the refusal meant, so a minute is waited for it."""
    part = Part(memory, mirakl_since=view.mirakl_written_at)
    for operation, case in _refusals(view, wanted):
        answer = memory.decision(case.reason, case.subject)
        if operation.ended_at is None or operation.is_sent_again_by(answer):
            continue
        said_at = operation.ended_at + REFUSED_UNSEEN_FOR
        if view.now < said_at:
            part = replace(part, look_at=earliest(part.look_at, said_at))
        else:
            part = replace(part, cases=(*part.cases, case))
    return part


def still_refused(view: View) -> tuple[Case, ...]:
    """The cases of refused shipment calls, for as long as the marketplace was not seen after them."""
    wanted = [op.action for op in view.operations if isinstance(op.action, ShipmentAction)]
    return tuple(case for _, case in _refusals(view, wanted))


def _refusals(view: View, wanted: Collection[Told]) -> Iterator[tuple[OpenOperation, Case]]:
    """The calls among the `wanted` that the marketplace refused, with the case each of them is."""
    for action in wanted:
        for operation in view.operations:
            if operation.state != "REJECTED" or operation.action != action:
                continue
            if _corrects(view, action):
                yield operation, _not_corrected_case(view, action, operation)
            else:
                yield operation, _refused_case(action, operation, view.mirakl)


def _corrects(view: View, action: Told) -> bool:
    """Whether it is a tracking that follows another one: the marketplace knows of the dispatch already."""
    mirakl = view.mirakl
    if mirakl is None:
        return False
    match action:
        case SetTracking():
            return mirakl.state in GONE_OUT
        case TrackShipment(shipment_id=told):
            return any(shipment.validated for shipment in mirakl.shipments or () if shipment.id == told)
        case _:
            return False


def _shown_before(view: View, action: Told) -> str:
    """The number the marketplace shows where this one would go, as it is sent; empty for none."""
    if view.mirakl is None:
        return ""
    if isinstance(action, TrackShipment):
        shipments = view.mirakl.shipments or ()
        return next(
            (sent_number(one.tracking_number) for one in shipments if one.id == action.shipment_id), ""
        )
    return sent_number(view.mirakl.tracking_number)


def _subject(action: Told) -> str:
    match action:
        case SetTracking(number=number):
            return f"tracking {number}"
        case ShipOrder():
            return "dispatch"
        case _:
            return action.subject


def _refused_case(action: Told, operation: OpenOperation, mirakl: MiraklOrder | None) -> Case:
    waits = None if mirakl is None or mirakl.state not in TO_SHIP else mirakl
    what = "the tracking" if isinstance(action, SetTracking | TrackShipment) else "the dispatch"
    words = operation.words or operation.code or "no reason given"
    return Case(
        Reason.SHIPPING_REFUSED,
        _subject(action),
        f"The parcel has left, but the marketplace refused {what}: {words}. The customer has not been told and the "
        "order counts as not shipped. Put right what it names, then send it again.",
        (Option.SEND_AGAIN,),
        (("The marketplace's words", words), *_refusal_facts(action, operation), *_sent_facts(action)),
        due_at=None if waits is None else waits.shipping_deadline,
        due_from=None if waits is None else waits.to_ship_from,
    )


def only_the_url_differs(view: View, action: SetTracking | TrackShipment) -> bool:
    """Whether the marketplace took the same carrier and number from us last, with another URL."""
    last = told_last(view, action)
    return last is not None and last != action and replace(last, url=action.url) == action


def _not_corrected_case(view: View, action: Told, operation: OpenOperation) -> Case:
    """The case of a tracking that was refused after the dispatch."""
    shown = _shown_before(view, action)
    words = operation.words or operation.code or "no reason given"
    if not shown:
        what = (
            "The marketplace was told of a parcel without a tracking number, and it refused the one that was added in "
            f"Shopify since: {words}. The customer has no number to follow. Add it"
        )
    elif isinstance(action, SetTracking | TrackShipment) and only_the_url_differs(view, action):
        what = (
            "The tracking URL of a parcel was changed in Shopify after the marketplace had been told, and the marketplace "
            f"refused the new one: {words}. The customer still follows the old one. Correct it"
        )
    elif isinstance(action, SetTracking | TrackShipment) and shown == action.number:
        what = (
            "The carrier of a parcel is another one than the marketplace was told, and it refused the right one: "
            f"{words}. The customer still looks for the number at the old carrier. Correct it"
        )
    else:
        what = (
            "The tracking of a parcel was changed in Shopify after the marketplace had been told, and the marketplace "
            f"refused the new one: {words}. The customer still follows the old number. Correct it"
        )
    return Case(
        Reason.TRACKING_NOT_CORRECTED,
        _subject(action),
        f"{what} in the marketplace portal or write to the customer there; or send it again once what it names is put right.",
        (Option.SEND_AGAIN,),
        (("The marketplace's words", words), *_refusal_facts(action, operation), *_sent_facts(action)),
    )


def _refusal_facts(action: Told, operation: OpenOperation) -> tuple[tuple[str, str], ...]:
    """Which call was refused and with which code: what many orders have in common where the marketplace takes none."""
    return (("Call", _call(action)), *((("code", operation.code),) if operation.code else ()))


def _call(action: Told) -> str:
    match action:
        case SetTracking():
            return "OR23"
        case ShipOrder():
            return "OR24"
        case CreateShipment():
            return "ST01"
        case TrackShipment():
            return "ST23"
        case ValidateShipment():
            return "ST24"
        case DeleteShipment():
            return "ST06"
        case _:
            assert_never(action)


def _sent_facts(action: Told) -> tuple[tuple[str, str], ...]:
    if isinstance(action, SetTracking | TrackShipment):
        return (("Carrier", action.carrier_code or action.carrier_name), ("Tracking number", action.number))
    return ()
