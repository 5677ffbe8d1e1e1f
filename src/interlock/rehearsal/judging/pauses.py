"""Pauses: what a person has paused waits, and goes on when the pause is over."""

from datetime import timedelta

from interlock.rehearsal.judging.calls import our_writes
from interlock.rehearsal.judging.evidence import Evidence
from interlock.rehearsal.judging.verdict import Verdict

UNDER_WAY = timedelta(seconds=60)
"""What was planned before a pause may still leave so much later."""
CLOCKS_MAY_ERR = timedelta(minutes=6)
"""So much sooner a machine whose clock is wrong may take a pause for over."""

FLOW_OF = {
    "CreateDraft": "import",
    "FillDraftAddress": "import",
    "CompleteDraft": "import",
    "CreateOrder": "import",
    "AnswerAcceptance": "acceptance",
    "CancelQuantities": "edits",
    "CancelMiraklOrder": "edits",
    "CancelShopifyOrder": "edits",
    "EditShopifyOrder": "edits",
    "SetOrderAddress": "edits",
    "SetTracking": "shipping",
    "ShipOrder": "shipping",
    "CreateShipment": "shipping",
    "TrackShipment": "shipping",
    "ValidateShipment": "shipping",
    "DeleteShipment": "shipping",
    "RefundLines": "refunds",
    "PublishStock": "stock",
}
"""Which pause stops which operation; every other goes on."""


def what_is_paused_waits(evidence: Evidence, verdict: Verdict) -> None:
    """Nothing of a paused flow is sent for its connection, from a minute after the pause began until it ends or is ended;
    holds, which belong to no flow, go on."""
    if not evidence.paused:
        return
    for call, _ in our_writes(evidence):
        row = evidence.operation_of.get((call.reference or "").partition(".")[0])
        flow = None if row is None else FLOW_OF.get(row.kind)
        if row is None or flow is None:
            continue
        verdict.checked["pause"] += 1
        for pause in evidence.paused:
            if (pause.connection_id, pause.flow) != (row.connection_id, flow):
                continue
            if not pause.began < call.sent_at < pause.ended:
                continue
            order = call.order_ids[0] if call.order_ids else ""
            sentence = f"{call.operation} was sent while {flow} was paused."
            facts = (f"paused {pause.began:%H:%M:%S} to {pause.ended:%H:%M:%S}", call.reference or "")
            room = UNDER_WAY + evidence.unavailable(pause.began, call.sent_at)
            if call.sent_at <= pause.began + room or call.sent_at >= pause.ended - CLOCKS_MAY_ERR:
                verdict.bound("pause", order, call.sent_at, sentence, *facts)
            else:
                verdict.violation("pause", order, call.sent_at, sentence, *facts)
