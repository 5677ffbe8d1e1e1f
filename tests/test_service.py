"""The running service: where it listens, what it waits for, and that nothing ends it but being asked to."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import Connection, create_engine, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from interlock.clock import SystemClock, SystemIdentifiers
from interlock.engine.store import counts, heartbeats, polls
from interlock.service import (
    AddressTaken,
    AddressUnusable,
    HttpClients,
    NotThisMachine,
    Pace,
    Service,
    answer,
    is_away,
    listen,
    listener,
    opened,
    refuse_unsafe,
    serve_app,
    tell_first_admin,
    webhook_address,
)
from interlock.settings import Settings, SettingsInvalid, load_settings
from interlock.storage.database import Database, Store
from interlock.storage.encryption import Keyring, new_key
from interlock.storage.trouble import DatabaseRefused
from interlock.web import WebParts, create_app
from tests.console.seed import TESTER
from tests.ports import free_port

FAST = Pace(due=0.05, watchdog=0.05, heartbeat=0.05, database=0.05, desks=0.05)


def service(database: Database, keyring: Keyring) -> Service:
    return Service(
        database,
        SystemClock(),
        SystemIdentifiers(),
        keyring,
        b"key",
        HttpClients(SystemClock()).for_origin,
        loopback_http=False,
        worker="test",
        pace=FAST,
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "interlock.example"])
def test_serve_listens_where_others_can_reach_it_only_over_tls(host: str, tmp_path: Path) -> None:
    with pytest.raises(NotThisMachine, match="INTERLOCK_PUBLIC_URL names no https"):
        refuse_unsafe(Settings(http_host=host))
    with pytest.raises(NotThisMachine, match="INTERLOCK_PUBLIC_URL names no https"):
        refuse_unsafe(
            Settings(http_host=host, public_url="http://interlock.example", trusted_proxies="10.0.0.1")
        )
    with pytest.raises(NotThisMachine, match="neither a certificate nor a proxy"):
        refuse_unsafe(Settings(http_host=host, public_url="https://interlock.example"))
    behind = Settings(http_host=host, public_url="https://interlock.example", trusted_proxies="10.0.0.0/24")
    refuse_unsafe(behind)
    chain, private = _certificate(tmp_path, "interlock.example")
    refuse_unsafe(
        Settings(
            http_host=host,
            public_url="https://interlock.example",
            tls_certificate=chain,
            tls_key=private,
        )
    )


def test_a_certificate_that_cannot_be_used_is_named_before_anything_starts(tmp_path: Path) -> None:
    chain, private = _certificate(tmp_path, "interlock.example")
    empty = tmp_path / "empty.pem"
    empty.write_text("")

    def refused(certificate: Path, key: Path) -> str:
        with pytest.raises(SettingsInvalid) as found:
            refuse_unsafe(Settings(tls_certificate=certificate, tls_key=key))
        return str(found.value)

    assert "INTERLOCK_TLS_CERTIFICATE: " in refused(tmp_path / "none.pem", private)
    assert "none.pem cannot be read (No such file" in refused(tmp_path / "none.pem", private)
    assert "INTERLOCK_TLS_KEY: " in refused(chain, tmp_path)
    assert "no certificate and its private key" in refused(empty, private)
    assert "no certificate and its private key" in refused(chain, chain)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"tls_certificate": "chain.pem"}, "INTERLOCK_TLS_KEY"),
        ({"tls_key": "key.pem"}, "INTERLOCK_TLS_CERTIFICATE"),
        ({"oidc_issuer": "https://id.example"}, "INTERLOCK_OIDC_CLIENT_ID"),
        ({"oidc_issuer": "https://id.example", "oidc_client_id": "x"}, "INTERLOCK_PUBLIC_URL"),
    ],
)
def test_half_a_setting_is_named(given: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsInvalid, match=named):
        refuse_unsafe(Settings(**given))


def test_a_taken_port_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(AddressTaken, match=str(port)):
            listener("127.0.0.1", port)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.7"])
def test_an_address_that_is_not_of_this_machine_is_no_port_that_is_taken(host: str) -> None:
    with pytest.raises(AddressUnusable, match="INTERLOCK_HTTP_HOST"):
        listener(host, free_port())


def test_of_two_that_start_in_one_moment_the_second_is_told_that_the_port_is_taken() -> None:
    port = free_port()
    with listener("127.0.0.1", port) as first, listener("127.0.0.1", port) as second:
        listen(first)
        with pytest.raises(AddressTaken, match=str(port)):
            listen(second)
        with socket.create_connection(("127.0.0.1", port), 5):
            pass


def test_deliveries_of_a_shop_have_an_address_of_their_own() -> None:
    assert (
        webhook_address("https://interlock.example", "shop.myshopify.com")
        == "https://interlock.example/webhooks/shopify/shop.myshopify.com"
    )


def test_a_database_that_is_away_is_told_from_a_statement_that_failed(database: Database) -> None:
    nowhere = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=1")
    with pytest.raises(DBAPIError) as away:
        nowhere.connect()
    with database.begin() as c:
        c.execute(text("SET LOCAL statement_timeout = '20ms'"))
        with pytest.raises(DBAPIError) as slow:
            c.execute(text("SELECT pg_sleep(1)"))
        c.rollback()
    assert (is_away(away.value), is_away(slow.value), is_away(psycopg.OperationalError())) == (
        True,
        False,
        False,
    )


def test_a_service_works_until_it_is_asked_to_stop_and_leaves_no_lead_behind(
    database: Database, keyring: Keyring
) -> None:
    with database.begin() as c:
        now = SystemClock().now()
        c.execute(polls.insert().values(name="a poll", owner="test", lease_until=now + timedelta(minutes=2)))

    wanted = {"acceptance watchdog", "due sweep", "worker test"}

    async def scenario() -> list[str]:
        stop = asyncio.Event()
        running = asyncio.ensure_future(service(database, keyring).run(stop))
        names: list[str] = []
        for _ in range(3000):
            await asyncio.sleep(0.02)
            with database.begin() as c:
                names = list(c.execute(select(heartbeats.c.name).order_by(heartbeats.c.name)).scalars())
            if wanted <= set(names):
                break
        stop.set()
        await running
        return names

    assert wanted <= set(asyncio.run(scenario()))
    with database.begin() as c:
        assert c.execute(select(polls.c.owner, polls.c.lease_until)).one() == (None, None)
        assert "worker test" not in c.execute(select(heartbeats.c.name)).scalars().all()


def test_a_duty_that_fails_is_counted_and_tried_again(own_database: Database, keyring: Keyring) -> None:
    with own_database.begin() as c:
        c.execute(text("ALTER TABLE orders RENAME TO orders_elsewhere"))

    async def scenario() -> None:
        stop = asyncio.Event()
        running = asyncio.ensure_future(service(own_database, keyring).run(stop))
        for _ in range(1000):
            await asyncio.sleep(0.05)
            with own_database.begin() as c:
                if ("duty_failed", "due sweep") in counts(c):
                    break
        with own_database.begin() as c:
            c.execute(text("ALTER TABLE orders_elsewhere RENAME TO orders"))
        for _ in range(1000):
            await asyncio.sleep(0.05)
            with own_database.begin() as c:
                if "due sweep" in c.execute(select(heartbeats.c.name)).scalars().all():
                    break
        stop.set()
        await running

    asyncio.run(scenario())
    with own_database.begin() as c:
        found = counts(c)
        beats = c.execute(select(heartbeats.c.name)).scalars().all()
    assert found["duty_failed", "due sweep"] >= 1
    assert "due sweep" in beats


def test_opening_waits_for_a_database_that_is_away_until_told_to_stop() -> None:
    settings = load_settings(
        {"INTERLOCK_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "INTERLOCK_KEY": new_key()}
    )

    async def scenario() -> object:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.3, stop.set)
        return await opened(settings, stop, with_upgrade=False)

    assert asyncio.run(scenario()) is None


def test_opening_ends_at_once_where_the_server_has_no_database_of_that_name(database: Database) -> None:
    none = make_url(database.url).set(database="no_such_one").render_as_string(hide_password=False)
    settings = load_settings({"INTERLOCK_DATABASE_URL": none, "INTERLOCK_KEY": new_key()})

    with pytest.raises(DatabaseRefused, match="has no database of that name"):
        asyncio.run(opened(settings, asyncio.Event(), with_upgrade=True))


class _AwayAtFirst:
    """A store whose database is away for the first transaction."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.asked = 0

    async def tx(self, fn: Callable[[Connection], Any]) -> Any:
        self.asked += 1
        if self.asked == 1:
            raise OperationalError("SELECT 1", {}, psycopg.OperationalError("the server is shutting down"))
        return await self.store.tx(fn)


def test_the_first_link_is_told_once_the_database_answers(database: Database, keyring: Keyring) -> None:
    said: list[str] = []

    async def scenario() -> int:
        store = _AwayAtFirst(service(database, keyring).parts.store)
        await tell_first_admin(store, SystemClock(), "http://here", asyncio.Event(), said.append)
        return store.asked

    assert asyncio.run(scenario()) == 2
    assert ["http://here/welcome/" in line for line in said] == [True]


def test_the_web_application_answers_on_the_socket_and_ends_with_the_event(
    database: Database, keyring: Keyring
) -> None:
    async def scenario() -> int:
        parts = service(database, keyring).parts
        app = create_app(WebParts(parts.store, parts.clock, parts.identifiers, parts.queue, keyring))
        stop = asyncio.Event()
        sock = listener("127.0.0.1", 0)
        running = asyncio.ensure_future(serve_app(app, sock, stop))
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
            answered = await client.get(f"http://127.0.0.1:{sock.getsockname()[1]}/healthz")
        stop.set()
        await running
        return answered.status_code

    assert asyncio.run(scenario()) == 200


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for this name that signs itself, and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = SystemClock().now()
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return chain, private


def test_the_console_is_served_over_tls_and_over_nothing_else(database: Database, tmp_path: Path) -> None:
    chain, private = _certificate(tmp_path, "localhost")
    key = new_key()
    said: list[str] = []

    async def scenario() -> tuple[httpx2.Response, httpx2.Response]:
        port = free_port()
        settings = Settings(
            database_url=database.url,
            key=key,
            data_folder=tmp_path,
            http_port=port,
            public_url=f"https://localhost:{port}",
            tls_certificate=chain,
            tls_key=private,
        )
        stop = asyncio.Event()
        running = asyncio.ensure_future(answer(settings, stop, with_worker=False, say=said.append))
        trusted = ssl.create_default_context(cafile=str(chain))
        async with httpx2.AsyncClient(trust_env=False, timeout=60, verify=trusted) as client:
            for _ in range(1000):
                if any("/welcome/" in line for line in said):
                    break
                await asyncio.sleep(0.05)
            well = await client.get(f"https://localhost:{port}/healthz")
            login = await client.get(f"https://localhost:{port}/login")
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as stranger:
            with pytest.raises(httpx2.ConnectError):
                await stranger.get(f"https://localhost:{port}/healthz")  # whose certificate is not known
            with pytest.raises(httpx2.HTTPError):
                await stranger.get(f"http://localhost:{port}/healthz")
        stop.set()
        await running
        return well, login

    well, login = asyncio.run(scenario())
    assert well.status_code == 200
    assert login.status_code == 200
    assert login.headers["strict-transport-security"] == "max-age=31536000"
    (cookie,) = login.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-")
    assert "Secure" in cookie
    assert said[0].startswith("Interlock is at https://localhost:")


def test_a_page_that_listens_does_not_keep_the_service_from_ending(
    database: Database, keyring: Keyring
) -> None:
    async def scenario() -> tuple[int, float]:
        parts = service(database, keyring).parts
        app = create_app(
            WebParts(parts.store, parts.clock, parts.identifiers, parts.queue, keyring, everyone=TESTER)
        )
        stop = asyncio.Event()
        sock = listener("127.0.0.1", 0)
        running = asyncio.ensure_future(serve_app(app, sock, stop, before_end=app.state.changes.close))
        loop = asyncio.get_running_loop()
        address = f"http://127.0.0.1:{sock.getsockname()[1]}/events?of=everything"
        async with (
            httpx2.AsyncClient(trust_env=False, timeout=60) as client,
            client.stream("GET", address) as page,
        ):
            loop.call_later(0.2, stop.set)
            asked_at = loop.time() + 0.2
            async for _ in page.aiter_bytes():
                pass
            await running
        return page.status_code, loop.time() - asked_at

    status, seconds = asyncio.run(scenario())

    assert status == 200
    assert seconds < 5  # the server itself would have waited five seconds and then broken it off
