"""The judge takes a person's word for what it says and for nothing else: a label printed although the check says no, a parcel that
left under a label that was given back, an order that is shipped as it was edited."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from interlock.orders.memory import Decision
from interlock.orders.reasons import Option, Reason
from interlock.rehearsal import insisting
from interlock.rehearsal.judging.evidence import Evidence, LabelAsked, first_after
from interlock.rehearsal.judging.truth import truths
from interlock.rehearsal.judging.verdict import Verdict
from interlock.simulator.record import Effect
from tests.simulation.bench import Bench, a_case

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
NUMBER = "PARCEL1"
TWICE = "The label check said yes by an override that nobody had given, or that was used already."
LATE = "The label check said yes by an override that was given more than an hour before."
CANCELLED = (
    "The label check said yes by an override that was given before the order was cancelled in Shopify."
)
UNRECORDED = "A person had a label printed although the check said no, and a minute later no case said so."


def test_packers_insist_in_every_sixth_history() -> None:
    drawn = [seed for seed in range(1000) if insisting.is_drawn(seed)]
    assert 120 < len(drawn) < 200


# -- a label printed although the check says no ------------------------------------------------------------


def _answer(bench: Bench, reason: Reason, subject: str, option: Option, at: datetime) -> None:
    bench.sql(
        "INSERT INTO answers (order_id, reason, subject, option, who, why, at) "
        "SELECT id, :reason, :subject, :option, 'Paul Packer', 'as agreed', :at FROM orders LIMIT 1",
        reason=reason.value,
        subject=subject,
        option=option.value,
        at=at,
    )


def _parcel(bench: Bench) -> str:
    gid: str = bench.effects("fulfillment_created")[0].detail["fulfillment_order"]
    return gid


def _override(bench: Bench, parcel: str, number: int, at: datetime, recorded: float | None = 20) -> None:
    """Somebody overrides the check of a parcel, and its incident opens so many seconds later, or never."""
    subject = f"{parcel} {number}"
    _answer(bench, Reason.LABEL_OVERRIDDEN, subject, Option.PRINT_ANYWAY, at)
    if recorded is not None:
        opened = at + timedelta(seconds=recorded)
        a_case(bench, "label_overridden", opened, subject=subject, closed_at=bench.world.clock.now())


def _said(verdict: Verdict) -> list[str]:
    return [found.sentence for found in verdict.broken]


@pytest.mark.parametrize(
    ("overridden", "after", "asked", "broken"),
    [
        pytest.param(1, -30, 1, False, id="one override and one yes"),
        pytest.param(2, -30, 2, False, id="two of each"),
        pytest.param(1, -30, 2, True, id="one override used twice"),
        pytest.param(0, 0, 1, True, id="nobody overrode it"),
        pytest.param(1, 30, 1, True, id="overridden after the yes"),
    ],
)
def test_a_yes_by_an_override_follows_one(
    bench: Bench, overridden: int, after: int, asked: int, broken: bool
) -> None:
    parcel, at = _parcel(bench), bench.edit_at() + MINUTE
    for number in range(overridden):
        _override(bench, parcel, number, at + timedelta(seconds=after + number))
    for number in range(asked):
        when = at + timedelta(seconds=10 * number)
        bench.asked.append(LabelAsked(when, bench.shopify_gid, parcel, True, "override"))
    verdict = bench.judge()
    assert verdict.checked["label check overridden"] == asked
    assert (TWICE in _said(verdict)) is broken


def test_an_override_is_of_one_parcel(bench: Bench) -> None:
    at = bench.edit_at() + MINUTE
    _override(bench, "gid://shopify/FulfillmentOrder/99", 1, at - 30 * SECOND)
    bench.asked.append(LabelAsked(at, bench.shopify_gid, _parcel(bench), True, "override"))
    assert TWICE in _said(bench.judge())


@pytest.mark.parametrize(
    ("given", "cancelled", "said"),
    [
        pytest.param(-59 * MINUTE, None, "", id="within the hour"),
        pytest.param(-61 * MINUTE, None, LATE, id="later"),
        pytest.param(-10 * MINUTE, -5 * MINUTE, CANCELLED, id="cancelled in between"),
        pytest.param(-10 * MINUTE, -15 * SECOND, "", id="cancelled a moment ago"),
        pytest.param(-3 * MINUTE, -5 * MINUTE, "", id="overridden after the cancel"),
    ],
)
def test_an_override_is_of_its_hour_and_of_the_order_as_it_stood(
    bench: Bench, given: timedelta, cancelled: timedelta | None, said: str
) -> None:
    at, parcel = bench.edit_at() + 90 * MINUTE, _parcel(bench)
    _override(bench, parcel, 1, at + given)
    if cancelled is not None:
        bench.happen(bench.effects("edited")[0], kind="cancelled", at=at + cancelled, detail={})
    bench.asked.append(LabelAsked(at, bench.shopify_gid, parcel, True, "override"))
    assert [one for one in _said(bench.judge()) if one in (TWICE, LATE, CANCELLED)] == [said] * bool(said)


@pytest.mark.parametrize(
    ("recorded", "broken"),
    [
        pytest.param(40, False, id="within the minute"),
        pytest.param(150, True, id="later"),
        pytest.param(None, True, id="never"),
    ],
)
def test_an_override_is_on_record_within_a_minute(bench: Bench, recorded: float | None, broken: bool) -> None:
    _override(bench, _parcel(bench), 1, bench.edit_at() + MINUTE, recorded)
    verdict = bench.judge()
    assert verdict.checked["override on record"] == 1
    assert (UNRECORDED in _said(verdict)) is broken


@pytest.mark.parametrize(
    ("seconds", "where", "broken"),
    [
        pytest.param(-30, "", False, id="overridden before"),
        pytest.param(30, "", True, id="overridden after"),
        pytest.param(-30, "gid://shopify/FulfillmentOrder/99", True, id="another parcel overridden"),
    ],
)
def test_i8_a_label_that_a_person_had_printed_anyway_is_bounded(
    bench: Bench, seconds: int, where: str, broken: bool
) -> None:
    """Long after the hold had been possible, on lines that differ: only a word given before excuses it, and only there."""
    label = _early_label(bench, 150)
    _override(bench, where or _parcel(bench), 1, label.at + timedelta(seconds=seconds))
    verdict = bench.judge()
    assert any("had been possible" in sentence for sentence in _said(verdict)) is broken
    assert any("had it printed" in " ".join(found.evidence) for found in verdict.bounded) is not broken


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


# -- a parcel that left under a label that was given back --------------------------------------------------


@pytest.mark.parametrize(
    ("number", "seconds", "broken"),
    [
        pytest.param(NUMBER, -60, False, id="said of the number it shows"),
        pytest.param(NUMBER, 60, True, id="said after the marketplace was told"),
        pytest.param("PARCEL9", -60, True, id="said of another number"),
        pytest.param("", -60, True, id="said of none"),
    ],
)
def test_i4_shipped_under_a_label_that_was_given_back_by_a_persons_word(
    bench: Bench, number: str, seconds: int, broken: bool
) -> None:
    shipped = bench.effects("shipped", ours=True)[0]
    label = bench.effects("fulfillment_created")[0]
    parcel = label.detail["fulfillment"]
    bench.unhappen(label)
    bench.happen(label, at=label.at - timedelta(seconds=300))
    voided = {"fulfillment": parcel, "display_status": "LABEL_VOIDED"}
    bench.happen(label, kind="display_status_changed", at=shipped.at - timedelta(seconds=200), detail=voided)
    _answer(
        bench,
        Reason.LABEL_GIVEN_BACK,
        f"{parcel} {number}".strip(),
        Option.LEFT_UNDER_NUMBER,
        shipped.at + timedelta(seconds=seconds),
    )
    assert ("I4" in bench.broken()) is broken
    (truth,) = truths(bench.evidence())
    assert sum(truth.last.left.values()) == (2 if number == NUMBER else 0)


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
