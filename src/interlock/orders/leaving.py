"""Which fulfillments mean that something left: none whose label was given back and that has no other one yet.

A label bought in Shopify makes a fulfillment, and voiding it may leave that fulfillment standing (`displayStatus`
LABEL_VOIDED, Shopify reference 10.5 and 11): its units count as fulfilled there, but nothing is on its way under it.
"""

from dataclasses import replace
from datetime import datetime

from interlock.orders.memory import Incident, LabelSeen, Memory
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import Fulfillment, ShopifyOrder


def with_labels_seen(memory: Memory, shopify: ShopifyOrder, now: datetime) -> Memory:
    """Remember each label with its tracking number, so that after it was given back another number is known for another
    label. The number a fulfillment shows when it is first seen given back is taken to be that label's too: it may have been
    corrected before, and a parcel that is on its way is told of late rather than one that is not. Where it is the next
    label's already, a person can say so."""
    found: list[LabelSeen] = []
    for fulfillment in shopify.fulfillments:
        shown = LabelSeen(fulfillment.id, _number(fulfillment))
        if fulfillment.only_a_label:
            found.append(shown)
        elif fulfillment.live and fulfillment.label_voided:
            known = [label for label in memory.labels_seen if label.fulfillment_id == fulfillment.id]
            if shown not in known and not any(label.back_since for label in known):
                known.append(shown)
            found.extend(replace(label, back_since=label.back_since or now) for label in known)
    seen = tuple(found)
    return memory if seen == memory.labels_seen else replace(memory, labels_seen=seen)


def stays_here(fulfillment: Fulfillment, memory: Memory) -> bool:
    """Whether nothing leaves under a fulfillment that stands, because its label was given back and it shows no other. A
    person may say that a parcel left under the number it shows."""
    if not fulfillment.live or not fulfillment.label_voided:
        return False
    said = memory.decision(Reason.LABEL_GIVEN_BACK, given_back_subject(fulfillment))
    if said is not None and said.option is Option.LEFT_UNDER_NUMBER:
        return False
    number = _number(fulfillment)
    before = [label.number for label in memory.labels_seen if label.fulfillment_id == fulfillment.id]
    return not number or not before or number in before


def given_back_subject(fulfillment: Fulfillment) -> str:
    """What the case about a label that was given back is about: another number of the fulfillment is another case."""
    return f"{fulfillment.id} {_number(fulfillment)}".strip()


def with_parcel_back(memory: Memory, parcel: str, fulfillment_id: str, at: datetime, sentence: str) -> Memory:
    """Remember the incident of a `parcel` that came back after the marketplace was told of it, once. A label that was given
    back is named by its number too: its fulfillment may get another one, and that may be given back as well."""
    for incident in memory.incidents:
        is_it = incident.reason is Reason.FULFILLMENT_CANCELLED and incident.closed_at is None
        if is_it and incident.about == parcel:
            return memory
    number = next((one.number for one in memory.labels_seen if one.fulfillment_id == fulfillment_id), "")
    subject = f"{parcel} {number}".strip()
    return memory.with_incident(Incident(Reason.FULFILLMENT_CANCELLED, subject, at, sentence))


def as_it_left(shopify: ShopifyOrder, memory: Memory) -> ShopifyOrder:
    """The order with what has left alone: a fulfillment that `stays_here` counts as one that was cancelled, and its units
    are not fulfilled."""
    here = [fulfillment for fulfillment in shopify.fulfillments if stays_here(fulfillment, memory)]
    if not here:
        return shopify
    units: dict[str, int] = {}
    for line_id, count in (line for fulfillment in here for line in fulfillment.lines):
        units[line_id] = units.get(line_id, 0) + count
    return replace(
        shopify,
        lines=tuple(
            replace(line, fulfilled_quantity=max(line.fulfilled_quantity - units.get(line.id, 0), 0))
            for line in shopify.lines
        ),
        fulfillments=tuple(replace(f, live=False) if f in here else f for f in shopify.fulfillments),
    )


def _number(fulfillment: Fulfillment) -> str:
    return "".join(fulfillment.tracking_number.split())
