"""The runner says what happened too seldom, names only what can happen, and gives the judge what the service logged."""

from collections import Counter
from typing import Any

import pytest

from interlock.logs import logger
from interlock.orders.reasons import Option, Reason
from interlock.rehearsal import hardship
from interlock.rehearsal.history import live
from interlock.rehearsal.troubles import Ended
from interlock.simulator.faults import FAULT_KINDS
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.lines import plain
from tests.simulation.runner import EXPECTED, regressions, run_seed, seldom

BEFORE_LONG_OUTAGES = 55
"""How many seeds had been committed when they did."""
POSSIBLE = {
    "case": [reason.value for reason in Reason],
    "answer": [option.value for option in Option],
    "fault:": FAULT_KINDS,
}


def test_what_happened_too_seldom_is_named() -> None:
    counters = Counter({name: 20 for name in EXPECTED})
    assert seldom(counters, 20) == []
    counters["lease lost"] = 19
    del counters["webhook lost"]
    assert seldom(counters, 20) == ["lease lost", "webhook lost"]


def test_expected_cases_answers_and_faults_exist_and_every_fault_is_expected() -> None:
    for name in EXPECTED:
        kind, _, what = name.partition(" ")
        assert kind not in POSSIBLE or what in POSSIBLE[kind], name
    assert {f"fault: {kind}" for kind in FAULT_KINDS} <= set(EXPECTED)


def test_a_line_logged_in_a_history_reaches_the_judge(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = ["CANARY-first-00000001"]

    async def talkative(*arguments: Any, **others: Any) -> Ended:
        logger().info("order.read", shop=told[0])
        return await live(*arguments, **others)

    monkeypatch.setattr("tests.simulation.runner.live", talkative)
    try:
        spoiled = run_seed(3, database, keyring)
        told[0] = "a shop"
        clean = run_seed(3, database, keyring)
    finally:
        plain()
    assert [words for words in spoiled.violations if words.startswith("I12") and "log line" in words]
    assert clean.violations == []
    assert clean.counters["checked I12 logs"] > 0


def test_no_committed_seed_became_another_history_when_long_outages_came_in() -> None:
    assert [seed for seed in regressions()[:BEFORE_LONG_OUTAGES] if hardship.drawn(seed) is not None] == []
    drawn = [found for seed in range(20_000) if (found := hardship.drawn(seed)) is not None]
    assert 200 < len(drawn) < 400
    assert min(found.lasts for found in drawn) < 20 * 60
    assert max(found.lasts for found in drawn) > 5 * 3600
