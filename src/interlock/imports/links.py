"""Which Shopify line stands for which marketplace line, how we know, and the unit price agreed at import."""

from dataclasses import replace

from interlock.orders.actions import ImportLine
from interlock.orders.agreement import one_more, parts_of, shopify_quantities
from interlock.orders.memory import LineLink, Memory
from interlock.orders.snapshots import ShopifyLine, ShopifyOrder


def links_of(shopify: ShopifyOrder, memory: Memory, expected: tuple[ImportLine, ...]) -> tuple[LineLink, ...]:
    """The remembered links, and one more for every line that now shows what it stands for.

    A line's own attribute is the evidence `attribute`. Only at first sight a line without one is also recognised
    by SKU and quantity among the lines we asked Shopify to create: evidence `import`. The agreed unit price is the
    one we asked for, so that a price edited before our first look is seen as an edit.
    """
    if memory.links:
        return (*memory.links, *_later(shopify, memory))
    open_lines = list(expected)
    found: list[LineLink] = []
    for line in shopify.lines:
        match = _take(open_lines, line)
        if match is not None:
            evidence = "attribute" if line.mirakl_line_id else "import"
            found.append(_link(match, line, evidence))
    linked = {link.shopify_line_id for link in found}
    for line in shopify.lines:
        like = _like(line, expected)
        if line.id not in linked and like is not None:
            found.append(_link(like, line, "attribute"))
    return tuple(found)


def repriced(memory: Memory, expected: tuple[ImportLine, ...]) -> tuple[LineLink, ...]:
    """The links, of lines with recalculated figures with the prices they would be created with today (`expected`)."""
    anew = {line.line_id for line in memory.ordered if line.recalculated}
    return tuple(_also(link, expected) if link.mirakl_line_id in anew else link for link in memory.links)


def _also(link: LineLink, expected: tuple[ImportLine, ...]) -> LineLink:
    prices = [
        line.unit_price
        for line in expected
        if line.mirakl_line_id == link.mirakl_line_id
        and (line.variant_id if line.per_unit else "") == link.part
    ]
    return replace(
        link, also=(*link.also, *(price for price in dict.fromkeys(prices) if not link.accepts(price)))
    )


def _link(expected: ImportLine, line: ShopifyLine, evidence: str) -> LineLink:
    part = expected.variant_id if expected.per_unit else ""
    per_unit = expected.per_unit or 1
    return LineLink(expected.mirakl_line_id, line.id, expected.unit_price, evidence, part, per_unit)


def _take(open_lines: list[ImportLine], line: ShopifyLine) -> ImportLine | None:
    """Take the best fitting line out of those still without a counterpart."""
    if line.mirakl_line_id:
        fitting = [e for e in open_lines if e.mirakl_line_id == line.mirakl_line_id and _may_be(line, e)]
    else:
        fitting = [e for e in open_lines if e.sku == line.sku and e.quantity == line.quantity]
    # Several may fit, such as the two halves of a split line: then the one of the same price and size.
    fitting.sort(key=lambda e: (e.unit_price != line.unit_price, e.quantity != line.quantity))
    if not fitting:
        return None
    open_lines.remove(fitting[0])
    return fitting[0]


def _may_be(line: ShopifyLine, expected: ImportLine) -> bool:
    """Whether the line may be this one: an article of a bundle is known by its variant."""
    return not expected.per_unit or line.variant_id == expected.variant_id


def _like(line: ShopifyLine, expected: tuple[ImportLine, ...]) -> ImportLine | None:
    for one in expected:
        if line.mirakl_line_id and one.mirakl_line_id == line.mirakl_line_id and _may_be(line, one):
            return one
    return None


def _later(shopify: ShopifyOrder, memory: Memory) -> tuple[LineLink, ...]:
    """Lines that appeared after the import and carry our attribute, as some editing apps re-create a line."""
    known = {link.shopify_line_id for link in memory.links}
    found = []
    for line in shopify.lines:
        if line.id in known or not line.mirakl_line_id:
            continue
        part = line.variant_id if parts_of(line.mirakl_line_id, memory) else ""
        link = one_more(line, line.mirakl_line_id, part, "attribute", memory)
        if link is not None:
            found.append(link)
    return tuple(found)


def is_untouched(shopify: ShopifyOrder, memory: Memory) -> bool:
    """Whether the order still is what was imported: every line linked, no unit removed or added, no price, no
    shipping charge changed, nothing refunded."""
    shown = dict(shopify_quantities(shopify, memory))
    links = {link.shopify_line_id: link for link in memory.links}
    return (
        bool(memory.links)
        and not shopify.refunds
        and all(shown.get(line.line_id, 0) == line.quantity for line in memory.ordered)
        and memory.accepts_shipping(shopify.shipping_total)
        and all(
            line.current_quantity == line.quantity
            and line.id in links
            and links[line.id].accepts(line.unit_price)
            for line in shopify.lines
        )
    )
