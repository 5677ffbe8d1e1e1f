"""One access token serves every worker: a shop may end the former one when it gives another (reference 17.11)."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx2

from interlock.engine.store import shop_tokens
from interlock.shopify import read
from interlock.shopify.account import ShopifyShop
from interlock.shopify.client import ShopifyClient, Token
from interlock.simulator.clock import PlatformClock
from interlock.simulator.shopify.switches import SHOPIFY_SWITCHES
from interlock.simulator.shopify.world import ShopifyWorld
from interlock.simulator.switches import Switches
from interlock.simulator.transport import ClockedASGITransport
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring, new_key
from interlock.wiring import StoredShelf
from tests.shopify.shop import OpenBudget

LATER = datetime(2026, 12, 1, tzinfo=UTC)


def _shelf(database: Database, keyring: Keyring, secret: str = "secret") -> StoredShelf:
    return StoredShelf(InlineStore(database), keyring, "shopify shop app", secret)


def test_workers_do_not_take_the_token_from_one_another(database: Database, keyring: Keyring) -> None:
    async def both_ask() -> tuple[int, int]:
        switches = Switches(SHOPIFY_SWITCHES)
        switches.set("old_token_after_refresh", "revoked")
        world = ShopifyWorld(PlatformClock(), 1, switches=switches)
        app, shop = world.main_app, world.shop
        async with httpx2.AsyncClient(transport=ClockedASGITransport(world.app)) as http:
            clients = [
                ShopifyClient(
                    ShopifyShop(shop.domain, f"https://{shop.domain}", app.client_id, app.secrets[0]),
                    http,
                    OpenBudget(),
                    world.clock.now,
                    _shelf(database, keyring),
                )
                for _ in range(3)
            ]
            for _ in range(4):
                for client in clients:
                    await read.instance_mark(client)
        asked = sum(1 for call in world.record.calls if call.operation == "accessToken")
        return asked, sum(1 for call in world.record.calls if call.status == 401)

    assert asyncio.run(both_ask()) == (1, 0)


def test_a_token_given_for_another_secret_is_not_taken(database: Database, keyring: Keyring) -> None:
    async def put_and_take() -> None:
        token = Token("shpat_1", LATER)
        await _shelf(database, keyring).put(token)
        assert await _shelf(database, keyring).taken() == token
        assert await _shelf(database, keyring, "a new secret").taken() is None
        assert await _shelf(database, Keyring([new_key()])).taken() is None
        younger = Token("shpat_2", LATER + timedelta(hours=1))
        await _shelf(database, keyring).put(younger)
        assert await _shelf(database, keyring).taken() == younger

    asyncio.run(put_and_take())
    with database.begin() as c:
        assert b"shpat" not in c.execute(shop_tokens.select()).one().token
