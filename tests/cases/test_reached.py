"""Every reason is reached somewhere for real, and the troubles the business names lead to reasons that exist."""

import re
from pathlib import Path

import pytest

from interlock.orders.reasons import Reason

TESTS = Path(__file__).resolve().parents[1]
WHICH = TESTS.parent / "docs" / "operations" / "which-case.md"

ON_SIMULATED_PLATFORMS = ("stories", "simulation", "processes", "monitoring")
"""Folders of tests in which people and platforms act and the running service opens and closes the cases itself."""

IN_THE_RUNNING_ENGINE = {
    Reason.IMPORT_REFUSED: "engine/test_ledger.py",
    Reason.LABEL_OVERRIDDEN: "api/test_label_check.py",
    Reason.OUTCOME_UNCLEAR: "engine/test_ledger.py",
    Reason.PLATFORM_REFUSED: "engine/test_desk.py",
    Reason.TOO_MANY_CYCLES: "engine/test_run.py",
    Reason.CARRIER_GONE: "engine/test_capabilities.py",
    Reason.DIFFERENCE_AFTER_QUARANTINE: "engine/test_marks.py",
}
"""Reached with the real engine and database on a scripted platform, not in a simulated world."""


def sources(folders: tuple[str, ...]) -> str:
    files = (path for folder in folders for path in sorted((TESTS / folder).glob("*.py")))
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


PLAYED = sources(ON_SIMULATED_PLATFORMS)


def is_named(reason: Reason, text: str) -> bool:
    return any(
        name in text for name in (f"Reason.{reason.name}\n", f'case {reason.value}"', f'"{reason.value}"')
    ) or bool(re.search(rf"Reason\.{reason.name}\b", text))


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_reached(reason: Reason) -> None:
    elsewhere = IN_THE_RUNNING_ENGINE.get(reason)
    if elsewhere is None:
        assert is_named(reason, PLAYED), f"no story, history or process test reaches {reason.value}"
    else:
        assert is_named(reason, (TESTS / elsewhere).read_text(encoding="utf-8"))
        assert not is_named(reason, PLAYED), f"{reason.value} is played now: take it off the list"


def test_the_troubles_the_business_names_lead_to_cases_that_exist() -> None:
    rows = re.findall(
        r"^\| (.+?) \| \[`(\w+)`\]\(cases/(\w+)\.md\) \|$", WHICH.read_text(encoding="utf-8"), re.M
    )

    assert len(rows) > 40
    for trouble, code, page in rows:
        assert code == page, trouble
        assert code in set(Reason), trouble
