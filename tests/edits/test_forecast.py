"""What share of edits a marketplace takes by itself is the rules' own answer, asked with its profile and settings."""

from decimal import Decimal

import pytest

from interlock.edits.forecast import forecast, share_in_words
from interlock.orders.connection import ConnectionRules
from tests.build import some_rules
from tests.marketplaces.test_profile import a_capability

CANCELS = some_rules(partial_cancelation=True, cancelation_reason="34")


def by_itself(rules: ConnectionRules, workflow: str) -> set[str]:
    shown = a_capability(workflows=(workflow,)) if workflow != "unnamed" else None
    return {one.edit for one in forecast(rules, shown) if one.automatic}


def test_before_payment_reductions_are_cancelled_by_themselves_where_the_shop_may() -> None:
    reductions = {"Fewer units of a line in Shopify", "A line removed in Shopify"}

    assert reductions <= by_itself(CANCELS, "PAY_ON_SHIPMENT")
    assert not reductions & by_itself(some_rules(cancelation_reason="34"), "PAY_ON_SHIPMENT")
    assert not reductions & by_itself(some_rules(partial_cancelation=True), "PAY_ON_SHIPMENT")


@pytest.mark.parametrize(
    ("how", "cap", "reason", "automatic"),
    [
        ("task", None, "15", False),
        ("approve", None, "15", False),
        ("automatic", "50", "15", True),
        ("automatic", "50", "", False),
    ],
)
def test_after_payment_the_refund_policy_decides(
    how: str, cap: str | None, reason: str, automatic: bool
) -> None:
    rules = some_rules(
        reduction_after_debit=how,
        refund_cap=None if cap is None else Decimal(cap),
        refund_reason=reason,
    )
    found = forecast(rules, None)

    (lowered,) = (
        one
        for one in found
        if one.workflow == "PAY_ON_ACCEPTANCE" and one.edit == "Fewer units of a line in Shopify"
    )
    assert lowered.automatic is automatic
    assert ("Up to 50" in lowered.why) is automatic


def test_additions_never_need_nobody() -> None:
    for workflow in ("PAY_ON_SHIPMENT", "NO_CUSTOMER_PAYMENT_CONFIRMATION", "unnamed"):
        assert not {"A line added in Shopify", "More units of a line in Shopify"} & by_itself(
            CANCELS, workflow
        )


def test_set_up_says_the_share_in_one_sentence() -> None:
    found = forecast(CANCELS, a_capability(workflows=("PAY_ON_SHIPMENT",)))

    assert share_in_words(found).startswith(f"{sum(one.automatic for one in found)} of 11 kinds of edit")
