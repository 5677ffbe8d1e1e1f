"""I15 all along: while an order waits to be accepted, each rung of the acceptance ladder that its time has reached was told."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from interlock.monitoring.outbox import alert_keys, alerts
from interlock.rehearsal.judging.evidence import Evidence, went_well
from interlock.rehearsal.judging.truth import Truth
from interlock.rehearsal.judging.verdict import Verdict

RUNGS = (
    (25, ("message", "page")),
    (40, ("page",)),
    (60, ("page",)),
    (75, ("page",)),
    (80, ("page",)),
    (100, ("page",)),
)
"""The percents of the time to accept at which somebody is told, and how loudly at least (reliability study, 5.2)."""
TAKEN_UP = timedelta(seconds=60)
"""From the first read that shows that the order waits until it stands in our book."""


def i15_rungs_are_told(evidence: Evidence, c: Connection, truth: Truth, verdict: Verdict) -> None:
    """I15: whenever what is due was told, an order that waited then had an alert of the highest rung that its time had reached,
    or of a higher one, kept by then. Its time counts from the first read that showed that it waits. Time in which nothing could
    work does not count; a call that failed is no reason, because nobody is called to tell it. Not judged: an order of which the
    marketplace showed a value nobody knows, one of which no unit is left, and a connection whose time to accept is set otherwise
    than the marketplace has it."""
    world, since = truth.marketplace.world, truth.order.waiting_since
    window = timedelta(hours=world.profile.acceptance_window_hours)
    if not evidence.told or since is None or truth.row is None or world.profile.accepts_automatically:
        return
    if truth.marketplace.rules.acceptance_window != window or _is_strange(evidence, truth):
        return
    shown = _first_shown(truth, since)
    if shown is None:
        return
    known = evidence.due_after(shown, TAKEN_UP)
    kept: list[Row[Any, Any, Any]] | None = None
    for at in evidence.told:
        moment = truth.at(at)
        waits = moment.at <= at and moment.state == "WAITING_ACCEPTANCE" and any(moment.agreed.values())
        if at <= known or not waits:
            continue
        gone = at - known - evidence.interrupted(known, at)
        reached = [(percent, loud) for percent, loud in RUNGS if gone >= window * percent / 100]
        if not reached:
            continue
        percent, loud = reached[-1]
        verdict.checked["I15 rung"] += 1
        kept = _alerts_of(c, truth) if kept is None else kept
        if not any(_says(row, percent, loud, at + evidence.ahead) for row in kept):
            verdict.violation(
                "I15",
                truth.id,
                at,
                f"{percent} % of the time to accept was gone and nobody was told.",
                f"first shown {shown:%H:%M:%S}",
                f"{window.total_seconds() / 3600:g} h to accept",
            )
            return


def _first_shown(truth: Truth, since: datetime) -> datetime | None:
    """The first read, of a list or by id, that showed the order since it waits."""
    shown = (
        call.at
        for call in truth.marketplace.order_reads()
        if call.at >= since
        and went_well(call)
        and truth.id in call.order_ids
        and truth.id not in call.detail.get("behind", ())
    )
    return min(shown, default=None)


def _is_strange(evidence: Evidence, truth: Truth) -> bool:
    """Whether the marketplace showed a value nobody knows, or a person set the time to accept otherwise for a while."""
    said = any(
        (one.connection_id, one.setting) == (truth.marketplace.connection_id, "acceptance_window")
        for one in evidence.settings_said
    )
    return said or bool(truth.shown_instead(evidence))


def _alerts_of(c: Connection, truth: Truth) -> list[Row[Any, Any, Any]]:
    """What was kept of the order's acceptance ladder, with the loudness of the alert it was told in or joined: a message of
    several orders names the first of them and stands for all."""
    kept = select(alert_keys.c.key, alert_keys.c.at, alerts.c.severity).join(alerts)
    rows = c.execute(kept.order_by(alert_keys.c.at)).all()
    return [row for row in rows if truth.row is not None and row.key.startswith(f"window:{truth.row.id}:")]


def _says(row: Row[Any, Any, Any], percent: int, loud: tuple[str, ...], by: datetime) -> bool:
    """Whether this alert is of that rung or a higher one, loud enough, and was kept by then."""
    return row.at <= by and row.severity in loud and int(row.key.rpartition(":")[2]) >= percent
