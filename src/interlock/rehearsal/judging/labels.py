"""The label check: a yes is never given for lines that were known to disagree, and an override counts once and is on record."""

from datetime import datetime, timedelta

from interlock.holds.overriding import OVERRIDE_COUNTS
from interlock.orders.reasons import Option, Reason
from interlock.rehearsal.judging.evidence import Evidence, LabelAsked, first_after
from interlock.rehearsal.judging.truth import MIRAKL, Moment, Truth, not_moving_because
from interlock.rehearsal.judging.verdict import Verdict

CARRIED_THROUGH = timedelta(seconds=60)
"""From a read of the marketplace that shows a change until the order's row says no because of it."""

ON_RECORD_WITHIN = timedelta(seconds=60)
"""From an override until its incident is open."""


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


def an_override_counts_once(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """A yes that rests on an override follows one that a person gave for this very parcel within the hour before and that no
    earlier yes has used, and the order was not cancelled in Shopify between the two; and each override has its incident within a minute, for whatever left with that label is somebody's to settle."""
    given = evidence.answers_of(truth.row, Option.PRINT_ANYWAY.value)
    said: dict[str, int] = {}
    for asked in evidence.asked:
        if asked.order_gid not in truth.gids or not asked.yes or asked.source != "override":
            continue
        verdict.checked["label check overridden"] += 1
        said[asked.parcel] = said.get(asked.parcel, 0) + 1
        before = [one for one in given if one.at <= asked.at and _parcel_of(one.subject) == asked.parcel]
        if len(before) < said[asked.parcel]:
            verdict.violation(
                "label check",
                truth.id,
                asked.at,
                "The label check said yes by an override that nobody had given, or that was used already.",
                asked.parcel,
                f"given {len(before)} times, used {said[asked.parcel]} times",
            )
        elif asked.at - before[-1].at > OVERRIDE_COUNTS:
            verdict.violation(
                "label check",
                truth.id,
                asked.at,
                "The label check said yes by an override that was given more than an hour before.",
                asked.parcel,
            )
        elif _cancelled_between(truth, asked, before[-1].at):
            verdict.violation(
                "label check",
                truth.id,
                asked.at,
                "The label check said yes by an override that was given before the order was cancelled in Shopify.",
                asked.parcel,
            )
    cases = evidence.cases_of(truth.row, Reason.LABEL_OVERRIDDEN.value)
    for one in given:
        due = evidence.due_after(one.at, ON_RECORD_WITHIN)
        if due > evidence.now:
            continue
        verdict.checked["override on record"] += 1
        if not any(case.subject == one.subject and case.opened_at <= due for case in cases):
            verdict.violation(
                "label check",
                truth.id,
                one.at,
                "A person had a label printed although the check said no, and a minute later no case said so.",
                one.subject,
            )


def _cancelled_between(truth: Truth, asked: LabelAsked, given_at: datetime) -> bool:
    """Whether the order had been dead in Shopify for longer than a read of it counts, and still stood at the override."""
    seen = asked.at - truth.marketplace.rules.label_max_age
    return seen > given_at and truth.before(given_at).live and not truth.before(seen).live


def _parcel_of(subject: str) -> str:
    return subject.partition(" ")[0]


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
