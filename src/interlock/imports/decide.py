"""A new marketplace order becomes exactly one Shopify order, or a person is asked why it cannot."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from interlock.imports.bundles import bundle_of
from interlock.imports.lines import (
    ActiveLine,
    active_lines,
    expected_total,
    import_lines,
    shipping_of,
    shipping_taxes_of,
)
from interlock.imports.links import is_untouched
from interlock.orders.actions import (
    Action,
    CompleteDraft,
    CreateDraft,
    CreateOrder,
    DeleteDraft,
    FillDraftAddress,
    FillOrderAddress,
    MarkOrder,
    SetSellerReference,
)
from interlock.orders.agreement import agreed_quantities, as_sold, is_doubtful
from interlock.orders.answered import is_refused_by_a_person, questioned_prices
from interlock.orders.memory import Bundle, Incident, Memory
from interlock.orders.plan import Case, Part, earliest
from interlock.orders.reasons import Option, Reason
from interlock.orders.refunded import goods_are_refunded
from interlock.orders.snapshots import (
    BEFORE_DEBIT_DONE,
    DEAD,
    GONE_OUT,
    OPEN_DRAFT,
    TO_SHIP,
    Draft,
    MiraklOrder,
    Offer,
)
from interlock.orders.view import OpenOperation, View

IMPORTED_IN = ("WAITING_ACCEPTANCE", *BEFORE_DEBIT_DONE, *TO_SHIP)
LOOK_AGAIN = timedelta(minutes=5)
"""Stock and SKUs change in the shop without telling us, so an import that waits for them looks again."""

DRAFT_LOOKED_AT_EVERY = timedelta(minutes=10)
"""Nobody tells us of a draft that is deleted, or whose reservation ends."""
DRAFT_LOOKED_FOR = timedelta(minutes=10)
"""So long a draft that is gone is looked for, with every order that may have come of it, before another one is made: no bound is
documented for the index behind the look-ups (decision 0022)."""
DRAFT_LOOKED_FOR_EVERY = timedelta(minutes=1)

LATE_AFTER = 0.6
"""From this fraction of the acceptance window on, a person may also choose the lesser evils."""


def decide(view: View, memory: Memory) -> Part:
    """What the import of this order needs now: a draft or an order, its address, marker and reference."""
    mirakl = view.mirakl
    if mirakl is None or view.shopify_unreadable:
        return Part(memory)
    memory = _sent_without_an_order(view, memory, mirakl)
    if memory.shopify_order_id:
        return _after_link(view, memory, mirakl)
    if mirakl.state == "STAGING":
        return Part(
            memory, because=("The marketplace is still checking this order; nobody can act on it yet.",)
        )
    if mirakl.state not in IMPORTED_IN:
        return Part(memory)
    if is_refused_by_a_person(memory) and mirakl.state == "WAITING_ACCEPTANCE":
        return Part(
            memory, because=("A person decided to refuse this order, so no Shopify order is created.",)
        )
    if is_doubtful(mirakl):
        return Part(memory, cases=(_doubtful_case(),))
    active = active_lines(as_sold(mirakl, memory), memory)
    if not active:
        return Part(memory, because=("No unit of this order is left to import.",))
    # A draft that exists goes on as one, whatever the setting says since.
    if view.rules.import_route == "draft" or memory.draft_id or view.drafts:
        return _by_draft(view, memory, mirakl, active)
    return _create(view, memory, mirakl, active)


def _sent_without_an_order(view: View, memory: Memory, mirakl: MiraklOrder) -> Memory:
    """The incident of an order that was known and that somebody shipped in the portal before a Shopify order existed: the
    shop still counts its units as stock. It closes by itself where the order turns out to exist."""
    if memory.shopify_order_id:
        because = "The Shopify order exists."
        return memory.with_incidents_closed(Reason.SHIPPED_WITHOUT_ORDER, view.now, because)
    known_before = memory.first_seen_at is not None and (
        memory.sent_seen_at is None or memory.first_seen_at < memory.sent_seen_at
    )
    unclear = any(
        isinstance(op.action, CreateDraft | CreateOrder | CompleteDraft)
        and op.state in ("UNKNOWN", "IN_FLIGHT")
        for op in view.operations
    )
    if mirakl.state not in GONE_OUT or not known_before or unclear or goods_are_refunded(mirakl, memory):
        return memory
    if not any(units for _, units in agreed_quantities(mirakl, memory)):
        return memory
    draft = ", and its draft order stands" if view.drafts else ""
    return memory.with_incident(
        Incident(
            Reason.SHIPPED_WITHOUT_ORDER,
            "order",
            view.now,
            "The marketplace counts this order as sent: somebody said so in its portal before a Shopify order existed. The shop "
            f"does not know of it{draft}. If the units left, take them out of the stock in Shopify, or they are sold once more; if "
            "they did not, refund the customer in the marketplace portal. Then close this with the reason.",
        )
    )


def _that_may_be_let_go(case: Case, difference: Decimal) -> Case:
    """The case of an order that exists, where only its total is another: a person may let it go with exactly this difference.
    Another currency is no answer to anything: every amount after it would be compared with another one."""
    sentence = f"{case.sentence} If it has to leave as it is, say so."
    subject = f"total:{difference.normalize():f}"
    return replace(case, subject=subject, sentence=sentence, options=(Option.SHIP_WITH_DIFFERENCE,))


def _doubtful_case() -> Case:
    return Case(
        Reason.TOTALS_DIFFER,
        "order",
        "Units of this order were cancelled before it was first seen, and its figures do not tell whether the lines "
        "are shown before or after that. Nothing is created in Shopify on a guess. Compare the order in the portal; "
        "accept it and ship it from there, or ask the marketplace to cancel it.",
    )


# -- the draft route ---------------------------------------------------------------------------------------


def _by_draft(view: View, memory: Memory, mirakl: MiraklOrder, active: tuple[ActiveLine, ...]) -> Part:
    # What has become an order goes before whatever was claimed: it may have been out of sight for a while.
    if view.drafts and (not memory.draft_id or any(draft.order_id for draft in view.drafts)):
        memory = replace(memory, draft_id=_to_adopt(view.drafts).id)
    if not memory.draft_id:
        return _create(view, memory, mirakl, active)
    surplus = _surplus(view, memory)
    part = _go_on_with_draft(view, memory, mirakl, active)
    if not surplus:
        return part
    return replace(
        part,
        actions=(*part.actions, *surplus),
        because=(
            *part.because,
            "More than one draft order was found for this order; the oldest is kept, the others go.",
        ),
    )


def _surplus(view: View, memory: Memory) -> tuple[Action, ...]:
    """Open drafts beside the claimed one, and deletions already begun: they must end although nobody reads drafts
    any more once the order is linked."""
    begun = ("PLANNED", "IN_FLIGHT", "UNKNOWN")
    seen = [
        draft.id
        for draft in view.drafts
        if draft.id != memory.draft_id and draft.status in OPEN_DRAFT and not draft.order_id
    ]
    going = [
        op.action.draft_id
        for op in view.operations
        if isinstance(op.action, DeleteDraft) and op.state in begun and op.action.draft_id != memory.draft_id
    ]
    return tuple(DeleteDraft(draft_id) for draft_id in dict.fromkeys((*seen, *going)))


def _to_adopt(drafts: tuple[Draft, ...]) -> Draft:
    """The draft that already became an order, else the oldest: every worker picks the same one."""
    return min(drafts, key=lambda draft: (not draft.order_id, draft.created_at, draft.id))


def _go_on_with_draft(
    view: View, memory: Memory, mirakl: MiraklOrder, active: tuple[ActiveLine, ...]
) -> Part:
    draft = next((draft for draft in view.drafts if draft.id == memory.draft_id), None)
    if draft is None:
        return _draft_is_gone(view, memory, mirakl, active)
    memory = replace(memory, draft_gone_since=None)
    if draft.status in OPEN_DRAFT or draft.order_id:
        memory = replace(memory, draft_completed_since=None)
    if draft.order_id:
        return Part(
            replace(memory, shopify_order_id=draft.order_id, linked_at=view.now),
            because=("The draft order has become a Shopify order.",),
            look_at=view.now,
        )
    if draft.status not in OPEN_DRAFT:
        return _completed_without_order(view, memory, mirakl)
    expected = expected_total(active)
    if draft.total != expected or draft.currency != mirakl.currency:
        case = _totals_case("draft order", draft.total, draft.currency, expected, mirakl.currency)
        return Part(memory, cases=(case,), look_at=view.now + LOOK_AGAIN)
    refused = _refusal(view, CompleteDraft, FillDraftAddress)
    cases = () if refused is None else (_refusal_case(refused, view, memory, mirakl),)
    if not mirakl.address.complete:
        look_at = view.now + DRAFT_LOOKED_AT_EVERY
        if not draft.reserved:
            case, late_at = _unreserved_case(draft, view, memory, mirakl)
            return Part(memory, cases=(*cases, case), look_at=earliest(look_at, late_at))
        because = (
            "The draft order stays open with its stock reserved until the marketplace shows the address."
        )
        return Part(memory, cases=cases, because=(because,), look_at=look_at)
    if draft.address.digest != mirakl.address.digest:
        fill = FillDraftAddress(draft.id, mirakl.address.digest)
        return Part(
            memory, (fill,), cases, because=("The address is known now and goes into the draft order.",)
        )
    return Part(
        # Remembered from here on: the marketplace may name another address before the order is first seen.
        replace(memory, agreed_address=mirakl.address.digest),
        (CompleteDraft(draft.id),),
        cases,
        because=("The draft order is ready to become a Shopify order.",),
    )


def _draft_is_gone(view: View, memory: Memory, mirakl: MiraklOrder, active: tuple[ActiveLine, ...]) -> Part:
    """The claimed draft is not in the shop any more. Another is made once, after ten minutes without a trace of an order that
    came of it; where its completion was asked for, an order points to this sale, or it happens again, a person says so."""
    since = memory.draft_gone_since or view.now
    memory = replace(memory, draft_gone_since=since)
    until = since + DRAFT_LOOKED_FOR
    said = memory.decision(Reason.DRAFT_WITHOUT_STOCK, memory.draft_id)
    asked_again = said is not None and said.option is Option.SEND_AGAIN
    doubt = _why_not_again(view, memory)
    if asked_again or (not doubt and view.now >= until):
        memory = _given_up(memory)
        because = "The draft order is gone and no order came of it, so another one is made."
        # What the draft had of its own, if anything turned up, is decided on by the next look.
        part = Part(memory, look_at=view.now) if view.drafts else _create(view, memory, mirakl, active)
        return replace(part, because=(because, *part.because))
    options, due_at, late_at = _answers(view, memory, mirakl, (Option.SEND_AGAIN,), custom_line=False)
    goes_on = (
        f"{doubt} Look in Shopify whether an order stands for this sale. Where there is none, answer “send it again”: "
        "another draft order is made."
        if doubt
        else f"Another one is made by itself at {until.astimezone(UTC):%H:%M} UTC, unless an order that came of it turns up "
        "before; answer “send it again” to make it at once."
    )
    case = Case(
        Reason.DRAFT_WITHOUT_STOCK,
        memory.draft_id,
        "The draft order of this sale is not in Shopify any more; somebody has deleted it. Nothing is reserved there, and the "
        f"units stay off what is offered. {goes_on} If the sale is not to be fulfilled, refuse or cancel it at the marketplace.",
        options,
        due_at=due_at,
    )
    look_at = view.now + (LOOK_AGAIN if doubt else DRAFT_LOOKED_FOR_EVERY)
    return Part(memory, cases=(case,), look_at=earliest(look_at, late_at))


def _completed_without_order(view: View, memory: Memory, mirakl: MiraklOrder) -> Part:
    """The claimed draft was completed and shows no order. Shopify may still be making it, so ten minutes are waited, with
    the same looking for an order as after a draft that is gone; then the order was made and deleted, or is hidden, and a
    person says whether another draft is made. None is ever made by itself: this one had become an order."""
    since = memory.draft_completed_since or view.now
    memory = replace(memory, draft_completed_since=since)
    said = memory.decision(Reason.DRAFT_WITHOUT_STOCK, memory.draft_id)
    if said is not None and said.option is Option.SEND_AGAIN:
        because = (
            "The draft order was completed and no order is there, so another one is made, as a person said."
        )
        return Part(_given_up(memory), because=(because,), look_at=view.now)
    if view.now < since + DRAFT_LOOKED_FOR:
        because = "The draft order is being completed."
        return Part(memory, because=(because,), look_at=view.now + DRAFT_LOOKED_FOR_EVERY)
    options, due_at, late_at = _answers(view, memory, mirakl, (Option.SEND_AGAIN,), custom_line=False)
    order = _standing(view)
    found = f"{order} " if order else "It was deleted, or nobody sees it. "
    case = Case(
        Reason.DRAFT_WITHOUT_STOCK,
        memory.draft_id,
        "The draft order of this sale was completed in Shopify and shows no order that came of it. "
        f"{found}Nobody packs this sale, and its units stay off what is offered. Look in Shopify whether an order stands for "
        "this sale. Where there is none, answer “send it again”: another draft order is made. If the sale is not to be "
        "fulfilled, refuse or cancel it at the marketplace.",
        options,
        due_at=due_at,
    )
    return Part(memory, cases=(case,), look_at=earliest(view.now + LOOK_AGAIN, late_at))


def _given_up(memory: Memory) -> Memory:
    """The claimed draft stands for this sale no more; it stays remembered."""
    gone = (*memory.drafts_gone, memory.draft_id)
    return replace(memory, draft_id="", draft_gone_since=None, draft_completed_since=None, drafts_gone=gone)


def _standing(view: View) -> str:
    """The Shopify order that may have come of the draft, in a sentence; empty where none points to this sale."""
    standing = next((order for order in view.kin if order.live), None)
    return (
        ""
        if standing is None
        else f"The Shopify order {standing.name} points to this sale and may have come of it."
    )


def _why_not_again(view: View, memory: Memory) -> str:
    """Why no other draft may be made before a person has looked; empty where nothing speaks against it."""
    if standing := _standing(view):
        return standing
    if memory.draft_completed_since is not None:
        return "It had been completed, and the order that came of it was not seen."
    if view.completion_unclear:
        return "It was asked to become an order before, and it is not certain that it did not."
    if memory.drafts_gone:
        return "It is the second one that is gone, so somebody seems not to want it."
    return ""


def _unreserved_case(
    draft: Draft, view: View, memory: Memory, mirakl: MiraklOrder
) -> tuple[Case, datetime | None]:
    options, due_at, late_at = _answers(view, memory, mirakl, (), custom_line=False)
    case = Case(
        Reason.DRAFT_WITHOUT_STOCK,
        draft.id,
        "The draft order waits for the address and reserves no stock any more: its reservation has run out, or somebody took it "
        "away. The units stay off what is offered, but the shop may sell them. Reserve its items again in Shopify.",
        options,
        due_at=due_at,
    )
    return case, late_at


# -- creation ----------------------------------------------------------------------------------------------


def _no_sku_case(lines: tuple[str, ...]) -> Case:
    """Mirakl requires no `offer_sku` of a line (OR11), and nothing can be looked up in the shop without one."""
    return Case(
        Reason.UNKNOWN_VALUE,
        "order",
        f"The marketplace names no SKU for {', '.join(lines)}, so that nobody can say what was sold, and nothing is created in "
        "Shopify. Ask the marketplace to complete the line; handle urgent steps in its portal.",
        facts=tuple((f"{line} offer_sku", "missing") for line in lines),
    )


def _create(view: View, memory: Memory, mirakl: MiraklOrder, active: tuple[ActiveLine, ...]) -> Part:
    for operation in view.operations:
        if isinstance(operation.action, CreateDraft | CreateOrder) and operation.state in (
            "UNKNOWN",
            "IN_FLIGHT",
        ):
            # Still wanted as it was sent: stock it may have reserved must not look like a shortage now.
            return Part(
                memory,
                (operation.action,),
                because=(
                    "It is not clear yet whether Shopify created the order; it is looked for before anything "
                    "is sent again.",
                ),
            )
    nameless = tuple(line.line_id for line in active if not line.sku)
    if nameless:
        return Part(memory, cases=(_no_sku_case(nameless),))
    offers = {offer.sku: offer for offer in view.offers}
    needed: dict[str, int] = {}
    for line in active:
        needed[line.sku] = needed.get(line.sku, 0) + line.quantity
    if any(sku not in offers for sku in needed):
        because = "The SKUs of the order are being looked up in the shop."
        return Part(memory, because=(because,), look_at=view.now + LOOK_AGAIN)
    variants: dict[str, str] = {}
    bundles: list[Bundle] = []
    custom: list[str] = []
    cases: list[Case] = []
    look_at: datetime | None = None
    articles = _articles(needed, offers)
    for sku, quantity in needed.items():
        offer = offers[sku]
        case: Case | None = None
        if offer.parts:
            case, look_at = _bundle_case(offer, articles, view, memory, mirakl)
            if case is None:
                bundles.append(bundle_of(offer))
        elif offer.matches != 1:
            case, look_at = _sku_case(sku, offer.matches, view, memory, mirakl)
        elif offer.available is not None and offer.available < quantity:
            case, look_at = _stock_case(sku, offer.available, quantity, view, memory, mirakl)
        else:
            variants[sku] = offer.variant_id
        if case is None:
            continue
        if _custom_line_wanted(memory, case.reason, sku):
            custom.append(sku)
        else:
            cases.append(case)
    if cases:
        return Part(memory, cases=tuple(cases), look_at=earliest(look_at, view.now + LOOK_AGAIN))
    memory = replace(memory, custom_line_skus=tuple(custom), bundles=tuple(bundles))
    return _creation(view, memory, mirakl, active, variants)


def _creation(
    view: View,
    memory: Memory,
    mirakl: MiraklOrder,
    active: tuple[ActiveLine, ...],
    variants: dict[str, str],
) -> Part:
    lines = import_lines(active, mirakl.currency, variants, memory.bundles)
    action: CreateDraft | CreateOrder
    if view.rules.import_route == "draft":
        action = CreateDraft(lines, shipping_of(active), mirakl.currency, mirakl.address.complete)
        because = "A draft order with reserved stock is created in Shopify."
    else:
        action = CreateOrder(
            lines=lines,
            shipping=shipping_of(active),
            shipping_taxes=shipping_taxes_of(active),
            currency=mirakl.currency,
            taxes_included=True,
            with_address=mirakl.address.complete,
            pending_payment=view.rules.payment_lock,
        )
        because = "The order is created in Shopify."
    refused = _refusal(view, CreateDraft, CreateOrder)
    if refused is not None and refused.action == action:
        # The action stays wanted, so that the ledger keeps the refusal and sends again when a person says so.
        return Part(memory, (action,), (_refusal_case(refused, view, memory, mirakl),))
    return Part(memory, (action,), because=(because,))


def _custom_line_wanted(memory: Memory, reason: Reason, sku: str) -> bool:
    decision = memory.decision(reason, sku)
    return decision is not None and decision.option is Option.CREATE_WITH_CUSTOM_LINE


# -- after the link ----------------------------------------------------------------------------------------


def _after_link(view: View, memory: Memory, mirakl: MiraklOrder) -> Part:
    shopify = view.shopify
    actions: list[Action] = [*_surplus(view, memory)]
    if shopify is None or mirakl.state in DEAD:
        return Part(memory, tuple(actions))
    marker = f"{view.rules.name}:{view.order_id}"
    # The marker is unique in the shop: it first has to leave the order that this one replaced. It comes back to a cancelled
    # order that a person links again, as it is what finds the order should all of ours be lost.
    if shopify.marker != marker and all(order.marker != marker for order in view.kin):
        actions.append(MarkOrder(shopify.id))
    if not shopify.live:
        return Part(memory, tuple(actions))
    cases: list[Case] = []
    keep_held: list[str] = []
    if shopify.name and mirakl.seller_reference != shopify.name:
        actions.append(SetSellerReference(shopify.name))
    to_come = mirakl.state not in GONE_OUT
    unaddressed = not memory.agreed_address and shopify.address.digest != mirakl.address.digest
    if to_come and unaddressed and mirakl.address.complete:
        actions.append(FillOrderAddress(shopify.id, mirakl.address.digest))
        keep_held.append("The address of the marketplace is not in the Shopify order yet.")
    whole = all(
        (line := memory.ordered_line(line_id)) is not None and line.quantity == quantity
        for line_id, quantity in agreed_quantities(mirakl, memory)
    )
    # Where nothing was touched each price and the shipping charge are agreed ones, so that only what comes on top differs. What
    # was found then is not put right by an edit, a cancelation or a refund: it stays until the figures are the same.
    expected = sum(
        (line.unit_price * line.current_quantity for line in shopify.lines), shopify.shipping_total
    )
    on_top = shopify.total != expected and (memory.totals_apart or (whole and is_untouched(shopify, memory)))
    memory = memory if memory.totals_apart == on_top else replace(memory, totals_apart=on_top)
    because: tuple[str, ...] = ()
    if to_come and (on_top or shopify.currency != mirakl.currency):
        case = _totals_case("Shopify order", shopify.total, shopify.currency, expected, mirakl.currency)
        if shopify.currency == mirakl.currency:
            case = _that_may_be_let_go(case, shopify.total - expected)
        said = memory.decision(case.reason, case.subject)
        if said is not None and said.option in case.options:
            because = (
                f"{said.who} lets the order ship although the two do not add up to the same: {said.why}",
            )
        else:
            cases.append(case)
            keep_held.append("The two orders do not add up to the same.")
    for sku in memory.custom_line_skus if to_come else ():
        cases.append(
            Case(
                Reason.SKU_UNKNOWN,
                sku,
                f"The Shopify order was created with a custom line for SKU {sku}, which reserves no stock. The "
                f"parcel {view.hold.stays_held}. Map the SKU once the right product is certain and its stock is set aside."
                f"{view.hold.lacking}",
                (Option.MAP_SKU,),
            )
        )
        keep_held.append(f"SKU {sku} is a custom line that nobody has mapped to a product yet.")
    return Part(memory, tuple(actions), tuple(cases), tuple(keep_held), because)


# -- cases -------------------------------------------------------------------------------------------------


def _sku_case(
    sku: str, matches: int, view: View, memory: Memory, mirakl: MiraklOrder
) -> tuple[Case, datetime | None]:
    what = "is not in the shop" if matches == 0 else f"is carried by {matches} variants of the shop"
    options, due_at, look_at = _answers(view, memory, mirakl, (Option.MAP_SKU,))
    sentence = (
        f"SKU {sku} {what}, so the order cannot be created in Shopify; no line is ever left out. Map the SKU to the "
        "variant that is meant, or correct it in Shopify: the order then goes on by itself."
    )
    reason = Reason.SKU_UNKNOWN if matches == 0 else Reason.SKU_AMBIGUOUS
    return Case(reason, sku, sentence, options, (("variants", str(matches)),), due_at), look_at


def _articles(needed: dict[str, int], offers: dict[str, Offer]) -> dict[str, int]:
    """Units per variant that the whole order needs, inside bundles and by themselves."""
    units: dict[str, int] = {}
    for sku, quantity in needed.items():
        offer = offers[sku]
        of_one = [(part.variant_id, part.units) for part in offer.parts] or [(offer.variant_id, 1)]
        for variant_id, each in of_one:
            units[variant_id] = units.get(variant_id, 0) + quantity * each
    return units


def _bundle_case(
    offer: Offer, articles: dict[str, int], view: View, memory: Memory, mirakl: MiraklOrder
) -> tuple[Case | None, datetime | None]:
    """What is in the way of creating a bundle as its articles: one of them is not in the shop, or there is too little."""
    for part in offer.parts:
        if part.matches != 1:
            what = (
                "is not in the shop" if part.matches == 0 else f"is carried by {part.matches} variants of it"
            )
            options, due_at, look_at = _answers(view, memory, mirakl, ())
            sentence = (
                f"SKU {offer.sku} is a bundle, and its article {part.sku} {what}, so the order cannot be created in "
                "Shopify; no line is ever left out. Correct the article in Shopify, or say anew what the bundle is made "
                "of: the order then goes on by itself."
            )
            reason = Reason.SKU_UNKNOWN if part.matches == 0 else Reason.SKU_AMBIGUOUS
            missing = (("article", part.sku), ("variants", str(part.matches)))
            return Case(reason, offer.sku, sentence, options, missing, due_at), look_at
    for part in offer.parts:
        if part.available is not None and part.available < articles[part.variant_id]:
            needed = articles[part.variant_id]
            what = (
                f"SKU {offer.sku} is a bundle: the order needs {needed} of its article {part.sku}, but the shop has "
                f"{part.available} available."
            )
            facts = (("article", part.sku), ("needed", str(needed)), ("available", str(part.available)))
            return _shortage(offer.sku, what, facts, view, memory, mirakl)
    return None, None


def _stock_case(
    sku: str, available: int, quantity: int, view: View, memory: Memory, mirakl: MiraklOrder
) -> tuple[Case, datetime | None]:
    what = f"The order needs {quantity} of SKU {sku}, but the shop has {available} available."
    facts = (("needed", str(quantity)), ("available", str(available)))
    return _shortage(sku, what, facts, view, memory, mirakl)


def _shortage(
    subject: str,
    what: str,
    facts: tuple[tuple[str, str], ...],
    view: View,
    memory: Memory,
    mirakl: MiraklOrder,
) -> tuple[Case, datetime | None]:
    """The case of an order that the shop has too little for. Whoever knows that no stock will come may refuse it at once:
    that promises the customer nothing. What promises a parcel is offered late, as stock may still come."""
    options, due_at, look_at = _answers(view, memory, mirakl, (), refusable=True)
    way = (
        "If none will come, refuse the order here" if options == (Option.REFUSE_ORDER,) else "Or decide here"
    )
    sentence = (
        f"{what} Nothing is accepted without stock, also where Shopify would continue selling. Correct the stock in Shopify "
        f"and the order goes on by itself. {way}."
    )
    return Case(Reason.STOCK_SHORT, subject, sentence, options, facts, due_at), look_at


def _answers(
    view: View,
    memory: Memory,
    mirakl: MiraklOrder,
    first: tuple[Option, ...],
    custom_line: bool = True,
    refusable: bool = False,
) -> tuple[tuple[Option, ...], datetime | None, datetime | None]:
    """The options that exist now, the due time, and when the late ones will be offered. `refusable` is whether the order
    may be refused before that."""
    custom = (Option.CREATE_WITH_CUSTOM_LINE,) if custom_line else ()
    prices_asked = questioned_prices(mirakl, memory, view.rules.price_tolerance)
    # While somebody has to look at the prices first, accepting the order would do nothing.
    accept: tuple[Option, ...] = () if prices_asked else (Option.ACCEPT_WITHOUT_ORDER,)
    if mirakl.state != "WAITING_ACCEPTANCE" or view.rules.accepts_by_itself:
        # There is no acceptance to win or lose any more, so nothing is gained by waiting.
        return (*first, *custom), None, None
    due_at, window = memory.acceptance_due_at, view.rules.acceptance_window
    late = (*first, *custom, *accept, Option.REFUSE_ORDER)
    if due_at is None or window is None:
        return late, due_at, None
    late_at = due_at - window + timedelta(seconds=window.total_seconds() * LATE_AFTER)
    if view.now >= late_at:
        return late, due_at, None
    return (*first, Option.REFUSE_ORDER) if refusable else first, due_at, late_at


def _refusal(view: View, *kinds: type[Action]) -> OpenOperation | None:
    """The latest operation of these kinds that the platform refused, while it is still wanted."""
    refused = [op for op in view.operations if op.state == "REJECTED" and isinstance(op.action, kinds)]
    return max(refused, key=lambda op: (op.ended_at or op.planned_at, op.id), default=None)


def _refusal_case(refused: OpenOperation, view: View, memory: Memory, mirakl: MiraklOrder) -> Case:
    options, due_at, _ = _answers(view, memory, mirakl, (Option.SEND_AGAIN,), custom_line=False)
    facts = (("code", refused.code),) if refused.code else ()
    if refused.code == "INVENTORY_CLAIM_FAILED":
        return Case(
            Reason.STOCK_SHORT,
            "order",
            "Shopify could not claim the stock for this order, so it was not created and will not be accepted. "
            "Correct the stock in Shopify, then send it again.",
            options,
            facts,
            due_at,
        )
    said = f"Shopify refused to create the order: “{refused.words}”."
    if refused.code == "TAKEN":
        # An earlier attempt got through; and orderCreate makes an order all the same where only its metafield is refused.
        then = "So one exists already. Where Shopify shows a second one for this sale, cancel it before you send anything again."
    else:
        then = "Nothing was created by this call. Put right what Shopify names, then send it again."
    return Case(
        Reason.IMPORT_REFUSED,
        "order",
        f"{said} {then}",
        options,
        facts,
        due_at,
    )


def _totals_case(what: str, total: Decimal, currency: str, expected: Decimal, expected_currency: str) -> Case:
    return Case(
        Reason.TOTALS_DIFFER,
        "order",
        f"The {what} adds up to {total} {currency}, the marketplace order to {expected} {expected_currency}. "
        "Usually a tax, discount or rounding rule of the shop was applied. The parcel does not move; correct the "
        "shop's rule and the order, or settle it in the portal.",
        facts=(
            ("Shopify", f"{total} {currency}"),
            ("marketplace", f"{expected} {expected_currency}"),
            *(
                (("Currencies", f"{currency} instead of {expected_currency}"),)
                if currency != expected_currency
                else ()
            ),
        ),
    )
