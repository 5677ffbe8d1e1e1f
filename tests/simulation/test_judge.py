"""The judge finds every planted violation in a history that is otherwise clean, and nothing in the clean one."""

import asyncio
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from interlock.access.audit_log import Did, audit_log, record
from interlock.engine.store import tallies
from interlock.monitoring.outbox import alerts
from interlock.orders.memory import Decision, Incident, RefundTask
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import GONE_OUT
from interlock.orders.store import orders
from interlock.rehearsal.judge import Interruption, Verdict, i23_the_mapping_can_be_rebuilt
from interlock.rehearsal.judging.closings import i21_cases_close_on_evidence
from interlock.rehearsal.judging.creation import i19_mapping_agrees_three_ways, left_unseen
from interlock.rehearsal.judging.evidence import Evidence, LabelAsked, Reference
from interlock.rehearsal.judging.holds import seen_to_be_wrong
from interlock.rehearsal.judging.rest import (
    i17_differences_have_cases,
    i17_parcels_astray_have_their_case,
    i24_no_case_outlives_its_reason,
)
from interlock.rehearsal.judging.truth import MIRAKL, HeldTime, Truth, truths
from interlock.rehearsal.loop import VirtualLoop
from interlock.rehearsal.world import World, WorldPlan
from interlock.simulator.mirakl import CATALOGUE
from interlock.simulator.record import Effect
from interlock.simulator.shopify.fulfillment import copy_address
from interlock.storage.append_only import without_guards
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, new_key
from tests.effort import calls_made
from tests.simulation.bench import NAME, PROFILE, RULES, Bench, a_case

# -- the clean history ---------------------------------------------------------------------------------------


def test_a_clean_history_holds_and_nearly_every_invariant_had_something_to_check(bench: Bench) -> None:
    verdict = bench.judge()
    assert verdict.broken == []
    assert verdict.bounded == []
    wanted = ["I1", "I2", "I3", "I4", "I5", "I6", "I8", "I9", "I10", "I11", "I12", "I14", "I15", "I16", "I17"]
    wanted += ["I18", "I19", "I21", "label"]
    assert [name for name in wanted if not verdict.checked[name]] == []


def test_the_counters_tell_what_happened(bench: Bench) -> None:
    counters = bench.judge().counters
    assert counters["CancelQuantities confirmed"] == 1
    assert counters["accepted by Interlock"] == counters["shipped by Interlock"] == 1
    assert counters["hold placed"] == counters["hold released"] == 1
    assert counters["hidden address completed later"] == 1


def test_judging_takes_few_steps(bench: Bench) -> None:
    bench.judge()
    _, made = calls_made(bench.judge)
    assert made < 100_000, "a few times what it takes"


# -- planted violations --------------------------------------------------------------------------------------


def test_i1_two_orders_of_ours_for_one_marketplace_order(bench: Bench) -> None:
    made = bench.effects("order_created")[0]
    bench.happen(made, order_id="gid://shopify/Order/1", at=made.at + timedelta(seconds=90))
    assert bench.broken() == {"I1"}


def test_i1_a_copy_by_an_editing_app_is_not_ours(bench: Bench) -> None:
    made = bench.effects("order_created")[0]
    bench.happen(made, order_id="gid://shopify/Order/1", actor="app:Cleverific")
    assert bench.broken() == set()


def test_i2_accepted_before_anything_existed(bench: Bench) -> None:
    accepted = bench.effects("accepted", ours=True)[0]
    bench.happen(accepted, at=bench.order.created - timedelta(seconds=1))
    assert "I2" in bench.broken()


def test_i2_a_person_may_allow_it(bench: Bench) -> None:
    accepted = bench.effects("accepted", ours=True)[0]
    bench.happen(accepted, at=bench.order.created - timedelta(seconds=1))
    _answer(bench, "accept_without_order", bench.order.created - timedelta(seconds=2))
    assert "I2" not in bench.broken()


def test_i3_accepted_on_a_snapshot_that_no_longer_waits(bench: Bench) -> None:
    bench.sql(
        "UPDATE plans SET view = jsonb_set(view, '{mirakl,state}', '\"SHIPPING\"') "
        "WHERE plan::text LIKE '%AnswerAcceptance%'"
    )
    assert bench.broken() == {"I3"}


def test_i3_an_answer_that_leaves_a_line_out(bench: Bench) -> None:
    bench.sql(
        "UPDATE plans SET plan = jsonb_set(plan, '{actions}', "
        '\'[{"_": "AnswerAcceptance", "lines": []}]\') WHERE plan::text LIKE \'%AnswerAcceptance%\''
    )
    assert "I3" in bench.broken()


def test_i4_shipped_before_anything_left(bench: Bench) -> None:
    shipped = bench.effects("shipped", ours=True)[0]
    label = bench.effects("fulfillment_created")[0]
    bench.happen(shipped, at=label.at - timedelta(seconds=30))
    assert "I4" in bench.broken()


@pytest.mark.parametrize(
    ("after", "found"),
    [
        pytest.param({}, {"I4"}, id="nothing"),
        pytest.param({"tracking": [("DHL Express", "PARCEL2")]}, set(), id="another number"),
        pytest.param({"tracking": [("DHL Express", "PARCEL1")]}, {"I4"}, id="the same number"),
        pytest.param({"tracking": []}, {"I4"}, id="no number"),
        pytest.param({"display_status": "IN_TRANSIT"}, set(), id="on its way all the same"),
    ],
)
def test_i4_shipped_under_a_label_that_was_given_back(
    bench: Bench, after: dict[str, Any], found: set[str]
) -> None:
    shipped = bench.effects("shipped", ours=True)[0]
    label = bench.effects("fulfillment_created")[0]
    fulfillment = {"fulfillment": label.detail["fulfillment"]}
    voided = {**fulfillment, "display_status": "LABEL_VOIDED"}
    at = shipped.at - timedelta(seconds=1)
    bench.unhappen(label)
    bench.happen(label, at=label.at - timedelta(seconds=300))
    bench.happen(label, kind="display_status_changed", at=at - timedelta(seconds=200), detail=voided)
    if after:
        kind = "tracking_updated" if "tracking" in after else "display_status_changed"
        bench.happen(label, kind=kind, at=at - timedelta(seconds=100), detail={**fulfillment, **after})
    assert {finding.invariant for finding in bench.judge().broken} & {"I4"} == found


def test_i5_more_cancelled_than_shopify_asked_for(bench: Bench) -> None:
    cancelation = bench.effects("cancelation", ours=True)[0]
    bench.happen(cancelation, at=cancelation.at + timedelta(seconds=60), detail={"id": "again"})
    assert "I5" in bench.broken()


def test_i5_a_plan_that_cancels_below_what_its_view_shows(bench: Bench) -> None:
    bench.sql(
        "UPDATE plans SET view = jsonb_set(view, '{shopify,lines,0,current_quantity}', '3') "
        "WHERE plan::text LIKE '%CancelQuantities%'"
    )
    assert bench.broken() == {"I5"}


def test_i6_a_refund_by_our_key(bench: Bench) -> None:
    cancelation = bench.effects("cancelation", ours=True)[0]
    bench.happen(
        cancelation, kind="refund", detail={"state": "WAITING_REFUND", "excluded_from_shipment": False}
    )
    assert bench.broken() == {"I6"}


def test_i6_money_moved_in_shopify_by_our_app(bench: Bench) -> None:
    edited = bench.effects("edited")[0]
    bench.happen(
        edited,
        kind="refund_created",
        actor="api:Interlock",
        at=edited.at - timedelta(seconds=1),
        detail={"money": "3.00", "lines": []},
    )
    assert "I6" in bench.broken()


def test_i6_another_amount_than_the_ledger_says(bench: Bench) -> None:
    cancelation = bench.effects("cancelation", ours=True)[0]
    bench.unhappen(cancelation)
    more = cancelation.detail["amount_with_tax"] - Decimal("0.01")
    bench.happen(cancelation, detail={"amount_with_tax": more})
    assert bench.broken() == {"I6"}


def test_i8_a_hold_that_never_came(bench: Bench) -> None:
    _forget_the_hold_of_the_edit(bench)
    assert bench.broken() == {"I8"}


def test_i8_a_hold_that_came_late_because_the_service_was_away_is_bounded(bench: Bench) -> None:
    placed, released = _forget_the_hold_of_the_edit(bench)
    late = placed.at + timedelta(seconds=50)
    bench.happen(placed, at=late)
    bench.happen(released)
    assert bench.broken() == {"I8"}
    bench.interruptions.append(Interruption("database away", placed.at, late))
    verdict = bench.judge()
    assert verdict.broken == []
    assert [finding.invariant for finding in verdict.bounded] == ["I8"]


@pytest.mark.parametrize(
    ("fault", "late", "broken"), [(None, 36, True), ("late_apply", 0, True), ("late_apply", 36, False)]
)
def test_i8_a_hold_that_was_late_on_its_way_is_bounded(
    bench: Bench, fault: str | None, late: int, broken: bool
) -> None:
    placed, released = _forget_the_hold_of_the_edit(bench)
    at = placed.at + timedelta(seconds=36)
    bench.happen(placed, at=at)
    bench.happen(released)
    calls = bench.world.shopify.record.calls
    sent = next(c for c in calls if c.operation == "fulfillmentOrderHold" and c.reference == placed.reference)
    calls[calls.index(sent)] = replace(sent, at=at, ended_at=at, fault=fault, late=timedelta(seconds=late))
    assert [finding.invariant for finding in bench.judge().bounded] == ([] if broken else ["I8"])
    assert any("came 36 s after" in found.sentence for found in bench.judge().broken) is broken


@pytest.mark.parametrize(("seconds", "broken"), [(5, False), (60, True)])
def test_i8_nothing_is_to_be_held_once_an_edit_has_emptied_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, seconds: int, broken: bool
) -> None:
    placed, _ = _forget_the_hold_of_the_edit(bench)
    order = next(iter(bench.world.shopify.shop.orders.values()))
    parcel = next(f for f in order.fulfillment_orders if f.gid == placed.detail["fulfillment_order"])
    monkeypatch.setattr(parcel, "closed_at", bench.edit_at() + timedelta(seconds=seconds))
    assert bench.broken() == ({"I8"} if broken else set())


def test_i8_released_while_the_sides_disagree(bench: Bench) -> None:
    _, released = _hold_of_the_edit(bench)
    cancelation = bench.effects("cancelation", ours=True)[0]
    bench.unhappen(released, cancelation)
    bench.happen(cancelation, at=released.at + timedelta(seconds=300))
    bench.happen(released, at=bench.edit_at() + timedelta(seconds=200))
    assert "I8" in bench.broken()


@pytest.mark.parametrize("first", ["release", "edit"])
def test_i8_within_one_instant_the_log_of_the_shop_says_what_came_first(bench: Bench, first: str) -> None:
    released = bench.effects("hold_released")[0]
    edited = bench.effects("edited")[0]
    bench.unhappen(released)
    bench.happen(released, at=edited.at)
    if first == "release":
        # A removal writes a refund without money, and both are one edit.
        for part in (bench.effects("refund_created")[0], edited):
            bench.unhappen(part)
            bench.happen(part)
    told = [found.sentence for found in bench.judge().broken]
    assert ("Our hold was released while the sides disagreed." in told) == (first == "edit")


def test_i8_an_order_made_with_more_than_is_agreed_differs_since_the_marketplace_cut_it(bench: Bench) -> None:
    (truth,) = truths(bench.evidence())
    made = next(moment for moment in truth.moments if moment.kind == "order_created")
    place = truth.moments.index(made)
    fewer = {line: units - 1 for line, units in made.agreed.items()}
    before = replace(truth.moments[place - 1], state="SHIPPING")
    cut = replace(before, kind="cancelation", side=MIRAKL, agreed=fewer)
    whole, short = replace(made, state="SHIPPING"), replace(made, state="SHIPPING", agreed=fewer)
    truth.moments[:] = [before, whole]
    assert truth.cause(whole) is whole
    truth.moments[:] = [before, cut, short]
    assert truth.cause(short) is cut


def test_i8_released_on_a_view_without_an_address(bench: Bench) -> None:
    bench.sql(
        "UPDATE plans SET view = jsonb_set(view, '{mirakl,address,complete}', 'false') "
        "WHERE plan::text LIKE '%ReleaseHold%'"
    )
    assert bench.broken() == {"I8"}


@pytest.mark.parametrize(
    ("changed", "invariant"),
    [
        pytest.param(None, "broken", id="nobody changed the address"),
        pytest.param(("staff", 300), "broken", id="staff changed it long before"),
        pytest.param(("staff", 20), "bounded", id="staff changed it just before"),
        pytest.param(("us", 20), "broken", id="we changed it just before"),
    ],
)
def test_i8_released_from_a_parcel_that_goes_astray(
    bench: Bench, changed: tuple[str, int] | None, invariant: str
) -> None:
    released = bench.effects("hold_released", ours=True)[0]
    bench.unhappen(released)
    if changed is not None:
        who, seconds = changed
        actor = released.actor if who == "us" else who
        at = released.at - timedelta(seconds=seconds)
        bench.happen(released, kind="address_changed", actor=actor, reference=None, at=at)
    bench.happen(released, detail={"astray": True})
    verdict = bench.judge()
    assert ("I8" in {f.invariant for f in verdict.broken}) is (invariant == "broken")
    assert ("I8" in {f.invariant for f in verdict.bounded}) is (invariant == "bounded")


@pytest.mark.parametrize(("handle", "broken"), [(f"interlock:{NAME}", True), ("interlock:another", False)])
def test_i8_a_release_without_a_plan_is_judged_by_the_order_whose_hold_it_was(
    bench: Bench, handle: str, broken: bool
) -> None:
    """Where this order was a candidate of another marketplace's order, that one's hold is no word about this one."""
    released = bench.effects("hold_released", ours=True)[-1]
    bench.happen(released, reference=None, detail={"handle": handle})
    said = [f.sentence for f in bench.judge().broken]
    assert ("Our hold was released and no kept plan asked for it." in said) is broken


@contextmanager
def _a_parcel_astray(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Evidence, Truth]]:
    """The parcel is still to be sent, and has no address to go to."""
    order = next(iter(bench.world.shopify.shop.orders.values()))
    (parcel,) = order.fulfillment_orders
    with monkeypatch.context() as changed:
        changed.setattr(parcel, "closed", False)
        changed.setattr(parcel.lines[0], "remaining", 2)
        changed.setattr(parcel, "destination", None)
        evidence = bench.evidence()
        (truth,) = truths(evidence)
        truth.moments[-1] = replace(truth.last, state="SHIPPING")
        yield evidence, truth


@pytest.mark.parametrize(
    ("hours", "case", "address", "broken"),
    [
        pytest.param(2, "", False, True, id="nobody is asked"),
        pytest.param(0, "", False, False, id="it may not have been seen yet"),
        pytest.param(2, "destination_differs", False, False, id="it has its case"),
        pytest.param(2, "carrier_unknown", False, True, id="another case says nothing of it"),
        pytest.param(2, "", True, False, id="it goes to the address of its order"),
    ],
)
def test_i17_a_parcel_that_goes_astray(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, hours: int, case: str, address: bool, broken: bool
) -> None:
    if case:
        a_case(bench, case, bench.edit_at())
    with _a_parcel_astray(bench, monkeypatch) as (evidence, truth):
        order = next(iter(bench.world.shopify.shop.orders.values()))
        if address:
            order.fulfillment_orders[0].destination = copy_address(order.shipping_address)
        now = truth.last.at if not hours else evidence.now
        evidence.now = now + timedelta(hours=hours)
        verdict = Verdict()
        i17_parcels_astray_have_their_case(evidence, truth, verdict)
        assert bool(verdict.broken) is broken


def test_i24_a_case_about_a_parcel_astray_ends_when_it_goes_to_its_order(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_case(bench, "destination_differs", bench.edit_at())
    assert bench.broken() == {"I24"}
    with _a_parcel_astray(bench, monkeypatch) as (evidence, truth):
        verdict = Verdict()
        i24_no_case_outlives_its_reason(evidence, truth, verdict)
        assert verdict.checked["I24"] > 0
        assert verdict.broken == []


@pytest.mark.parametrize(
    ("after", "bounded"), [(-1.0, False), (1.0, True)], ids=["it was seen", "it was not seen yet"]
)
def test_i8_a_release_while_the_marketplace_cut_what_was_agreed_just_after_it_was_seen(
    bench: Bench, after: float, bounded: bool
) -> None:
    """They had differed before as well, but the view of the release had them agree."""
    released = bench.effects("hold_released", ours=True)[-1]
    evidence = bench.evidence()
    reference = Reference.of(released.reference)
    assert reference is not None
    operation = evidence.operation_of[reference.operation]
    seen = evidence.plans_at[operation.order_id, operation.planned_at].marketplace_seen_at
    assert seen is not None
    bench.happen(
        bench.effects("cancelation")[0],
        actor="operator",
        at=seen + timedelta(seconds=after),
        detail={"quantity": 1, "id": "9001"},
    )
    verdict = bench.judge()
    said = "Our hold was released while the sides disagreed."
    assert (said not in {f.sentence for f in verdict.broken}) is bounded


def test_i8_released_without_a_plan(bench: Bench) -> None:
    bench.sql("DELETE FROM plans WHERE plan::text LIKE '%ReleaseHold%'")
    assert bench.broken() == {"I8"}


def test_i8_a_label_long_after_our_hold_had_been_possible(bench: Bench) -> None:
    _label_while_they_disagree(bench, timedelta(seconds=150))
    verdict = bench.judge()
    assert any("had been possible" in finding.sentence for finding in verdict.broken)


def test_i8_a_label_in_the_seconds_after_an_edit_needs_its_urgent_case(bench: Bench) -> None:
    label = _label_while_they_disagree(bench, timedelta(seconds=2))
    verdict = bench.judge()
    assert [finding.invariant for finding in verdict.bounded] == ["label"]
    assert any("no urgent case" in finding.sentence for finding in verdict.broken)
    a_case(
        bench,
        "label_before_agreement",
        label.at + timedelta(seconds=20),
        subject="parcel",
        closed_at=bench.world.clock.now(),
    )
    verdict = bench.judge()
    assert not any("urgent case" in finding.sentence for finding in verdict.broken)
    assert [finding.invariant for finding in verdict.bounded] == ["label"]


def test_i8_the_minute_for_an_urgent_case_does_not_run_while_nothing_can_work(bench: Bench) -> None:
    label = _label_while_they_disagree(bench, timedelta(seconds=2))
    a_case(
        bench,
        "label_before_agreement",
        label.at + timedelta(seconds=150),
        subject="parcel",
        closed_at=bench.world.clock.now(),
    )
    # Each stands in the time that the one before has added.
    away = [
        Interruption("database away", label.at + timedelta(seconds=at), label.at + timedelta(seconds=at + 45))
        for at in (5, 70)
    ]
    bench.interruptions.append(away[0])
    assert any("no urgent case" in finding.sentence for finding in bench.judge().broken)
    bench.interruptions.append(away[1])
    assert not any("urgent case" in finding.sentence for finding in bench.judge().broken)


@pytest.mark.parametrize(("status", "answered"), [("LABEL_VOIDED", True), ("IN_TRANSIT", False)])
def test_i8_a_label_that_was_given_back_before_anybody_saw_it_needs_no_case(
    bench: Bench, status: str, answered: bool
) -> None:
    label = _label_while_they_disagree(bench, timedelta(seconds=2))
    detail = {"fulfillment": label.detail["fulfillment"], "display_status": status}
    bench.happen(label, kind="display_status_changed", detail=detail)
    verdict = bench.judge()
    assert any("no urgent case" in finding.sentence for finding in verdict.broken) != answered


@pytest.mark.parametrize(
    ("differed_before", "read_after", "seen_after"),
    [
        pytest.param(False, 90, 90, id="what made it wrong was read later"),
        pytest.param(False, 5, 10, id="what made it wrong had been read"),
        pytest.param(True, 90, 10, id="it was wrong by what had been read"),
        pytest.param(False, None, None, id="what made it wrong was never read"),
    ],
)
def test_i8_a_label_is_wrong_for_us_once_the_marketplaces_change_was_read(
    bench: Bench, differed_before: bool, read_after: int | None, seen_after: int | None
) -> None:
    evidence = bench.evidence()
    (truth,) = truths(evidence)
    agree = next(one for one in truth.moments if one.state == "SHIPPING" and one.live and one.agrees)
    ((line, units),) = agree.agreed.items()
    shopify_line = next(mine for mine, theirs in truth.line_of.items() if theirs == line)
    before = replace(agree, agreed={line: units - 2}) if differed_before else agree
    cut = replace(agree, at=agree.at + timedelta(seconds=1), side=MIRAKL, agreed={line: units - 1})

    def after(seconds: int) -> datetime:
        return cut.at + timedelta(seconds=seconds)

    reads = evidence.mirakl_reads[truth.marketplace.name, truth.id]
    reads[:] = [agree.at] if read_after is None else [agree.at, after(read_after)]

    seen = seen_to_be_wrong(evidence, replace(truth, moments=[before, cut]), [shopify_line], after(10))

    assert seen == (None if seen_after is None else after(seen_after))


def test_i9_a_write_that_the_ledger_does_not_know(bench: Bench) -> None:
    bench.mirakl.record.calls.append(replace(bench.call("OR30"), reference=None))
    assert bench.broken() == {"I9"}


def test_i9_a_write_sent_before_its_row_was_committed(bench: Bench) -> None:
    bench.sql(
        "UPDATE operations SET planned_at = planned_at + interval '1 minute' WHERE kind = 'SetTracking'"
    )
    assert bench.broken() == {"I9"}


def test_i9_an_attempt_that_was_never_begun(bench: Bench) -> None:
    bench.sql("UPDATE operations SET attempt = 0 WHERE kind = 'SetTracking'")
    assert bench.broken() == {"I9"}


def test_i10_a_worker_that_lost_its_lease_still_writes(bench: Bench) -> None:
    tracking = bench.call("OR23")
    assert tracking.reference is not None
    bench.mirakl.record.calls.append(
        replace(
            tracking,
            reference=tracking.reference.rpartition(".")[0] + ".1",
            at=tracking.at + timedelta(seconds=99),
        )
    )
    assert "I10" in bench.broken()


def test_i10_an_unclear_cancelation_repeated_within_the_settle_window(bench: Bench) -> None:
    call = bench.call("OR30")
    assert call.reference is not None
    operation, attempt, epoch = call.reference.split(".")
    bench.sql("UPDATE operations SET attempt = 2 WHERE id = :id", id=operation)
    calls = bench.mirakl.record.calls
    calls[calls.index(call)] = first = replace(call, fault="reply_lost")
    again = f"{operation}.{int(attempt) + 1}.{epoch}"
    calls.append(replace(call, reference=again, at=call.at + timedelta(seconds=20)))
    assert any("settle window" in finding.sentence for finding in bench.judge().broken)
    calls[-1] = replace(call, reference=again, at=call.at + timedelta(seconds=70))
    assert not any("settle window" in finding.sentence for finding in bench.judge().broken)
    # A refusal whose text broke off, or came without its items, was heard all the same.
    calls[-1] = replace(call, reference=again, at=call.at + timedelta(seconds=20))
    for status, fault, broken in (
        (400, "truncated", False),
        (400, "items_missing", False),
        (200, "truncated", True),
        (200, "items_missing", True),
    ):
        calls[calls.index(first)] = first = replace(first, fault=fault, status=status)
        assert any("settle window" in f.sentence for f in bench.judge().broken) is broken


def test_i11_an_order_the_poll_went_past(bench: Bench) -> None:
    bench.order.updated = bench.order.updated + timedelta(minutes=15)
    bench.sql("UPDATE mirakl_documents SET observed_at = observed_at - interval '2 hours'")
    assert bench.broken() == {"I11"}


@pytest.mark.parametrize(("cut_off_after", "unseen"), [(None, False), (-5, False), (0, True), (5, False)])
def test_i11_an_order_that_was_read_only_in_the_moment_work_was_cut_off_was_not_seen(
    bench: Bench, cut_off_after: int | None, unseen: bool
) -> None:
    (truth,) = truths(bench.evidence())
    read = next(call.at for call in truth.marketplace.order_reads() if truth.id in call.order_ids)
    ended = replace(truth.last, at=read + timedelta(milliseconds=1), state="REFUSED")
    if cut_off_after is not None:
        at = read + timedelta(seconds=cut_off_after)
        bench.interruptions.append(Interruption("commit failed", at, at))

    assert left_unseen(bench.evidence(), replace(truth, moments=[ended])) is unseen


@pytest.mark.parametrize(
    ("lag", "before_the_cursor", "broken"),
    [("none", 30, True), ("up_to_a_minute", 30, False), ("up_to_a_minute", 90, True)],
)
def test_i11_a_list_that_may_be_behind_is_given_its_minute(
    bench: Bench, lag: str, before_the_cursor: int, broken: bool
) -> None:
    bench.mirakl.switches.set("listing_lag", lag)
    cursor = bench.connection.execute(
        text("SELECT max(cursor) FROM polls WHERE name LIKE 'mirakl %'")
    ).scalar_one()
    bench.order.updated = cursor - timedelta(seconds=before_the_cursor)
    bench.sql("UPDATE mirakl_documents SET observed_at = observed_at - interval '2 hours'")
    assert ("I11" in bench.broken()) == broken


def test_i12_a_name_in_the_timeline(bench: Bench) -> None:
    bench.sql(
        "UPDATE timeline SET sentence = sentence || ' CANARY-0001' WHERE id = (SELECT min(id) FROM timeline)"
    )
    assert bench.broken() == {"I12"}


def test_i12_a_document_that_was_stored_in_the_clear(bench: Bench) -> None:
    bench.sql("UPDATE mirakl_documents SET body = convert_to('{\"name\": \"CANARY-0001\"}', 'UTF8')")
    assert bench.broken() == {"I12"}


def test_i12_a_name_in_a_log_line(bench: Bench) -> None:
    bench.logs.append("could not deliver to CANARY-0001")
    assert bench.broken() == {"I12"}


def test_i12_an_address_that_is_written_small(bench: Bench) -> None:
    bench.logs.append("could not deliver to canary-0001@staff.example")
    assert bench.broken() == {"I12"}


def test_i12_a_name_in_the_url_of_a_call(bench: Bench) -> None:
    assert bench.judge().checked["I12 urls"] > 20
    bench.urls.append("https://shoply.mirakl.example/api/orders?customer=CANARY-0001")
    assert bench.broken() == {"I12"}


def test_i12_a_name_in_a_label_of_the_metrics(bench: Bench) -> None:
    assert bench.judge().checked["I12 metrics"] > 20
    bench.connection.execute(insert(tallies).values(name="read", label="CANARY-0001", count=1))
    told = [finding.sentence for finding in bench.judge().broken if finding.invariant == "I12"]
    assert any("metrics" in sentence for sentence in told)


def test_i12_a_name_in_an_alert(bench: Bench) -> None:
    bench.connection.execute(
        insert(alerts).values(
            grouping="g",
            severity="page",
            teams=[],
            title="the order of CANARY-0001 waits",
            orders=[],
            count=1,
            at=bench.world.service_clock.now(),
        )
    )
    told = [finding.sentence for finding in bench.judge().broken if finding.invariant == "I12"]
    assert any("table alerts" in sentence for sentence in told)


def test_i14_two_batches_of_references_within_a_minute(bench: Bench) -> None:
    batch = bench.call("OR04")
    bench.mirakl.record.calls.append(replace(batch, at=batch.at + timedelta(seconds=40)))
    assert "I14" in bench.broken()


def test_i14_a_call_refused_for_load(bench: Bench) -> None:
    bench.mirakl.record.calls.append(replace(bench.call("OR04"), status=429, at=bench.edit_at()))
    assert "I14" in bench.broken()


@pytest.mark.parametrize(
    ("by_id", "refused", "broken"), [(5, 5, False), (4, 5, True), (20, 8, False), (20, 9, True)]
)
def test_i14_each_read_by_id_may_cost_one_walk_until_we_know_that_they_are_counted(
    bench: Bench, by_id: int, refused: int, broken: bool
) -> None:
    at = bench.world.clock.now().replace(minute=40) - timedelta(hours=1)
    walk = bench.call("OR11")
    calls = bench.mirakl.record.calls
    calls[:] = [call for call in calls if call.detail.get("read") != "by_id"]
    calls += [replace(walk, at=at - timedelta(minutes=2 + n), detail={"read": "by_id"}) for n in range(by_id)]
    calls += [replace(walk, at=at + timedelta(minutes=n), status=429) for n in range(refused)]
    said = [finding for finding in bench.judge().broken if "for load" in finding.sentence]
    assert bool(said) is broken


def test_i14_a_read_refused_for_load_by_an_injected_fault_is_nobodys_fault(bench: Bench) -> None:
    for _ in range(5):
        # The marketplace itself never saw these calls, so it does not know what they asked for.
        seen = bench.call("OR11")
        refused = replace(seen, status=429, fault="rate_limited", at=bench.edit_at(), detail={})
        bench.mirakl.record.calls.append(refused)
    assert bench.broken() == set()


def test_i14_two_walks_within_a_minute(bench: Bench) -> None:
    walk = bench.call("OR11")
    assert walk.detail["read"] == "walk"
    bench.mirakl.record.calls.append(replace(walk, at=walk.at + timedelta(seconds=30)))
    assert bench.broken() == {"I14"}


def test_i14_reads_by_id_have_an_allowance_of_their_own(bench: Bench) -> None:
    read = replace(bench.call("OR11"), at=bench.edit_at() - timedelta(minutes=3), detail={"read": "by_id"})
    bench.mirakl.record.calls.extend(replace(read, at=read.at + timedelta(seconds=n)) for n in range(6))
    assert bench.broken() == set()
    bench.mirakl.record.calls.append(replace(read, at=read.at + timedelta(seconds=30)))
    assert bench.broken() == {"I14"}


def test_i15_a_window_that_ran_without_a_word(bench: Bench) -> None:
    assert bench.order.waiting_since is not None
    bench.order.waiting_since -= timedelta(hours=23)
    assert bench.broken() == {"I15"}
    a_case(
        bench,
        "acceptance_running_out",
        bench.order.waiting_since + timedelta(hours=7),
        closed_at=bench.world.clock.now(),
    )
    assert bench.broken() == set()


@pytest.mark.parametrize("detail", [{"read": "walk"}, {}])
def test_i15_a_window_in_which_every_walk_was_lost_is_bounded(bench: Bench, detail: dict[str, str]) -> None:
    """Of a walk that never reached the marketplace its record does not tell that it was one."""
    assert bench.order.waiting_since is not None
    bench.order.waiting_since -= timedelta(hours=23)
    asked = replace(
        bench.call("OR11"),
        at=bench.order.waiting_since + timedelta(minutes=5),
        order_ids=(),
        detail=detail,
    )
    bench.mirakl.record.calls.append(replace(asked, fault="reply_lost"))
    assert bench.broken() == set()
    assert "I15" in [finding.invariant for finding in bench.judge().bounded]
    bench.mirakl.record.calls.append(replace(asked, at=asked.at + timedelta(minutes=5)))
    assert bench.broken() == {"I15"}


def test_i15_a_lost_walk_costs_time_only_until_the_order_was_shown(bench: Bench) -> None:
    assert bench.order.waiting_since is not None
    bench.order.waiting_since -= timedelta(hours=23)
    began = bench.order.waiting_since
    late = began + timedelta(hours=24) * 0.4
    asked = replace(bench.call("OR11"), order_ids=(), detail={"read": "walk"})
    calls = bench.mirakl.record.calls
    lost = replace(asked, at=began + timedelta(hours=1), fault="reply_lost")
    poll = timedelta(seconds=bench.world.plan.poll_seconds)
    told = late + timedelta(seconds=60 + 45) + poll - timedelta(seconds=5)
    a_case(bench, "acceptance_running_out", told, closed_at=bench.world.clock.now())
    calls.insert(0, lost)
    assert bench.broken() == set()
    shown = replace(asked, at=began + timedelta(minutes=30), order_ids=(bench.order.id,))
    calls.insert(0, shown)
    assert bench.broken() == {"I15"}
    calls.remove(shown)
    calls.insert(0, replace(asked, at=lost.at + poll / 3))
    assert bench.broken() == {"I15"}, "it was made again after a third of the interval"


def test_i15_a_state_that_nobody_knows_hides_the_window_only_while_it_is_shown(bench: Bench) -> None:
    assert bench.order.waiting_since is not None
    bench.order.waiting_since -= timedelta(hours=23)
    late = bench.order.waiting_since + timedelta(hours=24) * 0.4
    like = bench.effects("state")[0]
    shown = {"fields": {"order_state": "SOMETHING_NEW"}}
    bench.happen(like, kind="shown_instead", actor="system", at=late - timedelta(hours=1), detail=shown)
    again = bench.happen(like, kind="shown_as_is", actor="system", at=late - timedelta(seconds=90))
    a_case(bench, "acceptance_running_out", late + timedelta(seconds=85), closed_at=bench.world.clock.now())
    assert bench.broken() == {"I15"}
    a_case(bench, "unknown_value", late - timedelta(minutes=50), closed_at=bench.world.clock.now())
    assert bench.broken() == set()
    bench.unhappen(again)
    bench.happen(again, at=late - timedelta(minutes=3))
    assert bench.broken() == {"I15"}


def test_i16_a_delivery_shopify_never_sent(bench: Bench) -> None:
    bench.sql(
        "INSERT INTO deliveries (shop, topic, webhook_id, received_at, shopify_order_id) "
        "VALUES ('s', 'orders/edited', 'forged', :at, 'gid://shopify/Order/9')",
        at=bench.edit_at(),
    )
    assert bench.broken() == {"I16"}


def test_i17_an_order_that_ended_on_one_side_only(bench: Bench) -> None:
    _end_at_the_marketplace(bench)
    assert "I17" in bench.broken()
    a_case(bench, "ended_after_picking", bench.edit_at())
    assert "I17" not in bench.broken()


@pytest.mark.parametrize(
    ("state", "shown", "drafts", "broken"),
    [
        ("WAITING_DEBIT", False, ("D1",), False),
        ("WAITING_DEBIT", True, ("D1",), True),  # with its address the draft is to become an order
        ("WAITING_DEBIT", False, (), True),
        ("SHIPPING", False, ("D1",), True),
    ],
)
def test_i17_a_draft_waits_for_the_payment_while_the_address_is_hidden(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    shown: bool,
    drafts: tuple[str, ...],
    broken: bool,
) -> None:
    evidence = bench.evidence()
    (truth,) = truths(evidence)
    truth.moments[-1] = replace(truth.last, state=state, exists=False, live=False, drafts=drafts)
    monkeypatch.setattr(bench.order, "address_shown", shown)
    verdict = Verdict()
    i17_differences_have_cases(evidence, truth, verdict)
    assert bool(verdict.broken) is broken


def test_i17_is_not_asked_before_everything_is_at_rest(bench: Bench) -> None:
    _end_at_the_marketplace(bench)
    bench.quiescent = False
    assert "I17" not in bench.broken()


def test_i18_an_operation_left_unclear(bench: Bench) -> None:
    bench.sql("UPDATE operations SET state = 'UNKNOWN', done_at = NULL WHERE kind = 'ShipOrder'")
    assert bench.broken() == {"I18"}


def test_i18_a_hint_nobody_answered(bench: Bench) -> None:
    bench.sql("UPDATE orders SET hints = hints + 1, hinted_at = :at", at=bench.edit_at())
    assert bench.broken() == {"I18"}


def test_i19_a_seller_reference_that_names_another_order(bench: Bench) -> None:
    bench.order.reference_for_seller = "#9999"
    assert bench.broken() == {"I19"}


def test_i19_a_link_that_was_lost(bench: Bench) -> None:
    bench.sql("UPDATE orders SET shopify_order_id = NULL")
    assert bench.broken() == {"I19"}


@pytest.mark.parametrize(
    ("state", "case", "broken"),
    [
        pytest.param("SHIPPING", "", True, id="nobody is asked"),
        pytest.param("SHIPPING", "shopify_order_missing", False, id="somebody is asked"),
        pytest.param("SHIPPED", "", False, id="it has left"),
        pytest.param("CANCELED", "", False, id="the sale has ended too"),
    ],
)
def test_i19_a_shopify_order_that_was_deleted_while_the_marketplace_waits(
    bench: Bench, state: str, case: str, broken: bool
) -> None:
    edited = bench.effects("edited")[0]
    bench.happen(edited, kind="deleted", at=bench.world.clock.now() - timedelta(hours=2), detail={})
    bench.order.reference_for_seller = ""
    if case:
        a_case(bench, case, bench.edit_at())
    evidence = bench.evidence()
    (truth,) = truths(evidence)
    truth.moments[-1] = replace(truth.last, state=state)
    verdict = Verdict()
    i19_mapping_agrees_three_ways(evidence, truth, verdict)
    assert bool(verdict.broken) is broken


@pytest.mark.parametrize(("left", "broken"), [(True, False), (False, True)])
def test_i19_an_order_without_a_row_is_right_only_where_it_left_before_a_read_showed_it(
    bench: Bench, left: bool, broken: bool
) -> None:
    gone = next(e for e in bench.effects("state") if e.detail["to"] == "SHIPPED")
    calls = bench.mirakl.record.calls
    calls[:] = [c for c in calls if c.operation != "OR11" or c.at >= gone.at or not left]
    evidence = bench.evidence()
    (truth,) = truths(evidence)
    truth.row = None
    verdict = Verdict()
    i19_mapping_agrees_three_ways(evidence, truth, verdict)
    assert bool(verdict.broken) is broken


def test_i19_a_shopify_order_cancelled_while_the_marketplace_wants_it(bench: Bench) -> None:
    edited = bench.effects("edited")[0]
    bench.happen(edited, kind="cancelled", actor="api:Interlock", at=edited.at + timedelta(seconds=5))
    assert "I19" in bench.broken()


@pytest.mark.parametrize(
    ("told", "broken"),
    [
        pytest.param("nobody", True, id="nobody was told"),
        pytest.param(
            "incident", False, id="it left by the portal before it existed here, and somebody was told"
        ),
        pytest.param("dismissal", False, id="a person says that it needs nothing more"),
        pytest.param("no refund", False, id="a person says that no money of it is due"),
        pytest.param("superseded", True, id="its refund was replaced by another"),
    ],
)
def test_i19_an_order_without_one_in_shopify_is_right_once_a_person_settled_it(
    bench: Bench, told: str, broken: bool
) -> None:
    evidence = bench.evidence()
    evidence.shopify_orders.clear()
    (truth,) = truths(evidence)
    if told == "incident":
        seen = Incident(Reason.SHIPPED_WITHOUT_ORDER, "order", bench.edit_at(), "planted")
        truth.memory = truth.memory.with_incident(seen)
    elif told == "dismissal":
        said = Decision(
            Reason.CANCELLED_IN_SHOPIFY, "charged", Option.DISMISS, "Ada", "Paid back.", bench.edit_at()
        )
        truth.memory = replace(truth.memory, decisions=(*truth.memory.decisions, said))
    elif told in ("no refund", "superseded"):
        by = "Ada: paid back elsewhere" if told == "no refund" else "superseded"
        task = RefundTask("edit:9", bench.edit_at(), (), dismissed_by=by, ending=True)
        truth.memory = replace(truth.memory, refund_tasks=(*truth.memory.refund_tasks, task))
    verdict = Verdict()
    i19_mapping_agrees_three_ways(evidence, truth, verdict)
    assert bool(verdict.broken) is broken


def test_i21_one_attempt_sent_twice(bench: Bench) -> None:
    bench.mirakl.record.calls.append(bench.call("OR23"))
    assert bench.broken() == {"I21"}


def test_i21_an_answer_without_a_name(bench: Bench) -> None:
    _answer(bench, "dismiss", bench.edit_at(), who=" ")
    assert bench.broken() == {"I21"}


def test_i21_an_audit_log_that_holds_together_and_one_that_does_not(bench: Bench) -> None:
    for subject in ("case 1", "case 2", "case 1"):
        record(bench.connection, "ada", Did.CHANGED, subject, now=bench.edit_at())
    assert bench.broken() == set()
    without_guards(bench.connection)
    altered = update(audit_log).where(audit_log.c.id == 2).values(subject="case 3")
    bench.connection.execute(altered)
    assert bench.broken() == {"I21"}


def test_i24_a_case_that_outlived_its_reason(bench: Bench) -> None:
    a_case(bench, "carrier_unknown", bench.edit_at())
    assert bench.broken() == {"I24"}


@pytest.mark.parametrize(
    ("reason", "last", "broken"),
    [
        pytest.param("still_here", {}, True, id="everything that was sold has left"),
        pytest.param("still_here", {"left": {}}, False, id="units are still here"),
        pytest.param("still_here", {"left": {}, "live": False}, True, id="what is still here was cancelled"),
        pytest.param(
            "ended_with_rest", {"strangers": 1, "gone": 0}, False, id="units of an ended order are here"
        ),
        pytest.param("ended_with_rest", {}, True, id="all of an ended order has left"),
        pytest.param("ended_with_rest", {"left": {}, "gone": 0}, True, id="nothing of an ended order left"),
        pytest.param("cannot_hold", {}, True, id="dispatched, and nothing is left to hold"),
        pytest.param(
            "cannot_hold", {"strangers": 1, "gone": 0}, False, id="what was never sold is still here"
        ),
        pytest.param("cannot_hold", {"state": "SHIPPING"}, False, id="not dispatched yet"),
    ],
)
def test_i24_a_case_about_what_is_still_here_ends_when_it_has_left(
    bench: Bench, reason: str, last: dict[str, Any], broken: bool
) -> None:
    a_case(bench, reason, bench.edit_at())
    evidence = bench.evidence()
    (truth,) = truths(evidence)
    truth.moments[-1] = replace(truth.last, **last)
    verdict = Verdict()
    i24_no_case_outlives_its_reason(evidence, truth, verdict)
    assert verdict.checked["I24"] > 0
    assert bool(verdict.broken) is broken


@pytest.mark.parametrize(
    ("minutes", "held", "broken"),
    [
        pytest.param(1, True, True, id="our hold is still on them"),
        pytest.param(1, False, False, id="the hold was taken off, so they may follow"),
        pytest.param(180, False, True, id="they did not follow for hours"),
    ],
)
def test_i21_the_case_about_what_is_still_here_closes_when_the_hold_was_taken_off(
    bench: Bench, minutes: int, held: bool, broken: bool
) -> None:
    evidence = bench.evidence()
    (truth,) = truths(evidence)
    sent = next(moment.at for moment in truth.moments if moment.state in GONE_OUT)
    closed = sent + timedelta(minutes=minutes)
    a_case(bench, "still_here", sent, closed_at=closed)
    evidence = bench.evidence()
    evidence.now = closed + timedelta(hours=2)
    (truth,) = truths(evidence)
    truth.moments = [replace(moment, left={}) for moment in truth.moments]
    if held:
        (parcel,) = truth.parcels.values()
        parcel.held.append(HeldTime(sent - timedelta(hours=1), None, ""))
    verdict = Verdict()
    i21_cases_close_on_evidence(evidence, truth, verdict)
    assert verdict.checked["I21 closed"] > 0
    assert bool(verdict.broken) is broken


@pytest.mark.parametrize(
    ("hours", "held", "last", "broken"),
    [
        pytest.param(0, True, {"left": {}}, True, id="our hold is on them"),
        pytest.param(0, False, {"left": {}}, False, id="they may follow"),
        pytest.param(3, False, {"left": {}}, True, id="they did not follow"),
        pytest.param(3, False, {}, False, id="they have left"),
        pytest.param(3, False, {"left": {}, "live": False}, False, id="cancelled in Shopify"),
    ],
)
def test_i17_units_that_the_marketplace_counts_as_sent_and_that_are_still_here(
    bench: Bench, hours: int, held: bool, last: dict[str, Any], broken: bool
) -> None:
    evidence = bench.evidence()
    (truth,) = truths(evidence)
    truth.moments[-1] = replace(truth.last, **last)
    evidence.now += timedelta(hours=hours)
    if held:
        (parcel,) = truth.parcels.values()
        parcel.gone = None
        parcel.held.append(HeldTime(bench.edit_at(), None, ""))
    verdict = Verdict()
    i17_differences_have_cases(evidence, truth, verdict)
    assert bool(verdict.broken) is broken


@pytest.mark.parametrize(
    ("option", "before", "broken"),
    [
        pytest.param("send_again", timedelta(minutes=2), False, id="the marketplace is read first"),
        pytest.param("send_again", timedelta(minutes=40), True, id="it could be read since"),
        pytest.param("accept_prices", timedelta(minutes=2), True, id="nothing was to be sent"),
    ],
)
def test_i17_what_a_person_had_sent_again_waits_for_a_read(
    bench: Bench, option: str, before: timedelta, broken: bool
) -> None:
    later = bench.world.clock.now() + timedelta(hours=3)
    _answer(bench, option, later - before)
    evidence = bench.evidence()
    evidence.now = later
    (truth,) = truths(evidence)
    truth.moments[-1] = replace(truth.last, left={})
    verdict = Verdict()
    i17_differences_have_cases(evidence, truth, verdict)
    assert verdict.checked["I17"] > 0
    assert bool(verdict.broken) is broken


def test_swap_units_that_were_never_sold_in_the_plan_that_cancels(bench: Bench) -> None:
    bench.sql(
        "UPDATE plans SET view = jsonb_set(view, '{shopify,lines,0,mirakl_line_id}', '\"\"'), "
        "plan = jsonb_set(plan, '{memory,links}', '[]') WHERE plan->'actions' @> '[{\"_\": \"CancelQuantities\"}]'"
    )
    assert "swap" in bench.broken()


def test_undone_a_cancelation_of_what_shopify_shows_again(bench: Bench) -> None:
    """The edit was taken back at once, and the cancelation was sent all the same."""
    bench.unhappen(*bench.effects("edited"), *bench.effects("refund_created"))
    assert "undone" in bench.broken()


@pytest.mark.parametrize(("read_between", "verdict"), [(False, "bounded"), (True, "broken")])
def test_undone_what_others_cut_in_the_instant_of_our_cancelation(
    bench: Bench, read_between: bool, verdict: str
) -> None:
    ours = bench.effects("cancelation", ours=True)[0]
    reads = [c.at for c in bench.mirakl.record.calls if c.operation == "OR11" and c.order_ids]
    assert ours.at in reads, "it is sent on a read of the same instant"
    bench.unhappen(ours)
    bench.happen(ours, at=ours.at + timedelta(seconds=1))
    at = ours.at + timedelta(milliseconds=-1 if read_between else 1)
    bench.happen(ours, actor="customer", reference=None, at=at, detail={"by": "customer", "id": "theirs"})
    judged = bench.judge()
    assert ("undone" in {f.invariant for f in judged.broken}) == (verdict == "broken")
    assert ("undone" in {f.invariant for f in judged.bounded}) == (verdict == "bounded")


def test_own_edit_that_leaves_less_than_is_agreed(bench: Bench) -> None:
    """What staff took off is taken for the mirror of a change that the marketplace never made."""
    row = bench.connection.execute(
        text("SELECT id, epoch FROM operations WHERE kind = 'PlaceHold' LIMIT 1")
    ).one()
    edited = bench.effects("edited")[0]
    lines = [[line["line_id"], line["quantity"]] for line in edited.detail["lines"]]
    action: dict[str, Any] = {
        "_": "EditShopifyOrder",
        "shopify_order_id": bench.shopify_gid,
        "subject": "mirror:planted",
        "quantities": lines,
        "added": [],
        "note": "",
    }
    bench.sql(
        "UPDATE operations SET kind = 'EditShopifyOrder', action = CAST(:action AS jsonb) WHERE id = :id",
        action=json.dumps(action),
        id=row.id,
    )
    bench.unhappen(*bench.effects("refund_created"), edited)
    bench.happen(edited, actor="api:Interlock", reference=f"{row.id}.1.{row.epoch}")
    assert "own edit" in bench.broken()
    # Agreed to in the very instant of the edit, on a clock that rounds differently.
    cancelation = bench.effects("cancelation", ours=True)[0]
    bench.unhappen(cancelation)
    agreed = bench.happen(cancelation, at=edited.at + timedelta(microseconds=1))
    assert "own edit" not in bench.broken()
    bench.unhappen(agreed)
    bench.happen(cancelation, at=edited.at + timedelta(seconds=1))
    assert "own edit" in bench.broken()
    # The edit added what is lacking on a line that nobody had linked before it was taken out again.
    agreed_lines = {line.id: line.quantity for line in bench.order.lines}
    action["added"] = [
        {"_": "AddedLine", "variant_id": "V1", "quantity": quantity, "mirakl_line_id": line_id}
        for line_id, quantity in agreed_lines.items()
    ]
    bench.sql(
        "UPDATE operations SET action = CAST(:action AS jsonb) WHERE id = :id",
        action=json.dumps(action),
        id=row.id,
    )
    assert "own edit" in bench.broken()
    (ours,) = bench.effects("edited", ours=True)
    bench.unhappen(ours)
    bench.happen(ours, detail={"lines": [*ours.detail["lines"], {"line_id": "new", "quantity": 1}]})
    assert "own edit" not in bench.broken()


def test_i7_money_refunded_in_shopify_that_is_nobodys_task(bench: Bench) -> None:
    refund = bench.effects("refund_created")[0]
    bench.happen(
        refund,
        at=refund.at + timedelta(seconds=1),
        detail={"refund": "planted", "money": "5.00", "lines": []},
    )
    assert "I7" in bench.broken()


def test_i7_no_task_is_due_before_the_marketplace_was_read_after_the_refund(bench: Bench) -> None:
    refund = bench.effects("refund_created")[0]
    last = max(bench.evidence().mirakl_reads[(NAME, bench.order.id)])
    calls = bench.world.shopify.record.calls
    read = [c for c in calls if c.operation == "order" and "refunds" in c.detail["asked"] and c.order_ids][-1]
    planted = {"refund": "planted", "money": "5.00", "lines": []}
    late = bench.happen(refund, at=last + timedelta(seconds=1), detail=planted)
    calls.append(replace(read, at=last + timedelta(seconds=2), ended_at=last + timedelta(seconds=2)))
    assert "I7" not in bench.broken()
    bench.unhappen(late)
    # So long before that even a walk shows it.
    bench.happen(refund, at=last - timedelta(minutes=2), detail=planted)
    assert "I7" in bench.broken()


@pytest.mark.parametrize(
    ("kind", "minutes", "due"),
    [
        pytest.param("walk", 1, False, id="a list that may be behind"),
        pytest.param("walk", 3, True, id="a walk so long after it"),
        pytest.param("by_id", 1, True, id="a read by its id"),
    ],
)
def test_i7_a_walk_shows_the_marketplace_as_it_was_two_minutes_before(
    bench: Bench, kind: str, minutes: int, due: bool
) -> None:
    last = max(bench.evidence().mirakl_reads[(NAME, bench.order.id)])
    call = [c for c in bench.mirakl.record.calls if c.operation == "OR11" and c.order_ids][-1]
    after = last + timedelta(minutes=minutes)
    bench.mirakl.record.calls.append(
        replace(
            call, at=after, ended_at=after, order_ids=(bench.order.id,), detail={**call.detail, "read": kind}
        )
    )
    found = bench.evidence().certainly_read(NAME, bench.order.id, last + timedelta(seconds=1))
    assert found == (after if due else None)


def test_i7_only_a_read_that_shows_the_whole_order_shows_a_refund(bench: Bench) -> None:
    refund = bench.effects("refund_created")[0]
    calls = bench.world.shopify.record.calls
    read = [c for c in calls if c.operation == "order" and "refunds" in c.detail["asked"] and c.order_ids][-1]
    planted = {"refund": "planted", "money": "5.00", "lines": []}
    bench.happen(refund, at=read.at + timedelta(seconds=1), detail=planted)
    calls.append(replace(read, at=read.at + timedelta(seconds=2), detail={"asked": ("id", "name", "tags")}))
    assert "I7" not in bench.broken()
    calls.append(replace(read, at=read.at + timedelta(seconds=2)))
    assert "I7" in bench.broken()


@pytest.mark.parametrize(
    ("after", "yes", "source", "verdict"),
    [
        (200, True, "stored", "broken"),
        (200, True, "read now", "broken"),
        (200, True, "override", "fine"),
        (200, False, "read now", "fine"),
        (20, True, "stored", "bounded"),
    ],
)
def test_a_label_check_that_said_yes_while_the_sides_were_known_to_differ(
    bench: Bench, after: int, yes: bool, source: str, verdict: str
) -> None:
    cancelation = bench.effects("cancelation", ours=True)[0]
    bench.unhappen(cancelation)
    bench.happen(cancelation, at=bench.edit_at() + timedelta(seconds=400))
    at = bench.edit_at() + timedelta(seconds=after)
    bench.asked.append(LabelAsked(at, bench.shopify_gid, "parcel", yes, source))
    sentence = "The label check said yes for a parcel that must not move."
    judged = bench.judge()
    assert judged.checked["label check"] == 1
    broken = any(finding.sentence == sentence for finding in judged.broken)
    bounded = any(finding.sentence == sentence for finding in judged.bounded)
    assert (broken, bounded) == (verdict == "broken", verdict == "bounded")


def test_i17_a_value_nobody_knows_that_is_no_case_and_is_written_on(bench: Bench) -> None:
    created = bench.effects("created")[0]
    fields = {"fields": {"payment_type": "NOBODY_KNOWS"}}
    shown = bench.happen(created, kind="shown_instead", actor="system", at=bench.edit_at(), detail=fields)
    told = [finding.sentence for finding in bench.judge().broken if finding.invariant == "I17"]
    assert any("no case says so" in sentence for sentence in told)
    assert any("did not understand" in sentence for sentence in told)
    bench.happen(shown, kind="shown_as_is", at=shown.at + timedelta(seconds=30))
    assert bench.broken() == set()


def test_i20_an_order_that_is_written_to_in_every_run(bench: Bench) -> None:
    write = bench.call("fulfillmentOrderReleaseHold")
    operation = str(write.reference).partition(".")[0]
    for epoch in range(100, 122):
        bench.world.shopify.record.calls.append(replace(write, reference=f"{operation}.1.{epoch}"))
    assert "I20" in bench.broken()


def _claiming_too_much(bench: Bench) -> str:
    return " ".join(
        f.sentence for f in bench.judge().broken if "claims" in f.sentence and "to ship" in f.sentence
    )


def test_i25_a_replaced_claim_and_a_unit_that_went_missing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = next(iter(bench.world.shopify.shop.orders.values()))
    line = order.lines[0]
    variant = line.variant
    assert variant is not None
    number, level = next(iter(variant.levels.items()))
    with monkeypatch.context() as patch:
        patch.setitem(line.claims, number, 2)
        assert "I25" in bench.broken()
    assert bench.broken() == set()
    with monkeypatch.context() as patch:
        # Refunded after they had left, and their fulfillment is cancelled: committed again, as Shopify may.
        patch.setitem(line.claims, number, 2)
        patch.setattr(line, "returned", 2)
        assert order.name in _claiming_too_much(bench)
        patch.setattr(line, "fulfilled", 0)
        assert order.name not in _claiming_too_much(bench)
    with monkeypatch.context() as patch:
        patch.setattr(level, "counted_in", level.counted_in + 1)
        assert bench.broken() == {"I25"}


# -- after everything was lost -------------------------------------------------------------------------------


async def _lose_everything(database: Database, spoil: bool, said: str = "") -> Verdict:
    plan = WorldPlan(seed=8, marketplaces=(PROFILE,), rules=RULES, processes=1)
    world = World(plan, database, Keyring([new_key()]))
    for item in CATALOGUE:
        world.shopify.add_variant(item.sku, item.price, 100, title=item.title)
    await world.start()
    world.mirakl[NAME].create_generated(lines=2)
    await asyncio.sleep(1200)
    if spoil:
        order = next(iter(world.shopify.shop.orders.values()))
        world.shopify.delete_marker(order)
        world.shopify.shop.drafts.clear()
    if said:
        # As if the order that is found again were one that another had been told apart from, by a person or by nobody.
        with database.begin() as c:
            (row,) = c.execute(select(orders.c.id, orders.c.memory, orders.c.shopify_order_id)).all()
            kin = {"shopify_order_id": row.shopify_order_id, "role": "unlinked", "who": said.strip()}
            kept = {"memory": {**row.memory, "lineage": [kin]}, "shopify_order_id": "gid://shopify/Order/1"}
            c.execute(update(orders).where(orders.c.id == row.id).values(**kept))
    verdict = Verdict()
    await i23_the_mapping_can_be_rebuilt(world, verdict)
    await world.stop()
    return verdict


@pytest.mark.parametrize("spoil", [False, True])
def test_i23_the_mapping_comes_back_unless_every_trace_of_it_is_gone(database: Database, spoil: bool) -> None:
    loop = VirtualLoop(random.Random(8))
    try:
        verdict = loop.run_until_complete(_lose_everything(database, spoil))
    finally:
        loop.close()
    assert verdict.checked["I23"] == 1
    assert bool(verdict.broken) == spoil


@pytest.mark.parametrize(("said", "broken"), [("Dana Desk", False), (" ", True)])
def test_i23_what_only_a_person_had_said_is_lost_with_the_rest(
    database: Database, said: str, broken: bool
) -> None:
    loop = VirtualLoop(random.Random(8))
    try:
        verdict = loop.run_until_complete(_lose_everything(database, spoil=False, said=said))
    finally:
        loop.close()
    assert ([finding.invariant for finding in verdict.broken] == ["I23"]) is broken
    assert ([finding.invariant for finding in verdict.bounded] == ["I23"]) is not broken


# -- what is planted -----------------------------------------------------------------------------------------


def _hold_of_the_edit(bench: Bench) -> tuple[Effect, Effect]:
    edit = bench.edit_at()
    placed = next(e for e in bench.effects("hold_placed") if e.at >= edit)
    released = next(e for e in bench.effects("hold_released") if e.at >= edit)
    return placed, released


def _forget_the_hold_of_the_edit(bench: Bench) -> tuple[Effect, Effect]:
    placed, released = _hold_of_the_edit(bench)
    bench.unhappen(placed, released)
    return placed, released


def _label_while_they_disagree(bench: Bench, after: timedelta) -> Effect:
    """Nobody held, the marketplace agreed late, and the picker did not wait."""
    _forget_the_hold_of_the_edit(bench)
    cancelation = bench.effects("cancelation", ours=True)[0]
    bench.unhappen(cancelation)
    bench.happen(cancelation, at=bench.edit_at() + timedelta(seconds=400))
    label = bench.effects("fulfillment_created")[0]
    bench.unhappen(label)
    return bench.happen(label, at=bench.edit_at() + after)


def _end_at_the_marketplace(bench: Bench) -> None:
    state = bench.effects("state")[-1]
    at = bench.world.clock.now() - timedelta(minutes=20)
    bench.happen(state, at=at, actor="operator", detail={"from": "SHIPPED", "to": "CANCELED"})


def _answer(bench: Bench, option: str, at: datetime, who: str = "Ada Agent") -> None:
    bench.sql(
        "INSERT INTO answers (order_id, reason, subject, option, who, why, at) "
        "SELECT id, 'acceptance_running_out', 'order', :option, :who, 'as agreed', :at FROM orders LIMIT 1",
        option=option,
        who=who,
        at=at,
    )
