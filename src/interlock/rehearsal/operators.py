"""What a marketplace's operator changes after an order was imported: where it goes, and what it costs.

Everything is drawn from a stream of its own, so that a history without it stays the history it was.
"""

import asyncio
import random
from collections.abc import Callable
from decimal import Decimal
from functools import partial

from interlock.rehearsal.actors import Crowd
from interlock.rehearsal.drawing import first_choice_falls
from interlock.simulator.mirakl import MiraklWorld, SimOrder
from interlock.simulator.mirakl.orders import SimLine
from interlock.simulator.shopify.addresses import invented_address
from interlock.simulator.shopify.state import Address, Order

CHANGED = (0.405, 0.525)
"""Between these the first choice of a history with such changes falls: every eighth one, and none of the seeds that were
committed before there were any."""


def stream(seed: int) -> random.Random:
    """What this room draws from."""
    return random.Random(f"{seed}:marketplace changes")


def are_busy(seed: int) -> bool:
    """Whether the operator changes orders in this history."""
    return first_choice_falls(stream(seed), CHANGED)


async def change_for_ever(seed: int, crowd: Crowd) -> None:
    """The operator changes an order that has not left now and then."""
    rng = stream(seed)
    rng.random()
    number = 0
    while True:
        await asyncio.sleep(rng.choice((60.0, 200.0, 500.0)) * rng.uniform(0.5, 1.5))
        act, later, chosen = rng.choice(ACTS), rng.uniform(20, 400), rng.random()
        number += 1
        if not crowd.active:
            continue
        found = crowd.not_left()
        if found:
            market, order, shown = found[int(chosen * len(found))]
            await act(Scene(rng, crowd, market, order, shown, number, later))


class Scene:
    """One order, and what one change of it is made with. `later` are seconds between two sides."""

    def __init__(
        self,
        rng: random.Random,
        crowd: Crowd,
        market: MiraklWorld,
        order: SimOrder,
        shown: Order,
        number: int,
        later: float,
    ) -> None:
        self.rng, self.crowd, self.market, self.order = rng, crowd, market, order
        self.shown, self.number, self.later = shown, number, later

    def did(self, name: str, act: Callable[[], object]) -> bool:
        return self.crowd.attempt(name, act)


async def _moved(s: Scene) -> None:
    s.did("address changed at the marketplace", partial(s.market.change_address, s.order.id))


async def _followed(s: Scene) -> None:
    """Staff change the address in Shopify; the operator sets the same one."""
    there = invented_address(s.rng, 9000 + s.number)
    if not s.did("address changed ahead", partial(s.crowd.world.shopify.change_address, s.shown, there)):
        return
    await asyncio.sleep(s.later)
    s.did(
        "address set at the marketplace as in Shopify",
        partial(s.market.change_address, s.order.id, as_the_marketplace_has_it(there)),
    )


async def _moved_twice(s: Scene) -> None:
    """Both sides change it, each to another one."""
    if s.did("address changed by both", partial(s.market.change_address, s.order.id)):
        there = invented_address(s.rng, 9000 + s.number)
        s.did("address changed besides", partial(s.crowd.world.shopify.change_address, s.shown, there))


async def _taxed(s: Scene) -> None:
    share = s.rng.choice((Decimal("0.5"), Decimal("0.9"), Decimal("1.1")))
    _recalculated(s, "taxes recalculated", lambda line: {"taxes": share})


async def _priced(s: Scene) -> None:
    _recalculated(s, "price recalculated", lambda line: {"price": line.ordered.product_with_tax + 1})


async def _shipped_for_less(s: Scene) -> None:
    _recalculated(
        s, "shipping recalculated", lambda line: {"shipping_price": line.ordered.shipping_with_tax + 1}
    )


def _recalculated(s: Scene, name: str, figures: Callable[[SimLine], dict[str, Decimal]]) -> None:
    line = s.rng.choice(s.order.lines)
    s.did(name, partial(s.market.recalculate, s.order.id, line.id, **figures(line)))


ACTS = (_moved, _moved, _followed, _moved_twice, _taxed, _taxed, _priced, _shipped_for_less)


def as_the_marketplace_has_it(address: Address) -> dict[str, str | None]:
    """A Shopify address in the members of `customer.shipping_address`."""
    return {
        "firstname": address.first_name,
        "lastname": address.last_name,
        "company": address.company,
        "street_1": address.address1,
        "street_2": address.address2,
        "zip_code": address.zip,
        "city": address.city,
        "country_iso_code": "CAN" if address.country_code == "CA" else address.country_code,
    }
