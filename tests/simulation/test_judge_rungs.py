"""The judge finds a rung of the acceptance ladder that nobody was told of while the order waited, and nothing where it was told or
nobody could."""

from datetime import datetime, timedelta

import pytest

from interlock.rehearsal.judge import Interruption
from interlock.rehearsal.judging.rungs import i15_rungs_are_told
from interlock.rehearsal.judging.truth import truths
from interlock.rehearsal.judging.verdict import Verdict
from tests.simulation.bench import Bench

MINUTE = timedelta(minutes=1)


def _since(bench: Bench) -> datetime:
    since = bench.order.waiting_since
    assert since is not None
    return since


def _at(bench: Bench, percent: float, minutes: float = 10) -> datetime:
    """So many minutes after that share of the order's time to accept was gone."""
    window = timedelta(hours=bench.mirakl.profile.acceptance_window_hours)
    return _since(bench) + window * percent / 100 + minutes * MINUTE


def _alert(bench: Bench, percent: int, at: datetime, severity: str = "page", further: int = 0) -> None:
    """An alert of this rung of the one order, or of an order whose number is so much further on."""
    bench.sql(
        "WITH told AS (INSERT INTO alerts (grouping, severity, teams, title, orders, count, at) "
        "VALUES ('planted', :severity, ARRAY['operations'], 'planted', ARRAY[]::text[], 2, :at) RETURNING id) "
        "INSERT INTO alert_keys (key, alert_id, at) "
        "SELECT 'window:' || (orders.id + :further) || :rest, told.id, :at FROM told, orders WHERE mirakl_order_id = :order",
        severity=severity,
        at=at,
        further=further,
        rest=f":20261102T100000:{percent}",
        order=bench.order.id,
    )


def _judged(bench: Bench, waits: bool = True) -> Verdict:
    """The order waited all the time, or was accepted as it really was."""
    evidence, verdict = bench.evidence(), Verdict()
    (truth,) = truths(evidence)
    if waits:
        truth.moments = [moment for moment in truth.moments if moment.state == "WAITING_ACCEPTANCE"][:1]
    i15_rungs_are_told(evidence, bench.connection, truth, verdict)
    return verdict


@pytest.mark.parametrize(
    ("percent", "told", "severity", "broken"),
    [
        pytest.param(25, 25, "message", False, id="a message at a quarter"),
        pytest.param(25, None, "", True, id="nobody at a quarter"),
        pytest.param(40, 40, "page", False, id="a page"),
        pytest.param(40, 25, "page", True, id="nothing since the rung before"),
        pytest.param(40, 40, "message", True, id="a message where a page is due"),
        pytest.param(60, 80, "page", False, id="a higher rung"),
        pytest.param(100, 80, "page", True, id="the time was over and nobody was told"),
    ],
)
def test_i15_each_rung_that_is_reached_is_told(
    bench: Bench, percent: int, told: int | None, severity: str, broken: bool
) -> None:
    at = _at(bench, percent)
    bench.told.append(at)
    if told is not None:
        _alert(bench, told, at - MINUTE, severity)
    verdict = _judged(bench)
    assert verdict.checked["I15 rung"] == 1
    assert [finding.invariant for finding in verdict.broken] == (["I15"] if broken else [])


def test_i15_what_is_told_later_or_of_another_order_is_not_told(bench: Bench) -> None:
    at = _at(bench, 40)
    bench.told.append(at)
    _alert(bench, 40, at + MINUTE)
    _alert(bench, 40, at - MINUTE, further=1)
    assert len(_judged(bench).broken) == 1


def test_i15_no_rung_is_due_of_an_order_that_was_accepted(bench: Bench) -> None:
    bench.told.append(_at(bench, 80))
    verdict = _judged(bench, waits=False)
    assert (verdict.checked["I15 rung"], verdict.broken) == (0, [])


def test_i15_no_rung_is_due_before_its_time(bench: Bench) -> None:
    bench.told.append(_at(bench, 25, minutes=-5))
    assert _judged(bench).checked["I15 rung"] == 0


def test_i15_time_in_which_nothing_could_work_is_no_time_to_tell(bench: Bench) -> None:
    at = _at(bench, 25)
    bench.told.append(at)
    assert len(_judged(bench).broken) == 1
    bench.interruptions.append(Interruption("database away", _since(bench) + 30 * MINUTE, at - MINUTE))
    assert _judged(bench).broken == []
