"""Shopify told: one call when both sides agree, nothing for what passes soon, and an echo that finds nothing to do."""

from sqlalchemy import select

from interlock.engine.ledger import operations
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.engine.bench import Bench, Broken, on_bench, virtually


def status_and_tags(bench: Bench) -> tuple[str, list[str]]:
    (order,) = bench.world.shopify.shop.orders.values()
    fields = [field.value for (_, key), field in order.metafields.items() if key == "order_status"]
    return (fields or [""])[0], [tag for tag in order.tags if tag.startswith("Interlock")]


def told(database: Database) -> list[str]:
    with database.begin() as c:
        rows = c.execute(
            select(operations.c.action)
            .where(operations.c.kind == "ShowStatus")
            .order_by(operations.c.planned_at)
        ).scalars()
        return [row["status"] for row in rows]


async def released(bench: Bench) -> int:
    order_id = await bench.import_one()
    await bench.look(order_id)
    for _ in range(3):
        await bench.sleep(130)
        await bench.desk.work()
        await bench.look(order_id)
    return order_id


def test_an_order_that_came_into_agreement_says_so_once_and_its_echo_changes_nothing(
    database: Database, keyring: Keyring
) -> None:
    async def life() -> None:
        async with on_bench(database, keyring, "automatic", show_status=True) as bench:
            order_id = await released(bench)
            assert status_and_tags(bench) == ("in sync", ["Interlock: in sync"])
            assert told(database) == ["in sync"]
            for _ in range(3):
                await bench.look(order_id)
                await bench.sleep(60)
            assert told(database) == ["in sync"]
            assert "Shopify order shows staff: in sync" in bench.story(order_id)

    virtually(life)


def test_a_status_does_not_count_as_work_on_an_order_that_keeps_coming_back(
    database: Database, keyring: Keyring
) -> None:
    async def life() -> None:
        async with on_bench(database, keyring, "automatic", show_status=True) as bench:
            order_id = await released(bench)
            before = bench.row(order_id).runs_in_hour
            (order,) = bench.world.shopify.shop.orders.values()
            order.tags.remove("Interlock: in sync")
            await bench.sleep(3601)
            await bench.look(order_id)
            assert status_and_tags(bench)[1] == ["Interlock: in sync"]
            assert bench.row(order_id).runs_in_hour == before

    virtually(life)


def test_a_shop_that_refuses_the_status_keeps_nothing_else_back(database: Database, keyring: Keyring) -> None:
    refusing = Broken("tagsAdd", "refused_before")

    async def life() -> None:
        async with on_bench(
            database, keyring, "automatic", show_status=True, shopify_faults=refusing
        ) as bench:
            refusing.active = True
            order_id = await released(bench)
            (order,) = bench.world.shopify.shop.orders.values()
            assert [hold for item in order.fulfillment_orders for hold in item.holds] == []
            assert bench.open_cases() == []
            refusing.active = False
            await bench.sleep(600)
            await bench.look(order_id)
            assert status_and_tags(bench) == ("in sync", ["Interlock: in sync"])

    virtually(life)
