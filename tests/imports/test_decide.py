"""A marketplace order becomes one Shopify order by either route, or a case says why it cannot."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from interlock.imports.decide import decide
from interlock.imports.eligibility import not_ours_case, unknown_value_case
from interlock.imports.found import that_count
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
from interlock.orders.memory import Memory, ShopPrice
from interlock.orders.plan import Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import NO_ADDRESS
from tests.build import (
    CREATED,
    ELSEWHERE,
    HIDDEN,
    HOME,
    MARKER,
    NOW,
    OFFERS,
    a_cancelation,
    a_decision,
    a_draft,
    a_line,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_offer,
    an_operation,
    an_order,
    not_imported,
    ordered,
    some_rules,
)

WAITING = an_order("WAITING_ACCEPTANCE")
LATE = CREATED + timedelta(hours=29)


def imported(memory: Memory | None = None, **changes: Any) -> Part:
    """The import's part for an order that is not in Shopify yet."""
    memory = memory if memory is not None else not_imported()
    view = a_view(**{"mirakl": WAITING, "shopify": None, "offers": OFFERS, "memory": memory, **changes})
    return decide(view, memory)


# -- shipped in the portal before ------------------------------------------------------------------------------

UNCLEAR = an_operation(CompleteDraft("D1"), state="UNKNOWN")


@pytest.mark.parametrize("state", ["SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED"])
@pytest.mark.parametrize(
    ("memory", "changes", "told"),
    [
        pytest.param(not_imported(sent_seen_at=NOW), {}, True, id="known before it was sent"),
        pytest.param(not_imported(sent_seen_at=NOW), {"drafts": (a_draft(),)}, True, id="with a draft"),
        pytest.param(not_imported(sent_seen_at=CREATED), {}, False, id="first seen when it was sent"),
        pytest.param(
            not_imported(sent_seen_at=NOW), {"operations": (UNCLEAR,)}, False, id="perhaps it exists"
        ),
        pytest.param(
            not_imported(sent_seen_at=NOW), {"shopify_unreadable": True}, False, id="Shopify is away"
        ),
    ],
)
def test_an_order_shipped_in_the_portal_that_shopify_does_not_know_is_an_incident(
    state: str, memory: Memory, changes: dict[str, Any], told: bool
) -> None:
    part = imported(memory, mirakl=an_order(state), **changes)

    assert part.actions == ()
    assert [incident.reason for incident in part.memory.incidents] == [Reason.SHIPPED_WITHOUT_ORDER] * told
    assert all(("draft" in one.sentence) is bool(changes) for one in part.memory.incidents)


def test_it_closes_where_the_order_turns_out_to_exist() -> None:
    told = imported(not_imported(sent_seen_at=NOW), mirakl=an_order("SHIPPED")).memory
    linked = replace(a_memory(), incidents=told.incidents)

    part = imported(linked, mirakl=an_order("SHIPPED"), shopify=a_shopify_order())

    assert part.memory.incidents[0].closed_at == NOW


def creation(part: Part) -> CreateDraft | CreateOrder:
    [action] = part.actions
    assert isinstance(action, CreateDraft | CreateOrder)
    return action


# -- when ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["STAGING", "REFUSED", "CANCELED", "SHIPPED", "CLOSED", "NEW_STATE"])
def test_no_order_is_created_in_other_states(state: str) -> None:
    assert imported(mirakl=an_order(state)).actions == ()


@pytest.mark.parametrize(
    "state", ["WAITING_ACCEPTANCE", "WAITING_DEBIT", "WAITING_DEBIT_PAYMENT", "SHIPPING"]
)
def test_an_order_that_can_still_ship_gets_a_draft(state: str) -> None:
    action = creation(imported(mirakl=an_order(state)))
    assert [(line.sku, line.variant_id, line.quantity) for line in action.lines] == [
        ("MUG", "V-MUG", 2),
        ("LAMP", "V-LAMP", 1),
    ]
    assert action.shipping == Decimal("4.00")


def test_nothing_is_created_before_the_skus_were_looked_up() -> None:
    part = imported(offers=())
    assert (part.actions, part.cases, part.look_at) == ((), (), NOW + timedelta(minutes=5))
    assert "looked up" in part.because[0]


def test_a_line_without_a_sku_is_asked_about() -> None:
    mug, lamp = WAITING.lines
    part = imported(mirakl=replace(WAITING, lines=(replace(mug, sku=""), lamp)), offers=())
    assert (part.actions, [case.reason for case in part.cases]) == ((), [Reason.UNKNOWN_VALUE])
    assert f"names no SKU for {mug.id}," in part.cases[0].sentence


def test_a_completed_draft_that_shows_no_order_yet_is_looked_at_soon() -> None:
    part = imported(not_imported(draft_id="D1"), drafts=(a_draft("D1", status="COMPLETED"),))
    assert (part.actions, part.cases, part.look_at) == ((), (), NOW + timedelta(minutes=1))


def test_an_order_made_without_our_mark_is_not_said_to_be_nothing() -> None:
    words = "Our marker is taken by an order that does not show yet; #1002 was left without it."
    operation = an_operation(creation(imported()), code="TAKEN", words=words)
    [case] = imported(operations=(operation,)).cases
    assert (case.reason, "Nothing was created" in case.sentence) == (Reason.IMPORT_REFUSED, False)
    assert "#1002" in case.sentence
    assert "cancel it before you send anything again" in case.sentence


def test_nothing_is_concluded_while_shopify_cannot_be_read() -> None:
    assert imported(shopify_unreadable=True).actions == ()


def test_an_order_a_person_refused_is_not_created() -> None:
    memory = not_imported(decisions=(a_decision(Reason.STOCK_SHORT, "MUG", Option.REFUSE_ORDER),))
    assert imported(memory).actions == ()


# -- SKUs and stock --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("matches", "reason"), [(0, Reason.SKU_UNKNOWN), (2, Reason.SKU_AMBIGUOUS)])
def test_a_sku_that_is_not_one_variant_stops_the_whole_order(matches: int, reason: Reason) -> None:
    part = imported(offers=(an_offer(matches=matches), an_offer("LAMP")))
    [case] = part.cases
    assert (case.reason, case.subject, case.options) == (reason, "MUG", (Option.MAP_SKU,))
    assert part.actions == ()
    assert part.look_at == NOW + timedelta(minutes=5)
    soon = CREATED + timedelta(hours=28.8) - timedelta(minutes=1)
    assert imported(offers=(an_offer(matches=matches),), now=soon).look_at == soon + timedelta(minutes=5)
    assert imported(
        offers=(an_offer(matches=matches), an_offer("LAMP")), now=soon
    ).look_at == soon + timedelta(minutes=1)


def test_late_in_the_window_a_person_may_choose_the_lesser_evil() -> None:
    part = imported(offers=(an_offer(matches=0), an_offer("LAMP")), now=LATE)
    assert part.cases[0].options == (
        Option.MAP_SKU,
        Option.CREATE_WITH_CUSTOM_LINE,
        Option.ACCEPT_WITHOUT_ORDER,
        Option.REFUSE_ORDER,
    )


def test_accepting_without_an_order_is_not_offered_while_its_prices_are_asked_about() -> None:
    apart = (ShopPrice("L1", Decimal("20.00"), True),)
    short = (an_offer(matches=0), an_offer("LAMP"))
    part = imported(not_imported(shop_prices=apart), offers=short, now=LATE)
    assert Option.ACCEPT_WITHOUT_ORDER not in part.cases[0].options
    assert Option.REFUSE_ORDER in part.cases[0].options


def test_after_acceptance_nothing_is_offered_that_cannot_be_done() -> None:
    part = imported(mirakl=an_order("SHIPPING"), offers=(an_offer(matches=0), an_offer("LAMP")))
    assert part.cases[0].options == (Option.MAP_SKU, Option.CREATE_WITH_CUSTOM_LINE)


def test_stock_is_counted_over_all_lines_of_a_sku() -> None:
    lines = (a_line("L1", quantity=2), a_line("L2", quantity=2))
    part = imported(
        not_imported(ordered=ordered(lines)),
        mirakl=an_order("WAITING_ACCEPTANCE", lines),
        offers=(an_offer(available=3),),
    )
    [case] = part.cases
    assert (case.reason, case.subject) == (Reason.STOCK_SHORT, "MUG")
    assert part.actions == ()


@pytest.mark.parametrize(
    ("now", "options", "way"),
    [
        (NOW, (Option.REFUSE_ORDER,), "If none will come, refuse the order here."),
        (
            LATE,
            (Option.CREATE_WITH_CUSTOM_LINE, Option.ACCEPT_WITHOUT_ORDER, Option.REFUSE_ORDER),
            "Or decide here.",
        ),
    ],
)
def test_too_little_stock_may_be_answered_from_the_start(
    now: datetime, options: tuple[Option, ...], way: str
) -> None:
    """Refusing promises nothing; what promises a parcel waits until stock can hardly come any more."""
    [case] = imported(offers=(an_offer(available=0), an_offer("LAMP")), now=now).cases
    assert (case.reason, case.options) == (Reason.STOCK_SHORT, options)
    assert case.sentence.endswith(way)


def test_too_little_stock_of_an_order_that_is_accepted_cannot_be_refused() -> None:
    [case] = imported(mirakl=an_order("SHIPPING"), offers=(an_offer(available=0), an_offer("LAMP"))).cases
    assert case.options == (Option.CREATE_WITH_CUSTOM_LINE,)
    assert case.sentence.endswith("Or decide here.")


def test_untracked_stock_is_enough() -> None:
    assert creation(imported(offers=(an_offer(available=None), an_offer("LAMP"))))


def test_a_custom_line_is_created_on_a_persons_word_and_remembered() -> None:
    said = a_decision(Reason.SKU_UNKNOWN, "MUG", Option.CREATE_WITH_CUSTOM_LINE)
    part = imported(not_imported(decisions=(said,)), offers=(an_offer(matches=0), an_offer("LAMP")))
    assert [line.variant_id for line in creation(part).lines] == ["", "V-LAMP"]
    assert part.memory.custom_line_skus == ("MUG",)


def test_an_order_with_an_unmapped_custom_line_stays_held() -> None:
    memory = a_memory(custom_line_skus=("MUG",))
    part = decide(a_view(memory=memory), memory)
    assert part.keep_held
    assert [(case.reason, case.options) for case in part.cases] == [(Reason.SKU_UNKNOWN, (Option.MAP_SKU,))]


# -- the draft route -------------------------------------------------------------------------------------


def test_a_hidden_address_is_not_sent_with_the_draft() -> None:
    hidden = replace(WAITING, address=HIDDEN)
    action = creation(imported(mirakl=hidden))
    assert isinstance(action, CreateDraft)
    assert not action.with_address


def test_an_unclear_creation_stays_wanted_as_it_was_sent() -> None:
    sent = creation(imported())
    part = imported(
        offers=(an_offer(available=0), an_offer("LAMP")), operations=(an_operation(sent, "UNKNOWN"),)
    )
    assert (part.actions, part.cases) == ((sent,), ())


def test_the_oldest_draft_is_adopted_and_the_others_go() -> None:
    young = a_draft("D2", created_at=NOW)
    part = imported(drafts=(young, a_draft("D1")))
    assert part.memory.draft_id == "D1"
    assert DeleteDraft("D2") in part.actions
    assert DeleteDraft("D1") not in part.actions


def test_a_draft_goes_on_as_one_after_the_route_was_changed() -> None:
    part = imported(rules=some_rules(import_route="order"), drafts=(a_draft("D1"),))
    assert part.memory.draft_id == "D1"
    assert not [action for action in part.actions if isinstance(action, CreateOrder)]


def test_a_deletion_once_begun_is_finished_after_the_link() -> None:
    begun = an_operation(DeleteDraft("D2"), "UNKNOWN")
    assert decide(a_view(operations=(begun,)), a_memory()).actions == (DeleteDraft("D2"),)


def test_a_draft_waits_for_the_address_with_its_reservation() -> None:
    part = imported(
        not_imported(draft_id="D1"),
        mirakl=replace(WAITING, address=HIDDEN),
        drafts=(a_draft(address=NO_ADDRESS),),
    )
    assert (part.actions, part.cases) == ((), ())


def test_the_address_goes_into_the_draft_before_it_is_completed() -> None:
    memory = not_imported(draft_id="D1")
    assert imported(memory, drafts=(a_draft(address=NO_ADDRESS),)).actions == (
        FillDraftAddress("D1", HOME.digest),
    )
    assert imported(memory, drafts=(a_draft(),)).actions == (CompleteDraft("D1"),)


def test_a_completed_draft_is_linked_at_once() -> None:
    part = imported(not_imported(draft_id="D1"), drafts=(a_draft(status="COMPLETED", order_id="SO1"),))
    assert (part.memory.shopify_order_id, part.memory.linked_at, part.look_at) == ("SO1", NOW, NOW)


def test_a_draft_that_does_not_add_up_is_not_completed() -> None:
    part = imported(not_imported(draft_id="D1"), drafts=(a_draft(total=Decimal("54.01")),))
    assert part.actions == ()
    assert [case.reason for case in part.cases] == [Reason.TOTALS_DIFFER]


# -- a draft that is gone ----------------------------------------------------------------------------------

GONE = not_imported(draft_id="D1", draft_gone_since=NOW - timedelta(minutes=10))


def test_a_draft_out_of_sight_starts_nothing_new_and_is_told() -> None:
    part = imported(not_imported(draft_id="D1"), drafts=())
    assert (part.actions, part.memory.draft_id, part.memory.draft_gone_since) == ((), "D1", NOW)
    [case] = part.cases
    assert (case.reason, case.subject, case.options) == (
        Reason.DRAFT_WITHOUT_STOCK,
        "D1",
        (Option.SEND_AGAIN,),
    )
    assert f"made by itself at {NOW + timedelta(minutes=10):%H:%M} UTC" in case.sentence
    assert part.look_at == NOW + timedelta(minutes=1)


@pytest.mark.parametrize("state", ["WAITING_ACCEPTANCE", "WAITING_DEBIT_PAYMENT", "SHIPPING"])
def test_after_ten_minutes_without_a_trace_another_draft_is_made(state: str) -> None:
    soon = replace(GONE, draft_gone_since=NOW - timedelta(minutes=9))
    assert imported(soon, mirakl=an_order(state)).actions == ()

    part = imported(GONE, mirakl=an_order(state))

    assert isinstance(creation(part), CreateDraft)
    assert (part.memory.draft_id, part.memory.drafts_gone, part.memory.draft_gone_since) == (
        "",
        ("D1",),
        None,
    )
    assert part.cases == ()


STANDS = a_shopify_order(id="SO9", name="#1009")


@pytest.mark.parametrize(
    ("memory", "changes", "words"),
    [
        pytest.param(GONE, {"completion_unclear": True}, "asked to become an order", id="perhaps completed"),
        pytest.param(GONE, {"kin": (STANDS,)}, "#1009", id="an order points to the sale"),
        pytest.param(replace(GONE, drafts_gone=("D0",)), {}, "second one", id="deleted twice"),
    ],
)
def test_where_an_order_may_have_come_of_it_a_person_says_that_another_is_made(
    memory: Memory, changes: dict[str, Any], words: str
) -> None:
    part = imported(memory, **changes)
    assert (part.actions, part.memory.draft_id) == ((), "D1")
    assert words in part.cases[0].sentence
    assert part.look_at == NOW + timedelta(minutes=5)

    said = a_decision(Reason.DRAFT_WITHOUT_STOCK, "D1", Option.SEND_AGAIN)
    assert isinstance(creation(imported(replace(memory, decisions=(said,)), **changes)), CreateDraft)
    other = a_decision(Reason.DRAFT_WITHOUT_STOCK, "D0", Option.SEND_AGAIN)
    assert imported(replace(memory, decisions=(other,)), **changes).actions == ()


def test_an_order_that_was_cancelled_does_not_stand_in_the_way_of_another_draft() -> None:
    cancelled = replace(STANDS, cancelled_at=NOW)
    assert isinstance(creation(imported(GONE, kin=(cancelled,))), CreateDraft)


def test_a_draft_that_turns_up_again_goes_on() -> None:
    part = imported(GONE, drafts=(a_draft(),))
    assert (part.actions, part.memory.draft_gone_since) == ((CompleteDraft("D1"),), None)


def test_a_draft_given_up_for_gone_that_had_become_an_order_is_the_one_that_is_linked() -> None:
    later = not_imported(draft_id="D2", drafts_gone=("D1",))
    part = imported(later, drafts=(a_draft("D2"), a_draft("D1", status="COMPLETED", order_id="SO1")))
    assert (part.memory.draft_id, part.memory.shopify_order_id) == ("D1", "SO1")
    assert part.actions == (DeleteDraft("D2"),)


def test_a_draft_given_up_for_gone_that_is_open_is_deleted() -> None:
    later = not_imported(draft_id="D2", drafts_gone=("D1",))
    assert DeleteDraft("D1") in imported(later, drafts=(a_draft("D2"), a_draft("D1"))).actions


COMPLETED = a_draft(status="COMPLETED")
SAW_COMPLETED = not_imported(draft_id="D1", draft_completed_since=NOW - timedelta(minutes=10))


def test_a_completed_draft_may_take_ten_minutes_to_show_its_order() -> None:
    first = imported(not_imported(draft_id="D1"), drafts=(COMPLETED,))
    assert (first.actions, first.cases, first.memory.draft_completed_since) == ((), (), NOW)
    assert first.look_at == NOW + timedelta(minutes=1)

    soon = replace(SAW_COMPLETED, draft_completed_since=NOW - timedelta(minutes=9))
    assert imported(soon, drafts=(COMPLETED,)).cases == ()

    shown = imported(SAW_COMPLETED, drafts=(a_draft(status="COMPLETED", order_id="SO1"),))
    assert (shown.memory.shopify_order_id, shown.memory.draft_completed_since) == ("SO1", None)


@pytest.mark.parametrize("state", ["WAITING_ACCEPTANCE", "WAITING_DEBIT_PAYMENT", "SHIPPING"])
def test_a_completed_draft_without_an_order_is_told_and_looked_at_less_often(state: str) -> None:
    part = imported(SAW_COMPLETED, mirakl=an_order(state), drafts=(COMPLETED,))
    [case] = part.cases
    assert (case.reason, case.subject) == (Reason.DRAFT_WITHOUT_STOCK, "D1")
    assert Option.SEND_AGAIN in case.options
    assert "shows no order that came of it" in case.sentence
    assert (part.actions, part.look_at) == ((), NOW + timedelta(minutes=5))

    pointing = imported(SAW_COMPLETED, mirakl=an_order(state), drafts=(COMPLETED,), kin=(STANDS,))
    assert "#1009 points to this sale" in pointing.cases[0].sentence


def test_another_draft_is_made_in_place_of_a_completed_one_only_when_a_person_says_so() -> None:
    said = a_decision(Reason.DRAFT_WITHOUT_STOCK, "D1", Option.SEND_AGAIN)
    part = imported(replace(SAW_COMPLETED, decisions=(said,)), drafts=(COMPLETED,))
    assert (part.actions, part.cases, part.look_at) == ((), (), NOW)
    assert (part.memory.draft_id, part.memory.drafts_gone) == ("", ("D1",))
    assert part.memory.draft_completed_since is None
    assert isinstance(creation(imported(part.memory)), CreateDraft)

    gone = replace(SAW_COMPLETED, draft_gone_since=NOW - timedelta(hours=1))
    assert imported(gone).actions == ()
    assert "It had been completed" in imported(gone).cases[0].sentence


def test_a_completed_draft_that_was_given_up_counts_no_more() -> None:
    memory = not_imported(drafts_gone=("D1",))
    late = a_draft(status="COMPLETED", order_id="SO1")
    assert that_count((COMPLETED, a_draft("D2")), memory) == (a_draft("D2"),)
    assert that_count((a_draft(), late), memory) == (a_draft(), late)
    assert that_count((COMPLETED,), not_imported(draft_id="D1")) == (COMPLETED,)


def test_a_draft_that_waits_without_its_reservation_is_told() -> None:
    hidden = replace(WAITING, address=HIDDEN)
    memory = not_imported(draft_id="D1")
    [case] = imported(memory, mirakl=hidden, drafts=(a_draft(address=NO_ADDRESS, reserved=False),)).cases
    assert (case.reason, case.subject, case.options) == (Reason.DRAFT_WITHOUT_STOCK, "D1", ())
    part = imported(memory, mirakl=hidden, drafts=(a_draft(address=NO_ADDRESS),))
    assert (part.cases, part.look_at) == ((), NOW + timedelta(minutes=10))


# -- the order route -------------------------------------------------------------------------------------


def test_the_order_route_creates_an_unpaid_order() -> None:
    action = creation(imported(rules=some_rules(import_route="order")))
    assert isinstance(action, CreateOrder)
    assert action.pending_payment
    assert action.taxes_included


def test_an_address_that_appears_later_is_filled_in_and_holds_the_parcel() -> None:
    memory = a_memory(agreed_address="")
    shopify = a_shopify_order(address=NO_ADDRESS)
    part = decide(a_view(memory=memory, shopify=shopify), memory)
    assert part.actions == (FillOrderAddress("SO1", HOME.digest),)
    assert part.keep_held


def test_an_address_edited_after_it_was_agreed_is_not_overwritten() -> None:
    assert decide(a_view(shopify=a_shopify_order(address=ELSEWHERE)), a_memory()).actions == ()


# -- refusals --------------------------------------------------------------------------------------------


def test_a_refused_creation_is_a_case_with_the_platforms_words_and_stays_wanted() -> None:
    sent = creation(imported())
    part = imported(operations=(an_operation(sent, words="Variant is archived"),))
    [case] = part.cases
    assert case.reason is Reason.IMPORT_REFUSED
    assert "Variant is archived" in case.sentence
    assert Option.SEND_AGAIN in case.options
    assert part.actions == (sent,)


def test_stock_that_could_not_be_claimed_is_a_shortage() -> None:
    sent = creation(imported())
    part = imported(operations=(an_operation(sent, code="INVENTORY_CLAIM_FAILED"),))
    assert [case.reason for case in part.cases] == [Reason.STOCK_SHORT]


def test_a_refusal_of_something_else_than_now_wanted_is_history() -> None:
    sent = creation(imported())
    other = replace(sent, shipping=Decimal(1))
    assert imported(operations=(an_operation(other),)).cases == ()


# -- after the link --------------------------------------------------------------------------------------


def test_marker_and_reference_are_written_together() -> None:
    memory = a_memory()
    part = decide(a_view(mirakl=an_order(seller_reference=""), shopify=a_shopify_order(marker="")), memory)
    assert part.actions == (MarkOrder("SO1"), SetSellerReference("#1001"))


def test_an_agreeing_order_needs_nothing() -> None:
    assert decide(a_view(), a_memory()) == Part(a_memory())


def test_an_imported_order_that_does_not_add_up_is_held_with_a_case() -> None:
    part = decide(a_view(shopify=a_shopify_order(total=Decimal("60.00"))), a_memory())
    assert [case.reason for case in part.cases] == [Reason.TOTALS_DIFFER]
    assert part.keep_held


DEARER = a_shopify_order(total=Decimal("60.00"))


def let_go(option: Option = Option.SHIP_WITH_DIFFERENCE) -> Memory:
    """The memory after a person said that the order ships at 6.00 more than the marketplace's."""
    part = decide(a_view(shopify=DEARER), a_memory())
    (case,) = part.cases
    return replace(part.memory, decisions=(a_decision(case.reason, case.subject, option),))


def test_an_order_ships_at_another_total_once_a_person_says_so() -> None:
    part = decide(a_view(shopify=DEARER), let_go())
    assert (part.cases, part.keep_held) == ((), ())
    assert "Ada lets the order ship" in part.because[0]


@pytest.mark.parametrize("total", ["60.01", "48.00"])
def test_another_difference_than_the_one_that_was_let_go_is_asked_about_anew(total: str) -> None:
    part = decide(a_view(shopify=a_shopify_order(total=Decimal(total))), let_go())
    assert [case.options for case in part.cases] == [(Option.SHIP_WITH_DIFFERENCE,)]
    assert part.keep_held


def test_the_same_difference_is_let_go_after_an_edit_too() -> None:
    less = a_shopify_order(total=Decimal("50.00"), lines=ONE_MUG_LESS)
    part = decide(a_view(mirakl=an_order(lines=ONE_MUG_CANCELLED), shopify=less), let_go())
    assert (part.cases, part.keep_held) == ((), ())


def test_another_currency_is_never_let_go() -> None:
    part = decide(a_view(shopify=a_shopify_order(total=Decimal("60.00"), currency="USD")), let_go())
    assert [case.options for case in part.cases] == [()]
    assert part.keep_held


def test_another_answer_lets_nothing_go() -> None:
    assert decide(a_view(shopify=DEARER), let_go(Option.DISMISS)).keep_held


ONE_MUG_CANCELLED = (a_line(cancelations=(a_cancelation(1, "10.00"),)), a_line("L2", "LAMP", 1, "30.00", "0"))
ONE_MUG_LESS = (a_shopify_line(current_quantity=1), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))


@pytest.mark.parametrize(
    "figures",
    [{"currency": "USD"}, {"total": Decimal("60.00")}],
    ids=["another currency", "something on top"],
)
def test_a_difference_of_the_totals_outlives_an_edit_and_a_cancelation(figures: dict[str, Any]) -> None:
    found = decide(a_view(shopify=a_shopify_order(**figures)), a_memory()).memory
    less = a_shopify_order(**{"total": Decimal("44.00"), **figures, "lines": ONE_MUG_LESS})

    part = decide(a_view(mirakl=an_order(lines=ONE_MUG_CANCELLED), shopify=less), found)

    assert [case.reason for case in part.cases] == [Reason.TOTALS_DIFFER]
    assert part.keep_held


def test_a_difference_of_the_totals_is_over_once_they_are_the_same() -> None:
    found = decide(a_view(shopify=a_shopify_order(total=Decimal("60.00"))), a_memory()).memory
    same = a_shopify_order(total=Decimal("44.00"), lines=ONE_MUG_LESS)

    part = decide(a_view(mirakl=an_order(lines=ONE_MUG_CANCELLED), shopify=same), found)

    assert (part.cases, part.keep_held) == ((), ())
    assert part.memory == a_memory()


def test_totals_are_not_compared_once_the_order_was_edited() -> None:
    lines = (a_shopify_line(current_quantity=1), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))
    assert (
        decide(a_view(shopify=a_shopify_order(total=Decimal("44.00"), lines=lines)), a_memory()).cases == ()
    )


def test_a_cancelled_shopify_order_is_left_alone_and_not_replaced() -> None:
    assert decide(a_view(shopify=a_shopify_order(cancelled_at=NOW)), a_memory()).actions == ()


@pytest.mark.parametrize(
    ("state", "kin_marker", "then"),
    [
        pytest.param("SHIPPING", "", (MarkOrder("SO1"),), id="nothing else finds it"),
        pytest.param("SHIPPING", MARKER, (), id="the mark has to leave another order first"),
        pytest.param("CANCELED", "", (), id="nobody will look for it"),
    ],
)
def test_a_cancelled_order_that_is_linked_again_gets_its_mark_back(
    state: str, kin_marker: str, then: tuple[Action, ...]
) -> None:
    other = a_shopify_order(id="SO2", name="#1002", marker=kin_marker)
    cancelled = a_shopify_order(cancelled_at=NOW, marker="")

    view = a_view(mirakl=an_order(state, seller_reference=""), shopify=cancelled, kin=(other,))

    assert decide(view, a_memory()).actions == then


# -- whose order -----------------------------------------------------------------------------------------


def test_an_unknown_value_is_named() -> None:
    case = unknown_value_case(an_order("PACKING"))
    assert case is not None
    assert "state=PACKING" in case.sentence
    assert unknown_value_case(an_order()) is None


@pytest.mark.parametrize("change", [{"fulfillment_center": "FBM"}, {"customer_pays_seller": True}])
def test_an_order_that_is_not_ours_to_ship_is_a_case(change: dict[str, Any]) -> None:
    case = not_ours_case(an_order(**change), some_rules(), Memory())
    assert case is not None
    assert case.reason is Reason.NOT_OURS_TO_SHIP
    assert not_ours_case(an_order(), some_rules(), Memory()) is None


@pytest.mark.parametrize("state", ["SHIPPED", "RECEIVED", "CLOSED", "CANCELED", "REFUSED"])
@pytest.mark.parametrize("change", [{"fulfillment_center": "FBM"}, {"customer_pays_seller": True}])
def test_an_order_that_is_not_ours_is_no_case_any_more_once_it_has_left_or_ended(
    change: dict[str, Any], state: str
) -> None:
    assert not_ours_case(an_order(state, **change), some_rules(), Memory()) is None


def test_whoever_says_that_it_is_in_order_is_not_asked_again() -> None:
    foreign = an_order("WAITING_ACCEPTANCE", fulfillment_center="FBM")
    asked = not_ours_case(foreign, some_rules(), Memory())
    assert asked is not None
    memory = Memory(decisions=(a_decision(asked.reason, asked.subject, Option.DISMISS),))

    assert not_ours_case(foreign, some_rules(), memory) is None
    for other in ({"fulfillment_center": "FBX"}, {"customer_pays_seller": True}):
        assert not_ours_case(an_order("WAITING_ACCEPTANCE", **other), some_rules(), memory) is not None
