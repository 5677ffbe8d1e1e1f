"""Which line of a replacement stands for which marketplace line, and how we know."""

from interlock.orders.agreement import mirakl_line_id_of
from interlock.orders.memory import LineLink, Memory
from interlock.orders.snapshots import ShopifyLine, ShopifyOrder


def links_of_replacement(new: ShopifyOrder, old: ShopifyOrder, memory: Memory) -> tuple[LineLink, ...]:
    """Links of the new order's lines, as far as they stand for something that was sold.

    A line's own attribute is the evidence `attribute`. Otherwise a line stands for what the old order's line of the same
    variant or SKU stood for: one line for each marketplace line, the one with the same quantity first (evidence
    `sku and quantity`), then the others (`sku`). What is left over of a SKU adds to the line it is like. The unit price
    is the one agreed at import, so that another price is seen as an edit.
    """
    known = {link.mirakl_line_id for link in memory.links}
    found: list[LineLink] = []
    rest: list[ShopifyLine] = []
    for line in new.lines:
        if line.mirakl_line_id in known:
            found.append(_link(line, line.mirakl_line_id, "attribute", memory))
        else:
            rest.append(line)
    taken = {link.mirakl_line_id for link in found}
    sold = [(line, mirakl_line_id_of(line, memory)) for line in old.lines]
    sold = [(line, line_id) for line, line_id in sold if line_id]
    for evidence in ("sku and quantity", "sku", "more of the sku"):
        for line in list(rest):
            line_id = _stands_for(line, sold, taken, evidence)
            if line_id:
                found.append(_link(line, line_id, evidence, memory))
                taken.add(line_id)
                rest.remove(line)
    return tuple(found)


def _stands_for(
    line: ShopifyLine, sold: list[tuple[ShopifyLine, str]], taken: set[str], evidence: str
) -> str:
    alike = [(old, line_id) for old, line_id in sold if _same_goods(line, old)]
    if evidence == "more of the sku":
        return alike[0][1] if alike else ""
    free = [(old, line_id) for old, line_id in alike if line_id not in taken]
    if evidence == "sku and quantity":
        free = [
            (old, line_id) for old, line_id in free if line.quantity in (old.quantity, old.current_quantity)
        ]
    free.sort(key=lambda pair: pair[0].unit_price != line.unit_price)
    return free[0][1] if free else ""


def _same_goods(line: ShopifyLine, old: ShopifyLine) -> bool:
    if line.variant_id and old.variant_id:
        return line.variant_id == old.variant_id
    return bool(line.sku) and line.sku == old.sku


def _link(line: ShopifyLine, line_id: str, evidence: str, memory: Memory) -> LineLink:
    prices = [link.unit_price for link in memory.links if link.mirakl_line_id == line_id]
    price = line.unit_price if line.unit_price in prices or not prices else prices[0]
    return LineLink(line_id, line.id, price, evidence)
