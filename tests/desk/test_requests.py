"""What a person asks for is resolved on the order as it is, or refused with the field that was wrong."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from interlock.desk.requests import RequestRefused, Wish, as_edited, check, quantity_of, resolved, version_of
from interlock.orders.actions import AddedLine
from interlock.orders.memory import DeskEdit, LineLink
from interlock.orders.view import View
from tests.build import (
    CREATED,
    ELSEWHERE,
    HIDDEN,
    NOW,
    a_cancelation,
    a_fulfillment_order,
    a_line,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_order,
    ordered,
)

MUG, LAMP = a_shopify_line(), a_shopify_line("S2", "LAMP", 1, "30.00", "L2")
GID = "gid://shopify/LineItem/77"


def asked(view: View | None = None, **wish: Any) -> DeskEdit:
    return resolved(view or a_view(), Wish(**wish), "e1", "Ada", "by phone", NOW)


def refusal(view: View | None = None, **wish: Any) -> RequestRefused:
    with pytest.raises(RequestRefused) as refused:
        asked(view, **wish)
    assert str(refused.value).endswith("Nothing was changed.")
    return refused.value


def with_lines(*lines: Any, **memory: Any) -> View:
    return a_view(shopify=a_shopify_order(lines=lines), memory=a_memory(**memory))


@pytest.mark.parametrize("name", ["L1", "S1", "MUG"])
def test_a_line_is_named_by_either_sides_id_or_its_sku(name: str) -> None:
    assert asked(quantities=((name, 1),)).quantities == (("S1", 1),)


def test_a_shopify_line_is_named_by_the_number_in_its_id_too() -> None:
    view = with_lines(replace(MUG, id=GID), LAMP, links=())

    assert asked(view, quantities=(("77", 0),)).quantities == ((GID, 0),)


def test_a_line_that_shopify_keeps_in_two_parts_gives_from_the_last_part_first() -> None:
    parts = (a_shopify_line(), a_shopify_line("S3", price="10.01"))
    view = with_lines(*parts, LAMP, links=())

    assert asked(view, quantities=(("L1", 3),)).quantities == (("S3", 1),)
    assert asked(view, quantities=(("L1", 1),)).quantities == (("S1", 1), ("S3", 0))


def test_units_with_a_label_are_never_taken_out() -> None:
    view = with_lines(replace(MUG, fulfilled_quantity=1), LAMP)

    assert asked(view, quantities=(("L1", 1),)).quantities == (("S1", 1),)
    wrong = refusal(view, quantities=(("L1", 0),))
    assert (wrong.code, wrong.field) == ("already_shipped", "set[0].line")


SENT_BACK = replace(MUG, current_quantity=1, fulfilled_quantity=1)
"""One of two left and was refunded since; the other one is still here."""


def test_the_unit_that_is_still_here_can_be_taken_out_although_one_left_and_was_refunded() -> None:
    rest = a_fulfillment_order(remaining=(("S1", 1), ("S2", 1)))
    shopify = a_shopify_order(lines=(SENT_BACK, LAMP), fulfillment_orders=(rest,))

    edit = asked(a_view(shopify=shopify), quantities=(("L1", 0),))
    then = as_edited(shopify, edit, NOW)

    assert edit.quantities == (("S1", 0),)
    assert [then.to_leave(line) for line in then.lines] == [0, 1]


@pytest.mark.parametrize(
    ("wish", "code", "field"),
    [
        ({"quantities": (("CUP", 1),)}, "unknown_line", "set[0].line"),
        ({"quantities": (("", 1),)}, "unknown_line", "set[0].line"),
        ({"quantities": (("MUG", -1),)}, "invalid_quantity", "set[0].line"),
        ({"quantities": (("MUG", 2),)}, "changes_nothing", "set"),
        ({"quantities": (("MUG", 1), ("L1", 0))}, "line_named_twice", "set[1].line"),
        ({"quantities": (("MUG", 1),), "replaced": (("L1", "LAMP"),)}, "line_named_twice", "replace[0].line"),
        (
            {"quantities": (("MUG", 0),), "replaced": (("MUG", "LAMP"),)},
            "line_named_twice",
            "replace[0].line",
        ),
        ({"replaced": (("MUG", "LAMP"), ("S1", "LAMP"))}, "line_named_twice", "replace[1].line"),
        ({"added": (("", 1),)}, "unknown_variant", "add[0].sku"),
        ({"added": (("LAMP", 0),)}, "invalid_quantity", "add[0].sku"),
        ({}, "nothing_asked", "edit"),
        ({"cancel": True, "undo": True}, "too_much_asked", "undo"),
        ({"quantities": (("MUG", 1),), "currency": "USD"}, "currency_differs", "currency"),
        ({"address": replace(ELSEWHERE, complete=False)}, "address_incomplete", "address"),
        (
            {"address": replace(HIDDEN, digest=a_shopify_order().address.digest, complete=True)},
            "changes_nothing",
            "address",
        ),
        ({"undo": True}, "nothing_to_undo", "undo"),
    ],
)
def test_what_cannot_be_done_is_refused_by_its_field(wish: dict[str, Any], code: str, field: str) -> None:
    wrong = refusal(**wish)

    assert (wrong.code, wrong.field) == (code, field)


def test_a_sku_on_two_lines_has_to_be_named_by_its_id() -> None:
    lines = (a_line(), a_line("L3"))
    view = replace(
        with_lines(MUG, a_shopify_line("S3", line_id="L3"), links=(), ordered=ordered(lines)),
        mirakl=an_order(lines=lines),
    )

    wrong = refusal(view, quantities=(("MUG", 1),))

    assert (wrong.code, "L1, L3" in str(wrong)) == ("ambiguous_line", True)
    assert asked(view, quantities=(("L3", 1),)).quantities == (("S3", 1),)


@pytest.mark.parametrize("text", ["1.5", "-1", "", "one", "1e3", "99999999", "٣"])
def test_only_a_whole_number_is_a_quantity(text: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        quantity_of(text, "set[0].quantity")
    assert refused.value.field == "set[0].quantity"


# -- undoing -----------------------------------------------------------------------------------------------


def test_undoing_raises_the_line_that_still_has_units() -> None:
    view = with_lines(replace(MUG, current_quantity=1), LAMP)

    assert asked(view, undo=True).quantities == (("S1", 2),)


def test_undoing_adds_what_was_removed_whole_and_takes_out_what_was_never_sold() -> None:
    cup = a_shopify_line("S9", "CUP", 2, "5.00", "")
    view = with_lines(MUG, replace(LAMP, current_quantity=0), cup)

    edit = asked(view, undo=True)

    assert edit.quantities == (("S9", 0),)
    assert edit.added == (AddedLine("V-LAMP", 1, "L2"),)


def test_undoing_brings_nothing_back_that_left_and_was_refunded() -> None:
    view = with_lines(SENT_BACK, replace(LAMP, current_quantity=0))

    edit = asked(view, undo=True)
    assert (edit.quantities, [line.quantity for line in edit.added]) == ((), [1])
    assert refusal(with_lines(SENT_BACK, LAMP), undo=True).code == "nothing_to_undo"


def test_undoing_brings_an_article_of_a_bundle_back_of_which_the_order_has_no_line() -> None:
    price = MUG.unit_price
    view = with_lines(
        replace(MUG, current_quantity=1),
        LAMP,
        links=(
            LineLink("L1", "S1", price, "sku", "V-MUG", 1),
            LineLink("L1", "of the order it replaced", price, "import", "V-CANDLE", 3),
            LineLink("L2", "S2", LAMP.unit_price, "import"),
        ),
    )

    edit = asked(view, undo=True)

    assert edit.quantities == (("S1", 2),)
    assert edit.added == (AddedLine("V-CANDLE", 6, "L1"),)


@pytest.mark.parametrize("added", [(), (a_shopify_line("S9", "CUP", 1, "5.00", ""),)], ids=["", "and added"])
def test_an_edit_that_removed_a_line_without_a_variant_is_not_undone_in_part(added: Any) -> None:
    view = with_lines(MUG, replace(LAMP, current_quantity=0, variant_id=""), *added)

    wrong = refusal(view, undo=True)

    assert (wrong.code, wrong.field) == ("line_removed", "undo")
    assert "cannot bring LAMP back" in str(wrong)


def test_what_the_marketplace_cancelled_too_need_not_come_back() -> None:
    gone = a_line("L2", "LAMP", 1, "30.00", "0", cancelations=(a_cancelation(1, "30.00"),))
    shown = with_lines(replace(MUG, current_quantity=1), replace(LAMP, current_quantity=0, variant_id=""))
    view = replace(shown, mirakl=an_order(lines=(a_line(), gone)))

    assert asked(view, undo=True).quantities == (("S1", 2),)


def test_undoing_takes_out_what_the_marketplace_cancelled() -> None:
    lines = (a_line(cancelations=(a_cancelation(1, "10.00"),)), a_line("L2", "LAMP", 1, "30.00", "0"))
    view = a_view(mirakl=an_order(lines=lines))

    assert asked(view, undo=True).quantities == (("S1", 1),)


def test_undoing_puts_the_marketplaces_address_back() -> None:
    assert asked(a_view(shopify=a_shopify_order(address=ELSEWHERE)), undo=True).address_digest == "a11ce"


# -- whether it may begin ----------------------------------------------------------------------------------


Change = Callable[[View], View]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        (lambda v: replace(v, mirakl=an_order("SHIPPED")), "order_closed", "order"),
        (lambda v: replace(v, mirakl=an_order("CANCELED")), "order_closed", "order"),
        (lambda v: replace(v, shopify=a_shopify_order(cancelled_at=NOW)), "order_closed", "order"),
        (lambda v: replace(v, shopify=None), "no_order_yet", "order"),
        (lambda v: replace(v, mirakl=None), "no_order_yet", "order"),
        (lambda v: replace(v, mirakl=an_order(unknown=("state=ODD",))), "order_unclear", "order"),
        (lambda v: replace(v, mirakl=an_order(fulfillment_center="MARKET")), "not_ours", "order"),
        (lambda v: replace(v, shopify=a_shopify_order(editable=False)), "not_editable", "order"),
        (
            lambda v: replace(v, shopify=a_shopify_order(lines=(replace(MUG, current_quantity=1), LAMP))),
            "stale_version",
            "version",
        ),
        (lambda v: replace(v, mirakl=an_order("WAITING_DEBIT")), "stale_version", "version"),
        (
            lambda v: replace(
                v, memory=a_memory(desk_edits=(DeskEdit("e0", "cancel", "Bo", "", CREATED, "v"),))
            ),
            "edit_running",
            "order",
        ),
    ],
)
def test_an_edit_may_not_begin(change: Change, code: str, field: str) -> None:
    edit = asked(quantities=(("MUG", 1),))

    with pytest.raises(RequestRefused) as refused:
        check(change(a_view()), edit)

    assert (refused.value.code, refused.value.field) == (code, field)


def test_an_order_with_a_label_is_not_cancelled() -> None:
    view = with_lines(replace(MUG, fulfilled_quantity=1), LAMP)

    with pytest.raises(RequestRefused) as refused:
        check(view, asked(view, cancel=True))

    assert refused.value.code == "already_shipped"


def test_a_hold_or_a_second_look_does_not_make_a_version_stale() -> None:
    later = replace(a_shopify_order(fulfillment_orders=(), updated_at=NOW, observed_at=NOW), tags=("x",))

    assert version_of(a_view(shopify=later, now=NOW)) == version_of(a_view())
    assert version_of(
        a_view(memory=a_memory(links=(LineLink("L1", "S1", MUG.unit_price, "Ada"),)))
    ) == version_of(a_view())


def test_an_item_the_order_does_not_have_can_be_previewed_but_not_added_by_its_sku() -> None:
    edit = asked(replaced=(("MUG", "CUP"),))

    assert (edit.quantities, edit.added) == ((("S1", 0),), (AddedLine("sku:CUP", 2, ""),))
    with pytest.raises(RequestRefused) as refused:
        check(a_view(), edit)
    assert (refused.value.code, refused.value.field) == ("unknown_variant", "add")


def test_a_line_is_replaced_in_the_quantity_it_has() -> None:
    edit = asked(replaced=(("MUG", "LAMP"),))

    assert (edit.quantities, edit.added) == ((("S1", 0),), (AddedLine("V-LAMP", 2, ""),))
