"""The console in a real browser: nothing is blocked, and a page refreshes by itself."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from interlock.clock import SystemIdentifiers
from interlock.console.assets import STATIC, VENDOR
from interlock.orders.store import tell
from interlock.storage.database import Database, ThreadStore
from interlock.storage.encryption import Keyring
from interlock.web import WebParts, create_app
from tests.console.seed import CLOCK, TESTER, Stopped, Wakes, connect, edited_up, keep

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)"),
    pytest.mark.skipif(
        not all((STATIC / "vendor" / name).exists() for name in VENDOR.values()),
        reason="the console's packages are not installed (./dev assets)",
    ),
]


class ToldWhileOpen:
    """The application, in whose order something happens just before an open page asks for itself again."""

    def __init__(self, app: ASGIApp, database: Database, order_id: int) -> None:
        self._app = app
        self._database = database
        self._order_id = order_id
        self._told = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if Headers(scope=scope).get("hx-request") == "true" and not self._told:
            self._told = True
            with self._database.begin() as c:
                tell(c, self._order_id, CLOCK, "Ada", ["Rang the customer."])
        await self._app(scope, receive, send)


@pytest.fixture
def place(own_database: Database, keyring: Keyring) -> Iterator[str]:
    """The address of a served console with one order."""
    with own_database.begin() as c:
        order_id, _ = keep(c, connect(c, keyring), edited_up())
    parts = WebParts(
        ThreadStore(own_database), Stopped(), SystemIdentifiers(), Wakes(), keyring, everyone=TESTER
    )
    app = ToldWhileOpen(create_app(parts), own_database, order_id)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listening.close()


def opened(address: str, folder: Path, milliseconds: int) -> tuple[str, str]:
    """The document after so long a time of the page, and what the browser complained of."""
    assert CHROMIUM is not None
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
            f"--user-data-dir={folder}",
            f"--virtual-time-budget={milliseconds}",
            "--dump-dom",
            address,
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, "\n".join(complaints)


@pytest.mark.parametrize("path", ["/", "/orders/1", "/cases", "/health", "/connections"])
def test_the_browser_blocks_nothing_of_a_page(place: str, tmp_path: Path, path: str) -> None:
    document, complaints = opened(place + path, tmp_path, 3000)

    assert complaints == ""
    assert "Interlock" in document


def test_an_open_page_shows_what_happened_since(place: str, tmp_path: Path) -> None:
    at_once, _ = opened(f"{place}/orders/1", tmp_path / "at once", 100)
    later, complaints = opened(f"{place}/orders/1", tmp_path / "later", 5000)

    assert "Rang the customer." not in at_once
    assert "Rang the customer." in later
    assert complaints == ""
