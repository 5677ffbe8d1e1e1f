"""Offers whose order was refused: some operators set them to zero then, though the goods are there. Which those are, and what
the order's story says of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

REFUSED = "REFUSED"


def refused_skus(
    before: Iterable[tuple[str, int]],
    now: Iterable[tuple[str, int]],
    ordered: Sequence[Mapping[str, Any]],
    lines: Sequence[Mapping[str, Any]],
    order_state: str,
) -> tuple[str, ...]:
    """The SKUs of an order that were refused since it was looked at last. `before` and `now` are the units it wanted by SKU,
    `ordered` what is remembered of its lines, `lines` how the marketplace showed them (`order_line_state`)."""
    left = dict(now)
    fewer = {sku for sku, units in before if left.get(sku, 0) < units}
    states = {line["id"]: line.get("state") for line in lines}
    refused = {
        line["sku"] for line in ordered if order_state == REFUSED or states.get(line["line_id"]) == REFUSED
    }
    return tuple(sorted(fewer & refused))


def zeroed(sku: str, target: int) -> str:
    """What the refused order's story says once the marketplace was seen to show none of an offer."""
    return (
        f"Since the refusal the marketplace shows 0 of {sku}, of which {target} may be offered. The figure is told again with the "
        "next stock file."
    )


def repaired(sku: str, quantity: int, was_zero: bool) -> str:
    """What it says once the marketplace has taken the figure again."""
    after = "that showed 0 after the refusal" if was_zero else "which the refusal may have set to zero"
    return f"The offer {sku}, {after}, was told again: the marketplace took {quantity}."
