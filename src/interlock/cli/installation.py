"""One installation as a command opens it: settings, database, keyring, and where wake-ups go."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from interlock.access.audit_log import asking, recorded
from interlock.cli.telling import Exit, end
from interlock.clock import SystemClock
from interlock.engine.jobs import ProcrastinateQueue
from interlock.settings import Settings, SettingsInvalid, load_settings
from interlock.storage.database import NOT_KEPT, Database, clock_offset
from interlock.storage.embedded import EmbeddedServer, EmbeddedServerRefused
from interlock.storage.encryption import KeyRefused, Keyring, Undecipherable, open_keyring
from interlock.storage.installation import check_keyring
from interlock.storage.migrations import DatabaseIsNewer, check, upgrade
from interlock.storage.trouble import trouble_of
from interlock.tables import metadata

T = TypeVar("T")


@dataclass(frozen=True)
class Installation:
    """What commands work with."""

    settings: Settings
    database: Database
    keyring: Keyring
    clock: SystemClock
    queue: ProcrastinateQueue

    def tx(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in one transaction. What a command of somebody changes leaves an entry in the audit log."""
        run = recorded(fn, self.clock.now())
        with self.database.begin() as c:
            return run(c)


def settings_or_end() -> Settings:
    """The settings, or the end of the command with the sentence that names what is wrong."""
    try:
        return load_settings()
    except SettingsInvalid as wrong:
        end(Exit.REFUSED, str(wrong))


def database_of(settings: Settings) -> Database:
    """The database of the settings; the embedded server is started when it is the one meant."""
    if settings.database_url is not None:
        return Database(settings.database_url, pool_size=4)
    return Database(EmbeddedServer(settings.data_folder).ensure_started(), pool_size=4)


@contextmanager
def opened(upgraded: bool = True) -> Iterator[Installation]:
    """The installation for one command; every way it can fail ends the command with a sentence.

    The embedded database belongs to this installation alone and is brought up to date on the way; one of your own is
    only upgraded by `interlock db upgrade`. `upgraded` false asks for neither, nor whether the key is the one it was made
    with.
    """
    settings = settings_or_end()
    database: Database | None = None
    try:
        keyring = open_keyring(settings.key, settings.data_folder)
        database = database_of(settings)
        if upgraded and settings.database_url is None:
            upgrade(database)
        elif upgraded:
            pending = check(database, metadata)
            if pending:
                end(Exit.REFUSED, f"{pending[0]} Nothing was changed.")
        if upgraded:
            with database.begin() as c:
                check_keyring(c, keyring)
        clock = SystemClock()
        clock.follow(clock_offset(database, clock))
        yield Installation(settings, database, keyring, clock, ProcrastinateQueue())
    except (EmbeddedServerRefused, KeyRefused, DatabaseIsNewer, Undecipherable) as refused:
        end(Exit.REFUSED, str(refused))
    except DataError:
        end(Exit.REFUSED, f"{NOT_KEPT} Nothing was changed.")
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        trouble = trouble_of(error)
        end(
            Exit.UNREACHABLE if trouble.passes else Exit.REFUSED,
            f"{trouble.what} Nothing was changed. {trouble.to_do}",
        )
    finally:
        asking.set(None)
        if database is not None:
            database.dispose()
