"""How an edit from our desk is carried out: hold, edit in Shopify, the marketplace, agreement. Every step is judged from
what the platforms show, so it may be repeated, interrupted and taken over at any point."""

from collections.abc import Sequence
from dataclasses import replace

from interlock.desk.requests import RequestRefused, Wish, as_edited, check, resolved, running, version_of
from interlock.orders.actions import (
    Action,
    AddedLine,
    CancelShopifyOrder,
    EditShopifyOrder,
    FillOrderAddress,
    SetOrderAddress,
)
from interlock.orders.agreement import mirakl_line_id_of, one_more
from interlock.orders.content import content_of
from interlock.orders.holding import may_hold_again, our_holds, refusal_of_hold
from interlock.orders.memory import Decision, DeskEdit, LineLink, Memory
from interlock.orders.money import Money
from interlock.orders.plan import Case, Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import DEAD, GONE_OUT, FulfillmentOrder, ShopifyLine, ShopifyOrder
from interlock.orders.view import OpenOperation, View

MOST_REMEMBERED = 20
ANSWERED_BY_AN_EDIT = (
    Reason.EDIT_CANNOT_BE_EXPRESSED,
    Reason.REDUCTION_NOT_ALLOWED,
    Reason.CANCELLED_IN_SHOPIFY,
)
"""Cases whose answer a person may give with the edit that will open them."""


# -- taking requests up ------------------------------------------------------------------------------------


def taken_up(view: View, memory: Memory) -> Memory:
    """The memory with every new request in it, either begun or refused. While a side is missing they wait. What was asked
    for in an order that another one has replaced is over."""
    memory = replace(memory, desk_edits=tuple(_left_behind(edit, view, memory) for edit in memory.desk_edits))
    if view.mirakl is None or view.shopify is None or view.shopify_unreadable:
        return memory
    for request in view.requests:
        if all(known.id != request.id for known in memory.desk_edits):
            memory = _with(memory, _begun(replace(view, memory=memory), request))
    return memory


def _left_behind(edit: DeskEdit, view: View, memory: Memory) -> DeskEdit:
    """The edit, ended if another order stands now for the one it was made in. Whether that one has it is compared like
    anything else; here it is neither made nor called done."""
    if edit.ended or not edit.shopify_order_id or edit.shopify_order_id == memory.shopify_order_id:
        return edit
    because = (
        f"{memory.shopify_order_name} has taken the place of the order it was asked for. Look at what that one shows, and "
        "ask again for what it lacks."
    )
    return replace(edit, ended_at=view.now, ended="overtaken", because=because, text_id="")


def _begun(view: View, request: DeskEdit) -> DeskEdit:
    try:
        check(view, request)
    except RequestRefused as refused:
        return replace(request, ended_at=view.now, ended="refused", because=str(refused), text_id="")
    begun = replace(request, base=view.memory.content, taken_at=view.now)
    if view.shopify is None:
        return begun
    begun = replace(begun, shopify_order_id=view.shopify.id)
    halves = _halves(request)
    between = tuple(expected_of(half, view.shopify) for half in halves) if len(halves) > 1 else ()
    return replace(begun, expected=expected_of(request, view.shopify), between=between)


def _with(memory: Memory, edit: DeskEdit) -> Memory:
    """The memory with this edit in place of its former self, or as the last."""
    if any(known.id == edit.id for known in memory.desk_edits):
        edits = tuple(edit if known.id == edit.id else known for known in memory.desk_edits)
    else:
        edits = (*memory.desk_edits, edit)
    return replace(memory, desk_edits=edits[-MOST_REMEMBERED:])


# -- the Shopify half --------------------------------------------------------------------------------------


def decide(view: View, memory: Memory) -> Part:
    """The next step of the edit under way until Shopify shows it: the parcel is held first, then our own edit is made."""
    news = tuple(
        f"The edit {edit.who} asked for was not made: {edit.because}"
        if edit.shown_at is None
        else f"The edit {edit.who} asked for is not followed any more: {edit.because}"
        for edit in memory.desk_edits
        if edit.ended in ("refused", "overtaken") and edit.ended_at == view.now
    )
    edit, shopify = running(memory), view.shopify
    if edit is None or shopify is None or view.mirakl is None:
        return Part(memory, because=news)
    part = _next_step(view, memory, edit, shopify)
    return replace(part, because=(*news, *part.because))


def _next_step(view: View, memory: Memory, edit: DeskEdit, shopify: ShopifyOrder) -> Part:
    ours = [op for op in view.operations if op.action in _actions(edit, shopify)]
    if edit.kind == "cancel" and not shopify.live and _is_unsent(edit, ours):
        because = "Somebody else cancelled the Shopify order first, perhaps an app that replaces it."
        ended = replace(edit, ended_at=view.now, ended="overtaken", because=because, text_id="")
        return Part(_with(memory, ended), because=(f"{_not_made(edit, (edit,))}: {because}",))
    missing = tuple(half for half in _halves(edit) if not _is_shown(half, shopify, memory))
    if not missing:
        dearer = _other_prices(edit, shopify, memory)
        memory = _shown(view, memory, edit, shopify)
        shown = f"Shopify shows the edit {edit.who} asked for."
        return Part(memory, because=(shown, *dearer), look_at=view.now)
    unclear = any(op.state in ("IN_FLIGHT", "UNKNOWN") for op in ours)
    over = "" if unclear else _why_over(view, memory, edit, shopify)
    if over:
        ended = replace(edit, ended_at=view.now, ended="overtaken", because=over, text_id="")
        memory = _with_lines_made(_with(memory, ended), edit, shopify, missing)
        return Part(memory, because=(f"{_not_made(edit, missing)}: {over}",))
    given_up = memory.decision(Reason.DESK_EDIT_STUCK, edit.id)
    if given_up is not None and given_up.option is Option.GIVE_UP and not unclear:
        said = f"{given_up.who} gave it up: {given_up.why}"
        ended = replace(edit, ended_at=view.now, ended="given up", because=said, text_id="")
        memory = _with_lines_made(_with(memory, ended), edit, shopify, missing)
        return Part(memory, because=(f"{_not_made(edit, missing)}. {said}",))
    keep_held = (f"An edit {edit.who} asked for is being made.",)
    unheld = _unheld(view, shopify)
    if unheld and not unclear:
        case = _without_hold(view, memory, edit, unheld)
        because = f"The parcel {view.hold.is_held} before the edit is made."
        return Part(memory, cases=() if case is None else (case,), keep_held=keep_held, because=(because,))
    if edit.held_at is None:
        memory = _with(memory, replace(edit, held_at=view.now))
    if unclear and _changed_by_others(edit, shopify, memory):
        # Ours may still come through; until that is known nothing is sent on top of what others changed.
        because = "Shopify's answer to our edit is unclear and the order was changed by others meanwhile; it is read again."
        return Part(memory, keep_held=keep_held, because=(because,))
    actions = tuple(action for half in missing for action in _actions(half, shopify))
    cases = tuple(_refused(view, edit, op, missing) for op in ours if op.state == "REJECTED")
    because = f"Shopify is told what {edit.who} asked for at the edit desk."
    return Part(memory, actions, cases, keep_held, (because,))


def _is_unsent(edit: DeskEdit, ours: Sequence[OpenOperation]) -> bool:
    """Whether nothing of the edit can have reached Shopify: it was never asked for, waits to be sent, or was refused."""
    return edit.held_at is None or any(op.state in ("PLANNED", "REJECTED") for op in ours)


def _actions(edit: DeskEdit, shopify: ShopifyOrder) -> tuple[Action, ...]:
    """The edit as calls: our own order edit, a cancel, or an address."""
    note = f"Interlock: edit asked for by {edit.who}"
    if edit.kind == "cancel":
        return (CancelShopifyOrder(shopify.id, note),)
    actions: list[Action] = []
    if edit.quantities or edit.added:
        actions.append(EditShopifyOrder(shopify.id, edit.id, edit.quantities, edit.added, note))
    if edit.address_digest and edit.text_id:
        actions.append(SetOrderAddress(shopify.id, edit.text_id, edit.address_digest))
    elif edit.address_digest:
        actions.append(FillOrderAddress(shopify.id, edit.address_digest))
    return tuple(actions)


def _why_over(view: View, memory: Memory, edit: DeskEdit, shopify: ShopifyOrder) -> str:
    """Why an edit that has not reached Shopify is not made any more; empty while it may be."""
    mirakl = view.mirakl
    if mirakl is not None and mirakl.state in (*DEAD, *GONE_OUT):
        return f"The marketplace order is {mirakl.state} meanwhile."
    if not shopify.live:
        return "The Shopify order was cancelled meanwhile."
    if _changed_by_others(edit, shopify, memory):
        return "The Shopify order was changed by somebody else meanwhile. Look at it and ask again."
    return ""


def _halves(edit: DeskEdit) -> tuple[DeskEdit, ...]:
    """The edit as one for each call it takes: Shopify changes lines and addresses apart, so one may come through alone."""
    lines, address = replace(edit, address_digest="", text_id=""), replace(edit, quantities=(), added=())
    if edit.kind == "cancel" or not edit.address_digest or not (edit.quantities or edit.added):
        return (edit,)
    return (lines, address)


def _changed_by_others(edit: DeskEdit, shopify: ShopifyOrder, memory: Memory) -> bool:
    """Whether the order is neither what the edit starts from nor what one half of it makes of that."""
    if memory.content == edit.base:
        return False
    return _content_made(edit, shopify, memory) not in edit.between


def _not_made(edit: DeskEdit, missing: Sequence[DeskEdit]) -> str:
    made = _made(edit, missing)
    return (
        f"Of the edit {edit.who} asked for only {made} made"
        if made
        else f"The edit {edit.who} asked for was not made"
    )


def _made(edit: DeskEdit, missing: Sequence[DeskEdit]) -> str:
    """Which half of the edit Shopify shows; empty where it shows none."""
    if len(missing) == len(_halves(edit)):
        return ""
    return "the lines were" if missing[0].address_digest else "the address was"


def _with_lines_made(
    memory: Memory, edit: DeskEdit, shopify: ShopifyOrder, missing: Sequence[DeskEdit]
) -> Memory:
    """The memory with what the added lines stand for, where they came through and the address did not: what came back of a
    sold item is that item, however the edit ended."""
    if any(half.quantities or half.added for half in missing):
        return memory
    return replace(memory, links=(*memory.links, *_links_of_added(edit, shopify, memory)))


def _is_shown(edit: DeskEdit, shopify: ShopifyOrder, memory: Memory) -> bool:
    if edit.kind == "cancel":
        return not shopify.live
    shown = {line.id: line.current_quantity for line in shopify.lines}
    return (
        all(shown.get(line_id, 0) == units for line_id, units in edit.quantities)
        and len(_new_lines(edit, shopify, memory)) == len(edit.added)
        and edit.address_digest in ("", shopify.address.digest)
    )


def _new_lines(edit: DeskEdit, shopify: ShopifyOrder, memory: Memory) -> tuple[ShopifyLine, ...]:
    """The lines that appeared for what the edit adds, in its order; fewer than it adds while some are missing."""
    touched = {line_id for line_id, _ in edit.quantities}
    free = [
        line
        for line in shopify.lines
        if line.current_quantity > 0 and line.id not in touched and not mirakl_line_id_of(line, memory)
    ]
    found: list[ShopifyLine] = []
    for new in edit.added:
        fitting = [
            line
            for line in free
            if line.variant_id == new.variant_id and line.current_quantity == new.quantity
        ]
        if fitting:
            free.remove(fitting[0])
            found.append(fitting[0])
    return tuple(found)


def _other_prices(edit: DeskEdit, shopify: ShopifyOrder, memory: Memory) -> tuple[str, ...]:
    """What came back on a line of its own has the variant's price, which may not be the one it was sold at."""
    found = []
    for wanted, line in zip(edit.added, _new_lines(edit, shopify, memory), strict=True):
        sold = memory.ordered_line(wanted.mirakl_line_id)
        article = one_more(line, wanted.mirakl_line_id, wanted.variant_id, edit.who, memory)
        asked = article.unit_price if article else None if sold is None else sold.price_unit
        if asked is not None and asked != line.unit_price:
            now, was = Money(line.unit_price, shopify.currency), Money(asked, shopify.currency)
            found.append(f"{line.sku} came back at {now} a unit; the marketplace sold it at {was}.")
    return tuple(found)


def _link_of_added(wanted: AddedLine, line: ShopifyLine, edit: DeskEdit, memory: Memory) -> LineLink:
    """What a line that the edit added stands for; of a bundle it is the article that came back. Any other line is agreed
    at the price it came back with."""
    article = one_more(line, wanted.mirakl_line_id, wanted.variant_id, edit.who, memory)
    if article is not None:
        return replace(article, unit_price=line.unit_price)
    return LineLink(wanted.mirakl_line_id, line.id, line.unit_price, edit.who)


def _links_of_added(edit: DeskEdit, shopify: ShopifyOrder, memory: Memory) -> tuple[LineLink, ...]:
    """What all the lines that the edit added stand for, as far as they bring back what was sold."""
    return tuple(
        _link_of_added(wanted, line, edit, memory)
        for wanted, line in zip(edit.added, _new_lines(edit, shopify, memory), strict=True)
        if wanted.mirakl_line_id
    )


def _shown(view: View, memory: Memory, edit: DeskEdit, shopify: ShopifyOrder) -> Memory:
    """Remember that Shopify shows it, which lines it added stand for what was sold, and whether the order is now
    exactly what our desk made of it."""
    links = _links_of_added(edit, shopify, memory)
    alone = bool(edit.expected) and _content_made(edit, shopify, memory) == edit.expected
    as_asked = memory.content if alone or edit.kind == "cancel" else ""
    return replace(
        _with(memory, replace(edit, shown_at=view.now, shown_as=as_asked)),
        links=(*memory.links, *links),
        own_content=memory.content if alone else memory.own_content,
    )


def _content_made(edit: DeskEdit, shopify: ShopifyOrder, memory: Memory) -> str:
    """The content of the order without what the edit leaves open: lines it adds, and the telephone number of an address it
    sets, of which only the digest of the whole is known."""
    order = _without_new(edit, shopify, memory)
    if edit.address_digest and edit.address_digest == order.address.digest:
        order = replace(order, address=replace(order.address, contact=""))
    return content_of(order)


def _without_new(edit: DeskEdit, shopify: ShopifyOrder, memory: Memory) -> ShopifyOrder:
    """The order without the lines that the edit added."""
    fresh = {line.id for line in _new_lines(edit, shopify, memory)}
    return replace(shopify, lines=tuple(line for line in shopify.lines if line.id not in fresh))


def expected_of(edit: DeskEdit, shopify: ShopifyOrder) -> str:
    """The content the order has once nothing but this edit has changed it, apart from lines it adds."""
    return content_of(as_edited(shopify, replace(edit, added=()), shopify.observed_at))


# -- holds and refusals ------------------------------------------------------------------------------------


def _unheld(view: View, shopify: ShopifyOrder) -> tuple[FulfillmentOrder, ...]:
    """Open fulfillment orders without our hold."""
    return tuple(
        item for item in shopify.fulfillment_orders if item.is_open and not our_holds(item, view.rules)
    )


def _without_hold(
    view: View, memory: Memory, edit: DeskEdit, unheld: Sequence[FulfillmentOrder]
) -> Case | None:
    """The case about a parcel that will get no hold by itself, so that the edit would wait for ever."""
    for item in unheld:
        why, way_out = _no_hold(view, memory, item)
        if why:
            return Case(
                Reason.DESK_EDIT_STUCK,
                edit.id,
                f"The edit {edit.who} asked for waits: {why}, and nothing is edited under a parcel that may be leaving. "
                f"It goes on by itself once our hold is on. {way_out}",
                (Option.GIVE_UP,),
                (("Fulfillment order", item.id.rpartition("/")[2]), ("Status", item.status)),
            )
    return None


def _no_hold(view: View, memory: Memory, item: FulfillmentOrder) -> tuple[str, str]:
    """Why our hold does not come onto a parcel, and what to do about the edit; empty while it is being placed."""
    if not item.can_hold:
        why = f"Shopify does not offer to hold the parcel ({item.status})"
        return why, "Ask the warehouse to stop, or give the edit up."
    if memory.released_at is None and not may_hold_again(item, memory):
        why = "somebody took our hold off the parcel again, and Interlock does not place it a third time"
        return why, (
            "Tell the warehouse not to ship, give the edit up here and make it in Shopify: after a change of the order "
            "Interlock holds the parcel anew."
        )
    refusal = refusal_of_hold(view, item)
    if refusal is not None:
        why = f"Shopify refused to hold the parcel (“{refusal.words or refusal.code or 'no reason given'}”)"
        return why, "Send the hold again in its own case once there is room for it, or give the edit up."
    return "", ""


def _refused(view: View, edit: DeskEdit, operation: OpenOperation, missing: Sequence[DeskEdit]) -> Case:
    words = operation.words or operation.code or "no reason given"
    made = _made(edit, missing)
    so_far = f"Only {made} changed in Shopify" if made else "Nothing was changed on either side"
    given_up = "what was changed goes to the marketplace" if made else "the parcel is released by itself"
    return Case(
        Reason.DESK_EDIT_STUCK,
        edit.id,
        f"Shopify refused the edit {edit.who} asked for: “{words}”. {so_far} and the parcel "
        f"{view.hold.is_held}. Try it again once the cause is gone, or give the edit up and {given_up}.{view.hold.lacking}",
        (Option.SEND_AGAIN, Option.GIVE_UP),
        (("Shopify's words", words),),
    )


def is_ours(action: Action, memory: Memory, shopify: ShopifyOrder | None) -> bool:
    """Whether this action carries out the edit under way, so that a refusal of it has a case here."""
    edit = running(memory)
    return edit is not None and shopify is not None and action in _actions(edit, shopify)


# -- the marketplace half ----------------------------------------------------------------------------------


def answered(view: View, memory: Memory, cases: Sequence[Case | None]) -> Part:
    """Give the answer that came with the edit to the case the edit has opened: once, and to nothing but what our desk made
    of the order. Where it does not fit, that is said, and the case asks."""
    edit = _waiting(memory)
    if edit is None or edit.decision is None or edit.answered_at is not None:
        return Part(memory)
    opened = [case for case in cases if case is not None and case.reason in ANSWERED_BY_AN_EDIT]
    if not opened:
        return Part(memory)
    memory = _with(memory, replace(edit, answered_at=view.now))
    if not edit.shown_as or memory.content != edit.shown_as:
        return Part(memory, because=(_not_given(edit, "others have changed the order besides"),))
    fitting = [case for case in opened if edit.decision in case.options]
    if not fitting:
        return Part(memory, because=(_not_given(edit, "the case does not offer it"),))
    for case in fitting:
        if memory.decision(case.reason, case.subject) is None:
            answer = Decision(case.reason, case.subject, edit.decision, edit.who, edit.why, view.now)
            memory = replace(memory, decisions=(*memory.decisions, answer))
    return Part(memory)


def _not_given(edit: DeskEdit, why: str) -> str:
    option = "" if edit.decision is None else edit.decision.value
    return (
        f"The answer “{option}” that {edit.who} gave with the edit does not count: {why}. The case asks anew."
    )


def undone_by_us(view: View, memory: Memory, cases: Sequence[Case | None]) -> Part:
    """A person asked Interlock to undo the edit a case is about: that becomes an edit of our desk, once per answer. One that
    cannot be made has ended with its reason."""
    because: list[str] = []
    for case in cases:
        said = None if case is None else _undo_asked(memory, case)
        if case is None or said is None:
            continue
        edit_id = _undo_id(case, said)
        offered = Option.UNDO_BY_INTERLOCK in case.options and view.shopify is not None
        if offered and running(memory) is None and all(known.id != edit_id for known in memory.desk_edits):
            seen = replace(view, memory=memory)
            try:
                begun = _begun(seen, resolved(seen, Wish(undo=True), edit_id, said.who, said.why, said.at))
            except RequestRefused as refused:
                asked = DeskEdit(edit_id, "undo", said.who, said.why, said.at, version_of(view))
                begun = replace(asked, ended_at=view.now, ended="refused", because=str(refused))
            if begun.ended:
                because.append(f"The edit {said.who} asked to undo was not undone: {begun.because}")
            memory = _with(memory, begun)
    return Part(memory, because=tuple(because))


def with_failed_undo(memory: Memory, case: Case | None) -> Case | None:
    """The case; where Interlock was asked to undo its edit and that came to nothing, it says so and why."""
    said = None if case is None else _undo_asked(memory, case)
    if case is None or said is None:
        return case
    ended = next((edit for edit in memory.desk_edits if edit.id == _undo_id(case, said)), None)
    if ended is None or ended.ended in ("", "done"):
        return case
    why = ended.because if ended.because.endswith((".", "!", "?")) else f"{ended.because}."
    told = f"Interlock was asked to undo it and has not: {why} Undo it in Shopify, or answer again."
    return replace(case, sentence=f"{case.sentence} {told}")


def _undo_asked(memory: Memory, case: Case) -> Decision | None:
    said = memory.decision(case.reason, case.subject)
    return said if said is not None and said.option is Option.UNDO_BY_INTERLOCK else None


def _undo_id(case: Case, said: Decision) -> str:
    return f"undo:{case.subject}:{said.at:%Y%m%dT%H%M%S}"


def followed(view: View, memory: Memory, agree: bool) -> Part:
    """Close the edit that Shopify shows once both sides agree, or once its person's answer settles the difference."""
    edit = _waiting(memory)
    if edit is None:
        return Part(memory)
    if agree and view.mirakl_is_current:
        done = replace(edit, agreed_at=view.now, ended_at=view.now, ended="done", text_id="")
        return Part(_with(memory, done), because=(f"Both sides agree on the edit {edit.who} asked for.",))
    if edit.decision is Option.SHIP_AS_EDITED and _is_answered(memory, edit):
        # Nothing the marketplace shows could ever agree with it.
        said = f"{edit.who} decided that it ships as edited."
        done = replace(edit, agreed_at=view.now, ended_at=view.now, ended="done", because=said, text_id="")
        return Part(_with(memory, done), because=(said,))
    return Part(memory)


def _is_answered(memory: Memory, edit: DeskEdit) -> bool:
    """Whether the answer that came with the edit was given to the case it opened."""
    return any(
        answer.option is edit.decision
        and answer.reason in ANSWERED_BY_AN_EDIT
        and edit.shown_at is not None
        and answer.at >= edit.shown_at
        for answer in memory.decisions
    )


def _waiting(memory: Memory) -> DeskEdit | None:
    """The latest edit that Shopify shows and the marketplace has not agreed to yet."""
    found = [edit for edit in memory.desk_edits if edit.shown_at is not None and not edit.ended]
    return found[-1] if found else None
