"""That the proof of the catalogue can fail, and that the troubles the business names lead to reasons that exist.

The proof itself is made at the end of a run that tells every story (`tests/conftest.py`): each reason was opened by the
running service in a story that passed, and closed as its kind says.
"""

import re
from pathlib import Path

import pytest

from interlock.orders.reasons import CATALOGUE, Reason
from tests import witnessed
from tests.conftest import tells_every_story
from tests.witnessed import Closing, Opening, heard, told, unproven

WHICH = Path(__file__).resolve().parents[2] / "docs" / "operations" / "which-case.md"


def seen(reason: Reason, *closings: Closing) -> list[Opening]:
    return [Opening(f"story {number}", reason.value, closing) for number, closing in enumerate(closings)]


def proven() -> list[Opening]:
    """Openings that leave nothing unproven."""
    found: list[Opening] = []
    for reason, page in CATALOGUE.items():
        if page.kind != "incident":
            found += seen(reason, "by itself")
        if page.kind != "condition":
            found += seen(reason, "by a person with a reason")
    return found


def test_what_was_seen_of_every_reason_proves_the_catalogue() -> None:
    assert unproven(proven()) == []
    assert unproven(heard(told(proven()))) == []


@pytest.mark.parametrize("reason", list(Reason))
def test_a_reason_that_no_story_opens_is_noticed(reason: Reason) -> None:
    without = [one for one in proven() if one.reason != reason.value]

    assert unproven(without) == [f"{reason.value}: no story opens it"]
    assert unproven([*without, *seen(reason, "by hand")]) == [f"{reason.value}: no story opens it"]
    (left_open,) = unproven([*without, *seen(reason, "not yet")])
    assert left_open.startswith(f"{reason.value}: a")


@pytest.mark.parametrize("reason", [r for r in Reason if CATALOGUE[r].kind == "incident"])
def test_an_incident_needs_a_person_who_closes_it(reason: Reason) -> None:
    only_facts = unproven(seen(reason, "by itself"), [reason])

    assert "an incident, and in no story a person closes it with a reason" in only_facts[0]
    assert unproven(seen(reason, "by a person with a reason"), [reason]) == []


def test_an_incident_that_only_a_person_may_close_never_closes_by_itself() -> None:
    both = seen(Reason.LABEL_OVERRIDDEN, "by a person with a reason", "by itself")

    (trouble,) = unproven(both, [Reason.LABEL_OVERRIDDEN])
    assert "only a person may close it" in trouble
    assert "story 1" in trouble


def test_a_condition_needs_facts_that_close_it() -> None:
    (trouble,) = unproven(seen(Reason.CARRIER_UNKNOWN, "by a person with a reason"), [Reason.CARRIER_UNKNOWN])

    assert "in no story the facts close it" in trouble


def test_an_answer_without_a_reason_is_no_closing() -> None:
    (trouble, *_) = unproven(seen(Reason.REFUND_MISMATCH, "answered"), [Reason.REFUND_MISMATCH])

    assert "an answer without a name or a reason" in trouble


@pytest.mark.parametrize(
    ("arguments", "whole"),
    [
        ([], True),
        (["tests"], True),
        (["-n", "2"], True),
        ([*witnessed.WITNESSES], True),
        (["tests/stories"], False),
        (["tests/cases"], False),
        (["tests", "-k", "carrier"], False),
        (["tests", "-m", "not browser"], False),
        (["tests", "--ignore", "tests/stories/test_edits.py"], False),
        (["tests", "--deselect", "tests/stories/test_edits.py::test_x"], False),
        (["tests", "--lf"], False),
        (["tests", "--collect-only"], False),
    ],
)
def test_only_a_run_with_every_story_is_judged(
    pytestconfig: pytest.Config, arguments: list[str], whole: bool
) -> None:
    config = pytest.Config.fromdictargs({}, arguments)  # as pytest reads a command line
    assert tells_every_story(config) is whole


def test_the_troubles_the_business_names_lead_to_cases_that_exist() -> None:
    rows = re.findall(
        r"^\| (.+?) \| \[`(\w+)`\]\(cases/(\w+)\.md\) \|$", WHICH.read_text(encoding="utf-8"), re.M
    )

    assert len(rows) > 40
    for trouble, code, page in rows:
        assert code == page, trouble
        assert code in set(Reason), trouble
