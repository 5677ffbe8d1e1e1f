"""The label check: a yes is never given for lines that were known to disagree."""

from datetime import timedelta

from interlock.rehearsal.judging.evidence import Evidence, LabelAsked, first_after
from interlock.rehearsal.judging.truth import MIRAKL, Moment, Truth, not_moving_because
from interlock.rehearsal.judging.verdict import Verdict

CARRIED_THROUGH = timedelta(seconds=60)
"""From a read of the marketplace that shows a change until the order's row says no because of it."""


def a_yes_is_right(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """A printer that asks is told yes only where what was seen of Shopify less than `label_max_age` ago, and what a read
    had shown of the marketplace, allow it. A change that is younger than that is bounded. A person's override is theirs."""
    for asked in evidence.asked:
        if asked.order_gid not in truth.gids:
            continue
        verdict.checked["label check"] += 1
        if not asked.yes or asked.source == "override":
            continue
        verdict.checked["label check yes"] += 1
        if truth.gid_at(asked.at) != asked.order_gid:
            linked = max(since for since, gid in truth.linked if since <= asked.at)
            _judge(evidence, truth, verdict, asked, asked.at - linked, "another order stands for the sale")
            continue
        moment = truth.before(asked.at)
        if not moment.must_not_move or not moment.live:
            continue
        since = _began(truth, moment)
        known: timedelta | None = asked.at - since.at
        if since.side == MIRAKL:
            reads = evidence.mirakl_reads.get((truth.marketplace.name, truth.id), [])
            read = first_after(reads, since.at)
            known = None if read is None or read > asked.at else asked.at - read
        if known is not None:
            _judge(evidence, truth, verdict, asked, known, not_moving_because(moment))


def _began(truth: Truth, moment: Moment) -> Moment:
    """The change that brought the time about in which nothing may leave."""
    first = moment
    for earlier in reversed(truth.moments[: truth.moments.index(moment)]):
        if not earlier.must_not_move or not earlier.live:
            break
        first = earlier
    return truth.cause(first)


def _judge(
    evidence: Evidence, truth: Truth, verdict: Verdict, asked: LabelAsked, known: timedelta, why: str
) -> None:
    room = truth.marketplace.rules.label_max_age + CARRIED_THROUGH
    room += evidence.unavailable(asked.at - known, asked.at)
    sentence = "The label check said yes for a parcel that must not move."
    facts = (why, f"known for {known.total_seconds():.0f} s", f"the answer was {asked.source}")
    if known <= room:
        verdict.bound("label check", truth.id, asked.at, sentence, *facts)
    else:
        verdict.violation("label check", truth.id, asked.at, sentence, *facts)
