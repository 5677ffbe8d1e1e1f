"""A crash between any commit and any send changes nothing for good (reliability study 4.5)."""

import pytest

from interlock.rehearsal.scenarios import SCENARIOS, Scenario
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.simulation.sweep import SHORTEST, Choose, perform, sweep, sweep_pairs

IN_FULL = (SCENARIOS[0], SCENARIOS[4])
SAMPLED = tuple(scenario for scenario in SCENARIOS if scenario not in IN_FULL)


def _telling(boundaries: list[str]) -> list[int]:
    """All boundaries, of idle ticks of the read desk in a row only the first: the others are the same moment for
    the order. `python -m tests.simulation.sweep` crashes at those too."""
    idle = [name.startswith("desk:") for name in boundaries]
    return [n for n in range(len(boundaries)) if not (idle[n] and n > 0 and idle[n - 1])]


def _failures(scenario: Scenario, database: Database, keyring: Keyring, choose: Choose) -> list[str]:
    return [
        f"boundary {number} ({name}): {'; '.join(wrong)}"
        for number, name, wrong in sweep(scenario, database, keyring, choose)
        if wrong
    ]


pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("scenario", IN_FULL, ids=lambda scenario: scenario.name)
def test_a_crash_at_every_boundary_ends_as_if_there_had_been_none(
    scenario: Scenario, database: Database, keyring: Keyring
) -> None:
    assert _failures(scenario, database, keyring, _telling) == []


@pytest.mark.parametrize("scenario", SAMPLED, ids=lambda scenario: scenario.name)
def test_a_crash_at_every_fourth_boundary_ends_as_if_there_had_been_none(
    scenario: Scenario, database: Database, keyring: Keyring
) -> None:
    assert _failures(scenario, database, keyring, lambda boundaries: _telling(boundaries)[::4]) == []


def test_the_same_scenario_passes_the_same_boundaries_twice(database: Database, keyring: Keyring) -> None:
    once = perform(SCENARIOS[0], database, keyring)
    again = perform(SCENARIOS[0], database, keyring)
    assert once == again
    assert {"kept", "before_send:AnswerAcceptance", "after_outcome:CompleteDraft"} <= set(once.boundaries)


def test_a_second_crash_during_the_recovery_from_the_first_changes_nothing_for_good(
    database: Database, keyring: Keyring
) -> None:
    pairs = [(first, gap) for first in range(0, 24, 3) for gap in (1, 2, 5)]
    performed = 0
    for numbers, names, wrong in sweep_pairs(SHORTEST, database, keyring, lambda boundaries: pairs):
        performed += 1
        assert wrong == [], f"boundaries {numbers} ({names})"
    assert performed == len(pairs)
