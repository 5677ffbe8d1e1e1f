"""Mappings count the orders that wait for a reason code, and not the one case the connection has about it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import Connection, update

from interlock.console.mappings import map_overview
from interlock.console.missing_reasons import missing_reasons, uses_waited_for
from interlock.engine.capabilities import check_reasons
from interlock.engine.store import ConnectionRow, connections, one_connection
from interlock.orders.capability import Capability
from interlock.orders.codec import decode, encode
from interlock.orders.connection import ConnectionRules, ReasonOfEdit
from interlock.orders.memory import RefundDue, RefundTask
from interlock.orders.view import View
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.build import NOW, a_memory, a_shopify_line, a_shopify_order, a_view, an_order, some_rules
from tests.cli.test_reasons import takes
from tests.console.seed import connect, edited_up, keep

CUT = (a_shopify_line(current_quantity=1), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))
TASK = RefundTask("edit:1", NOW, (RefundDue("L1", 1, Decimal(10), Decimal(2), (), (), ()),))


def reduced(rules: ConnectionRules, number: int = 1) -> View:
    """Staff took one of two mugs out of an unpaid order."""
    memory = a_memory(shopify_order_id=f"SO{number}", shopify_order_name=f"#10{number}")
    shopify = a_shopify_order(id=f"SO{number}", marker=f"atlas:M-{number}", lines=CUT)
    mirakl = replace(an_order(), order_id=f"M-{number}")
    return a_view(order_id=f"M-{number}", rules=rules, mirakl=mirakl, shopify=shopify, memory=memory)


@pytest.mark.parametrize(
    ("rules", "waits"),
    [
        (some_rules(partial_cancelation=True), ("cancelation",)),
        (some_rules(partial_cancelation=True, cancelation_reason="34"), ()),
        (
            some_rules(
                partial_cancelation=True, reasons_by_edit=(ReasonOfEdit("quantity_reduced", "34", ""),)
            ),
            (),
        ),
        # Here not the code is missing: the marketplace takes no partial cancelation at all.
        (some_rules(), ()),
    ],
)
def test_a_cancelation_waits_for_a_code_where_the_rules_say_so(
    rules: ConnectionRules, waits: tuple[str, ...]
) -> None:
    view = reduced(rules)

    assert uses_waited_for(view, view.memory) == waits


@pytest.mark.parametrize(
    ("rules", "task", "waits"),
    [
        (some_rules(reduction_after_debit="approve"), TASK, ("refund",)),
        (some_rules(reduction_after_debit="approve", refund_reason="15"), TASK, ()),
        # A person makes it in the portal, with whatever reason they choose there.
        (some_rules(), TASK, ()),
        (some_rules(reduction_after_debit="approve"), replace(TASK, settled_at=NOW), ()),
        (some_rules(reduction_after_debit="approve"), replace(TASK, subject="refund:1"), ()),
    ],
)
def test_a_refund_waits_for_a_code_where_interlock_is_to_make_it(
    rules: ConnectionRules, task: RefundTask, waits: tuple[str, ...]
) -> None:
    memory = a_memory(refund_tasks=(task,))

    assert uses_waited_for(a_view(rules=rules, memory=memory), memory) == waits


@pytest.fixture
def row(database: Database, keyring: Keyring) -> ConnectionRow:
    with database.begin() as c:
        return takes(c, connect(c, keyring))


def given(c: Connection, row: ConnectionRow, rules: ConnectionRules) -> ConnectionRow:
    """The connection with these rules, and its cases about reason codes as the daily look makes them."""
    rules = replace(row.rules, **{name: getattr(rules, name) for name in ("cancelation_reason", *CHANGED)})
    c.execute(update(connections).where(connections.c.id == row.id).values(rules=encode(rules)))
    kept = one_connection(c, row.id)
    assert kept.capability is not None
    check_reasons(c, row.id, rules, decode(Capability, kept.capability), NOW)
    return kept


CHANGED = ("partial_cancelation", "reasons_by_edit", "reduction_after_debit", "refund_reason")


def test_the_orders_are_counted_and_not_the_case(database: Database, row: ConnectionRow) -> None:
    rules = some_rules(partial_cancelation=True, reduction_after_debit="approve", refund_reason="15")
    with database.begin() as c:
        row = given(c, row, rules)
        for number in range(2, 5):
            keep(c, row, reduced(rules, number))
        keep(c, row, edited_up())
        (reasons,) = (one for one in map_overview(c) if one.kind == "Reasons")

    assert reasons.waiting == (("cancelation", 3),)
    assert reasons.unlocks == 3


def test_two_codes_of_one_use_free_each_order_once(database: Database, row: ConnectionRow) -> None:
    rules = some_rules(
        partial_cancelation=True, reasons_by_edit=(ReasonOfEdit("quantity_reduced", "36", ""),)
    )
    with database.begin() as c:
        row = given(c, row, rules)
        keep(c, row, reduced(some_rules(partial_cancelation=True)))

        assert missing_reasons(c, row) == ((("cancelation", 1), ("cancelation 36", 1)), 1)


def test_without_a_case_nothing_is_counted(database: Database, row: ConnectionRow) -> None:
    with database.begin() as c:
        keep(c, row, reduced(some_rules(partial_cancelation=True)))

        assert missing_reasons(c, row) == ((), 0)
