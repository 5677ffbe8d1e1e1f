"""What a connection's settings say of an order is what the order shows."""

from sqlalchemy import Connection

from interlock.engine.store import one_connection
from interlock.rehearsal.judging.evidence import Evidence
from interlock.rehearsal.judging.truth import Truth
from interlock.rehearsal.judging.verdict import Verdict

MADE = ("CreateDraft", "CreateOrder")


def a_shipping_method_has_its_title(
    evidence: Evidence, c: Connection, truth: Truth, verdict: Verdict
) -> None:
    """The shipping line of an order that was planned after the last change of the settings is called what they call its
    shipping method, where they give it a title."""
    row = truth.row
    connection = one_connection(c, truth.marketplace.connection_id)
    title = connection.rules.title_of_method(truth.order.shipping_type_code)
    if row is None or not title or connection.rules_changed_at is None:
        return
    changed_at = connection.rules_changed_at - evidence.ahead
    asked = [one.planned_at for one in evidence.operations_of.get(row.id, []) if one.kind in MADE]
    if not asked or min(asked) <= changed_at:
        return
    for gid in truth.made_by_us:
        order = evidence.shopify_orders.get(gid)
        for line in order.shipping_lines[:1] if order is not None else ():
            verdict.checked["shipping title"] += 1
            if line.title != title:
                verdict.violation(
                    "settings",
                    truth.id,
                    min(asked),
                    "The shipping line is not called what the settings call its shipping method.",
                    f"{line.title}, not {title}",
                )
