"""The operation ledger: what may be sent, when, and what an unclear end means (reliability study 2.2, 2.3)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from interlock.engine import ledger
from interlock.engine.ledger import CLOCKS_AGREE_WITHIN, operations
from interlock.orders.actions import (
    Action,
    CancelShopifyOrder,
    CreateShipment,
    LineRefund,
    MarkPaid,
    PlaceHold,
    RefundLines,
    SendMessage,
    SetSellerReference,
    SetTracking,
    TrackShipment,
)
from interlock.orders.memory import Decision
from interlock.orders.outcomes import Confirmed, Outcome, Refused, Unavailable, Unknown
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import Shipment
from interlock.orders.store import LeaseLost, take_lease
from interlock.storage.database import Database
from tests.build import NOW, a_fulfillment_order, a_shopify_order, a_view, an_order
from tests.engine.rows import ACCEPT, CANCEL, DRAFT, HOLD, SHIP, Book, view_at

SECOND = timedelta(seconds=1)
SETTLE = timedelta(seconds=60)
UNCLEAR = Unknown("the answer broke off")


@pytest.fixture
def book(database: Database) -> Iterator[Book]:
    with database.begin() as c:
        yield Book(c)


def _state(book: Book, action: Action) -> str:
    row = book.c.execute(
        select(operations.c.state)
        .where(operations.c.digest == ledger.digest_of(action))
        .order_by(operations.c.planned_at.desc(), operations.c.id.desc())
        .limit(1)
    ).one()
    return str(row.state)


# -- planned -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [HOLD, ACCEPT, DRAFT, CANCEL])
def test_what_a_plan_wants_is_committed_and_sent_once(book: Book, action: Action) -> None:
    (operation,) = book.want(action, action).send
    assert (operation.action, operation.attempt, operation.epoch) == (action, 1, 1)
    assert operation.reference == f"{operation.id}.1.1"
    assert _state(book, action) == "PLANNED"


def test_a_call_that_certainly_had_no_effect_waits_as_long_as_the_platform_asked(book: Book) -> None:
    book.ended(SHIP, Unavailable("429", 20.0))
    early = book.want(SHIP, at=NOW + 19 * SECOND)
    assert (early.send, early.look_at) == ((), NOW + 20 * SECOND)
    (again,) = book.want(SHIP, at=NOW + 20 * SECOND).send
    assert again.attempt == 2


def test_the_pause_grows_and_the_acceptance_never_waits_longer_than_half_a_minute(book: Book) -> None:
    pauses = []
    at = NOW
    for _ in range(8):
        (operation,) = book.want(ACCEPT, at=at).send
        book.send(operation, Unavailable("503"), at)
        look_at = book.want(ACCEPT, at=at).look_at
        assert look_at is not None
        pauses.append((look_at - at).total_seconds())
        at = look_at
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_seller_references_wait_for_the_batch(book: Book) -> None:
    reference = SetSellerReference("#1001")
    assert book.want(reference).send == ()
    assert book.want(reference).send == ()
    assert [row[2] for row in ledger.planned_references(book.c, [book.row.connection_id], NOW, 10)] == [
        reference
    ]


def test_what_is_no_longer_wanted_is_dropped_unsent(book: Book) -> None:
    book.want(SHIP)
    book.want()
    assert _state(book, SHIP) == "REJECTED"
    assert ledger.remembered(book.c, book.row.id).open == ()


def test_a_refusal_stays_in_sight_until_the_marketplace_was_seen_after_it(book: Book) -> None:
    book.ended(SHIP, Refused("CARRIER_NOT_FOUND", "Carrier UPS is not registered"))
    before = replace(view_at(NOW), mirakl_written_at=NOW)
    book.want(view=before)
    assert [operation.state for operation in ledger.remembered(book.c, book.row.id).open] == ["REJECTED"]
    after = replace(view_at(NOW + 2 * SECOND), mirakl_written_at=NOW)
    assert book.want(SHIP, at=NOW + 2 * SECOND, view=after).send == ()
    book.want(at=NOW + 2 * SECOND, view=after)
    assert ledger.remembered(book.c, book.row.id).open == ()


def test_nothing_is_concluded_from_half_a_plan(book: Book) -> None:
    book.want(SHIP)
    book.want(whole=False)
    assert _state(book, SHIP) == "PLANNED"


# -- unknown -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [HOLD, ACCEPT])
def test_a_keyed_call_and_the_acceptance_are_sent_again_without_the_settle_window(
    book: Book, action: Action
) -> None:
    book.ended(action, UNCLEAR)
    assert book.want(action).look_at == NOW + SECOND
    (again,) = book.want(action, at=NOW + SECOND).send
    assert again.attempt == 2


@pytest.mark.parametrize("action", [SHIP, CANCEL])
def test_an_unclear_marketplace_call_waits_for_the_settle_window_and_a_snapshot_younger_than_it(
    book: Book, action: Action
) -> None:
    book.ended(action, UNCLEAR)
    assert book.want(action, at=NOW + 59 * SECOND).look_at == NOW + SETTLE
    stale = book.want(action, at=NOW + 90 * SECOND, view=view_at(NOW + 90 * SECOND, NOW + 30 * SECOND))
    assert (stale.send, stale.mirakl_since) == ((), NOW + SETTLE)
    (again,) = book.want(
        action, at=NOW + 90 * SECOND, view=view_at(NOW + 90 * SECOND, NOW + 61 * SECOND)
    ).send
    assert again.attempt == 2


def test_an_unclear_creation_waits_until_shopify_can_be_read_after_the_settle_window(book: Book) -> None:
    book.ended(DRAFT, UNCLEAR)
    late = NOW + 70 * SECOND
    assert book.want(DRAFT, at=NOW + 59 * SECOND).send == ()
    assert book.want(DRAFT, at=late, view=replace(view_at(late), shopify_unreadable=True)).send == ()
    (again,) = book.want(DRAFT, at=late).send
    assert again.attempt == 2


def test_a_class_d_call_that_stayed_unclear_twice_is_a_persons(book: Book) -> None:
    book.ended(CANCEL, UNCLEAR)
    second = NOW + 70 * SECOND
    (again,) = book.want(CANCEL, at=second).send
    book.send(again, UNCLEAR, second)
    third = second + 70 * SECOND
    left = book.want(CANCEL, at=third)
    assert left.send == ()
    assert [(operation.id, operation.attempt) for operation in left.unclear] == [(again.id, 2)]


def test_a_person_may_have_the_unclear_call_sent_again(book: Book) -> None:
    book.ended(CANCEL, UNCLEAR)
    second = NOW + 70 * SECOND
    (again,) = book.want(CANCEL, at=second).send
    book.send(again, UNCLEAR, second)
    late = second + 70 * SECOND
    before, after = (
        Decision(Reason.OUTCOME_UNCLEAR, again.id, Option.SEND_AGAIN, "Ada", "checked", at)
        for at in (second - SECOND, late)
    )
    assert book.want(CANCEL, at=late, decisions=(before,)).send == ()
    (third,) = book.want(CANCEL, at=late, decisions=(after,)).send
    assert third.attempt == 3


def test_an_unclear_call_whose_effect_shows_is_confirmed_when_it_is_not_wanted_any_more(book: Book) -> None:
    book.ended(SHIP, UNCLEAR)
    shown = a_view(now=NOW + SECOND, mirakl=an_order("SHIPPED"))
    settled = book.want(at=NOW + SECOND, view=shown)
    assert _state(book, SHIP) == "CONFIRMED"
    assert "the platform shows that it happened" in settled.sentences[0]
    assert settled.settled


def test_an_unclear_call_whose_effect_does_not_show_is_over_only_after_the_settle_window(book: Book) -> None:
    book.ended(SHIP, UNCLEAR)
    assert book.want(at=NOW + 10 * SECOND).look_at == NOW + SETTLE
    assert _state(book, SHIP) == "UNKNOWN"
    asked = book.want(at=NOW + 90 * SECOND, view=view_at(NOW + 90 * SECOND, NOW + 59 * SECOND))
    assert asked.mirakl_since == NOW + SETTLE
    assert (_state(book, SHIP), asked.settled) == ("UNKNOWN", False)
    over = book.want(at=NOW + 90 * SECOND, view=view_at(NOW + 90 * SECOND, NOW + 61 * SECOND))
    assert (_state(book, SHIP), over.settled) == ("REJECTED", True)
    assert ledger.remembered(book.c, book.row.id).open == ()


def test_nothing_ambiguous_is_sent_beside_an_unclear_call_on_the_same_platform(book: Book) -> None:
    book.ended(CANCEL, UNCLEAR)
    other = replace(CANCEL, lines=(replace(CANCEL.lines[0], cancelled_total=2),))
    sent = book.want(CANCEL, other, DRAFT, SHIP, HOLD).send
    assert [operation.action for operation in sent] == [DRAFT, SHIP, HOLD]


# -- refused -----------------------------------------------------------------------------------------------


def test_a_refused_guarded_call_is_tried_again_a_few_times_at_growing_distance(book: Book) -> None:
    at = NOW
    distances = []
    for _ in range(4):
        (operation,) = book.want(SHIP, at=at).send
        book.send(operation, Refused("ORDER_INVALID_STATE", "no"), at)
        look_at = book.want(SHIP, at=at).look_at
        if look_at is None:
            break
        distances.append(look_at - at)
        at = look_at
    assert distances == [timedelta(minutes=15), timedelta(minutes=30), timedelta(minutes=45)]
    assert book.want(SHIP, at=at + timedelta(days=1)).send == ()


@pytest.mark.parametrize("action", [DRAFT, CANCEL])
def test_a_refused_ambiguous_call_is_sent_again_only_when_a_person_says_so(
    book: Book, action: Action
) -> None:
    book.ended(action, Refused("NO", "no"))
    late = NOW + timedelta(days=1)
    assert book.want(action, at=late).send == ()
    reason = Reason.IMPORT_REFUSED if action is DRAFT else Reason.REDUCTION_REFUSED
    said = Decision(reason, "order", Option.SEND_AGAIN, "Ada", "the cause is gone", late)
    (again,) = book.want(action, at=late, decisions=(said,)).send
    assert again.attempt == 2


@pytest.mark.parametrize(("subject", "sent"), [("FO1", 1), ("FO2", 0)])
def test_a_refused_hold_is_sent_again_for_its_own_parcel_alone(book: Book, subject: str, sent: int) -> None:
    hold = PlaceHold("FO1", "wait")
    late = NOW
    for _ in range(ledger.RETRY_REFUSED_TIMES):
        late += timedelta(days=1)
        (operation,) = book.want(hold, at=late).send
        book.send(operation, Refused("TOO_MANY_HOLDS", "Ten at most."), late)
    late += timedelta(days=1)
    assert book.want(hold, at=late).send == ()
    said = Decision(Reason.CANNOT_HOLD, subject, Option.SEND_AGAIN, "Ada", "there is room now", late)

    assert len(book.want(hold, at=late, decisions=(said,)).send) == sent


def test_one_answer_sends_once_even_if_the_clock_that_stamped_it_was_ahead(book: Book) -> None:
    book.ended(CANCEL, Refused("NO", "no"))
    ahead = NOW + timedelta(minutes=5)
    said = Decision(Reason.REDUCTION_REFUSED, "order", Option.SEND_AGAIN, "Ada", "the cause is gone", ahead)
    (again,) = book.want(CANCEL, at=NOW + SECOND, decisions=(said,)).send
    book.send(again, Refused("NO", "no"), NOW + SECOND)
    assert book.want(CANCEL, at=NOW + 2 * SECOND, decisions=(said,)).send == ()
    twice = replace(said, at=ahead + SECOND)
    (third,) = book.want(CANCEL, at=NOW + 3 * SECOND, decisions=(said, twice)).send
    assert third.attempt == 3


def test_a_refusal_is_forgotten_when_the_action_is_no_longer_wanted(book: Book) -> None:
    book.ended(CANCEL, Refused("NO", "no"))
    assert [operation.code for operation in ledger.remembered(book.c, book.row.id).open] == ["NO"]
    book.want()
    assert ledger.remembered(book.c, book.row.id).open == ()
    (anew,) = book.want(CANCEL).send
    assert anew.attempt == 1


# -- confirmed ---------------------------------------------------------------------------------------------


def test_a_confirmed_call_is_not_sent_again_on_a_snapshot_older_than_its_confirmation(book: Book) -> None:
    book.ended(CANCEL, Confirmed(), NOW + 5 * SECOND)
    later = NOW + 10 * SECOND
    stale = book.want(CANCEL, at=later, view=view_at(later, NOW))
    assert (stale.send, stale.mirakl_since) == ((), NOW + 5 * SECOND + CLOCKS_AGREE_WITHIN)
    assert len(book.want(CANCEL, at=later, view=view_at(later, NOW + 6 * SECOND)).send) == 1


def test_a_hold_is_not_placed_again_on_a_snapshot_older_than_the_hold(book: Book) -> None:
    book.ended(HOLD, Confirmed(), NOW + SECOND)
    unheld = a_shopify_order(fulfillment_orders=(a_fulfillment_order(holds=()),))
    older = replace(view_at(NOW + 2 * SECOND), shopify=replace(unheld, observed_at=NOW))
    younger = replace(older, shopify=replace(unheld, observed_at=NOW + 2 * SECOND))
    assert book.want(HOLD, at=NOW + 2 * SECOND, view=older) == ledger.Reconciled()
    assert len(book.want(HOLD, at=NOW + 2 * SECOND, view=younger).send) == 1


def test_an_order_being_cancelled_in_a_job_is_not_cancelled_again_at_once(book: Book) -> None:
    cancel = CancelShopifyOrder("SO1", "over")
    book.ended(cancel, Confirmed())
    soon = NOW + 5 * SECOND
    live = replace(view_at(soon), shopify=a_shopify_order(observed_at=soon))
    waiting = book.want(cancel, at=soon, view=live)
    assert (waiting.send, waiting.look_at) == ((), NOW + 30 * SECOND)
    late = NOW + 31 * SECOND
    again = book.want(cancel, at=late, view=replace(live, shopify=a_shopify_order(observed_at=late)))
    assert len(again.send) == 1


def test_the_facts_of_confirmed_calls_are_learnt_the_latest_winning(book: Book) -> None:
    book.ended(DRAFT, Confirmed((("draft_id", "D1"),)))
    other = replace(DRAFT, currency="USD")
    book.ended(other, Confirmed((("draft_id", "D2"),)), NOW + SECOND)
    book.ended(HOLD, Confirmed((("hold_id", "H1"),)), NOW + 2 * SECOND)
    assert ledger.remembered(book.c, book.row.id).learnt == {"draft_id": "D2"}


def test_a_creation_that_ever_ended_unclear_is_remembered_by_its_kind(book: Book) -> None:
    book.ended(DRAFT, Confirmed((("draft_id", "D1"),)))
    assert ledger.remembered(book.c, book.row.id).unclear == frozenset()
    book.ended(replace(DRAFT, currency="USD"), Unknown("no answer"), NOW + SECOND)
    assert ledger.remembered(book.c, book.row.id).unclear == {"CreateDraft"}


# -- leases ------------------------------------------------------------------------------------------------


def _taken_over(book: Book) -> None:
    later = NOW + timedelta(minutes=2)
    assert take_lease(book.c, book.row.id, "worker-2", later, later + SETTLE) is not None


def test_a_worker_that_lost_its_lease_can_neither_begin_nor_finish_nor_take_back(book: Book) -> None:
    (operation,) = book.want(SHIP).send
    ledger.begin(book.c, book.row.id, operation, NOW)
    _taken_over(book)
    with pytest.raises(LeaseLost, match="was taken over by another worker"):
        ledger.begin(book.c, book.row.id, operation, NOW)
    with pytest.raises(LeaseLost):
        ledger.finish(book.c, book.row.id, operation, Confirmed(), NOW)
    with pytest.raises(LeaseLost):
        ledger.take_back(book.c, book.row.id, operation)
    assert _state(book, SHIP) == "IN_FLIGHT"


def test_what_a_gone_worker_left_in_flight_is_unclear_for_the_next_one(book: Book) -> None:
    (operation,) = book.want(SHIP).send
    ledger.begin(book.c, book.row.id, operation, NOW)
    assert ledger.everything_in_flight_is_unclear(book.c, book.row.id, book.row.epoch, NOW) == 0
    _taken_over(book)
    assert ledger.everything_in_flight_is_unclear(book.c, book.row.id, book.row.epoch + 1, NOW) == 1
    (open_operation,) = ledger.remembered(book.c, book.row.id).open
    assert (open_operation.state, open_operation.code) == ("UNKNOWN", "worker_gone")


def test_a_call_that_was_taken_back_counts_as_never_sent(book: Book) -> None:
    (operation,) = book.want(SHIP).send
    ledger.begin(book.c, book.row.id, operation, NOW)
    ledger.take_back(book.c, book.row.id, operation)
    (again,) = book.want(SHIP).send
    assert again.attempt == 1


@pytest.mark.parametrize(
    ("outcome", "written"),
    [(Confirmed(), True), (Unknown("?"), True), (Refused("NO", ""), True), (Unavailable("429"), False)],
)
def test_a_marketplace_write_that_may_have_happened_outdates_the_snapshot(
    book: Book, outcome: Outcome, written: bool
) -> None:
    book.ended(SHIP, outcome)
    row = take_lease(book.c, book.row.id, "worker-1", NOW + SETTLE, NOW + 2 * SETTLE)
    assert row is not None
    assert row.mirakl_written_at == (NOW + CLOCKS_AGREE_WITHIN if written else None)


def test_a_confirmed_target_is_not_sent_again_on_a_snapshot_of_a_worker_whose_clock_is_a_little_ahead(
    book: Book,
) -> None:
    book.ended(CANCEL, Confirmed(), NOW)
    later = NOW + SECOND
    for ahead in (timedelta(0), timedelta(microseconds=1), CLOCKS_AGREE_WITHIN):
        todo = book.want(CANCEL, at=later, view=view_at(later, NOW + ahead))
        assert (todo.send, todo.mirakl_since) == ((), NOW + CLOCKS_AGREE_WITHIN)
    younger = NOW + CLOCKS_AGREE_WITHIN + timedelta(microseconds=1)
    (again,) = book.want(CANCEL, at=later, view=view_at(later, younger)).send
    assert again.attempt == 1


def test_a_shopify_write_does_not_outdate_the_marketplace_snapshot(book: Book) -> None:
    book.ended(MarkPaid("SO1"), Confirmed())
    row = take_lease(book.c, book.row.id, "worker-1", NOW + SETTLE, NOW + 2 * SETTLE)
    assert row is not None
    assert row.mirakl_written_at is None


def test_batches_whose_sender_died_are_planned_again(book: Book) -> None:
    book.want(SetSellerReference("#1001"))
    ids = [book.row.connection_id]
    (row,) = ledger.planned_references(book.c, ids, NOW, 10)
    ledger.references_leave(book.c, [row[0]], NOW)
    assert ledger.planned_references(book.c, ids, NOW, 10) == []
    assert ledger.references_left_behind(book.c, ids, NOW) == 0
    assert ledger.references_left_behind(book.c, ids, NOW + SECOND) == 1
    (again,) = ledger.planned_references(book.c, ids, NOW, 10)
    assert again[3] == 1


def test_two_targets_of_one_kind_have_different_fingerprints() -> None:
    assert ledger.digest_of(HOLD) == ledger.digest_of(PlaceHold("FO1", "notes"))
    assert ledger.digest_of(HOLD) != ledger.digest_of(PlaceHold("FO2", "notes"))


# -- money and messages ------------------------------------------------------------------------------------

REFUND = RefundLines(
    "edit:1",
    (LineRefund("L1", 1, Decimal("10.00"), Decimal(0), (), (), True, ()),),
    "EUR",
    "TAX_INCLUDED",
    "15",
)
MESSAGE = SendMessage("t1", "Your order", ("CUSTOMER",))


@pytest.mark.parametrize("action", [REFUND, MESSAGE])
def test_an_unclear_refund_or_message_is_a_persons_at_once_and_never_repeated_by_itself(
    book: Book, action: Action
) -> None:
    book.ended(action, UNCLEAR)
    later = book.want(action, at=NOW + 2 * SETTLE)

    assert later.send == ()
    (unclear,) = later.unclear
    assert unclear.action == action


def test_a_refused_refund_is_sent_again_for_the_task_that_was_meant_only(book: Book) -> None:
    other = replace(REFUND, subject="edit:2")
    for operation in book.want(REFUND, other).send:
        book.send(operation, Refused("REFUND_BALANCE_TOO_LOW", "no"))
    again = Decision(Reason.REFUND_REFUSED, "edit:2", Option.SEND_AGAIN, "Ada", "sales came in", NOW + SECOND)

    sent = book.want(REFUND, other, at=NOW + 2 * SECOND, decisions=(again,)).send

    assert [operation.action for operation in sent] == [other]


def test_confirmed_refunds_are_known_with_their_ids(book: Book) -> None:
    book.ended(REFUND, Confirmed((("refund_id:L1", "R1"),)))

    (made,) = ledger.remembered(book.c, book.row.id).refunds_made

    assert (made.action, made.refund_ids, made.at) == (REFUND, (("L1", "R1"),), NOW)


def test_the_trackings_the_marketplace_took_are_known(book: Book) -> None:
    first = SetTracking("UPS", "", "1", "")
    second, refused = replace(first, number="2"), replace(first, number="3")
    parcel = TrackShipment("S1", "UPS", "", "4", "")
    made = CreateShipment("IL-2", (("L1", 1),), "UPS", "", "5", "")
    for action in (first, second, parcel, made):
        book.ended(action, Confirmed())
    book.ended(refused, Refused("CARRIER_NOT_FOUND", "no"))

    told = ledger.remembered(book.c, book.row.id).trackings_told

    assert set(told) == {first, second, parcel, made}


# -- shipments -----------------------------------------------------------------------------------------------

FIRST = CreateShipment("IL-1", (("L1", 1),), "UPS", "", "OLD", "")
CORRECTED = replace(FIRST, number="NEW")


def _shipments(
    book: Book, *wanted: Action, at: datetime, shown: tuple[Shipment, ...] | None = (), **more: Any
) -> ledger.Reconciled:
    """Reconcile with a marketplace that shows these shipments at `at`."""
    view = a_view(now=at, mirakl=an_order(observed_at=at, shipments=shown))
    return book.want(*wanted, at=at, view=view, **more)


def test_an_unclear_shipment_is_not_judged_by_a_document_that_shows_no_shipments(book: Book) -> None:
    book.ended(FIRST, UNCLEAR)
    later = NOW + SETTLE + SECOND

    blind = _shipments(book, FIRST, at=later, shown=None)

    assert blind.send == ()
    assert blind.mirakl_since is not None
    (again,) = _shipments(book, FIRST, at=later).send
    assert again.attempt == 2


def test_what_is_settled_as_not_made_stands_in_the_way_of_nothing(book: Book) -> None:
    """The tracking changed while the answer was unclear: once the old one is known not to exist the new one goes at once."""
    book.ended(FIRST, UNCLEAR)

    assert _shipments(book, CORRECTED, at=NOW + SECOND).send == ()
    (sent,) = _shipments(book, CORRECTED, at=NOW + SETTLE + SECOND).send
    assert sent.action == CORRECTED


def test_what_turns_out_to_be_made_is_confirmed_by_its_marker(book: Book) -> None:
    book.ended(FIRST, UNCLEAR)

    _shipments(book, at=NOW + SECOND, shown=(Shipment("X1", "SHIPPING", (("L1", 1),), "IL-1"),))

    assert _state(book, FIRST) == "CONFIRMED"


def test_a_refused_shipment_stays_refused_until_shipments_are_shown_again(book: Book) -> None:
    book.ended(FIRST, Refused("ITEM_REFUSED", "No"))

    _shipments(book, at=NOW + SECOND, shown=None)
    assert book.c.execute(select(operations.c.done_at)).scalar_one() is None
    _shipments(book, at=NOW + SECOND)
    assert book.c.execute(select(operations.c.done_at)).scalar_one() is not None


@pytest.mark.parametrize(("subject", "sent"), [("shipment IL-1", 1), ("shipment IL-2", 0)])
def test_a_refused_shipment_is_sent_again_for_its_own_case_alone(book: Book, subject: str, sent: int) -> None:
    book.ended(FIRST, Refused("ITEM_REFUSED", "No"))
    at = NOW + SECOND
    answer = Decision(Reason.SHIPPING_REFUSED, subject, Option.SEND_AGAIN, "Ada", "because", at)

    done = _shipments(book, FIRST, at=at, decisions=(answer,))

    assert len(done.send) == sent
