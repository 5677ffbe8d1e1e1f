"""The script of the day: who buys what when, and what becomes of it. Every flow of the product happens at least once."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from interlock.demo.people import UNKNOWN_CARRIER, Agents, Bought, Story, Team
from interlock.desk.requests import Wish
from interlock.orders.connection import ConnectionRules
from interlock.rehearsal.stock import learn_offers
from interlock.rehearsal.world import World, WorldPlan
from interlock.simulator.mirakl import CATALOGUE, PROFILES
from interlock.simulator.mirakl.profile import MarketplaceProfile
from interlock.simulator.shopify.webhooks import WebhookWeather
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring

AUTOMATIC = "automatic"
HIDDEN = "hidden-address"
WHOLE = "all-or-nothing"

DAY_MINUTES = 150.0
REST_MINUTES = 75.0
MINUTES_BETWEEN_SALES = 15.0
"""How often somebody buys in the shop itself."""
STOCK = 200
MUG, KETTLE, LAMP, CANDLE = "MUG-BLUE", "KETTLE-1L", "LAMP-OAK", "CANDLE-03"
NOT_IN_THE_SHOP = "MUG-BLUE-2026"


# -- stories -----------------------------------------------------------------------------------------------


async def nothing_special(team: Team, bought: Bought) -> None:
    """Bought, accepted, packed, shipped."""


async def quantity_lowered(team: Team, bought: Bought) -> None:
    found = await team.in_shop(bought)
    await team.minutes(3, 7)
    line = found.lines[0]
    left = line.current_quantity - 1
    team.act(
        "quantity lowered",
        "Staff",
        f"{line.sku} of {found.name} lowered from {line.current_quantity} to {left}.",
        lambda: team.world.shopify.set_quantity(found, line.gid, left),
    )


async def line_removed(team: Team, bought: Bought) -> None:
    found = await team.in_shop(bought)
    await team.minutes(3, 7)
    line = found.lines[-1]
    team.act(
        "line removed",
        "Staff",
        f"{line.sku} removed from {found.name}.",
        lambda: team.world.shopify.remove_line(found, line.gid),
    )


async def edit_undone(team: Team, bought: Bought) -> None:
    found = await team.in_shop(bought)
    await team.minutes(3, 7)
    line = found.lines[0]
    units = line.current_quantity
    lowered = team.act(
        "edit undone",
        "Staff",
        f"{line.sku} of {found.name} lowered by mistake.",
        lambda: team.world.shopify.set_quantity(found, line.gid, units - 1),
    )
    if lowered:
        await asyncio.sleep(team.rng.uniform(10, 40))
        team.act(
            "undo",
            "Staff",
            f"The mistake in {found.name} taken back at once.",
            lambda: team.world.shopify.set_quantity(found, line.gid, units),
        )


async def sku_swapped(team: Team, bought: Bought) -> None:
    found = await team.in_shop(bought)
    await team.minutes(3, 6)
    line = found.lines[0]
    team.act(
        "sku swapped",
        "Staff",
        f"One {line.sku} of {found.name} swapped for a {CANDLE}.",
        lambda: team.world.shopify.edit(
            found, quantities=[(line.gid, line.current_quantity - 1)], add=[(CANDLE, 1)]
        ),
    )


async def line_added(team: Team, bought: Bought) -> None:
    found = await team.in_shop(bought)
    await team.minutes(3, 6)
    team.act(
        "line added",
        "Staff",
        f"One {CANDLE} added to {found.name}.",
        lambda: team.world.shopify.edit(found, add=[(CANDLE, 1)]),
    )


async def address_changed(team: Team, bought: Bought) -> None:
    found = await team.in_shop(bought)
    await team.minutes(3, 6)
    team.act(
        "address changed",
        "Staff",
        f"Another address written into {found.name}.",
        lambda: team.world.shopify.change_address(found),
    )


async def cancelled_in_shopify(team: Team, bought: Bought) -> None:
    found = await team.in_shop(bought)
    await team.minutes(3, 6)
    team.act(
        "cancelled in Shopify",
        "Staff",
        f"{found.name} cancelled in Shopify.",
        lambda: team.world.shopify.cancel_order(found),
    )


async def cancelled_at_marketplace(team: Team, bought: Bought) -> None:
    await team.in_shop(bought)
    await team.minutes(4, 9)
    team.act(
        "cancelled at the marketplace",
        f"Operator of {bought.marketplace}",
        f"Order {bought.order.id} cancelled.",
        lambda: bought.world.cancel_order(bought.order.id),
    )


async def line_cancelled_at_marketplace(team: Team, bought: Bought) -> None:
    await team.in_shop(bought)
    await team.minutes(3, 7)
    line = bought.order.lines[0]
    team.act(
        "line cancelled at the marketplace",
        f"Operator of {bought.marketplace}",
        f"One {line.sku} of order {bought.order.id} cancelled.",
        lambda: bought.world.cancel_line(bought.order.id, line.id, quantity=1),
    )


async def sku_unknown(team: Team, bought: Bought) -> None:
    """The shop does not know what was sold; it is mapped when most of the time to accept is gone."""
    team.did["order with an unknown SKU"] += 1
    team.say("Customer", f"Order {bought.order.id} names {NOT_IN_THE_SHOP}, which the shop does not have.")


async def carrier_unknown(team: Team, bought: Bought) -> None:
    found = await team.in_shop(bought)
    if await team.until_free(found):
        await team.minutes(2, 4)
        if team.print_label(found, UNKNOWN_CARRIER):
            team.did["carrier nobody mapped"] += 1


async def hidden_address(team: Team, bought: Bought) -> None:
    """Accepted on reserved stock while the address is hidden; the order exists once it appears."""
    await team.in_shop(bought)
    team.did["hidden address"] += 1
    team.say("Interlock", f"The address of order {bought.order.id} has appeared; it stands in Shopify now.")


async def reduced_after_payment(team: Team, bought: Bought) -> None:
    """The customer has paid, so the reduction is a refund that somebody makes in the portal."""
    found = await team.in_shop(bought)
    await team.minutes(3, 6)
    line = found.lines[0]
    left = line.current_quantity - 1
    team.act(
        "reduced after payment",
        "Staff",
        f"{line.sku} of {found.name} lowered to {left} after the customer had paid.",
        lambda: team.world.shopify.set_quantity(found, line.gid, left),
    )


async def money_refunded(team: Team, bought: Bought) -> None:
    found = await team.in_shop(bought)
    await team.minutes(26, 32)  # the portal refunds nothing before the customer has paid
    team.act(
        "money refunded in Shopify",
        "Staff",
        f"5.00 refunded on {found.name} in Shopify.",
        lambda: team.world.shopify.refund(found, money="5.00"),
    )


async def hold_released_by_staff(team: Team, bought: Bought) -> None:
    found = await team.in_shop(bought)
    await team.minutes(3, 5)
    if team.world.shopify.release_holds(found) > 0:
        team.did["hold released by staff"] += 1
        team.say("Staff", f"Our hold on {found.name} released by hand, although it is not paid yet.")


async def label_beside_the_edit(team: Team, bought: Bought) -> None:
    """The bounded case: the picker prints in the very moment in which staff edit. No software is faster than that."""
    found = await team.in_shop(bought)
    if not await team.until_free(found):
        return
    await team.minutes(2, 4)
    line = found.lines[0]
    left = line.current_quantity - 1
    edited = team.act(
        "label in the seconds of an edit",
        "Staff",
        f"{line.sku} of {found.name} lowered to {left} while the picker has it in hand.",
        lambda: team.world.shopify.set_quantity(found, line.gid, left),
    )
    if edited:
        team.print_label(found, "UPS")


async def replaced_by_an_app(team: Team, bought: Bought) -> None:
    """An editing app cancels the order and makes another one with one unit less: the marketplace order follows it."""
    found = await team.in_shop(bought)
    await team.minutes(3, 5)
    lines = [(line.sku or "", line.current_quantity) for line in found.lines]
    lines[0] = (lines[0][0], lines[0][1] - 1)
    team.act(
        "replaced by an app",
        "Editing app",
        f"{found.name} cancelled and made again with one {lines[0][0]} less.",
        lambda: team.world.shopify.replace_order(found, lines=lines, copy_attributes=True),
    )


async def copied_by_an_app(team: Team, bought: Bought) -> None:
    """An app copies the order first and cancels the original minutes later: until then neither may leave."""
    found = await team.in_shop(bought)
    await team.minutes(3, 5)
    team.act(
        "copied by an app",
        "Editing app",
        f"{found.name} copied under a new number; the original is cancelled three minutes later.",
        lambda: team.world.shopify.copy_order(found, cancel_after=180.0),
    )


async def edited_at_our_desk(team: Team, bought: Bought) -> None:
    """Customer service edits in Interlock: previewed, carried out on both sides without a quiet period."""
    found = await team.in_shop(bought)
    await team.minutes(3, 5)
    line = found.lines[0]
    left = line.current_quantity - 1
    team.ask_the_desk(
        bought, found.name, Wish(quantities=((line.sku or line.gid, left),)), f"{line.sku} to {left}"
    )


async def note_written(team: Team, bought: Bought) -> None:
    found = await team.in_shop(bought)
    await team.minutes(2, 5)
    team.act(
        "note written",
        "Staff",
        f"A note written on {found.name}.",
        lambda: team.world.shopify.set_note(found, "Called back."),
    )


# -- the script --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody buys at a minute of the day."""

    minute: float
    marketplace: str
    story: Story
    items: tuple[tuple[str, int], ...]


SCRIPT: tuple[Visit, ...] = (
    Visit(1, AUTOMATIC, nothing_special, ((MUG, 1),)),
    Visit(2, WHOLE, sku_unknown, ((NOT_IN_THE_SHOP, 1),)),
    Visit(3, AUTOMATIC, quantity_lowered, ((MUG, 3), (KETTLE, 1))),
    Visit(4, HIDDEN, hidden_address, ((LAMP, 1),)),
    Visit(6, AUTOMATIC, line_removed, ((KETTLE, 1), (CANDLE, 2))),
    Visit(8, WHOLE, hold_released_by_staff, ((KETTLE, 2),)),
    Visit(10, AUTOMATIC, label_beside_the_edit, ((MUG, 3),)),
    Visit(12, AUTOMATIC, sku_swapped, ((MUG, 2),)),
    Visit(15, HIDDEN, reduced_after_payment, ((CANDLE, 4), (MUG, 1))),
    Visit(18, AUTOMATIC, edit_undone, ((CANDLE, 3),)),
    Visit(22, AUTOMATIC, carrier_unknown, ((LAMP, 1),)),
    Visit(26, WHOLE, cancelled_at_marketplace, ((MUG, 1), (CANDLE, 1))),
    Visit(30, AUTOMATIC, address_changed, ((KETTLE, 1),)),
    Visit(34, HIDDEN, line_added, ((MUG, 2),)),
    Visit(40, AUTOMATIC, cancelled_in_shopify, ((LAMP, 1),)),
    Visit(46, AUTOMATIC, line_cancelled_at_marketplace, ((CANDLE, 3),)),
    Visit(52, WHOLE, money_refunded, ((LAMP, 1), (CANDLE, 1))),
    Visit(58, AUTOMATIC, note_written, ((MUG, 1),)),
    Visit(64, AUTOMATIC, label_beside_the_edit, ((CANDLE, 4),)),
    Visit(72, HIDDEN, nothing_special, ((LAMP, 1), (MUG, 2))),
    Visit(75, AUTOMATIC, edited_at_our_desk, ((MUG, 2), (LAMP, 1))),
    Visit(77, AUTOMATIC, replaced_by_an_app, ((KETTLE, 2), (CANDLE, 1))),
    Visit(79, AUTOMATIC, copied_by_an_app, ((LAMP, 1),)),
    Visit(80, AUTOMATIC, quantity_lowered, ((CANDLE, 5),)),
    Visit(90, WHOLE, nothing_special, ((KETTLE, 1),)),
)

STORIES = (
    "quantity lowered",
    "line removed",
    "edit undone",
    "undo",
    "sku swapped",
    "line added",
    "address changed",
    "cancelled in Shopify",
    "cancelled at the marketplace",
    "line cancelled at the marketplace",
    "order with an unknown SKU",
    "sku mapped",
    "carrier nobody mapped",
    "carrier mapped",
    "hidden address",
    "reduced after payment",
    "money refunded in Shopify",
    "portal refund",
    "hold released by staff",
    "label in the seconds of an edit",
    "label printed",
    "edited at our desk",
    "replaced by an app",
    "copied by an app",
)
"""What has to have happened for a day to prove anything, by the names under which the team counts it."""


def marketplaces() -> tuple[MarketplaceProfile, ...]:
    """The three marketplaces, with delays that fit into a day."""
    soon = {"refund_contact_delay": 300.0, "refund_payment_delay": 900.0, "can_shop_ship_delay": 30.0}
    return (
        PROFILES[AUTOMATIC].changed({**soon}),
        PROFILES[HIDDEN].changed({**soon, "debit_delay": 600.0}),
        PROFILES[WHOLE].changed({**soon, "acceptance_window_hours": 2.0, "debit_delay": 1200.0}),
    )


def plan_of(seed: int) -> WorldPlan:
    """The world of a day: two service processes, deliveries that come late, twice or never."""
    return WorldPlan(
        seed=seed,
        marketplaces=marketplaces(),
        rules=ConnectionRules(
            "marketplace", "interlock:marketplace", quiet_period=timedelta(seconds=60), publish_stock=True
        ),
        weather=WebhookWeather(lost=0.02, repeated=0.1, delay_mean=1.5),
    )


@dataclass
class Day:
    """One day under way, or over. `stop` ends it early."""

    world: World
    team: Team
    stop: asyncio.Event
    failures: list[BaseException]
    came_to_rest: bool = False

    @property
    def ends_at_minute(self) -> float:
        return DAY_MINUTES + REST_MINUTES


def open_day(seed: int, database: Database, keyring: Keyring) -> Day:
    """A day that has not begun; call inside the event loop it is to live on."""
    world = World(plan_of(seed), database, keyring)
    for item in CATALOGUE:
        world.shopify.add_variant(item.sku, item.price, STOCK, title=item.title)
    return Day(world, Team.of(world, random.Random(f"{seed}:day")), asyncio.Event(), [])


async def live(day: Day, afterwards: Callable[[], Awaitable[None]] | None = None) -> None:
    """Live through the day: the script, then a rest in which everything comes to its end. A day that came to rest stays
    as it is, platforms, service and people included, while `afterwards` takes its time."""
    await day.world.start()
    learn_offers(day.world)
    team = day.team
    tasks = [asyncio.create_task(team.pick_for_ever()), asyncio.create_task(Agents(team).work_for_ever())]
    tasks.append(asyncio.create_task(_sell_in_the_shop(team)))
    tasks += [asyncio.create_task(_visit(team, visit)) for visit in SCRIPT]
    try:
        async with asyncio.timeout((DAY_MINUTES + REST_MINUTES) * 60):
            await day.stop.wait()
    except TimeoutError:
        day.came_to_rest = True
        if afterwards is not None:
            await afterwards()
        day.stop.set()
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    day.failures += [each for each in ended if isinstance(each, Exception)]
    await day.world.stop()


async def _sell_in_the_shop(team: Team) -> None:
    """The shop's own customers buy of the same stock."""
    for _ in range(int(DAY_MINUTES / MINUTES_BETWEEN_SALES)):
        await team.minutes(MINUTES_BETWEEN_SALES - 4, MINUTES_BETWEEN_SALES + 4)
        sku, units = team.rng.choice((MUG, KETTLE, LAMP, CANDLE)), team.rng.randint(1, 5)
        team.act(
            "sold in the shop",
            "Customer",
            f"{units} of {sku} bought in the shop itself.",
            lambda sku=sku, units=units: team.world.shopify.customer_order([(sku, units)]),  # type: ignore[misc]
        )


async def _visit(team: Team, visit: Visit) -> None:
    await asyncio.sleep((visit.minute + team.rng.uniform(0, 1)) * 60)
    world = team.world.mirakl[visit.marketplace]
    order = world.create_generated(
        skus=[sku for sku, _ in visit.items], quantities=[units for _, units in visit.items]
    )
    team.orders += 1
    bought = Bought(visit.marketplace, world, order)
    what = ", ".join(f"{units} × {sku}" for sku, units in visit.items)
    team.say("Customer", f"Order {order.id} placed on {visit.marketplace}: {what}.")
    await visit.story(team, bought)
