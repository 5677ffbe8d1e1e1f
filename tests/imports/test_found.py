"""An order whose creation ended unclear is known by the number that we alone write, before any look-up shows it."""

from dataclasses import replace

import pytest

from interlock.decide import decide
from interlock.imports.found import made_for
from interlock.orders.actions import CreateOrder, MarkOrder, PlaceHold
from interlock.orders.plan import Plan
from interlock.orders.snapshots import NO_TRACES, ShopifyOrder
from tests.build import (
    MARKER,
    NOW,
    a_fulfillment_order,
    a_shopify_order,
    a_view,
    an_order,
    not_imported,
    some_rules,
)

COPIED = replace(NO_TRACES, attribute=MARKER, lineage=MARKER, mentions=("tag", "source"))
FREE = (a_fulfillment_order(holds=()),)
MADE = a_shopify_order(id="SO7", traces=replace(NO_TRACES, attribute=MARKER), fulfillment_orders=FREE)
COPY = a_shopify_order(
    id="SO8",
    name="#1002",
    marker="",
    traces=COPIED,
    fulfillment_orders=(a_fulfillment_order("FO8", holds=()),),
)


@pytest.mark.parametrize(
    ("noted", "found"),
    [
        ((), None),
        ((MADE,), "SO7"),
        ((COPY, MADE), "SO7"),
        ((COPY,), None),  # attribute, lineage, tag and source are copied with an order
        ((replace(MADE, marker="other:M-1001-A"),), None),  # another connection of the shop
        ((replace(MADE, marker="atlas:M-1001-B"),), None),
        ((replace(MADE, marker=""),), None),
        (
            (replace(MADE, cancelled_at=NOW),),
            "SO7",
        ),  # as the look-up by it would say: it is ours all the same
    ],
)
def test_only_our_own_marker_of_this_very_order_tells_what_the_import_made(
    noted: tuple[ShopifyOrder, ...], found: str | None
) -> None:
    order = made_for(MARKER, noted)
    assert (None if order is None else order.id) == found


UNCLEAR = a_view(
    mirakl=an_order("WAITING_ACCEPTANCE"),
    shopify=MADE,
    memory=not_imported(),
    rules=some_rules(import_route="order"),
)


def _held(plan: Plan) -> set[str]:
    return {action.fulfillment_order_id for action in plan.actions if isinstance(action, PlaceHold)}


def test_it_is_linked_and_held_at_once_and_not_created_again() -> None:
    plan = decide(UNCLEAR)
    assert (plan.memory.shopify_order_id, plan.memory.linked_at) == ("SO7", NOW)
    assert _held(plan) == {"FO1"}
    assert not any(isinstance(action, (CreateOrder, MarkOrder)) for action in plan.actions)


def test_a_second_order_with_our_number_is_held_beside_it() -> None:
    plan = decide(replace(UNCLEAR, kin=(COPY,)))
    assert plan.memory.shopify_order_id == "SO7"
    assert _held(plan) == {"FO1", "FO8"}
