"""The runner says what happened too seldom, and names only what can happen."""

from collections import Counter

from interlock.orders.reasons import Option, Reason
from interlock.simulator.faults import FAULT_KINDS
from tests.simulation.runner import EXPECTED, seldom

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
