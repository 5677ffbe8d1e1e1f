"""A console that a real browser opens: its own database, real sockets, and a story told in it."""

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
import uvicorn
from sqlalchemy import insert, update

from interlock.access import people, sessions
from interlock.access.erasures import keep_request
from interlock.access.roles import Grant, Role
from interlock.access.rules import AccessRules
from interlock.access.store import make_key, revoke_key
from interlock.cases.store import open_connection_case
from interlock.clock import SystemIdentifiers
from interlock.console.assets import STATIC, VENDOR
from interlock.engine.store import beat, polls
from interlock.monitoring import outbox
from interlock.monitoring.decide import Alert
from interlock.orders.codec import encode
from interlock.orders.reasons import Reason
from interlock.orders.store import mirakl_documents, orders, tell
from interlock.orders.view import View
from interlock.storage.database import Database, ThreadStore
from interlock.storage.encryption import Keyring, new_key
from interlock.web import WebParts, create_app
from tests.build import a_memory
from tests.console.seed import (
    CLOCK,
    TESTER,
    Stopped,
    Wakes,
    connect,
    edited_up,
    keep,
    shipped_with,
    sku_unknown,
)
from tests.refunds.test_decide import look, shopify_refund

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NO_BROWSER = (
    "no Chromium on this machine: ./dev test installs it where it runs as root and apt-get has it; elsewhere put chromium, "
    "chromium-browser or google-chrome on the path"
)
ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
EVIL = (
    "<script>window.hurt=1</script>{{7*7}}${7*7}\"'><img src=x onerror=window.hurt=1>\u202e=cmd|'/C calc'!A0"
)
"""What somebody may write into a note, a name or a SKU: marks, template braces, quotes, a turn of direction, a formula."""

NEEDS_A_BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason=NO_BROWSER),
    pytest.mark.skipif(
        not all((STATIC / "vendor" / name).exists() for name in VENDOR.values()),
        reason="the console's packages are not installed (./dev assets)",
    ),
]


@dataclass(frozen=True)
class Served:
    """A console at `address` over `database`, with the orders of the story by name. `doorstep` is the address of the same
    console where people have to sign in, `token` that of a session in which somebody is signed in there, and `keyring` what
    seals its links."""

    address: str
    doorstep: str
    database: Database
    edited: int
    waiting: int
    shipped: int
    refunded: int
    token: str
    keyring: Keyring


@contextmanager
def serving(database: Database) -> Iterator[Served]:
    """Serve a console in which an order was edited, one waits for acceptance, one has left with a strange carrier and of
    one money was refunded in Shopify alone; somebody was told of it."""
    keyring = Keyring([new_key()])
    with database.begin() as c:
        row = connect(c, keyring)
        edited, plan = keep(c, row, edited_up())
        held = encode(replace(plan.memory, held=("FO1",)))
        c.execute(update(orders).where(orders.c.id == edited).values(memory=held))
        waiting, _ = keep(c, row, sku_unknown())
        shipped, _ = keep(c, row, shipped_with("Pigeon Post"))
        refunded, _ = keep(c, row, refunded_in_shopify())
        document = json.dumps({"order_id": "M-1001-A", "customer": {"lastname": "Canary"}}).encode()
        kept = {
            "order_id": edited,
            "observed_at": CLOCK,
            "updated_at": CLOCK,
            "digest": "d",
            "body": keyring.encrypt(document),
        }
        c.execute(insert(mirakl_documents).values(kept))
        told = [Alert("k", "g", "page", ("operations",), EVIL, connection=row.name)]
        outbox.keep(c, told, CLOCK)
        c.execute(
            update(orders)
            .where(orders.c.id == waiting)
            .values(acceptance_due_at=CLOCK + timedelta(hours=20), mirakl_state="WAITING_ACCEPTANCE")
        )
        tell(c, edited, CLOCK, "Ada", [EVIL])
        open_connection_case(c, row.id, Reason.UNREADABLE_ORDER, EVIL, EVIL, CLOCK)
        beat(c, "due sweep", CLOCK)
        c.execute(update(polls).values(last_ok_at=CLOCK))
        admin = people.add_person(c, keyring, "ada", EVIL[:60], "", [Grant(Role.ADMIN)], "test", CLOCK)
        people.offer_second_factor(c, keyring, admin, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
        code = pyotp.TOTP("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").at(CLOCK)
        assert people.confirm_second_factor(c, keyring, admin, code, CLOCK)
        people.keep_password(c, keyring, admin, "none that opens anything")
        token = sessions.begin(c, keyring, admin, "Test browser", CLOCK, AccessRules().longest)
        keep_request(c, "atlas.myshopify.com", "customers/redact", "w1", keyring.encrypt(document), CLOCK)
        make_key(c, "warehouse <b>", ["labels:check", "orders:read"], "ada", CLOCK)
        revoke_key(c, make_key(c, "old", ["orders:read"], "ada", CLOCK)[0].id, "ada", CLOCK)
    parts = WebParts(ThreadStore(database), Stopped(), SystemIdentifiers(), Wakes(), keyring, everyone=TESTER)
    with _listening(parts) as address, _listening(replace(parts, everyone=None)) as doorstep:
        yield Served(address, doorstep, database, edited, waiting, shipped, refunded, token, keyring)


@contextmanager
def _listening(parts: WebParts) -> Iterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(parts), log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


def refunded_in_shopify() -> View:
    """Staff refunded one mug in Shopify; the marketplace knows nothing of it."""
    view = look(shopify_refund())
    assert view.mirakl is not None
    assert view.shopify is not None
    return replace(
        view,
        order_id="M-1005-A",
        mirakl=replace(view.mirakl, order_id="M-1005-A", seller_reference="#1005"),
        shopify=replace(view.shopify, id="SO5", name="#1005", marker="atlas:M-1005-A"),
        memory=a_memory(shopify_order_id="SO5", shopify_order_name="#1005"),
    )
