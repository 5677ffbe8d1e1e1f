"""What holds for every edit, drawn at random on both sides at once and carried out on a model of both platforms."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from interlock.decide import decide
from interlock.edits.diff import differences
from interlock.edits.proof import ALL_VALUES, values_of
from interlock.edits.reading import Edit
from interlock.orders.actions import (
    Action,
    AnswerAcceptance,
    CancelMiraklOrder,
    CancelQuantities,
    EditShopifyOrder,
    PlaceHold,
    RefundLines,
    ReleaseHold,
)
from interlock.orders.agreement import agreed_quantities, shopify_quantities, unlinked
from interlock.orders.memory import LineLink, Memory
from interlock.orders.plan import Plan
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import Address, MiraklLine, ShopifyLine
from interlock.orders.view import View
from tests.build import (
    CREATED,
    ELSEWHERE,
    HOME,
    NOW,
    OUR_HOLD,
    a_cancelation,
    a_decision,
    a_fulfillment_order,
    a_line,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_tax,
    a_view,
    an_order,
    ordered,
    some_rules,
)
from tests.edits.platforms import after

THIRD = Address("c0ffee", True)
STATES = ("SHIPPING",) * 6 + ("WAITING_ACCEPTANCE", "WAITING_DEBIT", "SHIPPED", "RECEIVED")
EXAMPLES = settings(max_examples=150, deadline=None)
AT_REST_WITHIN = 12
MOSTLY = st.sampled_from((True,) * 6 + (False,))
SELDOM = st.sampled_from((False,) * 8 + (True,))
SOMETIMES = st.sampled_from((False, False, True))


@st.composite
def edited_orders(draw: st.DrawFn) -> View:
    """An order both sides agreed on, then changed on both sides: quantities, swaps, added lines, prices, address; cuts,
    another address and recalculated figures by the marketplace; any state before dispatch, flags, permissions and policies."""
    quantities = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    sold = tuple(
        a_line(f"L{n}", f"SKU{n}", units, str(10 * units), "0") for n, units in enumerate(quantities, 1)
    )
    shown = tuple(_shown(draw, line) for line in sold)
    if draw(SOMETIMES):
        shown = (*shown, a_shopify_line("S9", "CARD", draw(st.integers(1, 2)), "10.00", ""))
    paid, state = draw(SOMETIMES), draw(st.sampled_from(STATES))
    cut = tuple(_cut(draw, line) for line in sold) if draw(SOMETIMES) else sold
    mirakl = an_order(
        state,
        tuple(replace(_recalculated(draw, line), can_refund=paid) for line in cut),
        address=ELSEWHERE if draw(SELDOM) else THIRD if draw(SELDOM) else HOME,
        can_cancel=draw(MOSTLY) and not paid,
        debited_at=CREATED if paid and state == "SHIPPING" else None,
        has_incident=draw(SELDOM),
        payment_workflow=draw(st.sampled_from(("PAY_ON_ACCEPTANCE", "PAY_ON_DELIVERY"))),
    )
    shopify = a_shopify_order(
        lines=shown,
        total=sum((line.price for line in sold), Decimal(0)),
        shipping_total=Decimal(0),
        editable=draw(MOSTLY),
        address=ELSEWHERE if draw(SELDOM) else HOME,
        fulfillment_orders=(
            a_fulfillment_order(
                holds=(OUR_HOLD,) if draw(MOSTLY) else (),
                remaining=tuple((line.id, line.current_quantity) for line in shown),
            ),
        ),
    )
    rules = some_rules(
        partial_cancelation=draw(MOSTLY),
        cancelation_reason="15" if draw(MOSTLY) else "",
        refund_reason="16",
        reduction_after_debit=draw(st.sampled_from(("task", "approve", "automatic"))),
        refund_cap=Decimal(500),
        mirror_marketplace_changes=draw(MOSTLY),
    )
    memory = a_memory(
        ordered=ordered(sold),
        links=tuple(
            LineLink(line.id, f"S{n}", Decimal("10.00"), "attribute") for n, line in enumerate(sold, 1)
        ),
        settled=tuple((line.id, line.quantity) for line in sold),
        agreed_shipping=Decimal(0),
        content_since=NOW - timedelta(minutes=5),
        released_at=CREATED if draw(SOMETIMES) else None,
    )
    return a_view(mirakl=mirakl, shopify=shopify, memory=memory, rules=rules)


def _recalculated(draw: st.DrawFn, line: MiraklLine) -> MiraklLine:
    taxes = (a_tax("1.50"),) if draw(SELDOM) else line.taxes
    shipping = Decimal(1) if draw(SELDOM) else line.shipping_price
    return replace(line, taxes=taxes, shipping_price=shipping)


def _cut(draw: st.DrawFn, line: MiraklLine) -> MiraklLine:
    units = draw(st.integers(0, line.quantity))
    if not units:
        return line
    return replace(line, cancelations=(a_cancelation(units, str(10 * units), f"C{line.id}"),))


def _shown(draw: st.DrawFn, line: MiraklLine) -> ShopifyLine:
    number = line.id.removeprefix("L")
    price = "9.00" if draw(SELDOM) else "10.00"
    most = line.quantity + 1 if draw(SELDOM) else line.quantity
    units = line.quantity if draw(SOMETIMES) else draw(st.integers(0, most))
    return a_shopify_line(f"S{number}", line.sku, line.quantity, price, line.id, current_quantity=units)


def at_rest(view: View) -> tuple[View, Plan, list[tuple[View, Plan]]]:
    """Carry plans out until nothing is left to do."""
    seen: list[tuple[View, Plan]] = []
    for _ in range(AT_REST_WITHIN):
        plan = decide(view)
        seen.append((view, plan))
        settled = not plan.actions and (plan.look_at is None or plan.look_at > view.now)
        if settled and plan.memory == view.memory:
            return view, plan, seen
        view = after(view, plan)
    raise AssertionError(f"not at rest after {AT_REST_WITHIN} looks: {[p.actions for _, p in seen]}")


def agrees(view: View, memory: Memory) -> bool:
    """Whether both sides show the same: units, nothing that was never sold, prices and address."""
    assert view.mirakl is not None
    assert view.shopify is not None
    shown = dict(shopify_quantities(view.shopify, memory))
    agreed = dict(agreed_quantities(view.mirakl, memory))
    links = {link.shopify_line_id: link for link in memory.links}
    return (
        all(shown.get(line_id, 0) == units for line_id, units in agreed.items())
        and not unlinked(view.shopify, memory)
        and all(
            line.id not in links or links[line.id].accepts(line.unit_price)
            for line in view.shopify.lines
            if line.current_quantity
        )
        and view.shopify.address.digest == view.mirakl.address.digest
    )


# -- the properties ----------------------------------------------------------------------------------------


@EXAMPLES
@given(edited_orders())
def test_carrying_a_plan_out_leaves_nothing_to_do(view: View) -> None:
    rest, plan, seen = at_rest(view)
    for action in {type(action).__name__ for _, planned in seen for action in planned.actions}:
        event(action)

    again = decide(replace(rest, memory=plan.memory))

    assert again.actions == ()
    assert again.memory == plan.memory
    assert [(c.reason, c.subject) for c in again.cases] == [(c.reason, c.subject) for c in plan.cases]


@EXAMPLES
@given(edited_orders())
def test_nothing_is_sent_twice(view: View) -> None:
    _, _, seen = at_rest(view)
    sent = [
        action
        for _, plan in seen
        for action in plan.actions
        if isinstance(action, CancelQuantities | CancelMiraklOrder | RefundLines | EditShopifyOrder)
    ]

    assert len(sent) == len(set(sent))


@EXAMPLES
@given(edited_orders())
def test_nothing_is_cancelled_or_refunded_below_what_shopify_shows(view: View) -> None:
    _, _, seen = at_rest(view)
    for looked, plan in seen:
        assert looked.shopify is not None
        assert looked.mirakl is not None
        shown = dict(shopify_quantities(looked.shopify, plan.memory))
        agreed = dict(agreed_quantities(looked.mirakl, plan.memory))
        for action in plan.actions:
            match action:
                case CancelQuantities(lines):
                    for line in lines:
                        assert agreed[line.line_id] - line.quantity >= shown.get(line.line_id, 0)
                case RefundLines(_, lines):
                    for refund in lines:
                        assert agreed[refund.line_id] - refund.quantity >= shown.get(refund.line_id, 0)
                case CancelMiraklOrder():
                    assert not any(shown.values())
                case _:
                    pass


@EXAMPLES
@given(edited_orders(), st.booleans())
def test_no_hold_comes_off_while_the_sides_differ(view: View, decided: bool) -> None:
    if decided:
        # A decision for some other edit must not open the gate for this one.
        other = a_decision(Reason.EDIT_CANNOT_BE_EXPRESSED, "edit:000000000000", Option.SHIP_AS_EDITED)
        view = replace(view, memory=replace(view.memory, decisions=(other,)))
    _, _, seen = at_rest(view)
    for looked, plan in seen:
        released = [action for action in plan.actions if isinstance(action, ReleaseHold)]
        assert not released or agrees(looked, plan.memory)


@EXAMPLES
@given(edited_orders())
def test_a_swap_shipped_as_edited_frees_its_own_edit_alone(view: View) -> None:
    first = decide(view)
    asked = [c for c in first.cases if Option.SHIP_AS_EDITED in c.options]
    for case in asked:
        event("a swap")
        said = a_decision(case.reason, case.subject, Option.SHIP_AS_EDITED)
        ours = replace(view, memory=replace(first.memory, decisions=(said,)))
        assert view.shopify is not None
        more = replace(view.shopify, lines=(*view.shopify.lines, a_shopify_line("S8", "BOX", 1, "1.00", "")))
        changed = decide(replace(ours, shopify=more))
        assert not any(isinstance(action, ReleaseHold) for action in changed.actions)
        held = any(fo.holds for fo in more.fulfillment_orders)
        assert held or any(isinstance(action, PlaceHold) for action in changed.actions)


@EXAMPLES
@given(edited_orders(), st.randoms(use_true_random=False))
def test_the_order_in_which_things_are_listed_changes_nothing(view: View, chance: Any) -> None:
    assert view.mirakl is not None
    assert view.shopify is not None

    def shuffled(items: Any) -> Any:
        return tuple(chance.sample(items, len(items)))

    other = replace(
        view,
        mirakl=replace(
            view.mirakl,
            lines=shuffled(
                [replace(line, cancelations=shuffled(line.cancelations)) for line in view.mirakl.lines]
            ),
        ),
        shopify=replace(view.shopify, lines=shuffled(view.shopify.lines)),
    )
    one, two = decide(view), decide(other)

    assert sorted(map(_plain, one.actions)) == sorted(map(_plain, two.actions))
    assert {case.reason for case in one.cases} == {case.reason for case in two.cases}
    assert sorted(one.agreed) == sorted(two.agreed)


def _plain(action: Action) -> str:
    match action:
        case AnswerAcceptance(lines):
            return repr(sorted(lines))
        case RefundLines(_, lines):
            return repr(replace(action, lines=tuple(sorted(lines, key=lambda line: line.line_id))))
        case _:
            return repr(action)


@EXAMPLES
@given(edited_orders())
def test_whatever_is_seen_lies_in_the_product_that_was_enumerated(view: View) -> None:
    assert view.mirakl is not None
    assert view.shopify is not None
    edit = Edit(view, view.mirakl, view.shopify, view.memory, differences(view, view.memory))
    for one in (*edit.judged(), edit.judged_end()):
        for fact in ALL_VALUES:
            assert getattr(one.facts, fact) in values_of(fact, one.facts.situation)


@EXAMPLES
@given(edited_orders())
def test_the_removal_of_a_swap_never_travels_without_its_addition(view: View) -> None:
    _, _, seen = at_rest(view)
    for looked, plan in seen:
        assert looked.shopify is not None
        assert looked.mirakl is not None
        shown = dict(shopify_quantities(looked.shopify, plan.memory))
        agreed = dict(agreed_quantities(looked.mirakl, plan.memory))
        settled = dict(looked.memory.settled)
        more = any(shown.get(line_id, 0) > max(units, settled[line_id]) for line_id, units in agreed.items())
        if unlinked(looked.shopify, plan.memory) or more:
            assert not any(
                isinstance(action, CancelQuantities | CancelMiraklOrder | RefundLines)
                for action in plan.actions
            )
