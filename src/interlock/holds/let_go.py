"""What is said of a parcel that has to wait and is not on hold: somebody took our hold off, or none can be placed."""

import re
from collections.abc import Collection
from dataclasses import replace

from interlock.orders.actions import Action
from interlock.orders.holding import let_go_of
from interlock.orders.memory import Memory
from interlock.orders.plan import Case
from interlock.orders.snapshots import ShopifyOrder

NOT_ON_HOLD = "No hold is on it now: tell the warehouse not to ship."
_SAID = (
    (re.compile(r"\bparcel is held\b"), "parcel should be held"),
    (re.compile(r"\bparcel stays held\b"), "parcel should stay held"),
    (re.compile(r"\bparcel held\b"), "parcel to be held"),
)
"""How the rooms say that the parcel waits. They ask for the hold and cannot know that none is on."""


def is_let_go(
    shopify: ShopifyOrder | None, memory: Memory, actions: Collection[Action], cases: Collection[Case]
) -> bool:
    """Whether a parcel that must not leave yet has no hold, and none is about to be placed. What a fulfilment service has
    is a matter of its own."""
    if shopify is None or not shopify.live or memory.released_at is not None or not memory.shopify_order_id:
        return False
    return any(not fo.with_service for fo in let_go_of(shopify, actions, cases))


def as_let_go(sentence: str) -> str:
    """The sentence with what is true of the parcel instead of that it is held."""
    for said, instead in _SAID:
        sentence = said.sub(instead, sentence)
    return sentence


def case_as_let_go(case: Case) -> Case:
    """The case with such a sentence; the same case where it does not say that the parcel is held."""
    sentence = as_let_go(case.sentence)
    return case if sentence == case.sentence else replace(case, sentence=f"{sentence} {NOT_ON_HOLD}")
