"""The judge sees what stood for long and went away again, what closed without its reason being gone, and what strangers
delivered."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from interlock.rehearsal.judge import judge_evidence
from interlock.rehearsal.judging.evidence import FlowPaused, Forged
from tests.simulation.bench import Bench, a_case

MINUTE = timedelta(minutes=1)


def _still_to_be_shipped(bench: Bench) -> None:
    """The marketplace was never told that anything left."""
    bench.unhappen(*bench.effects("shipped"))
    bench.unhappen(
        *(e for e in bench.effects("state") if e.detail["to"] not in ("SHIPPING", "WAITING_DEBIT"))
    )


def _differ_for_an_hour(bench: Bench) -> datetime:
    """A unit is taken out in Shopify and never cancelled, until Shopify shows it again shortly before the end."""
    _still_to_be_shipped(bench)
    edited = bench.effects("edited")[0]
    whole = [{**line, "quantity": 3} for line in edited.detail["lines"]]
    bench.unhappen(*bench.effects("cancelation"), *bench.effects("fulfillment_created"))
    bench.happen(edited, at=bench.world.clock.now() - 2 * MINUTE, detail={"lines": whole})
    return edited.at


def _standing(bench: Bench, invariant: str) -> list[str]:
    said = "The two sides differed for long and no case said so."
    return [f.sentence for f in bench.judge().broken if f.invariant == invariant and f.sentence == said]


def test_i17_a_difference_that_stood_for_an_hour_and_vanished(bench: Bench) -> None:
    began = _differ_for_an_hour(bench)
    assert _standing(bench, "I17")
    a_case(bench, "edit_waiting", began + 10 * MINUTE)
    assert not _standing(bench, "I17")


def test_i17_a_case_that_came_too_late(bench: Bench) -> None:
    began = _differ_for_an_hour(bench)
    a_case(bench, "edit_waiting", began + 50 * MINUTE)
    assert _standing(bench, "I17")


@pytest.mark.parametrize(("after", "ours", "due"), [(25, True, False), (25, False, True), (5, True, True)])
def test_i17_a_refund_we_asked_for_has_its_own_time_to_be_shown(
    bench: Bench, after: int, ours: bool, due: bool
) -> None:
    began = _differ_for_an_hour(bench)
    edited = bench.effects("edited")[-1]
    bench.unhappen(edited)
    bench.happen(edited, at=began + 50 * MINUTE)
    accepted = bench.effects("accepted")[0]
    request = {
        "line": bench.order.lines[0].id,
        "quantity": 1,
        "state": "REQUESTED",
        "id": "1",
        "excluded_from_shipment": False,
    }
    who = accepted.actor if ours else "staff"
    bench.happen(accepted, kind="refund_request", actor=who, at=began + after * MINUTE, detail=request)
    assert bool(_standing(bench, "I17")) is due


def test_i17_what_people_paused_may_stand(bench: Bench) -> None:
    began = _differ_for_an_hour(bench)
    connection = next(iter(bench.world.connection_ids.values()))
    bench.paused.append(FlowPaused(connection, "edits", began + MINUTE, began + 55 * MINUTE))
    assert not _standing(bench, "I17")


def test_i15_goods_that_left_and_nobody_told_the_marketplace(bench: Bench) -> None:
    label = bench.effects("fulfillment_created")[0]
    _still_to_be_shipped(bench)
    assert _standing(bench, "I15")
    a_case(bench, "carrier_unknown", label.at + 5 * MINUTE)
    assert not _standing(bench, "I15")


def test_i15_part_of_the_goods_left(bench: Bench) -> None:
    label = bench.effects("fulfillment_created")[0]
    _still_to_be_shipped(bench)
    bench.unhappen(label)
    bench.happen(label, detail={"lines": [{**line, "quantity": 1} for line in label.detail["lines"]]})
    assert not _standing(bench, "I15")


# -- closings ------------------------------------------------------------------------------------------------


def _not_gone(bench: Bench) -> list[str]:
    return [f.sentence for f in bench.judge().broken if f.invariant == "I21" and "was closed" in f.sentence]


def test_i21_a_case_that_closed_while_the_sides_differed(bench: Bench) -> None:
    began = _differ_for_an_hour(bench)
    a_case(bench, "edit_cannot_be_expressed", began + MINUTE, closed_at=began + 20 * MINUTE)
    assert _not_gone(bench)


def test_i21_a_case_that_a_person_had_answered(bench: Bench) -> None:
    began = _differ_for_an_hour(bench)
    a_case(bench, "edit_cannot_be_expressed", began + MINUTE, closed_at=began + 20 * MINUTE)
    bench.sql(
        "INSERT INTO answers (order_id, reason, subject, option, who, why, at) "
        "SELECT id, 'edit_cannot_be_expressed', 'order', 'done_in_portal', 'Ada Agent', 'as agreed', :at FROM orders",
        at=began + 19 * MINUTE,
    )
    assert not _not_gone(bench)


def test_i21_a_case_that_lives_on_under_another_name(bench: Bench) -> None:
    began = _differ_for_an_hour(bench)
    a_case(bench, "edit_waiting", began + MINUTE, closed_at=began + 20 * MINUTE)
    a_case(bench, "edit_cannot_be_expressed", began + 20 * MINUTE)
    assert not _not_gone(bench)


def test_i21_a_wait_is_over_when_the_marketplace_moved_on(bench: Bench) -> None:
    """The edit waited for the payment; now it goes on, and the sides differ until that is done."""
    began = _differ_for_an_hour(bench)
    paid = next(e for e in bench.effects("state") if e.detail["to"] == "SHIPPING")
    a_case(bench, "edit_waiting", paid.at - timedelta(seconds=5), closed_at=began + 20 * MINUTE)
    assert not _not_gone(bench)


def test_i21_a_case_whose_reason_went(bench: Bench) -> None:
    began = bench.edit_at()
    a_case(bench, "edit_waiting", began + timedelta(seconds=5), closed_at=began + 3 * MINUTE)
    assert bench.judge().checked["I21 closed"] > 0
    assert not _not_gone(bench)


def test_i21_what_could_not_be_held_may_move_once_both_sides_agree(bench: Bench) -> None:
    began = bench.edit_at()
    a_case(bench, "cannot_hold", began + timedelta(seconds=5), closed_at=began + 3 * MINUTE)
    assert not _not_gone(bench)


def test_i21_what_could_not_be_held_while_the_sides_differ(bench: Bench) -> None:
    began = _differ_for_an_hour(bench)
    a_case(bench, "cannot_hold", began + MINUTE, closed_at=began + 20 * MINUTE)
    assert _not_gone(bench)


# -- strangers -----------------------------------------------------------------------------------------------


def _judged(bench: Bench, forged: Forged) -> set[str]:
    evidence = replace(bench.evidence(), forged=(forged,))
    return {finding.invariant for finding in judge_evidence(evidence, bench.connection, True).broken}


def test_i16_what_a_stranger_sent_is_refused_and_leaves_no_row(bench: Bench) -> None:
    assert _judged(bench, Forged("signature", "forged-1", 401, 401)) == set()
    assert _judged(bench, Forged("signature", "forged-1", 401, 200)) == {"I16"}
    stored = bench.evidence().deliveries[0].webhook_id
    assert _judged(bench, Forged("signature", stored, 401, 401)) == {"I16"}
