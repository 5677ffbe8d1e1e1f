"""Orders are accepted as soon as they exist in Shopify; while they are not, people are told in time."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from interlock.acceptance.decide import decide
from interlock.orders.actions import AnswerAcceptance
from interlock.orders.memory import Memory
from interlock.orders.plan import Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import NO_ADDRESS
from tests.build import (
    CREATED,
    HIDDEN,
    NOW,
    a_decision,
    a_draft,
    a_memory,
    a_shopify_order,
    a_view,
    an_operation,
    an_order,
    not_imported,
    some_rules,
)

WAITING = an_order("WAITING_ACCEPTANCE")
YES = AnswerAcceptance((("L1", True), ("L2", True)))
NO = AnswerAcceptance((("L1", False), ("L2", False)))


def answered(memory: Memory | None = None, import_blocked: bool = False, **changes: Any) -> Part:
    memory = memory if memory is not None else a_memory(accepted_seen_at=None)
    return decide(a_view(**{"mirakl": WAITING, "memory": memory, **changes}), memory, import_blocked)


def after(percent: float) -> datetime:
    return CREATED + timedelta(days=2) * percent / 100


def test_an_order_that_exists_in_shopify_is_accepted_for_every_line() -> None:
    part = answered()
    assert part.actions == (YES,)
    assert part.look_at == NOW + timedelta(seconds=30)


@pytest.mark.parametrize("state", ["STAGING", "WAITING_DEBIT", "SHIPPING", "SHIPPED", "REFUSED", "CANCELED"])
def test_nothing_is_answered_in_any_other_state(state: str) -> None:
    assert answered(mirakl=an_order(state)).actions == ()


def test_nothing_is_answered_before_the_shopify_order_exists() -> None:
    assert answered(not_imported(), shopify=None).actions == ()


def test_a_cancelled_shopify_order_is_never_accepted() -> None:
    memory = a_memory(shopify_cancelled_seen_at=NOW)
    assert answered(memory, shopify=a_shopify_order(cancelled_at=NOW)).actions == ()
    assert answered(shopify=a_shopify_order(cancelled_at=NOW)).actions == ()
    assert answered(memory, shopify=None, shopify_unreadable=True).actions == ()


def test_an_unreadable_shop_does_not_lose_an_order_that_was_seen() -> None:
    assert answered(shopify=None, shopify_unreadable=True).actions == (YES,)
    assert answered(shopify=None).actions == ()


def test_an_unreadable_shop_does_not_lose_an_order_it_confirmed_and_nobody_has_seen_yet() -> None:
    made = not_imported(draft_id="D1", shopify_order_id="SO1", linked_at=NOW)
    unseen: dict[str, Any] = {"shopify": None, "made_order_id": "SO1"}
    assert answered(made, **unseen, shopify_unreadable=True).actions == (YES,)
    assert answered(made, **unseen).actions == ()
    assert answered(made, shopify=None, shopify_unreadable=True).actions == ()
    cancelled = replace(made, shopify_cancelled_seen_at=NOW)
    assert answered(cancelled, **unseen, shopify_unreadable=True).actions == ()
    other = replace(made, shopify_order_id="SO2")
    assert answered(other, **unseen, shopify_unreadable=True).actions == ()


def test_a_reserved_draft_is_enough_while_the_address_is_hidden() -> None:
    hidden = replace(WAITING, address=HIDDEN)
    memory = not_imported(draft_id="D1")
    draft = a_draft(address=NO_ADDRESS)
    assert answered(memory, mirakl=hidden, shopify=None, drafts=(draft,)).actions == (YES,)
    unreserved = replace(draft, reserved=False)
    assert answered(memory, mirakl=hidden, shopify=None, drafts=(unreserved,)).actions == ()
    assert answered(memory, True, mirakl=hidden, shopify=None, drafts=(draft,)).actions == ()


def test_a_draft_is_not_enough_once_the_address_is_there() -> None:
    assert answered(not_imported(draft_id="D1"), shopify=None, drafts=(a_draft(),)).actions == ()


def test_a_marketplace_that_accepts_by_itself_gets_no_answer() -> None:
    part = answered(rules=some_rules(accepts_by_itself=True))
    assert (part.actions, part.cases) == ((), ())


def test_refusing_is_done_on_a_persons_word_only() -> None:
    said = a_decision(Reason.ACCEPTANCE_RUNNING_OUT, "order", Option.REFUSE_ORDER)
    assert answered(a_memory(decisions=(said,))).actions == (NO,)


def test_accepting_without_an_order_is_an_incident_until_it_exists() -> None:
    said = a_decision(Reason.SKU_UNKNOWN, "MUG", Option.ACCEPT_WITHOUT_ORDER)
    part = answered(not_imported(decisions=(said,)), shopify=None)
    assert part.actions == (YES,)
    incident = part.memory.incident(Reason.ACCEPTED_WITHOUT_ORDER, "order")
    assert incident is not None
    assert incident.closed_at is None

    linked = a_memory(incidents=part.memory.incidents)
    later = answered(linked, mirakl=an_order("SHIPPING")).memory
    closed = later.incident(Reason.ACCEPTED_WITHOUT_ORDER, "order")
    assert closed is not None
    assert closed.closed_at == NOW


# -- refusals of the marketplace -------------------------------------------------------------------------


def test_a_state_conflict_reads_the_order_again_instead_of_failing() -> None:
    part = answered(operations=(an_operation(YES, code="ORDER_INVALID_STATE"),))
    assert part.mirakl_since == NOW
    assert part.cases == ()
    assert part.actions == (YES,)


def test_another_refusal_is_a_case_that_says_what_its_code_means() -> None:
    part = answered(operations=(an_operation(YES, code="ORDER_FULFILLED_UNAUTHORIZED"),))
    [case] = part.cases
    assert case.reason is Reason.ACCEPTANCE_REFUSED
    assert "ships this order itself" in case.sentence
    assert Option.SEND_AGAIN in case.options


SAYS_NO = a_decision(Reason.ACCEPTANCE_RUNNING_OUT, "order", Option.REFUSE_ORDER)


@pytest.mark.parametrize("about", [Reason.ACCEPTANCE_REFUSED, Reason.CANNOT_HOLD])
def test_sending_again_repeats_a_refusal_and_never_accepts(about: Reason) -> None:
    again = a_decision(about, "order", Option.SEND_AGAIN)
    part = answered(a_memory(decisions=(SAYS_NO, again)), operations=(an_operation(NO),))
    assert part.actions == (NO,)


SEEN_SINCE = replace(WAITING, observed_at=NOW)


@pytest.mark.parametrize("words", ["", "Not now."])
def test_a_refusal_without_a_known_reason_is_no_case_before_the_order_was_read_again(words: str) -> None:
    """The answer may have arrived before, unheard, and a second one is refused for that."""
    refused = an_operation(YES, code="HTTP_400", words=words)
    unseen = answered(operations=(refused,), mirakl=replace(WAITING, observed_at=NOW - timedelta(seconds=1)))
    assert (unseen.cases, unseen.mirakl_since) == ((), NOW)

    [case] = answered(operations=(refused,), mirakl=SEEN_SINCE).cases
    assert (f"it said “{words}”" if words else "it gave no reason") in case.sentence


def test_a_refusal_that_the_marketplace_does_not_take_is_called_one() -> None:
    refused = an_operation(NO, words="no")
    part = answered(a_memory(decisions=(SAYS_NO,)), operations=(refused,), mirakl=SEEN_SINCE)
    [case] = part.cases
    assert case.reason is Reason.ACCEPTANCE_REFUSED
    assert "did not take our refusal of this order" in case.sentence
    assert case.options == (Option.SEND_AGAIN,)


def test_what_was_said_of_the_acceptance_is_over_once_the_order_is_refused() -> None:
    part = answered(a_memory(decisions=(SAYS_NO,)), operations=(an_operation(YES, words="no"),))
    assert (part.actions, part.cases) == ((NO,), ())


# -- the ladder ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "rungs", "severity"),
    [
        (9, (), None),
        (11, ("10",), None),
        (26, ("10", "25"), "today"),
        (41, ("10", "25", "40"), "urgent"),
        (101, ("10", "25", "40", "60", "75", "80", "100"), "urgent"),
    ],
)
def test_the_ladder_grows_with_the_time_gone(
    percent: float, rungs: tuple[str, ...], severity: str | None
) -> None:
    part = answered(not_imported(), shopify=None, now=after(percent))
    assert part.memory.rungs == rungs
    assert [case.severity for case in part.cases] == ([] if severity is None else [severity])


def test_the_case_carries_the_due_time_and_from_sixty_percent_the_options() -> None:
    before = answered(not_imported(), shopify=None, now=after(59)).cases[0]
    assert (before.due_at, before.options) == (after(100), ())
    late = answered(not_imported(), shopify=None, now=after(60)).cases[0]
    assert late.options == (Option.ACCEPT_WITHOUT_ORDER, Option.REFUSE_ORDER)


def test_a_cancelled_order_is_not_advised_to_be_accepted_in_the_portal() -> None:
    """Its Shopify order is cancelled, so what is accepted there would be cancelled by us a minute later."""
    [case] = answered(a_memory(shopify_cancelled_seen_at=NOW), now=after(61)).cases
    assert "link the Shopify order" in case.sentence
    assert "or accept it in the marketplace portal" not in case.sentence


def test_a_rung_is_remembered_once() -> None:
    part = answered(not_imported(rungs=("10", "25")), shopify=None, now=after(30))
    assert part.memory.rungs == ("10", "25")


def test_the_next_rung_wakes_the_order() -> None:
    early = after(25) - timedelta(minutes=5)
    assert answered(not_imported(), shopify=None, now=early).look_at == after(25)
    assert answered(now=early).look_at == early + timedelta(seconds=30)
