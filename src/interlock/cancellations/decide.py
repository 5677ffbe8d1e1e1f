"""The whole order ends on one side: the other side follows, waits for a successor, or a person decides."""

from dataclasses import replace
from datetime import datetime, timedelta

from interlock.cancellations.missing import gone_unseen
from interlock.orders.actions import Action, CancelMiraklOrder, CancelShopifyOrder, DeleteDraft
from interlock.orders.agreement import agreed_quantities
from interlock.orders.ending import (
    CHARGED,
    is_asked_back,
    is_declined,
    was_paid_back,
    with_everything_asked_back,
)
from interlock.orders.leaving import as_it_left, stays_here
from interlock.orders.lineage import waits_for_successor_until
from interlock.orders.memory import Incident, Memory
from interlock.orders.money import Money
from interlock.orders.plan import Case, Part
from interlock.orders.portal import reads_after_a_word
from interlock.orders.reasons import Option, Reason, Severity
from interlock.orders.refund_tasks import is_open
from interlock.orders.refunded import money_is_back, money_kept
from interlock.orders.snapshots import (
    BEFORE_DEBIT_DONE,
    DEAD,
    GONE_OUT,
    OPEN_DRAFT,
    Fulfillment,
    MiraklOrder,
    ShopifyOrder,
)
from interlock.orders.view import OpenOperation, View

LEFT = "left"
"""The subject of the case about units that left although their order was cancelled."""
SHOWN_WITHIN = timedelta(days=30)
"""So long the marketplace is read daily for what a person said was done in its portal."""


def has_ended(mirakl: MiraklOrder, memory: Memory) -> bool:
    """Whether the marketplace will never want a parcel for this order: REFUSED, CANCELED, or no line has a unit
    that was neither refused nor cancelled."""
    if mirakl.state in DEAD:
        return True
    if mirakl.state in GONE_OUT or not mirakl.lines:
        return False
    # Withdrawn units were refunded, not cancelled: such an order ends by itself at the marketplace.
    return not any(units for _, units in agreed_quantities(mirakl, replace(memory, withdrawn=())))


def decide(view: View, memory: Memory) -> Part:
    """What the end of the order on one side asks of the other."""
    mirakl, shopify = view.mirakl, view.shopify
    if mirakl is None:
        return Part(memory)
    if has_ended(mirakl, memory):
        return _ended_at_marketplace(view, memory, mirakl)
    said = gone_unseen(view, memory)
    if said is not None and mirakl.state not in GONE_OUT:
        gone = f"The Shopify order is gone, as {said.who} said, and nothing is kept of what it showed."
        return _carry_over(view, memory, mirakl, None, gone)
    if shopify is None or not memory.shopify_order_id or shopify.live:
        return Part(memory)
    return _cancelled_in_shopify(view, memory, mirakl, shopify)


# -- the marketplace ended it ------------------------------------------------------------------------------


def _ended_at_marketplace(view: View, memory: Memory, mirakl: MiraklOrder) -> Part:
    drafts: tuple[Action, ...] = tuple(
        DeleteDraft(draft.id) for draft in view.drafts if draft.status in OPEN_DRAFT and not draft.order_id
    )
    ended = "refused" if mirakl.state == "REFUSED" else "cancelled"
    said = f"The marketplace order is {ended}."
    if drafts:
        return Part(
            memory, drafts, because=(f"{said} The draft order and its reserved stock are given back.",)
        )
    shopify = view.shopify
    if shopify is None or not memory.shopify_order_id:
        return Part(memory, because=(said,))
    if not shopify.live:
        return Part(memory, because=(f"{said} The Shopify order is cancelled too.",))
    held = f"The marketplace order is {ended}; nothing of it may leave."
    moved = _moved(shopify)
    if moved:
        # Every parcel is told of for itself: a later one must not hide behind one that somebody looked at already.
        for parcel in shopify.fulfillments:
            if parcel.live:
                memory = memory.with_incident(_left_all_the_same(view, memory, parcel, ended))
        return Part(memory, cases=_rest(shopify, memory, ended), keep_held=(held,), because=(said,))
    cancel = CancelShopifyOrder(shopify.id, f"The marketplace order is {ended}.")
    return Part(
        memory,
        (cancel,),
        keep_held=(held,),
        because=(f"{said} The Shopify order is cancelled, its stock put back.",),
    )


def _left_all_the_same(view: View, memory: Memory, parcel: Fulfillment, ended: str) -> Incident:
    units = sum(n for _, n in parcel.lines)
    stand = "already have a label or are on their way"
    wanted = "Stop the parcel if you can, and settle with the marketplace who pays for it."
    if stays_here(parcel, memory):
        stand = (
            "stand in a fulfillment whose label was given back, with which Shopify lets no order be cancelled"
        )
        wanted = (
            "Cancel that fulfillment in Shopify; the order is then cancelled by itself, its stock put back."
        )
    return Incident(
        Reason.ENDED_AFTER_PICKING,
        parcel.id,
        view.now,
        f"The marketplace order is {ended}, but {units} of its units {stand}. The rest is held. {wanted}",
    )


def _rest(shopify: ShopifyOrder, memory: Memory, ended: str) -> tuple[Case, ...]:
    """What has not left of an order of which a parcel did, also what was added to it since: it stays reserved until somebody
    takes it out. Where nothing left under any fulfillment, their incidents say what to do, and the order goes as a whole."""
    rest = [
        (line.sku or line.title, shopify.to_leave(line)) for line in shopify.lines if line.requires_shipping
    ]
    here = [(name, units) for name, units in rest if units > 0]
    if not here or not _moved(as_it_left(shopify, memory)):
        return ()
    case = Case(
        Reason.ENDED_WITH_REST,
        "order",
        f"The marketplace order is {ended} and a parcel of it has left. Of the Shopify order "
        f"{', '.join(f'{units} of {name}' for name, units in here)} have not left and never will for this sale. Take them out of "
        "the order in Shopify, so that they can be sold again.",
        facts=tuple((name, f"{units} still here") for name, units in here),
    )
    return (case,)


def _moved(shopify: ShopifyOrder) -> int:
    return sum(n for fulfillment in shopify.fulfillments if fulfillment.live for _, n in fulfillment.lines)


# -- somebody cancelled it in Shopify ----------------------------------------------------------------------


def _cancelled_in_shopify(view: View, memory: Memory, mirakl: MiraklOrder, shopify: ShopifyOrder) -> Part:
    shopify = as_it_left(shopify, memory)
    if mirakl.state in GONE_OUT:
        said = "The Shopify order is cancelled, but the marketplace order has already shipped."
        asked = is_asked_back(memory) or was_paid_back(memory) or is_declined(memory)
        if asked or money_is_back(mirakl, memory) or any(is_open(task) for task in memory.refund_tasks):
            return Part(memory, because=(said,))
        if _moved(shopify):
            # The same question as before the marketplace counted it as sent: whoever answered it there is not asked again.
            return _settled_in_portal(
                view.now,
                memory,
                mirakl,
                LEFT,
                f"{said} Units of it have a label or are on their way, and nobody has said what becomes of them. Find out whether the "
                f"customer keeps them; if not, stop the parcel and refund the order in the marketplace portal.{_still_kept(mirakl, memory)}",
            )
        return _settled_in_portal(
            view.now,
            memory,
            mirakl,
            "dispatched",
            f"{said} No parcel of it is on its way any more. Find out what the customer got; if nothing, refund "
            f"every line in the marketplace portal.{_still_kept(mirakl, memory)}",
        )
    if _moved(shopify):
        return _settled_in_portal(
            view.now,
            memory,
            mirakl,
            LEFT,
            "The Shopify order is cancelled although units of it have a label or are on their way. Nothing is "
            "cancelled at the marketplace. Find out where the parcel is and settle the order in the portal.",
        )
    if memory.candidates:
        names = ", ".join(kin.name for kin in memory.candidates)
        return Part(
            memory,
            because=(
                f"The Shopify order is cancelled and {names} may replace it; the marketplace order is left alone until "
                "that is settled.",
            ),
        )
    wait_until = waits_for_successor_until(view, memory)
    if wait_until is not None:
        return Part(
            memory,
            because=(
                "The Shopify order is cancelled. An editing app may be replacing it, so the marketplace order is "
                "left alone for now.",
            ),
            look_at=wait_until,
        )
    gone = "The Shopify order is cancelled and no other order replaces it."
    return _carry_over(view, memory, mirakl, shopify, gone)


def _carry_over(
    view: View, memory: Memory, mirakl: MiraklOrder, shopify: ShopifyOrder | None, gone: str
) -> Part:
    """What is left to do at the marketplace. `shopify` is None where nothing is kept of what the order showed."""
    if mirakl.state == "STAGING":
        return Part(memory, because=(f"{gone} The marketplace is still checking its order.",))
    if mirakl.state == "WAITING_ACCEPTANCE":
        # To link another order, the two have to be compared.
        linked_instead = (
            ""
            if shopify is None
            else (
                " If it is to be delivered after all, first link the Shopify order that is to be delivered, on the order's page: an "
                "order that is only accepted in the portal is then cancelled at the marketplace, because its Shopify order is."
            )
        )
        return _case(
            memory,
            mirakl,
            f"{gone} The marketplace order still waits to be accepted, which will not happen without a Shopify "
            f"order. Refuse it here.{linked_instead}",
            (Option.REFUSE_ORDER,),
            due_at=memory.acceptance_due_at,
        )
    if mirakl.can_cancel:
        cancel = CancelMiraklOrder()
        refused = _refusal(view)
        if refused is None:
            return Part(memory, (cancel,), because=(f"{gone} The marketplace order is cancelled as well.",))
        part = _settled_in_portal(
            view.now,
            memory,
            mirakl,
            "order",
            f"{gone} The marketplace refused to cancel its order: “{refused.words}”. Cancel it in the portal, or "
            "send the cancelation again once the cause is gone.",
            (Option.SEND_AGAIN,),
        )
        return replace(part, actions=(cancel,))
    if mirakl.state in BEFORE_DEBIT_DONE:
        return _case(
            memory,
            mirakl,
            f"{gone} The marketplace does not allow a cancelation while the payment is being taken. This is looked "
            "at again when the payment is through; nothing has to be done now.",
            (),
            severity="note",
        )
    if money_is_back(mirakl, memory):
        return Part(memory, because=(f"{gone} The marketplace has refunded every line.",))
    return _charged(view, memory, mirakl, shopify, gone)


def _charged(
    view: View, memory: Memory, mirakl: MiraklOrder, shopify: ShopifyOrder | None, gone: str
) -> Part:
    """The customer has paid for a parcel that will not come: everything that is left is asked back as one refund. Where no
    unit is left, money can be, and of an order that nobody saw it is not known what Shopify refunded: that is for a person
    to see."""
    if was_paid_back(memory):
        return Part(memory, because=(f"{gone} What the customer had paid for was refunded.",))
    if is_declined(memory):
        because = "A person has decided that the cancelled order needs nothing at the marketplace any more."
        return Part(memory, because=(because,))
    if is_asked_back(memory):
        return Part(memory, because=(f"{gone} What the customer has paid for is asked back as one refund.",))
    if shopify is None:
        return _settled_in_portal(
            view.now,
            memory,
            mirakl,
            CHARGED,
            f"{gone} The customer has been charged, so the marketplace takes no cancelation any more. Find out what was refunded "
            f"already, and refund the rest in the marketplace portal.{_still_kept(mirakl, memory)}",
        )
    if shopify.cancelled_at is not None and mirakl.observed_at < shopify.cancelled_at:
        because = f"{gone} The marketplace is read once more before a refund is asked for."
        return Part(memory, because=(because,), mirakl_since=shopify.cancelled_at)
    known = {task.subject for task in memory.refund_tasks}
    if any(refund.money > 0 and refund.id not in known for refund in shopify.refunds):
        # What was refunded in Shopify is looked at first: it may record what the marketplace gave back before.
        return Part(memory, look_at=view.now)
    asked = with_everything_asked_back(view, mirakl, shopify, memory)
    if asked is not memory:
        because = (
            f"{gone} The customer has been charged, so the marketplace takes no cancelation any more: what is left of the "
            "order is asked back as one refund."
        )
        return Part(asked, because=(because,))
    if any(is_open(task) for task in memory.refund_tasks):
        return Part(memory, because=(f"{gone} The refund of what the customer has paid for is under way.",))
    return _settled_in_portal(
        view.now,
        memory,
        mirakl,
        CHARGED,
        f"{gone} The customer has been charged, so the marketplace takes no cancelation any more, and no unit is left that a "
        f"refund could be asked for. Compare the order in the marketplace portal.{_still_kept(mirakl, memory)}",
    )


def _still_kept(mirakl: MiraklOrder, memory: Memory) -> str:
    """What is missing where a part was refunded: easily the shipping, or the taxes that came on top."""
    if not any(line.refunds for line in mirakl.lines):
        return ""
    kept = Money(money_kept(mirakl, memory), mirakl.currency)
    return (
        f" A part was refunded; {kept} of what the customer paid, shipping and taxes included, is not back. Refund that too or, "
        "if it is kept on purpose, dismiss this with the reason."
    )


def _settled_in_portal(
    now: datetime,
    memory: Memory,
    mirakl: MiraklOrder,
    subject: str,
    sentence: str,
    options: tuple[Option, ...] = (),
) -> Part:
    """A case that work in the portal settles: it closes when the marketplace shows that. Somebody who says that it is
    done has the marketplace read again; only a dismissal, with its reason, ends it without anything to see. The `subject`
    is the situation, so that a word about one says nothing of another."""
    said = memory.decision(Reason.CANCELLED_IN_SHOPIFY, subject)
    if said is not None and said.option is Option.DISMISS:
        because = "A person has decided that the cancelled order needs nothing at the marketplace any more."
        return Part(memory, because=(because,))
    options = (*options, Option.DONE_IN_PORTAL, Option.DISMISS)
    if said is None or said.option is not Option.DONE_IN_PORTAL:
        return _case(memory, mirakl, sentence, options, subject=subject)
    since, next_at = reads_after_a_word(said.at, now, SHOWN_WITHIN.days)
    news: tuple[str, ...] = ()
    if mirakl.observed_at < said.at:
        news = ("A person says that it is done in the portal; the marketplace is read once more.",)
    else:
        sentence = (
            f"{sentence} A person said that it was done in the portal, but the marketplace still shows the order as "
            f"{mirakl.state}, neither cancelled nor refunded in full."
        )
    part = _case(memory, mirakl, sentence, options, subject=subject)
    read_again = since if mirakl.observed_at < since else None
    return replace(part, mirakl_since=read_again, look_at=next_at, because=news)


def _case(
    memory: Memory,
    mirakl: MiraklOrder,
    sentence: str,
    options: tuple[Option, ...],
    due_at: datetime | None = None,
    severity: Severity | None = None,
    subject: str = "order",
) -> Part:
    case = Case(
        Reason.CANCELLED_IN_SHOPIFY,
        subject,
        sentence,
        options,
        (("marketplace state", mirakl.state),),
        due_at,
        severity,
    )
    return Part(memory, cases=(case,))


def _refusal(view: View) -> OpenOperation | None:
    refused = [
        op for op in view.operations if op.state == "REJECTED" and isinstance(op.action, CancelMiraklOrder)
    ]
    return max(refused, key=lambda op: (op.ended_at or op.planned_at, op.id), default=None)
