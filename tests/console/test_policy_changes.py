"""What the audit log keeps of changed settings: both values, short, in one line."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from interlock.access.audit_log import LONGEST, entries
from interlock.console.policy_changes import SHOWN, changed
from interlock.console.stock import set_buffer
from interlock.orders.connection import ReasonOfEdit
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.build import NOW, some_rules
from tests.console.seed import connect
from tests.engine.rows import Wakes


@pytest.mark.parametrize(
    ("setting", "before", "after", "said"),
    [
        ("refund_cap", None, Decimal("50.00"), {"refund cap": "none → 50.00"}),
        ("messages", True, False, {"messages": "yes → no"}),
        ("quiet_period", timedelta(seconds=60), timedelta(seconds=90), {"quiet period": "1min → 90s"}),
        ("edit_window", timedelta(hours=36), timedelta(days=2), {"edit window": "36h → 2d"}),
        ("edit_window", timedelta(0), None, {"edit window": "0s → none"}),
        ("stock_locations", (), ("1", "2"), {"stock locations": "none → 1, 2"}),
        (
            "reasons_by_edit",
            (),
            (ReasonOfEdit("line_removed", refund="19"),),
            {"reasons by edit": "none → line_removed none 19"},
        ),
        ("refund_cap", Decimal(5), Decimal(5), {}),
    ],
)
def test_a_setting_is_named_with_both_values(
    setting: str, before: Any, after: Any, said: dict[str, str]
) -> None:
    rules = replace(some_rules(), **{setting: before})
    assert changed(rules, replace(rules, **{setting: after})) == said


def test_a_value_is_one_short_line() -> None:
    said = changed(some_rules(), some_rules(order_in_portal="https://x.example/\n" + "a" * 300))
    fact = said["order in portal"]
    assert len(fact) <= 2 * SHOWN + 3 <= LONGEST
    assert fact.isprintable()
    assert fact.endswith("…")


def test_a_setting_of_the_stock_leaves_its_values_and_the_reason(
    database: Database, keyring: Keyring
) -> None:
    with database.begin() as c:
        row = connect(c, keyring)
        set_buffer(c, Wakes(), row, "3", "ada", "They counted wrong.", NOW)
        (entry,) = entries(c)

    assert (entry.who, entry.did, entry.connection_id) == ("ada", "policy_changed", row.id)
    assert dict(entry.facts) == {"stock buffer": "0 → 3", "why": "They counted wrong."}
