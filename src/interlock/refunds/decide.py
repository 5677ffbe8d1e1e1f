"""Every refund of money in Shopify becomes one task, and every task closes on what the marketplace shows.

What Interlock itself refunds (see `sending`) is followed here: it must appear once, on its line, with its amount, and be
paid back.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from interlock.orders.agreement import (
    agreed_quantities,
    fulfilled_quantities,
    shopify_quantities,
)
from interlock.orders.lineage import waits_for_successor_until
from interlock.orders.memory import Decision, Incident, MadeRefund, Memory, RefundDue, RefundTask, Withdrawn
from interlock.orders.money import Money
from interlock.orders.plan import Case, Part, earliest, latest
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import (
    COVERED,
    awaits_confirmation,
    closed,
    is_begun,
    is_of_an_edit,
    is_open,
    with_task,
)
from interlock.orders.shares import operators_part, rounding_of
from interlock.orders.snapshots import DEAD, GONE_OUT, TO_SHIP, MiraklOrder, ShopifyRefund
from interlock.orders.timeline import counted
from interlock.orders.view import View
from interlock.refunds import damage, following
from interlock.refunds.answers import (
    Figures,
    answers,
    answers_are_cancelations,
    asked_for,
    comes_to,
    given,
    given_back,
    is_over,
    is_whole,
    lines_of,
    of_ours,
    only_records,
    shown_for,
)
from interlock.refunds.elsewhere import only_there
from interlock.refunds.made_already import question
from interlock.refunds.mismatch import is_accepted, mismatch_at, mismatch_case
from interlock.refunds.opening import opened
from interlock.refunds.policy import (
    approvals,
    approvals_needed,
    customers_total,
    is_asked_about,
    is_ours,
    may_be_sent,
    obstacle,
    refunded_besides,
    taken_over_by,
)
from interlock.refunds.sending import awaits_a_call, operation_of

ZERO = Decimal(0)
CANCELLED = "the marketplace cancelled the units instead"
OUR_OWN = "OR28"
ITEMS_TO_SHIP = "ST12"
CANCELLED_HERE = "the cancelation in Shopify"
READ_FIRST = (
    "Money was refunded in Shopify. The marketplace is read once more before it is asked for there, because it may have been "
    "given back there already."
)


def decide(view: View, memory: Memory) -> Part:
    """The refund room's part: opens, answers, confirms and shows the refund tasks of one order."""
    memory = _turned_down(view, _dismissed(_made(view, memory)))
    damage_at: datetime | None = None
    unread: list[ShopifyRefund] = []
    if view.mirakl is not None:
        memory = _answered_first(view.mirakl, memory, view.now)
        for refund in _to_answer(view, memory):
            known = _task(memory, refund.id)
            if refund.money <= 0 or (known is not None and not (known.asks and is_open(known))):
                continue
            if known is None and view.mirakl.observed_at < _seen_by(view, refund):
                unread.append(refund)
                continue
            # What is asked is looked at anew each time: what it was compared with may have changed.
            memory = opened(view, view.mirakl, memory, refund)
        memory = _answered(view.mirakl, memory, view.now)
        memory = following.paid(view.mirakl, memory, view.now)
        memory, damage_at = damage.told(view.mirakl, memory, view.now)
    before = memory.withdrawn
    memory = _withdrawn(view, memory)
    cases = (*_refund_cases(view, memory), *_confirmations(view, memory))
    withdrawn = tuple(_why_withdrawn(memory, w) for w in memory.withdrawn[len(before) :])
    late, look_at = following.unpaid(view, memory)
    read_since, read_at = following.after_a_word(view, memory)
    paid_since, paid_read_at = following.of_payments(view, memory)
    for moment in (read_at, paid_read_at, damage_at, mismatch_at(view, memory)):
        look_at = earliest(look_at, moment)
    return Part(
        memory,
        cases=(*cases, *late),
        keep_held=(*_on_their_way(view, memory), *_put_back(view, memory)),
        because=(
            *withdrawn,
            *((READ_FIRST,) if unread else ()),
            *_recognised(memory, view.now),
            *_apart(view, memory),
            *_roundings(view, memory),
            *following.progress(memory, view.now),
        ),
        # What is withdrawn changes what is agreed, so the other rooms have to look again.
        look_at=view.now if withdrawn else look_at,
        # The first of them is answered by a read that is too old for the next.
        mirakl_since=latest(
            read_since, paid_since, min((_seen_by(view, refund) for refund in unread), default=None)
        ),
    )


def _seen_by(view: View, refund: ShopifyRefund) -> datetime:
    """When the refund was certainly there, on our clock: Shopify's may be ahead of it. What the marketplace showed before may
    lack the very refund that this one records."""
    return refund.created_at if view.shopify is None else min(refund.created_at, view.shopify.observed_at)


def _on_their_way(view: View, memory: Memory) -> tuple[str, ...]:
    """Units whose money Interlock is giving back do not ship, whatever Shopify shows meanwhile: an edit that is taken
    back too late does not take back the refund."""
    if view.mirakl is None or view.mirakl.state not in TO_SHIP:
        return ()
    return tuple(
        f"A refund of {due.quantity} of {_sku(memory, due.line_id)} is on its way at the marketplace; the parcel waits "
        "until it is shown there."
        for task in memory.refund_tasks
        if is_open(task) and is_of_an_edit(task) and is_begun(task, view.operations)
        for due in task.lines
        if due.quantity and _still_here(view, memory, due)
    )


def _put_back(view: View, memory: Memory) -> tuple[str, ...]:
    """Refunded units that the Shopify order shows again do not ship before somebody said so: until then the two sides
    show the same, and nothing else keeps the parcel here."""
    if view.mirakl is None or view.shopify is None or view.mirakl.state not in TO_SHIP:
        return ()
    agreed = dict(agreed_quantities(view.mirakl, memory))
    shown = dict(shopify_quantities(view.shopify, memory))
    return tuple(
        f"{due.quantity} of {_sku(memory, due.line_id)} were refunded and are in the Shopify order again; the parcel "
        "waits for somebody's word whether they ship."
        for task in memory.refund_tasks
        for due in _unanswered(view, memory, task)
        if shown.get(due.line_id, 0) > agreed.get(due.line_id, 0) - due.quantity
    )


def _why_withdrawn(memory: Memory, withdrawn: Withdrawn) -> str:
    units = f"{counted(withdrawn.quantity, 'refunded unit')} of {_sku(memory, withdrawn.line_id)}"
    if withdrawn.confirmed_by == OUR_OWN:
        return f"The marketplace took {units} out of what is to ship, with our own refund (OR28)."
    if withdrawn.confirmed_by == ITEMS_TO_SHIP:
        return f"The marketplace no longer lists {units} as to be shipped (ST12)."
    if withdrawn.confirmed_by == CANCELLED_HERE:
        return f"The order is cancelled in Shopify, so {units} {'does' if withdrawn.quantity == 1 else 'do'} not ship."
    return f"{withdrawn.confirmed_by} confirmed that {units} {'does' if withdrawn.quantity == 1 else 'do'} not ship."


def _recognised(memory: Memory, now: datetime) -> tuple[str, ...]:
    """A sentence for each Shopify refund that was just taken for money made or asked for already."""
    recorded = tuple(
        f"A refund in Shopify records what the marketplace gave back before ({', '.join(task.settled_by)}); nothing more is "
        "refunded for it."
        for task in memory.refund_tasks
        if task.settled_at == now and any(only_records(task, due) for due in task.lines)
    )
    removals = tuple(
        "A refund in Shopify is the money of units that were removed there; it is asked for once."
        for task in memory.refund_tasks
        if task.opened_at == now and task.dismissed_by.startswith(COVERED)
    )
    return (*recorded, *removals)


def _apart(view: View, memory: Memory) -> tuple[str, ...]:
    """A sentence for each task that was just settled with another amount than Shopify moved."""
    found = []
    for task in memory.refund_tasks:
        settled = view.mirakl is not None and task.settled_at == view.now and not task.dismissed_by
        if view.mirakl is None or not settled or task.money is None:
            continue
        there, currency = comes_to(view.mirakl, task), view.mirakl.currency
        if there != task.money:
            found.append(
                f"The marketplace gave back {_money(there, currency)} and Shopify {_money(task.money, currency)}: the two "
                f"sides differ by {_money(abs(there - task.money), currency)}, as a person decided."
            )
    return tuple(found)


def _roundings(view: View, memory: Memory) -> tuple[str, ...]:
    """Where a share of an open task was rounded, one sentence says so; the timeline tells it once."""
    if view.mirakl is None:
        return ()
    found = []
    for task in memory.refund_tasks:
        for due in task.lines if is_open(task) else ():
            ordered = memory.ordered_line(due.line_id)
            if ordered is not None and due.quantity > 0:
                found.append(rounding_of(ordered, due.quantity, view.mirakl.currency))
    return tuple(sentence for sentence in found if sentence)


def _to_answer(view: View, memory: Memory) -> tuple[ShopifyRefund, ...]:
    """The Shopify refunds that ask for one at the marketplace.

    An order that is being replaced is refunded as part of that, and its money stands in the new order: while it is not
    settled whether one takes over, and for every refund made until then, nothing is due. A later refund of a replaced
    order is one of this sale like any other.
    """
    shopify = view.shopify
    if shopify is None or shopify.id != memory.shopify_order_id:
        return ()
    found: list[ShopifyRefund] = []
    if not memory.candidates and waits_for_successor_until(view, memory) is None:
        found.extend(shopify.refunds)
    for order in view.kin:
        kin = memory.kin(order.id)
        if kin is not None and kin.role == "superseded":
            found.extend(refund for refund in order.refunds if refund.created_at > kin.since)
    return tuple(found)


def _task(memory: Memory, subject: str) -> RefundTask | None:
    for task in memory.refund_tasks:
        if task.subject == subject:
            return task
    return None


def _made(view: View, memory: Memory) -> Memory:
    """Remember which tasks the marketplace confirmed our own refund for, so that none is ever made twice."""
    for made in view.refunds_made:
        task = _task(memory, made.action.subject)
        if task is None or task.made_at is not None:
            continue
        ids = dict(made.refund_ids)
        refunds = tuple(
            MadeRefund(
                line.line_id,
                ids[line.line_id],
                line.amount,
                line.shipping_amount,
                line.excluded_from_shipment,
            )
            for line in made.action.lines
            if line.line_id in ids
        )
        memory = with_task(memory, replace(task, made_at=made.at, made=refunds))
    return memory


def _dismissed(memory: Memory) -> Memory:
    for task in memory.refund_tasks:
        answer = taken_over_by(memory, task)
        if (
            is_open(task)
            and answer is not None
            and answer.option is Option.DISMISS
            and answer.who
            and answer.why
            and answer.at >= task.opened_at
        ):
            memory = closed(memory, task, f"{answer.who}: {answer.why}")
    return memory


def _turned_down(view: View, memory: Memory) -> Memory:
    """Close the tasks whose refund the operator turned down, as somebody said; one whose refund is shown after all is open
    again, and is damage where the units have left meanwhile."""
    mirakl = view.mirakl
    for task in memory.refund_tasks if mirakl is not None else ():
        said = memory.decision(Reason.REFUND_NOT_PAID, task.subject)
        if mirakl is None or said is None or task.settled_at is not None:
            continue
        by = f"{said.who}: {said.why}"
        shown = following.is_shown(mirakl, task)
        if is_open(task) and task.made and following.was_turned_down(memory, task) and not shown:
            memory = closed(memory, task, by)
        elif task.dismissed_by == by and shown:
            memory = with_task(memory, replace(task, dismissed_by=""))
            if mirakl.state in GONE_OUT:
                memory = memory.with_incident(_shown_after_all(view.now, memory, task, said))
    return memory


def _shown_after_all(now: datetime, memory: Memory, task: RefundTask, said: Decision) -> Incident:
    ids = ", ".join(one.refund_id for one in task.made)
    units = ", ".join(f"{due.quantity} of {_sku(memory, due.line_id)}" for due in task.lines)
    return Incident(
        Reason.REFUND_MISMATCH,
        f"{task.made[0].refund_id}:late",
        now,
        f"{said.who} said that the operator turned down our refund {ids} of {units}, and the marketplace shows it after the "
        "order has left. Find out whether the customer got these units; money that went too much comes back only through the "
        "operator.",
    )


# -- answers of the marketplace ----------------------------------------------------------------------------


def _answered(mirakl: MiraklOrder, memory: Memory, now: datetime) -> Memory:
    """Every new refund of the marketplace is given to the task it answers; what comes to its money settles it, and so
    does a person who takes what was refunded for it as it is."""
    memory = given(mirakl, memory)
    for task in memory.refund_tasks:
        if (
            is_open(task)
            and not task.asks
            and (_all_is_there(mirakl, memory, task) or is_accepted(memory, task))
        ):
            by_cancelation = any(
                _is_cancelled(mirakl, due) or answers_are_cancelations(mirakl, task, due)
                for due in task.lines
            )
            # Cancelled units are out of the agreed quantity already and must not be withdrawn once more.
            memory = with_task(
                memory, replace(task, settled_at=now, dismissed_by=CANCELLED if by_cancelation else "")
            )
    return memory


def _answered_first(mirakl: MiraklOrder, memory: Memory, now: datetime) -> Memory:
    """The tasks of refunds in Shopify that the marketplace has answered in full. That comes before a later refund in Shopify is
    looked at, which would take such an answer for a refund nobody asked for."""
    open_before = {task.subject for task in memory.refund_tasks if is_open(task) and not is_of_an_edit(task)}
    if not open_before:
        return memory
    for task in _answered(mirakl, memory, now).refund_tasks:
        if task.subject in open_before and not is_open(task):
            memory = with_task(memory, task)
    return memory


def _all_is_there(mirakl: MiraklOrder, memory: Memory, task: RefundTask) -> bool:
    whole = all(_is_cancelled(mirakl, due) or is_whole(mirakl, task, due) for due in task.lines)
    if task.money is None:
        return whole
    cancelled = any(
        _is_cancelled(mirakl, due) or answers_are_cancelations(mirakl, task, due) for due in task.lines
    )
    done = taken_over_by(memory, task)
    said = done is not None and done.option is Option.DONE_IN_PORTAL
    return comes_to(mirakl, task) == task.money or (whole and (cancelled or said))


def _is_cancelled(mirakl: MiraklOrder, due: RefundDue) -> bool:
    """Whether nobody was or will be charged for the line: it ended as refused or cancelled, undebited."""
    lines = lines_of(mirakl, due)
    return bool(lines) and all(
        (line.state in DEAD or mirakl.state in DEAD) and line.debited_at is None and mirakl.debited_at is None
        for line in lines
    )


# -- units that will not ship ------------------------------------------------------------------------------


def _withdrawn(view: View, memory: Memory) -> Memory:
    """Count refunded units as withdrawn: by our own refund that took them out of the parcel, once the marketplace shows
    it; where it no longer lists them as to be shipped (ST12); or once a person has said that they stay here."""
    if view.mirakl is None or view.mirakl.state not in TO_SHIP:
        return memory
    for task in memory.refund_tasks:
        for due in task.lines:
            by = _who_says_so(view.mirakl, memory, task, due)
            if by and awaits_confirmation(memory, task, due) and _still_here(view, memory, due):
                ids = [r.id for r in answers(view.mirakl, task, due)]
                withdrawn = Withdrawn(
                    due.line_id, due.quantity, ids[-1] if ids else task.subject, by, view.now
                )
                memory = replace(memory, withdrawn=(*memory.withdrawn, withdrawn))
    return memory


def _who_says_so(mirakl: MiraklOrder, memory: Memory, task: RefundTask, due: RefundDue) -> str:
    """Who or what says that the task's units of this line will not ship; empty for nobody."""
    word = _word(memory, task)
    if word is not None:
        return word.who
    if any(one.line_id == due.line_id and one.excluded for one in task.made):
        return OUR_OWN
    if task.ending:
        return CANCELLED_HERE
    if mirakl.to_ship is not None and due.line_id:
        agreed = dict(agreed_quantities(mirakl, memory)).get(due.line_id, 0)
        listed = dict(mirakl.to_ship).get(due.line_id, 0)
        # Only the whole truth counts: exactly these units are missing from what is to ship, and nothing else.
        if listed == agreed - due.quantity:
            return ITEMS_TO_SHIP
    return ""


def _still_here(view: View, memory: Memory, due: RefundDue) -> bool:
    """Whether the refunded units can still be kept back: a refund of units that have left is money alone."""
    if view.mirakl is None or view.shopify is None:
        return True
    agreed = dict(agreed_quantities(view.mirakl, memory)).get(due.line_id, 0)
    return dict(fulfilled_quantities(view.shopify, memory)).get(due.line_id, 0) <= agreed - due.quantity


def _word(memory: Memory, task: RefundTask) -> Decision | None:
    """The person's word that the task's units will not ship: said on its own, or with the refund made."""
    confirmed = memory.decision(Reason.CONFIRM_WITHDRAWN, task.subject)
    if confirmed is not None and confirmed.option in (Option.CONFIRM_WITHDRAWN, Option.DONE_IN_PORTAL):
        return confirmed
    done = taken_over_by(memory, task)
    if confirmed is None and done is not None and done.option is Option.DONE_IN_PORTAL:
        return done
    return None


def _unanswered(view: View, memory: Memory, task: RefundTask) -> tuple[RefundDue, ...]:
    """The refunded units of a task that can still be kept back, and of which nobody has said yet whether they ship."""
    return tuple(
        due for due in task.lines if awaits_confirmation(memory, task, due) and _still_here(view, memory, due)
    )


def _confirmations(view: View, memory: Memory) -> tuple[Case, ...]:
    if view.mirakl is not None and view.mirakl.state not in TO_SHIP:
        return ()
    cases = []
    for task in memory.refund_tasks:
        waiting = _unanswered(view, memory, task)
        if waiting:
            units = ", ".join(f"{due.quantity} of {_sku(memory, due.line_id)}" for due in waiting)
            cases.append(
                Case(
                    Reason.CONFIRM_WITHDRAWN,
                    task.subject,
                    f"The marketplace refunded {'the full price of' if task.money is None else 'money for'} {units} before dispatch. Confirm that these units "
                    "stay here, and they no longer count as agreed; if they ship all the same, dismiss this and put "
                    f"them back into the Shopify order. The parcel {view.hold.is_held} until then.{view.hold.lacking}",
                    (Option.CONFIRM_WITHDRAWN, Option.DISMISS),
                    tuple((_sku(memory, due.line_id), counted(due.quantity, "unit")) for due in waiting),
                )
            )
    return tuple(cases)


# -- what a person sees ------------------------------------------------------------------------------------


def _refund_cases(view: View, memory: Memory) -> tuple[Case, ...]:
    found = []
    for task in memory.refund_tasks:
        if not is_open(task):
            continue
        if task.asks:
            found.append(question(view, memory, task))
            continue
        differing = mismatch_case(view, memory, task)
        if differing is not None:
            found.append(differing)
        elif view.mirakl is None or not is_ours(view.rules, task) or taken_over_by(memory, task) is not None:
            found.append(_refund_case(view, memory, task))
        elif task.made_at is not None:
            if _shows_something_else(view.mirakl, task):
                found.append(_refund_case(view, memory, task))
        elif _is_sendings(view, view.mirakl, memory, task):
            continue
        elif obstacle(view.rules, view.mirakl, memory, task):
            found.append(_refund_case(view, memory, task))
        elif not may_be_sent(view.rules, view.mirakl, memory, task):
            found.append(_approval_case(view, view.mirakl, memory, task))
    return tuple(found)


def _is_sendings(view: View, mirakl: MiraklOrder, memory: Memory, task: RefundTask) -> bool:
    """Whether the room that sends shows what there is to see: a call under way, or a refusal of one that may still be sent. A
    refusal of one that may not any more, as more was refunded meanwhile or the order moved on, is asked about here."""
    operation = operation_of(view, task)
    refused = operation is not None and operation.state == "REJECTED"
    return awaits_a_call(view, task) and (not refused or may_be_sent(view.rules, mirakl, memory, task))


def _shows_something_else(mirakl: MiraklOrder, task: RefundTask) -> bool:
    """Whether our refunds are shown, and still do not come to what the task asks for: a person has to compare."""
    shown = of_ours(mirakl, task)
    return not task.made or (len(shown) == len(task.made) and bool(shown))


def _approval_case(view: View, mirakl: MiraklOrder, memory: Memory, task: RefundTask) -> Case:
    currency = mirakl.currency
    total = customers_total(task, mirakl.tax_mode)
    given = approvals(memory, task)
    needed = approvals_needed(view.rules, mirakl, memory, task)
    sentences = [
        _why(task),
        f"Interlock refunds {_money(total, currency)} at the marketplace once it is approved: "
        f"{_figures(memory, task, currency)}.",
    ]
    besides = refunded_besides(mirakl, memory, task)
    if besides:
        sentences.append(
            f"Interlock refunds {_money(besides, currency)} of this order besides, so it is judged as "
            f"{_money(total + besides, currency)}."
        )
    cap = view.rules.refund_cap or ZERO
    if view.rules.reduction_after_debit == "automatic" and total + besides > cap:
        sentences.append(f"It is above the {_money(cap, currency)} that need no approval.")
    elif mirakl.state in GONE_OUT:
        sentences.append(
            "The marketplace counts the order as sent: approve it only if the customer did not get these units."
        )
    if given:
        names = " and ".join(decision.who for decision in given)
        sentences.append(f"{names} approved it; a second, different person has to approve it too.")
    elif needed > 1:
        limit = _money(view.rules.refund_limit or ZERO, currency)
        sentences.append(f"It is above {limit}, so two different people have to approve it.")
    lacking = ""
    if mirakl.state in TO_SHIP and not task.ending:
        sentences.append(f"The parcel {view.hold.is_held} until the marketplace shows the refund.")
        lacking = view.hold.lacking
    facts = (
        *_facts(view, memory, task, currency, _money(total, currency)),
        ("Approvals", f"{len(given)} of {needed}"),
        *((f"Approved by {decision.who}", decision.why) for decision in given),
    )
    options = (Option.APPROVE_REFUND, Option.DONE_IN_PORTAL, Option.DISMISS)
    return Case(Reason.REFUND_APPROVAL, task.subject, " ".join(sentences) + lacking, options, facts)


def _why(task: RefundTask) -> str:
    """Why money is asked back."""
    if task.ending:
        return (
            "The order was cancelled in Shopify after the customer had paid, and no other order replaces it: until the refund the "
            "customer has paid for a parcel that will not come."
        )
    if is_of_an_edit(task):
        return "Units were removed in Shopify after the customer had paid."
    return "Money was refunded in Shopify, which does not reach the marketplace by itself."


def _refund_case(view: View, memory: Memory, task: RefundTask) -> Case:
    mirakl = view.mirakl
    if mirakl is None:
        currency = view.shopify.currency if view.shopify is not None else ""
        tax_mode = view.rules.tax_mode
    else:
        currency, tax_mode = mirakl.currency, mirakl.tax_mode
    total = _money(customers_total(task, tax_mode), currency)
    sentences = [_why(task), f"Refund {total} in the marketplace portal: {_figures(memory, task, currency)}."]
    if task.money is not None:
        sentences = [_why(task), *_both_figures(view, memory, task, total, currency)]
    if any(other.dismissed_by == f"{COVERED}{task.subject}" for other in memory.refund_tasks):
        sentences.append("It is the refund of the removal in Shopify too: make it once.")
    if is_asked_about(memory, task):
        sentences.append(
            "Whether a refund in Shopify is its money is asked in a case of its own: answer that first."
        )
    if mirakl is not None:
        if is_ours(view.rules, task) and task.made_at is None and taken_over_by(memory, task) is None:
            why_not = obstacle(view.rules, mirakl, memory, task)
            sentences.append(f"Interlock does not make it itself: {why_not}" if why_not else "")
        sentences.append(_progress(mirakl, task, currency))
    answer = taken_over_by(memory, task)
    if answer is not None and answer.option is Option.DONE_IN_PORTAL:
        sentences.append(
            f"{answer.who} said it was done; the task closes by itself when the marketplace shows it."
        )
    return Case(
        Reason.REFUND_TASK,
        task.subject,
        " ".join(sentence for sentence in sentences if sentence),
        (Option.DONE_IN_PORTAL, Option.DISMISS),
        _facts(view, memory, task, currency, total),
    )


def _both_figures(view: View, memory: Memory, task: RefundTask, total: str, currency: str) -> tuple[str, ...]:
    """What a person has to know to decide which of the two amounts the customer gets."""
    money = task.money or ZERO
    share = customers_total(task, view.rules.tax_mode if view.mirakl is None else view.mirakl.tax_mode)
    meaning = (
        "Less than the share may keep a fee back, or pay for a flaw"
        if money < share
        else "More than the share may be a goodwill beside it"
    )
    there = () if view.mirakl is None else only_there(view.mirakl, memory)
    seen = {i for due in task.lines for i in due.seen_refunds}
    before = [(line, refund) for line, refund in there if refund.id in seen]
    earlier = ", ".join(
        f"{_money(given_back(view.mirakl, refund), currency)} of {line.sku} ({refund.id})"
        for line, refund in before
        if view.mirakl is not None
    )
    return (
        f"Shopify refunded {_money(money, currency)}, and the marketplace's share of the units is {total}: "
        f"{_figures(memory, task, currency)}. {meaning}.",
        f"The marketplace had given back {earlier} before, which no task asked for." if earlier else "",
        "Decide what the customer is to get, and refund that in the marketplace portal: Shopify's amount settles this by "
        "itself, the share once you say that it is done.",
    )


def _figures(memory: Memory, task: RefundTask, currency: str) -> str:
    figures = []
    for due in task.lines:
        if not due.line_id:
            figures.append("an amount that belongs to no particular line, taxes included")
            continue
        shipping = f" and {_money(due.shipping_amount, currency)} shipping" if due.shipping_amount else ""
        figures.append(
            f"{due.quantity} of {_sku(memory, due.line_id)} with {_money(due.amount, currency)}{shipping}"
        )
    return ", ".join(figures)


def _progress(mirakl: MiraklOrder, task: RefundTask, currency: str) -> str:
    if task.money is not None and comes_to(mirakl, task):
        return f"So far the marketplace shows {_money(comes_to(mirakl, task), currency)}."
    asked = [asked_for(due) for due in task.lines]
    shown = [shown_for(mirakl, task, due) for due in task.lines]
    if any(is_over(mirakl, task, due) for due in task.lines):
        paid = _money(sum((f.total(mirakl.tax_mode) for f in shown), ZERO), currency)
        return (
            f"The marketplace shows {paid} refunded, which is more than asked for: compare both "
            "sides, correct what is wrong, and dismiss this with the reason."
        )
    if any(f.total(mirakl.tax_mode) for f in shown):
        return f"So far the marketplace shows {_so_far(asked, shown, currency)}."
    if mirakl.state in DEAD:
        return "The marketplace order has ended; check there whether the customer ever paid."
    if mirakl.debited_at is None and all(line.debited_at is None for line in mirakl.lines):
        return (
            "The marketplace has not charged the customer yet, so a refund may only be possible later; if the units "
            "are cancelled there instead, this closes by itself."
        )
    return ""


def _so_far(asked: list[Figures], shown: list[Figures], currency: str) -> str:
    product = f"{_money(sum((f.amount for f in shown), ZERO), currency)} of "
    words = f"{product}{_money(sum((f.amount for f in asked), ZERO), currency)} product amount"
    shipping = sum((f.shipping for f in asked), ZERO)
    if not shipping:
        return words
    given_back = _money(sum((f.shipping for f in shown), ZERO), currency)
    return f"{words} and {given_back} of {_money(shipping, currency)} shipping"


def _facts(
    view: View, memory: Memory, task: RefundTask, currency: str, total: str
) -> tuple[tuple[str, str], ...]:
    facts = []
    for due in task.lines:
        name = _sku(memory, due.line_id) if due.line_id else "Any line"
        if due.line_id:
            facts.append((f"{name}: line", due.line_id))
            facts.append((f"{name}: units", str(due.quantity)))
        facts.append((f"{name}: amount", _money(due.amount, currency)))
        facts.append((f"{name}: shipping", _money(due.shipping_amount, currency)))
        facts += [(f"{name}: fee {fee.code}", _money(fee.amount, currency)) for fee in due.fees if fee.amount]
        facts += [(f"{name}: tax {tax.code}", _money(tax.amount, currency)) for tax in due.taxes]
        facts += [
            (f"{name}: shipping tax {tax.code}", _money(tax.amount, currency)) for tax in due.shipping_taxes
        ]
        if view.mirakl is not None:
            shown = shown_for(view.mirakl, task, due)
            so_far = shown.amount if due.line_id else shown.total(view.mirakl.tax_mode)
            facts.append((f"{name}: refunded so far", _money(so_far, currency)))
            if due.line_id and (due.shipping_amount or shown.shipping):
                facts.append((f"{name}: shipping refunded so far", _money(shown.shipping, currency)))
    facts.append(("Total for the customer" if task.money is None else "The marketplace's share", total))
    kept = sum((operators_part((*due.taxes, *due.shipping_taxes)) for due in task.lines), ZERO)
    if kept and view.mirakl is not None:
        yours = customers_total(task, view.mirakl.tax_mode) - kept
        facts.append(("Taxes the operator collects", _money(kept, currency)))
        facts.append(("Your part", _money(yours, currency)))
    facts.append(("Currency", currency))
    if view.shopify is not None:
        for refund in view.shopify.refunds:
            if refund.id == task.subject:
                facts.append(("Refunded in Shopify", _money(refund.money, view.shopify.currency)))
    facts.append(("Reason", "edit in Shopify" if is_of_an_edit(task) else "refund in Shopify"))
    return tuple(facts)


def _money(amount: Decimal, currency: str) -> str:
    return str(Money(amount, currency)) if currency else str(amount)


def _sku(memory: Memory, line_id: str) -> str:
    line = memory.ordered_line(line_id)
    return line.sku if line is not None and line.sku else line_id
