"""The judge is mild to a label that was given back in time and to an order that is shipped as a person decided, and no further."""

from dataclasses import replace
from datetime import timedelta

import pytest

from interlock.orders.memory import Decision
from interlock.orders.reasons import Option, Reason
from interlock.rehearsal.judging.evidence import Evidence, first_after
from interlock.rehearsal.judging.truth import truths
from interlock.rehearsal.judging.verdict import Verdict
from interlock.simulator.record import Effect
from tests.simulation.bench import Bench

MINUTE = timedelta(minutes=1)


def _said(verdict: Verdict) -> list[str]:
    return [found.sentence for found in verdict.broken]


def _early_label(bench: Bench, after: float) -> Effect:
    """Nobody held, the marketplace agreed late, and the picker made a label so many seconds after the edit."""
    edit = bench.edit_at()
    placed = next(e for e in bench.effects("hold_placed") if e.at >= edit)
    released = next(e for e in bench.effects("hold_released") if e.at >= edit)
    cancelation = bench.effects("cancelation", ours=True)[0]
    label = bench.effects("fulfillment_created")[0]
    bench.unhappen(placed, released, cancelation, label)
    bench.happen(cancelation, at=edit + timedelta(seconds=400))
    return bench.happen(label, at=edit + timedelta(seconds=after))


@pytest.mark.parametrize(
    ("seconds", "answered"),
    [
        pytest.param(30, True, id="within the minute in which its case has to open"),
        pytest.param(90, False, id="after it"),
    ],
)
def test_i8_a_label_given_back_within_the_minute_its_case_has_needs_none(
    bench: Bench, seconds: int, answered: bool
) -> None:
    label = _early_label(bench, 2)
    seen = first_after(bench.evidence().shopify_reads[bench.shopify_gid], label.at)
    assert seen is not None
    back = {"fulfillment": label.detail["fulfillment"], "display_status": "LABEL_VOIDED"}
    at = seen + timedelta(seconds=seconds)
    bench.happen(label, kind="display_status_changed", at=at, detail=back)
    verdict = bench.judge()
    assert verdict.checked["label answered"] == 1
    assert any("no urgent case" in sentence for sentence in _said(verdict)) is not answered


# -- an order that is shipped as it was edited -------------------------------------------------------------


@pytest.mark.parametrize(
    ("then", "now", "lamps", "as_decided"),
    [
        pytest.param(3, 2, 1, True, id="what the marketplace cancelled as well was no part of it"),
        pytest.param(2, 2, 1, True, id="exactly what was decided"),
        pytest.param(3, 1, 1, False, id="more was taken out than the marketplace cancelled"),
        pytest.param(3, 2, 2, False, id="another unit that was never sold"),
        pytest.param(3, 2, 0, False, id="without the unit that was decided on"),
    ],
)
def test_a_decision_to_ship_stands_for_the_units_that_were_decided_on(
    bench: Bench, then: int, now: int, lamps: int, as_decided: bool
) -> None:
    """Somebody adds a unit that was never sold and decides to ship it so; then both sides lose one of the other line."""
    edited = bench.effects("edited")[0]
    cut = bench.effects("cancelation", ours=True)[0]
    (line,) = edited.detail["lines"]
    lamp = {**line, "line_id": "gid://shopify/LineItem/99"}

    def units(sold: int, unsold: int) -> dict[str, object]:
        return {"lines": [{**line, "quantity": sold}, {**lamp, "quantity": unsold}]}

    bench.unhappen(edited)
    bench.happen(edited, at=edited.at - 2 * MINUTE, detail=units(then, 1))
    bench.happen(edited, detail=units(now, lamps))
    decision = Decision(
        Reason.EDIT_CANNOT_BE_EXPRESSED,
        "edit:1",
        Option.SHIP_AS_EDITED,
        "Ada Agent",
        "The customer pays for it.",
        edited.at - MINUTE,
    )
    (truth,) = truths(_decided(bench, decision))
    before = truth.before(edited.at)
    after = truth.at(cut.at)
    assert (before.as_decided, after.as_decided) == (True, as_decided)
    assert after.agreed == {bench.order.lines[0].id: 2}
    assert after.must_not_move is not (as_decided or after.agrees)


def _decided(bench: Bench, decision: Decision) -> Evidence:
    evidence = bench.evidence()
    (row,) = evidence.orders
    memory = evidence.memories[row.id]
    evidence.memories[row.id] = replace(memory, decisions=(*memory.decisions, decision))
    return evidence
