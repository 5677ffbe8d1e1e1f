"""How long a label that a person had printed against a no counts: while what they judged is what the check says."""

from dataclasses import replace
from datetime import timedelta

import pytest

from interlock.holds.overriding import Override, lapsed
from interlock.orders.label import Label
from tests.build import NOW

RAISED = "The mugs were raised to five."
NO = Label(False, RAISED, "CX", ("FO1", "FO2"))
GIVEN = Override(1, "FO1", RAISED, "Ada", "The customer waits.", NOW)


@pytest.mark.parametrize(
    ("label", "after", "why"),
    [
        pytest.param(NO, timedelta(0), "", id="as it was overridden"),
        pytest.param(NO, timedelta(hours=1), "", id="an hour later"),
        pytest.param(
            NO,
            timedelta(hours=1, seconds=1),
            "It was given more than an hour ago.",
            id="longer than an hour later",
        ),
        pytest.param(
            replace(NO, reason="The order is cancelled in Shopify."),
            timedelta(minutes=1),
            f"It was for another reason: {RAISED}",
            id="cancelled meanwhile",
        ),
        pytest.param(
            replace(NO, reason="Cannot confirm: Shopify could not be read."),
            timedelta(minutes=1),
            f"It was for another reason: {RAISED}",
            id="nothing can be confirmed meanwhile",
        ),
        pytest.param(
            replace(NO, parcels=("FO2",)),
            timedelta(minutes=1),
            "Nothing is left to ship of its fulfillment order.",
            id="its fulfillment order is closed",
        ),
        pytest.param(replace(NO, parcels=("FO1",)), timedelta(minutes=1), "", id="another one is closed"),
    ],
)
def test_an_override_counts_while_what_was_judged_is_what_is(
    label: Label, after: timedelta, why: str
) -> None:
    assert lapsed(GIVEN, label, NOW + after) == why
