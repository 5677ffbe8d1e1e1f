"""The history that the judge's tests spoil, and put back afterwards."""

from collections.abc import Iterator

import pytest

from interlock.rehearsal.world import World
from tests.databases import ThrowawayServer
from tests.simulation.bench import Bench, a_calm_hour, put_back
from tests.simulation.living import lived


@pytest.fixture(scope="module")
def finished(server: ThrowawayServer) -> Iterator[World]:
    """A clean history of one order, lived once for all tests of a file; a file may tell another one instead."""
    with lived(server, 7, a_calm_hour) as told:
        yield told


@pytest.fixture
def bench(finished: World) -> Iterator[Bench]:
    """The history, to be spoiled."""
    with put_back(finished), finished.database.engine.connect() as connection:
        yield Bench(finished, connection)
        connection.rollback()
