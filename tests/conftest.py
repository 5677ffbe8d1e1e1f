"""What every test may ask for: a server, a clean database, a store, a keyring; and the end of a run, at which the stories
that were told are held against the catalogue of reasons."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring, new_key
from tests import witnessed
from tests.databases import ThrowawayServer, empty
from tests.lines import plain

SLOW_IS_NO_FAULT: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
# One commit gives one verdict: the same examples every time, and no time limit of a fifth of a second for each, which a
# busy machine misses. `--hypothesis-profile explore` looks for others.
settings.register_profile("interlock", derandomize=True, database=None, **SLOW_IS_NO_FAULT)
settings.register_profile("explore", max_examples=1000, **SLOW_IS_NO_FAULT)
settings.load_profile("interlock")
plain()


@pytest.fixture(scope="session")
def server() -> Iterator[ThrowawayServer]:
    """One server for each test process, started by the first test that needs a database."""
    with ThrowawayServer() as server:
        yield server


@pytest.fixture(scope="session")
def _shared_database(server: ThrowawayServer) -> Iterator[Database]:
    database = Database(server.new_database(), pool_size=20, check_connections=False)
    yield database
    database.dispose()


@pytest.fixture
def database(_shared_database: Database) -> Database:
    """The migrated database, without a row."""
    empty(_shared_database)
    return _shared_database


@pytest.fixture
def own_database(server: ThrowawayServer) -> Iterator[Database]:
    """A migrated database for this test alone, which it may spoil."""
    database = Database(server.new_database())
    yield database
    server.drop_database(database)


@pytest.fixture
def store(database: Database) -> InlineStore:
    """Transactions on the clean database, run inline."""
    return InlineStore(database)


@pytest.fixture
def keyring() -> Keyring:
    """A keyring with one new key."""
    return Keyring([new_key()])


# -- the proof that every reason is reached and closes as its kind says ---------------------------------------
#
# The stories run spread over worker processes; only at the end of a run does one process know what all of them saw.

_from_workers: list[witnessed.Opening] = []
_passed: set[str] = set()
_verdict: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and report.passed:
        _passed.add(report.nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    del error
    _from_workers.extend(witnessed.heard(getattr(node, "workeroutput", {}).get("witnessed", ())))


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["witnessed"] = witnessed.told(witnessed.SEEN)
        return
    if not tells_every_story(session.config):
        return
    seen = [one for one in (*_from_workers, *witnessed.SEEN) if one.story in _passed]
    troubles = witnessed.unproven(seen)
    _verdict.append(
        f"{len(seen)} openings of cases seen in stories; {len(troubles)} things unproven of the catalogue"
    )
    _verdict.extend(troubles)
    if troubles and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for line in _verdict:
        terminalreporter.write_line(line)


def tells_every_story(config: pytest.Config) -> bool:
    """Whether this run has every story in it, so that what none of them shows is shown by none."""
    option = config.option
    if option.collectonly or getattr(option, "lf", False) or getattr(option, "stepwise", False):
        return False
    if any((option.keyword, option.markexpr, option.deselect, option.ignore, option.ignore_glob)):
        return False
    asked = [config.invocation_params.dir / argument for argument in config.args]
    wanted = [config.rootpath / folder for folder in witnessed.WITNESSES]
    return all(any(Path(folder).is_relative_to(one) for one in asked) for folder in wanted)
