"""What becomes of an edit: every difference is read as a change, the rules answer it (`edits/rules.py`), and the
answers are carried out here."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from interlock.edits.cancelling import Cancelation, cancel_quantities, not_yet, send
from interlock.edits.decisions import (
    both_options,
    in_words,
    is_answered,
    options_for,
    with_decision,
    with_message_forgotten,
)
from interlock.edits.in_shopify import agreed_to, mirror_of
from interlock.edits.reading import (
    Edit,
    Judged,
    Reduced,
    addresses_of,
    answered,
    asked_about,
    both_moved_on,
    declined_task,
    line_id_of,
    price_of,
)
from interlock.edits.refunding import refund, without_edit_tasks
from interlock.edits.sentences import sentence_of
from interlock.edits.table import STATE_WAITED_FOR, Answer
from interlock.orders.actions import CancelMiraklOrder, FillOrderAddress
from interlock.orders.agreement import (
    agreed_quantities,
    mirakl_line_id_of,
    parts_of,
    recalculated,
    shopify_quantities,
)
from interlock.orders.differences import (
    AddressMoved,
    Difference,
    LineCancelled,
    LineRefunded,
    LineRefused,
    LineRemoved,
    QuantityReduced,
    TotalsRecalculated,
)
from interlock.orders.memory import Memory, OrderedLine, ShopPrice, Withdrawn
from interlock.orders.money import Money, rounded
from interlock.orders.plan import Case, Part, earliest, latest
from interlock.orders.prices import as_facts, discrepancies, in_other_currencies, not_compared, subject_of
from interlock.orders.prices import in_words as in_words_of_prices
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import (
    SUPERSEDED,
    UNDONE,
    covered_units,
    is_begun,
    is_of_an_edit,
    is_open,
    line_of,
    refund_subject,
)
from interlock.orders.shares import sum_of
from interlock.orders.snapshots import BEFORE_ACCEPTANCE, GONE_OUT, MiraklOrder, ShopifyOrder
from interlock.orders.timeline import counted
from interlock.orders.view import View

INCIDENT = "The marketplace has an open incident on this order; the parcel waits until it is resolved."
MIRROR_PATIENCE = timedelta(minutes=10)
"""How long our own edit of the Shopify order may take before a person is asked to make it."""


def decide(view: View, memory: Memory, differences: tuple[Difference, ...]) -> Part:
    """The edit room's part: keeps the parcel held while anything differs, and says or does what comes next."""
    mirakl, shopify = view.mirakl, view.shopify
    if mirakl is None or shopify is None or not memory.shopify_order_id:
        return Part(memory)
    if not shopify.live:
        return dropped(with_message_forgotten(view, memory), "the order was cancelled in Shopify")
    incident = (INCIDENT,) if mirakl.has_incident else ()
    memory, taken = _taken_as_they_stand(view, mirakl, shopify, memory, differences)
    differences = tuple(d for d in differences if d not in [one.difference for one in taken])
    tasks = memory.refund_tasks
    if differences:
        memory = replace(memory, disagreeing_since=memory.disagreeing_since or view.now)
    else:
        memory = replace(without_edit_tasks(view, memory, UNDONE), disagreeing_since=None)
    memory = with_message_forgotten(view, still_standing(view, memory, differences))
    edit = Edit(view, mirakl, shopify, memory, differences)
    if differences and memory.withdrawn != view.memory.withdrawn:
        # Just confirmed: what was compared before is no longer what is agreed.
        part = Part(memory, look_at=view.now)
    else:
        part = _noted(edit, _carried_out(edit))
    # Shipped as edited means: not for these differences. An incident, a state or an address still holds it.
    differing = () if part.as_decided else edit.sentences
    part = replace(part, keep_held=(*differing, *incident))
    if taken:
        because = tuple(_sentences(edit, taken))
        part = replace(part, because=(*because, *part.because), look_at=earliest(part.look_at, view.now))
    if part.memory.refund_tasks != tasks:
        # The tasks are shown by the room that owns them, on the next look.
        part = replace(part, look_at=earliest(part.look_at, view.now))
    return part


def still_standing(view: View, memory: Memory, differences: tuple[Difference, ...]) -> Memory:
    """Remember since when everything stands that people may be asked about: what is gone is forgotten, and asks anew once
    it comes again."""
    if view.mirakl is None or view.shopify is None:
        return memory
    edit = Edit(view, view.mirakl, view.shopify, memory, differences)
    return replace(memory, standing=edit.standing)


def _taken_as_they_stand(
    view: View,
    mirakl: MiraklOrder,
    shopify: ShopifyOrder,
    memory: Memory,
    differences: tuple[Difference, ...],
) -> tuple[Memory, tuple[Judged, ...]]:
    """Recalculated taxes are the marketplace's own: they are used from now on, and nobody waits for that."""
    taxes = tuple(d for d in differences if isinstance(d, TotalsRecalculated) and d.taxes_only)
    judged = Edit(view, mirakl, shopify, memory, taxes).judged() if taxes else ()
    taken = tuple(one for one in judged if one.difference and one.rule.answer is Answer.NOTHING)
    for one in taken:
        memory = _with_new_figures(view, mirakl, memory, line_id_of(one.difference))
    return memory, taken


def _with_new_figures(view: View, mirakl: MiraklOrder, memory: Memory, line_id: str) -> Memory:
    """The marketplace's present figures of a line are the agreed ones from now on. Shopify may keep the shipping charge it
    shows, or show the new one. Refund tasks nobody has begun are made anew with them."""
    line, ordered = line_of(mirakl, line_id), memory.ordered_line(line_id)
    if line is None or ordered is None:
        return memory
    new = recalculated(line, ordered)
    sold = tuple(new if line.line_id == line_id else line for line in memory.ordered)
    more = _shipping_paid(new, mirakl) - _shipping_paid(ordered, mirakl)
    charges = memory.also_shipping
    if more and memory.agreed_shipping is not None:
        charges = (*charges, (charges[-1] if charges else memory.agreed_shipping) + more)
    memory = without_edit_tasks(view, memory, SUPERSEDED)
    return replace(memory, ordered=sold, also_shipping=charges)


def _shipping_paid(line: OrderedLine, mirakl: MiraklOrder) -> Decimal:
    """What the customer pays for shipping the line: in TAX_EXCLUDED the taxes come on top."""
    taxes = sum_of(line.shipping_taxes) if mirakl.tax_mode == "TAX_EXCLUDED" else Decimal(0)
    return rounded(line.shipping_price + taxes, mirakl.currency)


def dropped(memory: Memory, why: str) -> Part:
    """An edit for which nothing was sent yet is dropped, because the order it belongs to came to an end."""
    if not memory.unsent_edit:
        return Part(memory)
    because = f"The edit in Shopify that waited is dropped and nothing of it was sent: {why}."
    return Part(replace(memory, unsent_edit=""), because=(because,))


def _noted(edit: Edit, part: Part) -> Part:
    """Remember whether anything was sent for the edit; say once when it was taken back before that."""
    memory = part.memory
    if edit.by_shopify:
        on_its_way = any(
            isinstance(op.action, Cancelation) and op.state in ("IN_FLIGHT", "UNKNOWN")
            for op in edit.view.operations
        )
        asked = any(is_open(task) and is_of_an_edit(task) for task in memory.refund_tasks)
        sent = on_its_way or asked or any(isinstance(action, Cancelation) for action in part.actions)
        known = edit.subject if sent else memory.sent_edit
        unsent = "" if known == edit.subject else edit.subject
        return replace(part, memory=replace(memory, sent_edit=known, unsent_edit=unsent))
    if not memory.unsent_edit:
        return part
    undone = dict(edit.view.memory.settled) == dict(agreed_quantities(edit.mirakl, memory))
    because = ("The edit in Shopify was taken back before anything was sent for it.",) if undone else ()
    return replace(part, memory=replace(memory, unsent_edit=""), because=(*part.because, *because))


# -- the answers, one after the other ----------------------------------------------------------------------


def _carried_out(edit: Edit) -> Part:
    judged = edit.judged()
    impossible = answered(judged, Answer.IMPOSSIBLE)
    if impossible:
        return Part(edit.memory, cases=(_impossible_case(edit, impossible),))
    part = Part(edit.memory)
    for answer in (
        _inexpressible,
        _both_sides,
        _marketplace_changed,
        _refunded_there,
        _mirrored,
        _address_moved,
        _not_allowed,
        _cancelled,
        _refunded,
        _lowered,
        _waiting,
        _incident,
        _prices,
    ):
        part = _joined(part, answer(edit, part.memory, judged))
    return part


def _joined(part: Part, more: Part) -> Part:
    return Part(
        more.memory,
        (*part.actions, *more.actions),
        (*part.cases, *more.cases),
        because=(*part.because, *more.because),
        look_at=earliest(part.look_at, more.look_at),
        mirakl_since=latest(part.mirakl_since, more.mirakl_since),
        as_decided=part.as_decided or more.as_decided,
    )


def _impossible_case(edit: Edit, judged: tuple[Judged, ...]) -> Case:
    mirakl = edit.mirakl
    return Case(
        Reason.IMPOSSIBLE_COMBINATION,
        "order",
        f"{' '.join(_sentences(edit, judged))} Nothing is sent and the parcel {edit.hold.is_held} while the two sides differ. "
        "Compare the order in the portal with what is shown here, and settle it with the marketplace operator."
        f"{edit.hold.lacking}",
        facts=(
            ("Marketplace state", mirakl.state),
            ("Payment workflow", mirakl.payment_workflow),
            ("Debited", "yes" if mirakl.debited_at else "no"),
            *edit.table,
        ),
    )


def _incident(edit: Edit, memory: Memory, judged: tuple[Judged, ...]) -> Part:
    if not asked_about(judged, Reason.INCIDENT_OPEN):
        return Part(memory)
    case = Case(
        Reason.INCIDENT_OPEN,
        "order",
        f"{INCIDENT} Settle it with the customer in the marketplace portal; the parcel is released by itself then.",
    )
    return Part(memory, cases=(case,))


def _prices(edit: Edit, memory: Memory, judged: tuple[Judged, ...]) -> Part:
    """On each edit the marketplace's prices are compared with what the shop asks today. What was found is asked about until
    somebody answers: that the marketplace took the edit makes no price right."""
    mirakl = edit.mirakl
    known = memory.questioned_prices
    memory = replace(memory, questioned_prices=())
    if mirakl.state in (*BEFORE_ACCEPTANCE, *GONE_OUT):
        # Before the acceptance its own room asks.
        return Part(memory)
    if not known and not any(j.difference in edit.by_shopify for j in judged):
        return Part(memory)
    prices = _asked_today(edit, memory) or known
    tolerance = edit.view.rules.price_tolerance
    found = discrepancies(mirakl, prices, tolerance)
    currencies = (price.currency for price in edit.view.prices)
    unknown = (
        *in_other_currencies(mirakl, currencies, tolerance),
        *not_compared(mirakl, prices, tolerance),
    )
    if not found:
        return Part(memory, because=unknown)
    said = memory.decision(Reason.PRICE_DISCREPANCY, subject_of(found))
    if said is not None and said.option in (Option.ACCEPT_ANYWAY, Option.DISMISS):
        return Part(memory, because=unknown)
    case = Case(
        Reason.PRICE_DISCREPANCY,
        subject_of(found),
        f"{in_words_of_prices(found, mirakl.currency)} Somebody edited this order: look whether its prices are right before it "
        "is too late to cancel it.",
        (Option.ACCEPT_ANYWAY, Option.DISMISS),
        as_facts(found, mirakl.currency),
        severity="today",
    )
    lines = [one.line_id for one in found]
    questioned = tuple(price for price in prices if price.line_id in lines)
    return Part(replace(memory, questioned_prices=questioned), cases=(case,), because=unknown)


def _asked_today(edit: Edit, memory: Memory) -> tuple[ShopPrice, ...]:
    """What the shop asks for the units of each line, as it was read when the order changed last."""
    mirakl = edit.mirakl
    today = {price.variant_id: price for price in edit.view.prices if price.currency == mirakl.currency}
    asked = {
        mirakl_line_id_of(line, memory): today[line.variant_id].price
        for line in edit.shopify.lines
        if line.variant_id in today and line.current_quantity > 0
    }
    for bundle in dict.fromkeys(link.mirakl_line_id for link in memory.links if link.part):
        parts = parts_of(bundle, memory)
        if bundle in asked and all(part in today for part in parts):
            asked[bundle] = sum((today[part].price * units for part, units in parts.items()), Decimal(0))
        else:
            asked.pop(bundle, None)
    taxes_included = any(price.taxes_included for price in today.values())
    return tuple(ShopPrice(line_id, amount, taxes_included) for line_id, amount in asked.items() if line_id)


# -- waiting -----------------------------------------------------------------------------------------------


def _waiting(edit: Edit, memory: Memory, judged: tuple[Judged, ...]) -> Part:
    visibly = answered(judged, *STATE_WAITED_FOR)
    quietly = answered(
        judged,
        Answer.NOTHING,
        Answer.WAIT_FOR_REFUND,
        Answer.WAIT_FOR_MARKETPLACE_CHANGE,
        Answer.WAIT_FOR_REST,
    )
    because = [f"The marketplace order is in {edit.mirakl.state}. {s}" for s in _sentences(edit, visibly)]
    because += _sentences(edit, (j for j in quietly if j.difference is not None))
    cases = (_waiting_case(edit, visibly),) if visibly else ()
    return Part(memory, cases=cases, because=tuple(because))


def _waiting_case(edit: Edit, judged: tuple[Judged, ...]) -> Case:
    lacking = edit.hold.lacking if any(one.rule.speaks_of_hold for one in judged) else ""
    return Case(
        Reason.EDIT_WAITING,
        "order",
        " ".join((*edit.sentences, *_sentences(edit, judged), "Nothing has to be done now.")) + lacking,
        facts=(
            ("Waits for", STATE_WAITED_FOR[judged[0].rule.answer]),
            ("Marketplace state", edit.mirakl.state),
            *edit.table,
        ),
    )


# -- what the marketplace cannot take ----------------------------------------------------------------------


def _inexpressible(edit: Edit, memory: Memory, judged: tuple[Judged, ...]) -> Part:
    asked = asked_about(judged, Reason.EDIT_CANNOT_BE_EXPRESSED)
    if not asked:
        return Part(memory)
    options = options_for(edit, memory)
    why = _sentences(edit, (*asked, *answered(judged, Answer.WAIT_FOR_REST)))
    case = Case(
        Reason.EDIT_CANNOT_BE_EXPRESSED,
        edit.subject,
        " ".join(
            (
                *edit.sentences,
                *edit.authors,
                *why,
                f"The parcel {edit.hold.is_held}.",
                *in_words(edit, options),
            )
        )
        + edit.hold.lacking,
        options,
        edit.table,
    )
    if edit.mirakl.state not in GONE_OUT:
        # The reductions wait for the rest. Once the order has left they are a refund of their own, which stays asked for.
        memory = without_edit_tasks(edit.view, memory, SUPERSEDED)
    return with_decision(edit, memory, case)


def _both_sides(edit: Edit, memory: Memory, judged: tuple[Judged, ...]) -> Part:
    asked = [(one, _both_case(edit, memory, one)) for one in asked_about(judged, Reason.BOTH_SIDES_CHANGED)]
    # One call carries every line for which that was answered, and no other.
    units = tuple(
        one.difference
        for one, case in asked
        if isinstance(one.difference, QuantityReduced | LineRemoved)
        and is_answered(memory, case, Option.CANCEL_LINE)
    )
    part = Part(memory)
    for _, case in asked:
        part = _joined(part, with_decision(edit, part.memory, case, units))
    return replace(part, actions=tuple(dict.fromkeys(part.actions)))


def _both_case(edit: Edit, memory: Memory, one: Judged) -> Case:
    line_id = line_id_of(one.difference)
    before, there = dict(memory.settled)[line_id], dict(agreed_quantities(edit.mirakl, memory))[line_id]
    here = dict(shopify_quantities(edit.shopify, memory)).get(line_id, 0)
    sku = next(line.sku for line in edit.mirakl.lines if line.id == line_id)
    return Case(
        Reason.BOTH_SIDES_CHANGED,
        edit.since(both_moved_on(line_id, edit)),
        f"{one.rule.said(edit.hold)} {sku}: {before} were agreed, Shopify now shows {here} and the marketplace {there}. "
        f"Nothing is sent and the parcel {edit.hold.is_held}. Find out what the customer is to get; set Shopify to {there} "
        f"if the marketplace is right, or have the marketplace changed.{edit.hold.lacking}",
        both_options(edit, one.difference),
        (
            ("SKU", sku),
            ("Agreed before", str(before)),
            ("Shopify now", str(here)),
            ("Marketplace now", str(there)),
        ),
    )


# -- the marketplace made a change of its own --------------------------------------------------------------


def _marketplace_changed(edit: Edit, memory: Memory, judged: tuple[Judged, ...]) -> Part:
    asked = asked_about(judged, Reason.MARKETPLACE_CHANGED)
    if edit.cut and not edit.reduced:
        memory = without_edit_tasks(edit.view, memory, SUPERSEDED)
    part = Part(memory, cases=tuple(_to_remove(edit, one) for one in asked if one.difference in edit.cut))
    for one in asked:
        if isinstance(one.difference, TotalsRecalculated):
            part = _joined(part, _repriced(edit, part.memory, one.difference, one.rule.said(edit.hold)))
    return part


def _repriced(edit: Edit, memory: Memory, priced: TotalsRecalculated, why: str) -> Part:
    """A person says that the new figures stand: from then on they are those that were sold at, and Shopify may show the
    old ones or the new ones."""
    currency = edit.mirakl.currency
    case = Case(
        Reason.MARKETPLACE_CHANGED,
        edit.since(price_of(priced)),
        f"{sentence_of(priced, currency)} {why} The parcel {edit.hold.is_held}. Ask the operator whether it is right; if so, "
        "say that it stands. You may then leave the Shopify order as it is, or change it there too."
        f"{edit.hold.lacking}",
        (Option.ACCEPT_ANYWAY,),
        (
            ("SKU", priced.sku),
            ("Sold at", str(Money(priced.was, currency))),
            ("Marketplace now", str(Money(priced.now, currency))),
            ("Shipping when sold", str(Money(priced.shipping_was, currency))),
            ("Shipping now", str(Money(priced.shipping_now, currency))),
        ),
    )
    answer = memory.decision(case.reason, case.subject)
    if answer is None or answer.option is not Option.ACCEPT_ANYWAY:
        return Part(memory, cases=(case,))
    memory = _with_new_figures(edit.view, edit.mirakl, memory, priced.line_id)
    because = f"{answer.who} says that the marketplace's new figures of {priced.sku} stand."
    return Part(memory, because=(because,), look_at=edit.view.now)


def _refunded_there(edit: Edit, memory: Memory, judged: tuple[Judged, ...]) -> Part:
    """Units refunded in the portal that nobody here asked for: a person says whether they still ship."""
    part = Part(memory)
    for one in asked_about(judged, Reason.CONFIRM_WITHDRAWN):
        if isinstance(one.difference, LineRefunded):
            part = _joined(part, _still_shipping(edit, part.memory, one.difference, one.rule.said(edit.hold)))
    return part


def _still_shipping(edit: Edit, memory: Memory, refunded: LineRefunded, why: str) -> Part:
    case = Case(
        Reason.CONFIRM_WITHDRAWN,
        refund_subject(refunded.refund_id),
        f"{sentence_of(refunded, edit.mirakl.currency)} {why} The parcel {edit.hold.is_held}. Confirm that the units stay here, or "
        f"say that the refund was money alone and they ship.{edit.hold.lacking}",
        (Option.CONFIRM_WITHDRAWN, Option.DISMISS),
        ((refunded.sku, counted(refunded.quantity, "unit")), ("Refund", refunded.refund_id)),
    )
    answer = memory.decision(case.reason, case.subject)
    if answer is None or answer.option is not Option.CONFIRM_WITHDRAWN:
        return Part(memory, cases=(case,))
    withdrawn = Withdrawn(refunded.line_id, refunded.quantity, refunded.refund_id, answer.who, edit.view.now)
    because = (
        f"{answer.who} confirmed that {counted(refunded.quantity, 'refunded unit')} of {refunded.sku} "
        f"{'does' if refunded.quantity == 1 else 'do'} not ship."
    )
    memory = replace(memory, withdrawn=(*memory.withdrawn, withdrawn))
    # What is withdrawn changes what is agreed, so everything is compared once more.
    return Part(memory, because=(because,), look_at=edit.view.now)


def _mirrored(edit: Edit, memory: Memory, judged: tuple[Judged, ...]) -> Part:
    """Our own edit takes the units out of the Shopify order; a person is asked where it does not come through."""
    mirrored = tuple(one for one in answered(judged, Answer.MIRROR) if one.difference in edit.cut)
    cuts = tuple(cut for cut in edit.cut if any(one.difference == cut for one in mirrored))
    if not cuts:
        return Part(memory)
    wait = not_yet(edit, memory)
    if wait is not None:
        return wait
    action = mirror_of(edit, cuts)
    shown = {**dict(memory.mirrored), **{cut.line_id: agreed_to(cut) for cut in cuts}}
    refused = any(op.state == "REJECTED" and op.action == action for op in edit.view.operations)
    since = memory.disagreeing_since or edit.view.now
    late = edit.view.now - since >= MIRROR_PATIENCE
    return Part(
        replace(memory, mirrored=tuple(shown.items())),
        (action,),
        tuple(_to_remove(edit, one) for one in mirrored) if refused or late else (),
        because=tuple(_sentences(edit, mirrored)),
        look_at=None if late else since + MIRROR_PATIENCE,
    )


def _address_moved(edit: Edit, memory: Memory, judged: tuple[Judged, ...]) -> Part:
    """The marketplace's new address goes into the Shopify order; where it may not, or does not come through, a person is
    asked. Nothing of an address stands in the case: whoever may see it finds it in the portal and in Shopify."""
    moved = next((one for one in judged if isinstance(one.difference, AddressMoved)), None)
    if moved is None or moved.rule.answer not in (Answer.MIRROR, Answer.DECISION):
        return Part(memory)
    case = _other_address(edit, moved)
    answer = memory.decision(case.reason, case.subject)
    if answer is not None and answer.option is Option.KEEP_ADDRESS:
        stands = replace(
            memory,
            agreed_address=edit.mirakl.address.digest,
            agreed_address_here=edit.shopify.address.digest,
        )
        because = f"{answer.who} says that the address in Shopify stands: {answer.why}"
        return Part(stands, because=(because,), look_at=edit.view.now)
    if moved.rule.answer is Answer.DECISION:
        return Part(memory, cases=(case,))
    action = FillOrderAddress(edit.shopify.id, edit.mirakl.address.digest)
    refused = any(op.state == "REJECTED" and op.action == action for op in edit.view.operations)
    since = memory.disagreeing_since or edit.view.now
    late = edit.view.now - since >= MIRROR_PATIENCE
    return Part(
        memory,
        (action,),
        (case,) if refused or late else (),
        because=(moved.rule.said(edit.hold),),
        look_at=None if late else since + MIRROR_PATIENCE,
    )


def _other_address(edit: Edit, one: Judged) -> Case:
    assert isinstance(one.difference, AddressMoved)
    why = (
        one.rule.said(edit.hold)
        if one.rule.answer is Answer.DECISION
        else "Our own change of it does not come through."
    )
    return Case(
        Reason.MARKETPLACE_CHANGED,
        edit.since(addresses_of(edit)),
        f"{sentence_of(one.difference, edit.mirakl.currency)} {why} What is still here is held. Look up the new address in "
        "the marketplace portal and put it into the Shopify order; it goes on by itself once both show the same. If the "
        "parcel is to go to the address in Shopify, say that it stands.",
        (Option.KEEP_ADDRESS,),
        (("Units have left", "yes" if one.facts.units_left else "no"),),
    )


def _to_remove(edit: Edit, one: Judged) -> Case:
    cut = one.difference
    assert isinstance(cut, LineCancelled | LineRefused)
    agreed = agreed_to(cut)
    return Case(
        Reason.MARKETPLACE_CHANGED,
        cut.line_id,
        f"{sentence_of(cut, edit.mirakl.currency)} Units were cancelled there, by the customer, the operator or "
        f"in the portal. {one.rule.said(edit.hold) if one.rule.answer is Answer.DECISION else ''} "
        f"Remove {cut.shopify - agreed} of {cut.sku} from the Shopify order; the parcel {edit.hold.is_held} until then."
        f"{edit.hold.lacking}".replace("  ", " "),
        facts=(
            ("SKU", cut.sku),
            ("Marketplace", str(agreed)),
            ("Shopify", str(cut.shopify)),
            ("Remove in Shopify", str(cut.shopify - agreed)),
        ),
    )


# -- reductions --------------------------------------------------------------------------------------------


def _cancelled(edit: Edit, memory: Memory, judged: tuple[Judged, ...]) -> Part:
    order = answered(judged, Answer.CANCEL_ORDER)
    units = answered(judged, Answer.CANCEL_QUANTITY)
    if not order and not units:
        return Part(memory)
    memory = without_edit_tasks(edit.view, memory, SUPERSEDED)
    if order:
        return send(edit, memory, CancelMiraklOrder(), order[0].rule.said(edit.hold))
    return cancel_quantities(edit, memory, _reductions(units))


def _refunded(edit: Edit, memory: Memory, judged: tuple[Judged, ...]) -> Part:
    asked = answered(judged, Answer.REFUND_TASK, Answer.REFUND_APPROVAL, Answer.AUTOMATIC_REFUND)
    return refund(edit, memory, asked[0].rule.said(edit.hold)) if asked else Part(memory)


def _lowered(edit: Edit, memory: Memory, judged: tuple[Judged, ...]) -> Part:
    """Units that came back after the order had left: the refund that is asked for, and that nobody has begun, becomes one of
    what is still missing."""
    too_much = any(
        covered_units(memory, due.line_id) > edit.missing.get(due.line_id, 0)
        for task in memory.refund_tasks
        if is_open(task) and is_of_an_edit(task) and not is_begun(task, edit.view.operations)
        for due in task.lines
    )
    if edit.mirakl.state not in GONE_OUT or not too_much:
        return Part(memory)
    return refund(edit, memory, "Units came back to the order, so less is to be refunded.")


def _reductions(judged: tuple[Judged, ...]) -> tuple[Reduced, ...]:
    return tuple(j.difference for j in judged if isinstance(j.difference, QuantityReduced | LineRemoved))


def _not_allowed(edit: Edit, memory: Memory, judged: tuple[Judged, ...]) -> Part:
    asked = asked_about(judged, Reason.REDUCTION_NOT_ALLOWED)
    if not asked:
        return Part(memory)
    why = " ".join((*edit.sentences, *edit.authors, *_sentences(edit, asked)))
    if edit.mirakl.state in GONE_OUT:
        return _once_closed(edit, memory, why)
    by_hand = declined_task(memory, edit.missing)
    if by_hand is not None:
        why = f"{why} It was closed by {by_hand.dismissed_by}."
    options = options_for(edit, memory)
    case = Case(
        Reason.REDUCTION_NOT_ALLOWED,
        edit.subject,
        " ".join((why, f"The parcel {edit.hold.is_held}.", *in_words(edit, options))) + edit.hold.lacking,
        options,
        edit.table,
    )
    return with_decision(edit, memory, case)


def _once_closed(edit: Edit, memory: Memory, why: str) -> Part:
    """An order that is closed at the marketplace takes no refund, so nothing there can show that the case is settled."""
    options = (Option.DONE_IN_PORTAL, Option.UNDO_IN_SHOPIFY)
    case = Case(Reason.REDUCTION_NOT_ALLOWED, edit.subject, why, options, edit.table)
    answer = memory.decision(case.reason, case.subject)
    if answer is not None and answer.option is Option.DONE_IN_PORTAL:
        return Part(memory, because=(f"{answer.who} settled the reduction with the operator.",))
    return Part(memory, cases=(case,))


def _sentences(edit: Edit, judged: Iterable[Judged]) -> list[str]:
    """The sentences of the rules, each once."""
    return list(dict.fromkeys(j.rule.said(edit.hold) for j in judged))
