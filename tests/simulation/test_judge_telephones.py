"""The judge finds a parcel that moves under a telephone number only Shopify shows, and nothing where somebody agreed to it."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from interlock.rehearsal.judging.verdict import Finding
from interlock.simulator.record import Effect
from tests.simulation.bench import Bench, a_case

HERE, THERE = "+49 30 11111111", "+49 30 22222222"
MINUTE = timedelta(minutes=1)


def _changed(bench: Bench, than: Effect, by: float, was: str = HERE, now: str = THERE) -> Effect:
    return bench.happen(
        bench.effects("edited")[0],
        kind="telephone_changed",
        actor="staff",
        at=than.at - timedelta(seconds=by),
        detail={"was": was, "now": now},
    )


def _labels(found: Sequence[Finding]) -> list[Finding]:
    return [f for f in found if "only Shopify shows another telephone number" in f.evidence]


def _releases(found: Sequence[Finding]) -> list[Finding]:
    return [f for f in found if f.sentence.startswith("Our hold was released although only Shopify")]


def _asked(found: Sequence[Finding]) -> list[Finding]:
    return [f for f in found if f.sentence.startswith("Only Shopify shows another telephone number")]


def _answered(bench: Bench, at: str) -> None:
    bench.sql(
        "WITH planted AS (INSERT INTO cases (order_id, connection_id, kind, reason, subject, owner, severity, sentence, "
        "options, facts, first_opened_at, opened_at) SELECT id, connection_id, 'condition', 'edit_cannot_be_expressed', "
        "'edit:1', 'operations', 'urgent', 'planted', '[]', '[]', :at, :at FROM orders LIMIT 1 RETURNING *) "
        "INSERT INTO answers (order_id, reason, subject, option, who, why, at) "
        "SELECT order_id, reason, subject, 'keep_address', 'Ada', 'as agreed', opened_at FROM planted",
        at=at,
    )


def test_i8_a_label_long_after_the_number_changed(bench: Bench) -> None:
    _changed(bench, bench.effects("fulfillment_created")[0], 850)
    verdict = bench.judge()
    assert len(_labels(verdict.broken)) == 1
    assert verdict.checked["I8 telephone"] == 2


def test_i8_a_label_once_the_number_was_set_back(bench: Bench) -> None:
    label = bench.effects("fulfillment_created")[0]
    _changed(bench, label, 850)
    _changed(bench, label, 845, THERE, HERE)
    verdict = bench.judge()
    assert _labels([*verdict.broken, *verdict.bounded]) == []


def test_i8_a_label_under_the_number_the_marketplace_shows_too(bench: Bench) -> None:
    given = bench.order.shipping_address
    assert given is not None
    assert given["phone"]
    _changed(bench, bench.effects("fulfillment_created")[0], 850, HERE, str(given["phone"]))
    assert _labels(bench.judge().broken) == []


@pytest.mark.parametrize(("shown_then", "found"), [(THERE, 0), ("+49 30 33333333", 1)])
def test_i8_a_label_under_the_number_the_marketplace_showed_until_it_left(
    bench: Bench, shown_then: str, found: int
) -> None:
    """The marketplace had a number, was given another, and a third after the parcel had left."""
    label = bench.effects("fulfillment_created")[0]
    _changed(bench, label, 850)
    for number_was, number, by in ((HERE, shown_then, 800), (shown_then, "+49 30 44444444", -60)):
        bench.happen(
            bench.effects("created")[0],
            kind="address_changed",
            actor="operator",
            at=label.at - timedelta(seconds=by),
            detail={"was": "there", "where": "there", "number_was": number_was, "number": number},
        )
    assert len(_labels(bench.judge().broken)) == found


def test_i8_a_label_under_a_number_that_a_person_let_stand(bench: Bench) -> None:
    label = bench.effects("fulfillment_created")[0]
    _changed(bench, label, 850)
    _answered(bench, (label.at - timedelta(seconds=840)).isoformat())
    assert _labels(bench.judge().broken) == []


def test_i8_a_release_after_the_number_was_read(bench: Bench) -> None:
    released = bench.effects("hold_released", ours=True)[-1]
    _changed(bench, released, 600)
    assert len(_releases(bench.judge().broken)) == 1


def test_i8_a_number_that_nobody_had_read_before_it_changed(bench: Bench) -> None:
    created = bench.effects("order_created")[0]
    _changed(bench, created, 0)
    verdict = bench.judge()
    assert _labels(verdict.broken) == _releases(verdict.broken) == []


def test_i17_a_number_nobody_was_asked_about(bench: Bench) -> None:
    bench.unhappen(*bench.effects("shipped"), *bench.effects("fulfillment_created"))
    bench.unhappen(
        *(e for e in bench.effects("state") if e.detail["to"] not in ("SHIPPING", "WAITING_DEBIT"))
    )
    changed = _changed(bench, bench.effects("edited")[-1], -600)
    verdict = bench.judge()
    assert len(_asked(verdict.broken)) == 1
    assert verdict.checked["I17 telephone"] == 1
    a_case(bench, "edit_cannot_be_expressed", changed.at + MINUTE)
    assert _asked(bench.judge().broken) == []
