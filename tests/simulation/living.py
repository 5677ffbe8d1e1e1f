"""A history that a test file tells itself, lived through once on a database of its own."""

import random
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TypeVar

from interlock.rehearsal.loop import VirtualLoop
from interlock.storage.database import Database
from tests.databases import ThrowawayServer

T = TypeVar("T")


@contextmanager
def lived(
    server: ThrowawayServer, seed: int, story: Callable[[Database], Coroutine[None, None, T]]
) -> Iterator[T]:
    """What the story returns, on the virtual clock; its database stays until the end. `seed` orders what happens in one
    instant."""
    database = Database(server.new_database(), pool_size=5)
    loop = VirtualLoop(random.Random(seed))
    try:
        yield loop.run_until_complete(story(database))
    finally:
        loop.close()
        server.drop_database(database)
