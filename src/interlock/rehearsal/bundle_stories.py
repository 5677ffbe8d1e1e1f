"""What may happen to an order with a bundle: staff take whole ones out, or single articles of them."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from interlock.rehearsal.actors import Crowd
from interlock.rehearsal.stories import LOOKED_FOR, Scene
from interlock.shopify.names import LINE_ATTRIBUTE
from interlock.simulator.mirakl import SimOrder
from interlock.simulator.shopify.state import LineItem


async def live_through(crowd: Crowd, marketplace: str, order: SimOrder, story: str) -> None:
    """Let one story happen to one order, some time after its Shopify order exists."""
    await asyncio.sleep(crowd.rng.choice((30.0, 300.0, 1200.0)) * crowd.rng.uniform(0.5, 1.5))
    for _ in range(LOOKED_FOR):
        found = crowd.shopify_order(marketplace, order)
        lines = tuple(line for line in found.lines if line.current_quantity > 0) if found is not None else ()
        if found is not None and lines:
            market, line = crowd.world.mirakl[marketplace], lines[0]
            scene = Scene(crowd, marketplace, market, order, found, lines, line, line.current_quantity)
            await TOLD[story](scene, story)
        if found is not None or not crowd.active:
            return
        await asyncio.sleep(90)


def _bundle_lines(s: Scene) -> tuple[dict[str, int], list[LineItem]] | None:
    """A bundle of the order: the units of each of its articles, and the Shopify lines that are those."""
    recipes = {one.sku: dict(one.articles) for one in s.crowd.world.plan.bundles}
    for sold in s.order.lines:
        articles = recipes.get(sold.sku)
        if articles is None:
            continue
        lines = [
            line for line in s.lines if line.sku in articles and (LINE_ATTRIBUTE, sold.id) in line.attributes
        ]
        if lines:
            return articles, lines
    return None


async def _bundles_lowered(s: Scene, story: str) -> None:
    """Staff take one whole bundle out, each article in one edit."""
    found = _bundle_lines(s)
    if found is None:
        return
    articles, lines = found
    fewer: list[tuple[str | int, int]] = []
    left = dict(articles)
    for line in lines:
        taken = min(left[line.sku or ""], line.current_quantity)
        left[line.sku or ""] -= taken
        fewer.append((line.gid, line.current_quantity - taken))
    s.crowd.attempt(story, lambda: s.shop.edit(s.found, quantities=fewer))


async def _bundles_lowered_by_halves(s: Scene, story: str) -> None:
    """Staff take one whole bundle out, an edit for each article, with time between them."""
    found = _bundle_lines(s)
    if found is None:
        return
    articles, lines = found
    for line in lines:
        fewer = max(line.current_quantity - articles[line.sku or ""], 0)
        s.crowd.attempt(story, partial(s.shop.set_quantity, s.found, line.gid, fewer))
        await asyncio.sleep(s.rng.choice((3.0, 40.0, 400.0)))


async def _bundles_removed(s: Scene, story: str) -> None:
    """Staff take out all that is of the bundle."""
    found = _bundle_lines(s)
    if found is not None:
        s.crowd.attempt(story, lambda: s.shop.edit(s.found, quantities=[(line.gid, 0) for line in found[1]]))


async def _article_taken_out(s: Scene, story: str) -> None:
    """Staff take one unit of one article out; some put it back."""
    found = _bundle_lines(s)
    if found is None:
        return
    line = s.rng.choice(found[1])
    before = line.current_quantity
    if (
        s.crowd.attempt(story, lambda: s.shop.set_quantity(s.found, line.gid, before - 1))
        and s.rng.random() < 0.5
    ):
        await asyncio.sleep(s.rng.choice((20.0, 400.0)))
        s.crowd.attempt("article put back", lambda: s.shop.set_quantity(s.found, line.gid, before))


async def _article_swapped(s: Scene, story: str) -> None:
    """Staff put another item in the place of an article."""
    found = _bundle_lines(s)
    if found is None:
        return
    line, other = s.rng.choice(found[1]), s.crowd.some_sku()
    units = line.current_quantity
    s.crowd.attempt(story, lambda: s.shop.edit(s.found, quantities=[(line.gid, 0)], add=[(other, units)]))


TOLD: dict[str, Callable[[Scene, str], Awaitable[None]]] = {
    "a whole bundle taken out": _bundles_lowered,
    "a whole bundle taken out by halves": _bundles_lowered_by_halves,
    "all bundles taken out": _bundles_removed,
    "an article of a bundle taken out": _article_taken_out,
    "an article of a bundle swapped": _article_swapped,
}
OFTEN = ("a whole bundle taken out", *TOLD)
"""To choose from, what happens most often twice."""
