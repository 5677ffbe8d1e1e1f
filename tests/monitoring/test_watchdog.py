"""The watchdog: what it pages, in values; its file; and with a real service that is really killed."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import update

from interlock.engine.store import connections
from interlock.monitoring.channels import add_channel
from interlock.monitoring.deadlines import FileUnusable, LastKnown, OrderDeadline, read, write
from interlock.monitoring.watchdog import Seen, Watchdog, pages_due
from interlock.orders.store import add_order, orders
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, new_key
from tests.console.seed import Stopped, connect
from tests.monitoring.receiver import Receiver
from tests.ports import free_port

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ORDER = OrderDeadline("M-1", "atlas", NOON - 60 * MINUTE, NOON + 540 * MINUTE)
KNOWN = LastKnown(NOON, (ORDER,), ("json://127.0.0.1:9/",))


def keys(seen: Seen, said: dict[str, datetime] | None = None) -> list[str]:
    return [key for key, _ in pages_due(seen, said or {})]


@pytest.mark.parametrize(
    ("minutes_gone", "said", "due"),
    [
        (1.9, {}, []),
        (2, {}, ["gone"]),
        (5, {"gone": NOON - MINUTE}, []),
        (20, {"gone": NOON - 10 * MINUTE}, ["gone"]),
    ],
)
def test_a_service_that_is_gone_is_paged_after_two_minutes_and_again_every_ten(
    minutes_gone: float, said: dict[str, datetime], due: list[str]
) -> None:
    assert keys(Seen(NOON, False, NOON - minutes_gone * MINUTE, KNOWN), said) == due


def test_a_deadline_that_nears_while_the_service_is_gone_is_paged_once_a_rung() -> None:
    def at(minutes: int, said: dict[str, datetime]) -> list[str]:
        now = NOON + minutes * MINUTE
        return keys(Seen(now, False, now - 5 * MINUTE, KNOWN), {"gone": now, **said})

    assert at(100, {}) == []
    assert at(180, {}) == ["atlas M-1 40"]
    assert at(190, {"atlas M-1 40": NOON}) == []
    assert at(300, {"atlas M-1 40": NOON}) == ["atlas M-1 60"]
    assert at(600, {}) == ["atlas M-1 100"]


def test_nothing_is_paged_while_the_service_answers_and_is_heard() -> None:
    assert keys(Seen(NOON + 600 * MINUTE, True, None, KNOWN)) == []


def test_a_service_without_a_worker_is_paged_with_its_deadlines() -> None:
    assert keys(Seen(NOON + 180 * MINUTE, True, None, KNOWN, silent=True)) == ["silent", "atlas M-1 40"]


def test_a_file_of_no_use_is_paged_and_only_while_nothing_worse_is_so() -> None:
    blind = Seen(NOON, True, None, KNOWN, blind="The watchdog's file does not exist.")

    assert keys(blind) == ["blind"]
    assert keys(blind, {"blind": NOON - 9 * MINUTE}) == []
    assert keys(replace(blind, silent=True)) == ["silent"]


@dataclass
class Console:
    """Answers as /healthz does. `heard` is how many seconds ago a worker was heard."""

    heard: float | None = 1.0
    body: bytes = b""

    async def get(self, url: str, timeout: float) -> httpx2.Response:
        del url, timeout
        return httpx2.Response(200, content=self.body or json.dumps({"worker_heard_seconds": self.heard}))


def watched(dog: Watchdog, clock: Stopped, receiver: Receiver, minutes: int) -> list[str]:
    """What is paged while the watchdog looks once a minute."""
    before = len(receiver.at("pager"))

    async def looks() -> None:
        for _ in range(minutes):
            await dog.look()
            clock.moment += MINUTE

    asyncio.run(looks())
    return [body["title"] for body in receiver.at("pager")[before:]]


BLIND = "[PAGE] The watchdog of Interlock cannot see the orders that wait"
SILENT = "[PAGE] No worker of Interlock runs"


def a_dog(file: Path | None, console: Console, clock: Stopped, *channels: str) -> Watchdog:
    return Watchdog("http://x/healthz", file, clock, console, channels, say=lambda _: None)  # type: ignore[arg-type]


def test_a_watchdog_whose_file_never_comes_says_so(
    tmp_path: Path, clock: Stopped, receiver: Receiver
) -> None:
    dog = a_dog(tmp_path / "none.json", Console(), clock, receiver.url("pager"))

    assert watched(dog, clock, receiver, 2) == []
    assert watched(dog, clock, receiver, 2) == [BLIND]
    assert "none.json does not exist" in receiver.at("pager")[0]["message"]
    assert watched(dog, clock, receiver, 10) == [BLIND]


def test_a_file_that_is_lost_or_grows_old_is_paged_by_the_channels_it_named(
    tmp_path: Path, clock: Stopped, receiver: Receiver
) -> None:
    file = tmp_path / "watchdog.json"

    def written() -> None:
        write(file, LastKnown(clock.now(), (ORDER,), (receiver.url("pager"),)))

    written()
    dog = a_dog(file, Console(), clock)
    assert watched(dog, clock, receiver, 3) == []
    assert watched(dog, clock, receiver, 1) == [BLIND]
    assert "was last written 3 minutes ago" in receiver.at("pager")[0]["message"]

    written()
    assert watched(dog, clock, receiver, 1) == []
    file.unlink()
    assert watched(dog, clock, receiver, 3) == [BLIND]


@pytest.mark.parametrize("console", [Console(heard=None), Console(body=b"ok"), Console(heard=121.0)])
def test_without_a_file_the_service_says_that_no_worker_is_heard(
    console: Console, clock: Stopped, receiver: Receiver
) -> None:
    dog = a_dog(None, console, clock, receiver.url("pager"))

    assert watched(dog, clock, receiver, 3) == [SILENT]
    console.heard, console.body = 3.0, b""
    assert watched(dog, clock, receiver, 30) == []


def test_without_its_file_the_watchdog_still_pages() -> None:
    ((key, message),) = pages_due(Seen(NOON, False, NOON - 3 * MINUTE, None), {})

    assert key == "gone"
    assert "cannot be read either" in message.body


def test_the_file_is_whole_and_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "watchdog.json"

    write(path, KNOWN)
    write(path, KNOWN)

    assert read(path) == KNOWN
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["watchdog.json"]


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        (None, 0o600, "does not exist"),
        ("{}", 0o644, "open to others"),
        ("{}", 0o600, "not of a kind"),
        ('{"format": 2}', 0o600, "not of a kind"),
        ("[", 0o600, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, text: str | None, mode: int, why: str) -> None:
    path = tmp_path / "watchdog.json"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)

    with pytest.raises(FileUnusable, match=why):
        read(path)


def until(what: str, seconds: float, met: Callable[[], bool], log: Path) -> None:
    """Wait until something is so; fail by its name, and with the end of the service's log, when it takes too long."""
    for _ in range(int(seconds * 10)):
        if met():
            return
        time.sleep(0.1)
    raise AssertionError(f"After {seconds:g} s: {what}. The service wrote: {log.read_text()[-4000:]}")


@pytest.mark.processes
@pytest.mark.timeout(400)
def test_a_service_that_is_really_killed_is_paged_with_the_orders_that_wait(
    own_database: Database, tmp_path: Path
) -> None:
    key, port = new_key(), free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
        "INTERLOCK_DATABASE_URL": own_database.url,
        "INTERLOCK_DATA_FOLDER": str(tmp_path),
        "INTERLOCK_KEY": key,
        "INTERLOCK_HTTP_PORT": str(port),
        "INTERLOCK_ALLOW_LOOPBACK_HTTP": "true",
    }
    program = [sys.executable, "-m", "interlock.cli"]
    keyring, now = Keyring([key]), datetime.now(UTC)  # noqa: TID251 - real processes live in real time
    with Receiver() as receiver:
        with own_database.begin() as c:
            connection = connect(c, keyring)
            # Nobody listens there: whether this machine reaches a real shop is not to matter.
            nobody = f"http://127.0.0.1:{free_port()}"
            c.execute(update(connections).values(mirakl_origin=nobody, shopify_origin=nobody))
            window = connection.rules.acceptance_window
            assert window is not None
            order_id = add_order(c, connection.id, "M-77", "", now)
            c.execute(
                update(orders)
                .where(orders.c.id == order_id)
                .values(mirakl_state="WAITING_ACCEPTANCE", acceptance_due_at=now + window / 2)
            )
            add_channel(c, keyring, "pager", "paging", receiver.url("pager"), "Kim", now)
        log = tmp_path / "service.log"
        with log.open("wb") as output:
            service = subprocess.Popen(
                [*program, "serve"], env=environment, stdout=output, stderr=subprocess.STDOUT
            )
        dog = None
        try:
            file = tmp_path / "watchdog.json"

            def is_there() -> bool:
                return service.poll() is not None or (file.exists() and bool(read(file).deadlines))

            until("no file is there", 150, is_there, log)
            assert service.poll() is None, log.read_text()
            assert "M-77" in file.read_text()
            dog = subprocess.Popen(
                [*program, "watchdog", "--after", "1", "--every", "0.3"],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            assert dog.stdout is not None
            assert dog.stdout.readline().startswith("Watching")
            time.sleep(2)

            def of_the_dog() -> list[str]:
                return [body["title"] for body in receiver.at("pager") if "Interlock does" in body["title"]]

            assert of_the_dog() == []
            service.send_signal(signal.SIGKILL)
            service.wait(10)
            until("nobody was paged", 150, lambda: len(of_the_dog()) >= 2, log)
            time.sleep(2)
            titles = of_the_dog()
            assert titles[0] == "[PAGE] Interlock does not answer"
            assert titles[1].startswith("[PAGE] atlas: the time to accept M-77 is")
            assert len(titles) == 2
        finally:
            for process in (service, dog):
                if process is not None and process.poll() is None:
                    process.kill()
                    process.wait(10)
            if dog is not None and dog.stdout is not None:
                dog.stdout.close()
