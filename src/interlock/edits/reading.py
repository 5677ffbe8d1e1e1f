"""What an edit is in the words of the rules: each difference as a change, the state of both sides as facts."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from interlock.edits.rules import rule_for
from interlock.edits.sentences import sentence_of
from interlock.edits.table import Answer, Change, Facts, Rule, Situation, Workflow
from interlock.orders.agreement import (
    agreed_quantities,
    beyond_return,
    mirakl_line_id_of,
    shopify_quantities,
    standing_quantities,
)
from interlock.orders.changes import OURSELVES, STAFF
from interlock.orders.codec import encode
from interlock.orders.connection import KindOfEdit
from interlock.orders.differences import (
    AddressChanged,
    AddressMoved,
    BundleBroken,
    Difference,
    LineAdded,
    LineCancelled,
    LineRefunded,
    LineRefused,
    LineRemoved,
    PriceChanged,
    QuantityIncreased,
    QuantityReduced,
    ShippingChanged,
    SkuReplaced,
    TotalsRecalculated,
)
from interlock.orders.ending import is_asked_back, is_declined, units_not_asked_for, was_paid_back
from interlock.orders.hold_words import HoldWords
from interlock.orders.lineage import waits_for_successor_until
from interlock.orders.memory import Memory, RefundTask
from interlock.orders.reasons import Reason
from interlock.orders.refund_tasks import (
    SUPERSEDED,
    UNDONE,
    covered_units,
    is_of_an_edit,
    is_open,
    line_of,
)
from interlock.orders.refunded import money_is_back
from interlock.orders.snapshots import GONE_OUT, MiraklOrder, ShopifyOrder
from interlock.orders.view import View

Reduced = QuantityReduced | LineRemoved
Cut = LineCancelled | LineRefused
OfTheMarketplace = LineCancelled | LineRefused | LineRefunded | TotalsRecalculated | AddressMoved

SITUATION_OF = {
    "STAGING": Situation.STAGING,
    "WAITING_ACCEPTANCE": Situation.WAITING_ACCEPTANCE,
    "WAITING_DEBIT": Situation.ACCEPTED,
    "WAITING_DEBIT_PAYMENT": Situation.ACCEPTED,
    "SHIPPED": Situation.SHIPPED,
    "TO_COLLECT": Situation.SHIPPED,
    "RECEIVED": Situation.RECEIVED,
    "CLOSED": Situation.CLOSED,
    "REFUSED": Situation.REFUSED,
    "CANCELED": Situation.CANCELLED,
}
"""Mirakl order states (reference 3.2); SHIPPING is told apart further."""
WORKFLOWS = {workflow.value: workflow for workflow in Workflow}


@dataclass(frozen=True, slots=True)
class Judged:
    """A change, the rule that answers it and the facts the rule saw. The incident of an order has no difference."""

    change: Change
    difference: Difference | None
    facts: Facts
    rule: Rule


@dataclass(frozen=True, slots=True)
class Edit:
    """Everything in which the two sides differ at one moment, taken as one thing. Of a Shopify order that was cancelled
    nothing differs any more but that."""

    view: View
    mirakl: MiraklOrder
    shopify: ShopifyOrder
    memory: Memory
    differences: tuple[Difference, ...]

    @property
    def hold(self) -> HoldWords:
        """How to speak of the parcel's hold."""
        return self.view.hold

    @property
    def reduced(self) -> tuple[Reduced, ...]:
        """What the marketplace can take: reductions, apart from those inside a bundle it sold as one."""
        return tuple(
            d
            for d in self.differences
            if isinstance(d, QuantityReduced | LineRemoved)
            and change_of(d, self.shopify, self.memory) is not Change.BUNDLE_COMPONENT
        )

    @property
    def cut(self) -> tuple[Cut, ...]:
        return tuple(d for d in self.differences if isinstance(d, LineCancelled | LineRefused))

    @property
    def by_shopify(self) -> tuple[Difference, ...]:
        return tuple(d for d in self.differences if not isinstance(d, OfTheMarketplace))

    @property
    def missing(self) -> dict[str, int]:
        """Units per Mirakl line that Shopify shows less than agreed."""
        return {d.line_id: units_of(d) for d in self.reduced}

    @property
    def may_be_undone_by_us(self) -> bool:
        """Quantities and lines can be set back by an order edit of ours; prices and shipping charges cannot
        (orderEditSetQuantity, orderEditAddVariant), a removed line without a variant cannot either, and of a telephone number
        only a digest is known."""
        return (
            self.shopify.editable
            and bool(self.by_shopify)
            and not any(isinstance(d, PriceChanged | ShippingChanged) for d in self.differences)
            and not self.has_another_contact
            and not beyond_return(self.mirakl, self.shopify, self.memory)
            and not any(line.fulfilled_quantity for line in self.shopify.lines)
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        return tuple(sentence_of(d, self.mirakl.currency) for d in self.differences)

    @property
    def subject(self) -> str:
        """The same edit has the same subject for as long as it stands. Another edit asks anew, and so does the same one
        once it was taken back and is made again."""
        return self.since(self._content)

    @property
    def _content(self) -> str:
        """Everything that differs, as one fingerprint. Another Shopify order's edit is another edit. The address belongs to
        it where the edit changed that: one that was hidden and is completed later changes nothing of what was asked."""
        here = self.shopify.address
        contact = (here.contact,) if self.has_another_contact else ()
        address = (here.digest,) if AddressChanged() in self.differences else ()
        differing = (encode(d) for d in self.differences if not _is_taxes_alone(d))
        return "edit:" + digest((self.shopify.id, *differing, *address, *contact))

    def since(self, what: str) -> str:
        """What is asked about, with since when it stands: an answer belongs to what its person saw and to no later edit
        that looks the same."""
        stands_since = dict(self.memory.standing).get(what, self.view.now)
        return f"{what}:{stands_since:%Y%m%dT%H%M%S.%f}"

    @property
    def standing(self) -> tuple[tuple[str, datetime], ...]:
        """Everything that may be asked about now, with since when it stands without interruption (Memory.standing)."""
        known = dict(self.memory.standing)
        asked = [self._content] if self.differences else []
        asked += [both_moved_on(line_id, self) for line_id in sorted(both_changed(self, self.memory))]
        asked += [price_of(d) for d in self.differences if isinstance(d, TotalsRecalculated)]
        if any(isinstance(d, AddressMoved) for d in self.differences):
            asked.append(addresses_of(self))
        return tuple((what, known.get(what, self.view.now)) for what in asked)

    @property
    def has_another_contact(self) -> bool:
        """Whether the telephone number was changed, and the address was not."""
        return AddressChanged(contact_only=True) in self.differences

    @property
    def authors(self) -> tuple[str, ...]:
        """Who changed what, with which app and when, as far as Shopify tells (Order.agreements)."""
        return tuple(said for d in self.by_shopify if (said := author_of(d, self)))

    @property
    def table(self) -> tuple[tuple[str, str], ...]:
        """The changes as facts of a case, and who made them."""
        changes = tuple((f"Change {n}", sentence) for n, sentence in enumerate(self.sentences, start=1))
        return (*changes, *((f"Who {n}", said) for n, said in enumerate(self.authors, start=1)))

    def judged(self) -> tuple[Judged, ...]:
        """Every difference, and the incident if there is one, with the rule that answers it."""
        found = []
        for difference in self.differences:
            change, facts = change_of(difference, self.shopify, self.memory), self.facts(difference)
            found.append(Judged(change, difference, facts, rule_for(change, facts)))
        if self.mirakl.has_incident:
            facts = self.facts(None)
            rule = rule_for(Change.INCIDENT_OPENED, facts)
            found.append(Judged(Change.INCIDENT_OPENED, None, facts, rule))
        return tuple(found)

    def judged_end(self) -> Judged:
        """The cancelation of the Shopify order, with the rule that answers it."""
        waiting = waits_for_successor_until(self.view, self.memory) is not None
        facts = replace(
            self.facts(None),
            refund_asked=money_is_back(self.mirakl, self.memory)
            or was_paid_back(self.memory)
            or (
                self.mirakl.state in GONE_OUT
                and (
                    is_asked_back(self.memory)
                    or is_declined(self.memory)
                    or any(is_open(task) for task in self.memory.refund_tasks)
                )
            ),
            refund_declined=is_declined(self.memory),
            money_only=not is_asked_back(self.memory) and not units_not_asked_for(self.mirakl, self.memory),
            lineage_open=bool(self.memory.candidates) or waiting,
        )
        return Judged(Change.ORDER_CANCELLED, None, facts, rule_for(Change.ORDER_CANCELLED, facts))

    def facts(self, difference: Difference | None) -> Facts:
        """What the rules may look at to answer this difference."""
        mirakl, rules, memory = self.mirakl, self.view.rules, self.memory
        lines = [line_of(mirakl, d.line_id) for d in self.reduced]
        both = both_changed(self, memory)
        return Facts(
            situation=situation_of(self),
            workflow=WORKFLOWS.get(mirakl.payment_workflow, Workflow.OTHER),
            paid=is_paid(self),
            can_cancel=mirakl.can_cancel,
            can_refund=bool(lines) and all(line is not None and line.can_refund for line in lines),
            can_ship=mirakl.can_ship,
            partial_cancelation=rules.partial_cancelation,
            partial_acceptance=rules.partial_acceptance,
            reason_code=all(rules.cancelation_reason_for(kind_of(d)) for d in self.reduced),
            after_debit=rules.reduction_after_debit,
            mirror=rules.mirror_marketplace_changes,
            editable=self.shopify.editable,
            everything_gone=_everything_gone(self),
            rest_impossible=bool(both)
            or any(_both_moved(d) for d in self.differences)
            or len(self.by_shopify) > len(self.reduced),
            marketplace_changed=bool(self.cut)
            or any(isinstance(d, TotalsRecalculated) for d in self.differences),
            both_changed=_both_moved(difference) or line_id_of(difference) in both,
            refund_asked=_refund_asked(self, difference),
            refund_declined=declined_task(memory, self.missing) is not None,
            taxes_only=isinstance(difference, TotalsRecalculated) and difference.taxes_only,
            units_left=any(line.fulfilled_quantity > 0 for line in self.shopify.lines),
        )


def change_of(difference: Difference, shopify: ShopifyOrder, memory: Memory) -> Change:
    """The change a difference is."""
    if _is_inside_a_bundle(difference, shopify, memory):
        return Change.BUNDLE_COMPONENT
    match difference:
        case QuantityReduced():
            return Change.QUANTITY_DOWN
        case LineRemoved():
            return Change.LINE_REMOVED
        case QuantityIncreased():
            return Change.QUANTITY_UP
        case LineAdded(shopify_line_id):
            custom = any(line.id == shopify_line_id and not line.variant_id for line in shopify.lines)
            return Change.CUSTOM_LINE if custom else Change.LINE_ADDED
        case SkuReplaced():
            return Change.SKU_REPLACED
        case BundleBroken():
            return Change.BUNDLE_COMPONENT
        case PriceChanged():
            return Change.PRICE_CHANGED
        case ShippingChanged():
            return Change.SHIPPING_CHANGED
        case AddressChanged():
            return Change.ADDRESS_CHANGED
        case AddressMoved():
            return Change.ADDRESS_MOVED
        case LineCancelled(_, _, agreed):
            return Change.LINE_CANCELLED_IN_PART if agreed else Change.LINE_CANCELLED_WHOLE
        case LineRefused():
            return Change.LINE_REFUSED
        case LineRefunded():
            return Change.LINE_REFUNDED
        case TotalsRecalculated():
            return Change.TOTALS_RECALCULATED
        case _:
            assert_never(difference)


def _is_taxes_alone(difference: Difference) -> bool:
    """Whether it is a matter of the marketplace's taxes, which nobody is asked about."""
    return isinstance(difference, TotalsRecalculated) and difference.taxes_only


def _both_moved(difference: Difference | None) -> bool:
    """Whether both sides changed the address, each to another one."""
    return isinstance(difference, AddressMoved) and difference.also_here


def _is_inside_a_bundle(difference: Difference, shopify: ShopifyOrder, memory: Memory) -> bool:
    """Whether it is about a component of a bundle (LineItem.lineItemGroup) of which other components stand."""
    match difference:
        case LineAdded(shopify_line_id):
            touched = [line for line in shopify.lines if line.id == shopify_line_id]
        case QuantityReduced(line_id) | LineRemoved(line_id) | QuantityIncreased(line_id):
            grouped = [line for line in shopify.lines if line.group]
            touched = [line for line in grouped if mirakl_line_id_of(line, memory) == line_id]
        case _:
            return False
    bundles = {line.group for line in touched if line.group}
    return any(line.group in bundles and line.current_quantity > 0 for line in shopify.lines)


def situation_of(edit: Edit) -> Situation:
    """Where the order stands: outside SHIPPING its state says it, in SHIPPING an incident, a refund that runs, units that
    have left, and whether the customer paid, in this order."""
    mirakl = edit.mirakl
    situation = SITUATION_OF.get(mirakl.state)
    if situation is None and mirakl.state != "SHIPPING":
        return Situation.UNKNOWN
    if situation is not None:
        return situation
    if mirakl.has_incident:
        return Situation.INCIDENT_OPEN
    if edit.reduced and _covered(edit) and (is_paid(edit) or not mirakl.can_cancel):
        return Situation.REFUND_RUNNING
    if any(line.fulfilled_quantity > 0 for line in edit.shopify.lines):
        return Situation.PART_SHIPPED
    return Situation.SHIPPING_PAID if is_paid(edit) else Situation.SHIPPING_UNPAID


def is_paid(edit: Edit) -> bool:
    """Whether the customer was debited for the order or for a line the edit makes smaller (reference 3.3)."""
    lines = [line_of(edit.mirakl, d.line_id) for d in edit.reduced] or list(edit.mirakl.lines)
    return edit.mirakl.debited_at is not None or any(line and line.debited_at for line in lines)


def _everything_gone(edit: Edit) -> bool:
    removed = {d.line_id for d in edit.reduced if isinstance(d, LineRemoved)}
    agreed = agreed_quantities(edit.mirakl, edit.memory)
    return bool(removed) and all(line_id in removed for line_id, units in agreed if units > 0)


def _covered(edit: Edit) -> bool:
    """Whether refund tasks stand for exactly the units that are missing, and none for a line the edit left alone."""
    missing = edit.missing
    return all(
        covered_units(edit.memory, line_id) == units for line_id, units in missing.items()
    ) and not any(
        due.line_id not in missing
        for task in edit.memory.refund_tasks
        if is_open(task) and is_of_an_edit(task) and not task.settled_by
        for due in task.lines
    )


def _refund_asked(edit: Edit, difference: Difference | None) -> bool:
    if isinstance(difference, LineRefunded):
        return any(difference.refund_id in task.settled_by for task in edit.memory.refund_tasks)
    return bool(edit.missing) and all(
        sum(
            due.quantity
            for task in edit.memory.refund_tasks
            for due in task.lines
            if due.line_id == line_id and not task.dismissed_by.startswith((SUPERSEDED, UNDONE))
        )
        >= units
        for line_id, units in edit.missing.items()
    )


def declined_task(memory: Memory, missing: dict[str, int]) -> RefundTask | None:
    """The latest task for exactly these units, if a person closed it without a refund."""
    for task in reversed(memory.refund_tasks):
        if missing and {due.line_id: due.quantity for due in task.lines} == missing:
            by_hand = task.dismissed_by and not task.dismissed_by.startswith((SUPERSEDED, UNDONE))
            return task if by_hand and task.settled_at is None else None
    return None


def both_changed(edit: Edit, memory: Memory) -> frozenset[str]:
    """Lines that Shopify and the marketplace both changed since they last agreed. What we asked for ourselves, on
    either side, is nobody's change."""
    settled, asked, mirrored = dict(memory.settled), dict(memory.asked_cancelled), dict(memory.mirrored)
    standing = dict(standing_quantities(edit.shopify, memory))
    agreed = dict(agreed_quantities(edit.mirakl, memory))
    found = []
    for line in edit.mirakl.lines:
        before = settled.get(line.id)
        ordered = memory.ordered_line(line.id)
        if before is None or ordered is None:
            continue
        now = standing.get(line.id, 0)
        withdrawn = sum(w.quantity for w in memory.withdrawn if w.line_id == line.id)
        known = max(ordered.quantity - withdrawn - before, asked.get(line.id, 0))
        gone = ordered.quantity - withdrawn - agreed[line.id]
        if gone > known and now not in (before, agreed[line.id], mirrored.get(line.id, -1)):
            found.append(line.id)
    return frozenset(found)


def both_moved_on(line_id: str, edit: Edit) -> str:
    """A line that both sides changed: what was agreed before, and what each shows now."""
    before = dict(edit.memory.settled)[line_id]
    there = dict(agreed_quantities(edit.mirakl, edit.memory))[line_id]
    here = dict(shopify_quantities(edit.shopify, edit.memory)).get(line_id, 0)
    return f"{line_id}:{digest([edit.shopify.id, before, there, here])}"


def price_of(recalculated: TotalsRecalculated) -> str:
    """A line the marketplace recalculated, with its new figures."""
    return f"price:{recalculated.line_id}:{recalculated.now}:{recalculated.shipping_now}"


def addresses_of(edit: Edit) -> str:
    """The addresses both sides show, of which the marketplace's is new."""
    return "address:" + digest([edit.shopify.id, edit.mirakl.address.digest, edit.shopify.address.digest])


def line_id_of(difference: Difference | None) -> str:
    """The Mirakl line a difference is about; empty where it is about none."""
    match difference:
        case None | LineAdded() | ShippingChanged() | AddressChanged() | AddressMoved():
            return ""
        case _:
            return difference.line_id


DONE: dict[type, str] = {
    QuantityReduced: "lowered",
    LineRemoved: "removed",
    QuantityIncreased: "raised",
    LineAdded: "added",
    SkuReplaced: "swapped",
    PriceChanged: "given another price",
}


def author_of(difference: Difference, edit: Edit) -> str:
    """Who made this change in Shopify last; empty where Shopify does not tell (addresses, shipping charges)."""
    touched = {
        line.id
        for line in edit.shopify.lines
        if line_id_of(difference) and mirakl_line_id_of(line, edit.memory) == line_id_of(difference)
    }
    match difference:
        case LineAdded(shopify_line_id):
            touched = {shopify_line_id}
        case SkuReplaced(new_shopify_line_id=shopify_line_id):
            touched.add(shopify_line_id)
        case _:
            pass
    made = [
        change
        for change in edit.view.changes
        if change.kind != "ORDER" and any(line_id in touched for line_id, _ in change.lines)
    ]
    if not made:
        return ""
    last = max(made, key=lambda change: (change.at, change.id))
    by = last.by if last.by in (STAFF, OURSELVES) else f"the app {last.by}"
    what = DONE.get(type(difference), "changed")
    name = getattr(difference, "sku", "") or getattr(difference, "title", "") or "A line"
    return f"{name} was {what} by {by} at {last.at:%H:%M} UTC on {last.at:%d %B}."


def units_of(reduced: Reduced) -> int:
    """How many units the marketplace agrees to and Shopify does not show any more."""
    return reduced.agreed - (reduced.now if isinstance(reduced, QuantityReduced) else 0)


def kind_of(reduced: Reduced) -> KindOfEdit:
    """The kind of edit that reason codes are set for."""
    return "quantity_reduced" if isinstance(reduced, QuantityReduced) else "line_removed"


def digest(value: object) -> str:
    """A short digest of encoded values, for subjects."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def answered(judged: Iterable[Judged], *answers: Answer) -> tuple[Judged, ...]:
    """Those with one of these answers."""
    return tuple(j for j in judged if j.rule.answer in answers)


def asked_about(judged: Iterable[Judged], reason: Reason) -> tuple[Judged, ...]:
    """Those a person has to decide, for this reason."""
    return tuple(j for j in judged if j.rule.answer is Answer.DECISION and j.rule.reason is reason)
