"""Our own edits of the Shopify order: which quantities make it show what the marketplace agrees to."""

from collections.abc import Iterable

from interlock.edits.reading import Cut, Edit, digest
from interlock.orders.actions import EditShopifyOrder
from interlock.orders.agreement import link_of, mirakl_line_id_of, parts_of
from interlock.orders.codec import encode
from interlock.orders.differences import LineCancelled
from interlock.orders.snapshots import ShopifyLine


def mirror_of(edit: Edit, cuts: tuple[Cut, ...]) -> EditShopifyOrder:
    """Takes the units the marketplace cut out of the Shopify order: one edit for all lines."""
    quantities: list[tuple[str, int]] = []
    for cut in cuts:
        quantities += _lowered(edit, cut.line_id, agreed_to(cut))
    return EditShopifyOrder(
        edit.shopify.id,
        "mirror:" + digest([encode(cut) for cut in cuts]),
        tuple(quantities),
        (),
        "The marketplace took these units out of its order.",
    )


def agreed_to(cut: Cut) -> int:
    """How many units the marketplace still agrees to."""
    return cut.agreed if isinstance(cut, LineCancelled) else 0


def _lowered(edit: Edit, line_id: str, wanted: int) -> list[tuple[str, int]]:
    """The Shopify lines of a Mirakl line lowered to so many units in all, of a bundle each of its articles."""
    lines = [line for line in edit.shopify.lines if mirakl_line_id_of(line, edit.memory) == line_id]
    parts = parts_of(line_id, edit.memory)
    if not parts:
        return _each_lowered(edit, lines, wanted)
    lowered = []
    for part, per_unit in parts.items():
        of_part = [line for line in lines if (link := link_of(line, edit.memory)) and link.part == part]
        lowered += _each_lowered(edit, of_part, wanted * per_unit)
    return lowered


def _each_lowered(edit: Edit, lines: Iterable[ShopifyLine], wanted: int) -> list[tuple[str, int]]:
    """Lines lowered to so many units in all, the last line first; never below what left."""
    lines = list(lines)
    too_many = sum(line.current_quantity for line in lines) - wanted
    lowered = []
    for line in reversed(lines):
        taken = min(too_many, edit.shopify.to_leave(line))
        if taken > 0:
            lowered.append((line.id, line.current_quantity - taken))
            too_many -= taken
    return lowered
