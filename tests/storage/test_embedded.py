"""The embedded server: what it survives, and what it refuses in words."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from interlock.storage.database import Database
from interlock.storage.embedded import (
    EmbeddedServer,
    EmbeddedServerRefused,
    OtherMajor,
    OutOfReach,
    ServerWillNotStart,
    SocketFolderUnsafe,
)

pytestmark = pytest.mark.processes


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's user can pass through, which pytest's own temporary folders are not."""
    place = Path(tempfile.mkdtemp(prefix="interlock-test-"))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedServer]:
    """A server of this test's own, stopped at the end whatever happened."""
    server = EmbeddedServer(folder / "data", test_mode=True)
    yield server
    server.stop("immediate")
    shutil.rmtree(server.socket_folder, ignore_errors=True)


@pytest.fixture
def durable(folder: Path) -> Iterator[EmbeddedServer]:
    """A server with the settings of production, which must keep what it confirmed."""
    server = EmbeddedServer(folder / "data")
    yield server
    server.stop("immediate")


def remember(server: EmbeddedServer) -> None:
    with psycopg.connect(Database(server.ensure_started()).conninfo) as connection:
        connection.execute("CREATE TABLE remembered AS SELECT 42 AS answer")


def recall(server: EmbeddedServer) -> int:
    with psycopg.connect(Database(server.ensure_started()).conninfo) as connection:
        row = connection.execute("SELECT answer FROM remembered").fetchone()
        assert row is not None
        return int(row[0])


def kill_postmaster(server: EmbeddedServer) -> None:
    os.kill(int((server.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)


def test_data_outlives_a_stop(server: EmbeddedServer) -> None:
    remember(server)
    server.stop()
    assert not server.is_running()

    assert recall(server) == 42


def test_data_outlives_a_killed_server_that_nobody_reaped(durable: EmbeddedServer) -> None:
    remember(durable)
    kill_postmaster(durable)

    assert recall(durable) == 42


def test_data_outlives_an_immediate_stop(durable: EmbeddedServer) -> None:
    remember(durable)
    durable.stop("immediate")

    assert recall(durable) == 42


@pytest.mark.parametrize("content", ["", "12", "not a number\n", "OURS\n/elsewhere\n1\n5432\n"])
def test_a_pid_file_that_lies_is_no_obstacle(server: EmbeddedServer, content: str) -> None:
    remember(server)
    server.stop()
    (server.data / "postmaster.pid").write_text(content.replace("OURS", str(os.getpid())))

    assert recall(server) == 42


def test_starting_twice_gives_one_server(server: EmbeddedServer, folder: Path) -> None:
    other = EmbeddedServer(folder / "data", test_mode=True)

    assert server.ensure_started() == other.ensure_started()
    other.stop()
    assert not server.is_running()


def test_many_first_starts_at_once_end_with_one_server(server: EmbeddedServer) -> None:
    program = (
        "import sys; from pathlib import Path; from interlock.storage.embedded import EmbeddedServer;"
        "print(EmbeddedServer(Path(sys.argv[1]), test_mode=True).ensure_started())"
    )
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(server.folder)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    addresses = [start.communicate()[0].strip() for start in starts]

    assert [start.returncode for start in starts] == [0] * 4
    assert addresses == [server.url()] * 4


def test_a_half_made_data_folder_is_made_again(server: EmbeddedServer) -> None:
    (server.folder / "postgres.new" / "base").mkdir(parents=True)
    (server.folder / "postgres.new" / "PG_VERSION").write_text("18\n")

    remember(server)

    assert recall(server) == 42


@pytest.mark.parametrize("name", ["with space's and, comma", "x" * 90])
def test_awkward_and_long_folder_names_work(folder: Path, name: str) -> None:
    server = EmbeddedServer(folder / name, test_mode=True)
    try:
        remember(server)
        assert recall(server) == 42
        assert server.socket_folder.stat().st_mode & 0o077 == 0
    finally:
        server.stop("immediate")
        shutil.rmtree(server.socket_folder)


def test_nobody_can_reach_it_over_the_network(server: EmbeddedServer) -> None:
    with psycopg.connect(Database(server.ensure_started()).conninfo) as connection:
        row = connection.execute("SHOW listen_addresses").fetchone()

    assert row == ("",)


@pytest.mark.parametrize("major", ["17", "19"])
def test_data_of_another_major_release_is_refused_unchanged_with_instructions(
    server: EmbeddedServer, major: str
) -> None:
    remember(server)
    server.stop()
    version = server.data / "PG_VERSION"
    version.write_text(f"{major}\n")

    with pytest.raises(OtherMajor, match=f"belongs to PostgreSQL {major}.*INTERLOCK_DATABASE_URL"):
        server.ensure_started()

    version.write_text("18\n")
    assert recall(server) == 42


def test_a_socket_folder_open_to_others_is_refused(server: EmbeddedServer) -> None:
    server.ensure_started()
    server.stop()
    server.socket_folder.chmod(0o777)

    with pytest.raises(SocketFolderUnsafe, match="Remove it"):
        server.ensure_started()


def test_a_server_that_will_not_start_says_where_its_log_is(server: EmbeddedServer) -> None:
    server.ensure_started()
    server.stop()
    with (server.data / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = on\n")

    with pytest.raises(ServerWillNotStart, match=r"postgres\.log"):
        server.ensure_started()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_as_root_a_folder_under_a_closed_one_is_refused(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)

    with pytest.raises(OutOfReach, match="INTERLOCK_DATA_FOLDER") as refusal:
        EmbeddedServer(closed / "data", test_mode=True).ensure_started()

    assert isinstance(refusal.value, EmbeddedServerRefused)


def test_stopping_what_never_started_is_no_error(folder: Path) -> None:
    EmbeddedServer(folder / "nothing").stop()

    assert not (folder / "nothing").exists()
