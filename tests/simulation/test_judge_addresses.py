"""The judge finds a parcel that leaves for an address the marketplace has changed, and nothing where both sides show the same."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from interlock.rehearsal.judging.verdict import Finding
from interlock.simulator.shopify.addresses import where
from tests.simulation.bench import Bench

ELSEWHERE = ["Ada Martin", "9 Weir Road", "54321", "Shelbyville"]


def _labels(found: Sequence[Finding]) -> list[str]:
    return [f.sentence for f in found if "marketplace changed the address" in " ".join(f.evidence)]


def _moved(bench: Bench, before: float, to: list[str]) -> None:
    label = bench.effects("fulfillment_created")[0]
    bench.happen(
        bench.effects("cancelation")[0],
        kind="address_changed",
        actor="operator",
        at=label.at - timedelta(seconds=before),
        detail={"was": _here(bench), "where": to},
    )


def _here(bench: Bench) -> list[str]:
    return where(bench.world.shopify.order(bench.shopify_gid).shipping_address)


def test_i8_a_label_long_after_the_changed_address_was_read(bench: Bench) -> None:
    _moved(bench, 600, ELSEWHERE)
    verdict = bench.judge()
    assert len(_labels(verdict.broken)) == 1
    assert verdict.checked["I8 address"] == 1


@pytest.mark.parametrize("spelt", [lambda parts: parts, lambda parts: [part.upper() for part in parts]])
def test_i8_a_label_to_the_address_that_both_sides_show(
    bench: Bench, spelt: Callable[[list[str]], list[str]]
) -> None:
    _moved(bench, 600, spelt(_here(bench)))
    verdict = bench.judge()
    assert _labels(verdict.broken) == _labels(verdict.bounded) == []
    assert verdict.checked["I8 address"] == 1


def test_i8_a_change_that_nobody_could_have_read_before_the_label(bench: Bench) -> None:
    _moved(bench, 0.001, ELSEWHERE)
    verdict = bench.judge()
    assert _labels(verdict.broken) == []


def test_i8_a_label_just_after_the_order_left_the_address_that_both_sides_showed(bench: Bench) -> None:
    """The marketplace's new address had been carried over; then staff changed it, and nobody can have read that in time."""
    _moved(bench, 600, ELSEWHERE)
    label = bench.effects("fulfillment_created")[0]
    for before, was, to in ((500, _here(bench), ELSEWHERE), (1, ELSEWHERE, _here(bench))):
        bench.happen(
            label,
            kind="address_changed",
            actor="staff",
            at=label.at - timedelta(seconds=before),
            detail={"was": was, "where": to},
        )
    verdict = bench.judge()
    assert _labels(verdict.broken) == []
    assert any("Shopify left" in part for f in verdict.bounded for part in (f.sentence, *f.evidence))


def test_i8_a_label_to_an_address_that_a_person_let_stand(bench: Bench) -> None:
    _moved(bench, 600, ELSEWHERE)
    bench.sql(
        "UPDATE orders SET memory = jsonb_set(memory, '{decisions}', jsonb_build_array(jsonb_build_object("
        "'_', 'Decision', 'reason', 'marketplace_changed', 'subject', 'address:1', 'option', 'keep_address', "
        "'who', 'Ada', 'why', 'as agreed', 'at', '2026-03-02T12:00:00+00:00')))"
    )
    assert _labels(bench.judge().broken) == []


def test_i8_a_release_on_a_view_with_two_addresses(bench: Bench) -> None:
    bench.sql(
        "UPDATE plans SET view = jsonb_set(view, '{mirakl,address,digest}', '\"other\"') "
        "WHERE plan::text LIKE '%ReleaseHold%'"
    )
    told = [f for f in bench.judge().broken if "the two sides named different addresses" in f.evidence]
    assert told
