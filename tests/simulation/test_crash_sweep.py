"""A crash between any commit and any send changes nothing for good (reliability study 4.5)."""

import pytest

from interlock.rehearsal.scenarios import SCENARIOS, Scenario
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.simulation.sweep import Choose, perform, sweep

IN_FULL = (SCENARIOS[0], SCENARIOS[4])
SAMPLED = tuple(scenario for scenario in SCENARIOS if scenario not in IN_FULL)


def _while_work_was_left(boundaries: list[str]) -> range:
    """All boundaries up to the first idle tick of the read desk after the last plan."""
    return range(len(boundaries) - boundaries[::-1].index("kept") + 1)


def _failures(scenario: Scenario, database: Database, keyring: Keyring, choose: Choose) -> list[str]:
    return [
        f"boundary {number} ({name}): {'; '.join(wrong)}"
        for number, name, wrong in sweep(scenario, database, keyring, choose)
        if wrong
    ]


@pytest.mark.parametrize("scenario", IN_FULL, ids=lambda scenario: scenario.name)
def test_a_crash_at_every_boundary_ends_as_if_there_had_been_none(
    scenario: Scenario, database: Database, keyring: Keyring
) -> None:
    assert _failures(scenario, database, keyring, _while_work_was_left) == []


@pytest.mark.parametrize("scenario", SAMPLED, ids=lambda scenario: scenario.name)
def test_a_crash_at_every_fourth_boundary_ends_as_if_there_had_been_none(
    scenario: Scenario, database: Database, keyring: Keyring
) -> None:
    assert _failures(scenario, database, keyring, lambda boundaries: range(0, len(boundaries), 4)) == []


def test_the_same_scenario_passes_the_same_boundaries_twice(database: Database, keyring: Keyring) -> None:
    once = perform(SCENARIOS[0], database, keyring)
    again = perform(SCENARIOS[0], database, keyring)
    assert once == again
    assert {"kept", "before_send:AnswerAcceptance", "after_outcome:CompleteDraft"} <= set(once.boundaries)
