"""Every reason a person may be asked for has steps on the page of its case."""

from interlock.console.case_steps import STEPS
from interlock.orders.reasons import CATALOGUE, Reason


def test_every_reason_of_the_catalogue_has_steps() -> None:
    assert set(STEPS) == set(CATALOGUE) == set(Reason)
    assert [reason for reason, steps in STEPS.items() if not steps or len(set(steps)) < len(steps)] == []
