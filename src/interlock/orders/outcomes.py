"""How a call to a platform ended. What a platform may normally answer is a value here, never a raised error."""

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The platform answered 2xx and its answer contains our item. `facts` are ids we learnt (draft_id,
    shopify_order_id, shopify_order_name, hold_id, cancelation_id …), never personal data."""

    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """The platform said no and nothing changed. `code` is its code or a message class of ours, `words` its
    own words without personal data."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The call certainly had no effect: it never left, or was answered 429 or THROTTLED, or a token was refused.
    `retry_after` is in seconds where the platform named it."""

    why: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """The call may or may not have happened: time-out, broken connection, 5xx, an unreadable answer."""

    why: str


Outcome: TypeAlias = Confirmed | Refused | Unavailable | Unknown

OperationState = Literal["PLANNED", "IN_FLIGHT", "CONFIRMED", "REJECTED", "UNKNOWN"]
