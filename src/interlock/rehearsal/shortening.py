"""Lists of a marketplace that get shorter: a carrier (SH21) or a shipping method (SH12) that is in use is dropped, Interlock
reads the lists again, and somebody maps anew, or does not.

Everything is drawn from a stream of its own, so that a history without it stays the history it was.
"""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict

from sqlalchemy.exc import OperationalError

from interlock.console.desk import MapRefused, map_carrier_names
from interlock.mirakl.failures import ReadError
from interlock.orders.connection import CarrierMapping
from interlock.rehearsal.actors import Crowd
from interlock.rehearsal.drawing import first_choice_falls
from interlock.rehearsal.troubles import Ended
from interlock.shipping.store import carrier_map
from interlock.simulator.mirakl import MiraklWorld
from interlock.simulator.mirakl.profile import Carrier, ShippingType

SHORTER = ((0.1045, 0.1535), (0.736, 0.77))
"""Between these the first choice of a history with a shorter list falls: every twelfth one, and none of the seeds that were
committed before there were any."""
MAPPED = 0.5
WHO = "Otto Ops"
LISTS = ("carriers", "shipping_types")


def stream(seed: int) -> random.Random:
    """What this room draws from."""
    return random.Random(f"{seed}:lists shortened")


def is_drawn(seed: int) -> bool:
    """Whether a marketplace drops anything from its lists in this history."""
    return first_choice_falls(stream(seed), *SHORTER)


async def shorten(seed: int, crowd: Crowd, ended: Ended) -> None:
    """One name is mapped for one shipping method alone; then a carrier goes, or a method, or both. The lists are read once a
    day: that falls into the time after it, where no other trouble has made it so already."""
    rng = stream(seed)
    rng.random()
    world = crowd.world
    await asyncio.sleep(rng.uniform(5, 60))
    name = rng.choice(sorted(world.mirakl))
    market = world.mirakl[name]
    method = rng.choice(market.profile.shipping_types).code
    carrier = rng.choice(market.profile.carriers).code
    _map(crowd, name, CarrierMapping("UPS", carrier, service=method))
    await asyncio.sleep(rng.choice((60.0, 400.0, 900.0)) * rng.uniform(0.5, 1.5))
    for which in rng.sample(LISTS, rng.choice((1, 2))):
        before = _entries(market, which)
        wanted = rng.choice(before).code if which == "carriers" else method
        left = [one for one in before if one.code != wanted]
        if left and len(left) < len(before):
            market.change_profile({which: [asdict(one) for one in left]})
            crowd.did[f"dropped from the list of {which}"] += 1
    await asyncio.sleep(rng.uniform(0, 300))
    if not ended.capability_read:
        ended.capability_read = True
        with suppress(ReadError, OperationalError):
            await world.read_capability(name)
            crowd.did["lists read again"] += 1
    await asyncio.sleep(rng.uniform(60, 900))
    if rng.random() < MAPPED:
        _map_anew(crowd, name, market)


def _entries(market: MiraklWorld, which: str) -> Sequence[Carrier | ShippingType]:
    return market.profile.carriers if which == "carriers" else market.profile.shipping_types


def _map(crowd: Crowd, name: str, mapping: CarrierMapping) -> None:
    world = crowd.world
    if world.outage.down:
        return
    row = world.connection_row(name)
    try:
        with world.database.begin() as c:
            map_carrier_names(c, world.wakeups, row, [mapping], WHO, world.service_clock.now())
    except MapRefused:
        # What the marketplace has was read before it changed.
        crowd.did["carrier mapping refused"] += 1


def _map_anew(crowd: Crowd, name: str, market: MiraklWorld) -> None:
    """Every name that leads to a carrier or holds for a method that is gone is mapped for what there is."""
    world = crowd.world
    codes = [carrier.code for carrier in market.profile.carriers]
    methods = [method.code for method in market.profile.shipping_types]
    with world.database.begin() as c:
        mapped = carrier_map(c, world.connection_ids[name])
    for mapping in mapped:
        code_gone = bool(mapping.code) and mapping.code not in codes
        method_gone = bool(mapping.service) and mapping.service not in methods
        if code_gone or method_gone:
            code = codes[0] if code_gone else mapping.code
            service = "" if method_gone else mapping.service
            _map(crowd, name, CarrierMapping(mapping.shop_name, code, mapping.name, mapping.country, service))
    crowd.did["names of a shorter list mapped anew"] += 1
