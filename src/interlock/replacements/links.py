"""Which line of a replacement stands for which marketplace line, and how we know."""

from interlock.orders.agreement import link_of, mirakl_line_id_of, one_more, parts_of
from interlock.orders.memory import LineLink, Memory
from interlock.orders.snapshots import ShopifyLine, ShopifyOrder

SoldAs = tuple[str, str]
"""A Mirakl line, and of a bundle which of its articles."""


def links_of_replacement(new: ShopifyOrder, old: ShopifyOrder, memory: Memory) -> tuple[LineLink, ...]:
    """Links of the new order's lines, as far as they stand for something that was sold. A line that was linked by a
    take-over which was taken back since keeps its link, and none is made for it.

    A line's own attribute is the evidence `attribute`. Otherwise a line stands for what the old order's line of the same
    variant or SKU stood for: one line for each marketplace line, the one with the same quantity first (evidence
    `sku and quantity`), then the others (`sku`). What is left over of a SKU adds to the line it is like. The unit price
    is the one agreed at import, so that another price is seen as an edit.
    """
    found: list[LineLink] = []
    rest: list[ShopifyLine] = []
    taken: set[SoldAs] = set()
    for line in new.lines:
        known = link_of(line, memory)
        if known is not None:
            taken.add((known.mirakl_line_id, known.part))
            continue
        part = line.variant_id if parts_of(line.mirakl_line_id, memory) else ""
        link = one_more(line, line.mirakl_line_id, part, "attribute", memory)
        if line.mirakl_line_id and link is not None:
            found.append(link)
        else:
            rest.append(line)
    taken.update((link.mirakl_line_id, link.part) for link in found)
    sold = [(line, _sold_as(line, memory)) for line in old.lines]
    sold = [(line, as_what) for line, as_what in sold if as_what[0]]
    for evidence in ("sku and quantity", "sku", "more of the sku"):
        for line in list(rest):
            stands_for = _stands_for(line, sold, taken, evidence)
            if stands_for is not None:
                link = one_more(line, *stands_for, evidence, memory)
                found.append(link or LineLink(stands_for[0], line.id, line.unit_price, evidence))
                taken.add(stands_for)
                rest.remove(line)
    return tuple(found)


def _sold_as(line: ShopifyLine, memory: Memory) -> SoldAs:
    link = link_of(line, memory)
    return (mirakl_line_id_of(line, memory), "" if link is None else link.part)


def _stands_for(
    line: ShopifyLine, sold: list[tuple[ShopifyLine, SoldAs]], taken: set[SoldAs], evidence: str
) -> SoldAs | None:
    alike = [(old, as_what) for old, as_what in sold if _same_goods(line, old)]
    if evidence == "more of the sku":
        return alike[0][1] if alike else None
    free = [(old, as_what) for old, as_what in alike if as_what not in taken]
    if evidence == "sku and quantity":
        free = [
            (old, as_what) for old, as_what in free if line.quantity in (old.quantity, old.current_quantity)
        ]
    free.sort(key=lambda pair: pair[0].unit_price != line.unit_price)
    return free[0][1] if free else None


def _same_goods(line: ShopifyLine, old: ShopifyLine) -> bool:
    if line.variant_id and old.variant_id:
        return line.variant_id == old.variant_id
    return bool(line.sku) and line.sku == old.sku
