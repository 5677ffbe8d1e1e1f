"""A label that a person had printed against a no: what is kept of that, and how long it counts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from interlock.orders.label import Label

OVERRIDE_COUNTS = timedelta(hours=1)
"""Whoever overrides a check has somebody at the printer. What stands an hour later was not looked at by them."""


@dataclass(frozen=True, slots=True)
class Override:
    """Who had the label of a parcel printed against a no, and why. `against` is the reason of that no."""

    id: int
    fulfillment_order_id: str
    against: str
    who: str
    why: str
    at: datetime


def lapsed(override: Override, label: Label, now: datetime) -> str:
    """Why an override that no check has used does not turn this no into a yes, as a sentence; empty where it does. A person
    judged one reason of one parcel: what came after that was not theirs to judge."""
    if override.fulfillment_order_id not in label.parcels:
        return "Nothing is left to ship of its fulfillment order."
    if now - override.at > OVERRIDE_COUNTS:
        return "It was given more than an hour ago."
    if override.against != label.reason:
        return f"It was for another reason: {override.against}"
    return ""
