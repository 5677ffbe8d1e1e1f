"""The catalogue: complete entries, and no answer offered that it does not list."""

import pytest

from interlock.cases.catalogue import entries
from interlock.orders.plan import Case, OptionNotInCatalogue
from interlock.orders.reasons import CATALOGUE, DamageTime, Option, Reason

GIVEN_UNASKED = {Option.UNDO_TAKE_OVER, Option.PRINT_ANYWAY}
"""Answers people give on their own, on the order page and with the label check; no case offers them."""


def test_every_reason_is_in_the_catalogue_and_every_entry_is_whole() -> None:
    found = entries()

    assert [entry.code for entry in found] == [reason.value for reason in CATALOGUE]
    assert set(CATALOGUE) == set(Reason)
    for entry in found:
        assert entry.kind in ("condition", "incident", "task")
        assert entry.handled_by in ("automatic with notice", "person")
        assert entry.owner in ("CX", "operations", "finance", "engineer")
        assert all((entry.title, entry.evidence, entry.closes_when, entry.damage.costs))
        assert (entry.damage.when == DamageTime.AFTER_OPENING.value) == (entry.damage.after_hours is not None)


def test_every_answer_is_offered_by_some_reason_or_given_unasked() -> None:
    listed = {option for page in CATALOGUE.values() for option in page.options}

    assert listed | GIVEN_UNASKED == set(Option)


@pytest.mark.parametrize("reason", [r for r in Reason if CATALOGUE[r].kind == "incident"])
def test_an_incident_can_be_closed_by_a_person(reason: Reason) -> None:
    assert Option.DISMISS in CATALOGUE[reason].options


def test_a_case_cannot_offer_an_answer_the_catalogue_does_not_list() -> None:
    with pytest.raises(OptionNotInCatalogue, match="carrier_unknown offers approve_refund"):
        Case(Reason.CARRIER_UNKNOWN, "Express", "It is unknown.", (Option.MAP_CARRIER, Option.APPROVE_REFUND))
