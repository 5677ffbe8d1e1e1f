"""Seeded histories hold every invariant, and the same seed is the same history to the last call."""

import os
import subprocess
import sys

import pytest
from sqlalchemy import func, select

from interlock.orders.store import orders
from interlock.rehearsal.history import draw_plan, live, on_virtual_time
from interlock.rehearsal.judge import judge
from interlock.rehearsal.troubles import Ended
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.simulation.runner import run_seed

DETERMINISM_SEED = 14

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("seed", range(20, 28))
def test_a_history_with_faults_breaks_nothing(seed: int, database: Database, keyring: Keyring) -> None:
    ended: Ended = on_virtual_time(seed, lambda: live(seed, draw_plan(seed), database, keyring))
    verdict = judge(ended.world, quiescent=True, interruptions=ended.interruptions)
    assert [str(finding) for finding in verdict.broken] == []
    assert ended.world.process_world.troubles == []


def calls_of(seed: int, database: Database, keyring: Keyring) -> list[str]:
    """Every call both platforms received, in order, with time, outcome and reference."""
    ended: Ended = on_virtual_time(seed, lambda: live(seed, draw_plan(seed), database, keyring))
    records = [ended.world.shopify.record, *(world.record for world in ended.world.mirakl.values())]
    return [
        f"{call.at.isoformat()} {call.operation} {call.status} {call.reference} {call.fault}"
        for record in records
        for call in record.calls
    ]


def test_a_seed_is_the_same_history_after_another_one(database: Database, keyring: Keyring) -> None:
    """A run lives through hundreds on one database, and whatever it finds has to be found again by its seed alone."""
    alone = run_seed(DETERMINISM_SEED, database, keyring)
    run_seed(DETERMINISM_SEED + 1, database, keyring)
    again = run_seed(DETERMINISM_SEED, database, keyring)
    assert (again.calls, again.counters) == (alone.calls, alone.counters)
    with database.begin() as c:
        assert c.execute(select(func.min(orders.c.id))).scalar_one() == 1


def test_the_same_seed_is_the_same_history_whatever_the_hash_seed(
    database: Database, keyring: Keyring
) -> None:
    here = calls_of(DETERMINISM_SEED, database, keyring)
    elsewhere = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--calls-of", str(DETERMINISM_SEED)],
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
        timeout=280,
    ).stdout.splitlines()
    assert len(here) > 50
    assert here == elsewhere
