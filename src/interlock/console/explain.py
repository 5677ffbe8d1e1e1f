"""Why has this edit not reached the marketplace? The chain of evidence, from what is kept about one order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from interlock.console import wording
from interlock.console.case_list import CaseRow
from interlock.console.order import OperationRow, OrderPage
from interlock.edits.explaining import Explained, explained
from interlock.orders.snapshots import BEFORE_ACCEPTANCE, BEFORE_DEBIT_DONE, DEAD, GONE_OUT

Kind = Literal[
    "difference", "rule", "operation", "case", "answer", "said", "timer", "marketplace", "shop", "work"
]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One link of the chain. `at` is when it became true, `until` how long it stays so by itself. `case` is the number of the
    case it is, with its `title`, for pages that show the case itself as well."""

    kind: Kind
    sentence: str
    at: datetime | None = None
    until: datetime | None = None
    case: int | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict in a sentence, what it rests on, and what would change it; `answers` are those of `would_change` that are
    answers to a case. `differences` names for each difference the
    rule that answered it, the facts the rule looked at, and which other facts would lead to another answer."""

    verdict: str
    waits_for: str
    until: datetime | None
    chain: tuple[Evidence, ...]
    would_change: tuple[str, ...]
    differences: tuple[Explained, ...] = ()
    answers: tuple[str, ...] = ()

    @property
    def besides_answers(self) -> tuple[str, ...]:
        """What would change it besides an answer to a case."""
        return self.would_change[len(self.answers) :]


def explain(page: OrderPage, now: datetime) -> Explanation:
    """Why the order is as it is, and what it waits for."""
    chain = (
        *(Evidence("difference", sentence) for sentence in page.differs),
        *_marketplace(page),
        *_shop(page),
        *(Evidence("rule", sentence, page.planned_at) for sentence in page.because),
        *_operations(page, now),
        *_cases(page, now),
        *_timers(page, now),
        *_work(page, now),
    )
    verdict, waits_for, until = _verdict(page, chain, now)
    rules = () if page.seen is None else explained(page.seen, page.memory)
    answers = _answers(page)
    return Explanation(
        verdict,
        waits_for,
        until,
        chain,
        (*answers, *_would_change(page, chain, bool(answers))),
        rules,
        answers,
    )


def _marketplace(page: OrderPage) -> tuple[Evidence, ...]:
    if page.seen is None or page.seen.mirakl is None:
        return (Evidence("marketplace", "The marketplace order has not been read yet.", None),)
    mirakl = page.seen.mirakl
    found = [
        Evidence(
            "marketplace",
            f"The marketplace says {mirakl.state} ({wording.mirakl_state(mirakl.state)}).",
            mirakl.observed_at,
        )
    ]
    if page.differs and not mirakl.can_cancel and mirakl.state not in (*DEAD, *GONE_OUT):
        found.append(
            Evidence(
                "marketplace",
                "It does not allow a cancelation of this order now (can_cancel is off).",
                mirakl.observed_at,
            )
        )
    if mirakl.has_incident:
        found.append(Evidence("marketplace", "An incident is open at the marketplace.", mirakl.observed_at))
    if page.mirakl_wanted_since is not None and (
        page.mirakl_seen_at is None or page.mirakl_seen_at < page.mirakl_wanted_since
    ):
        found.append(
            Evidence(
                "marketplace",
                "A younger reading of the marketplace order has been asked for and has not come yet.",
                page.mirakl_wanted_since,
            )
        )
    return tuple(found)


def _shop(page: OrderPage) -> tuple[Evidence, ...]:
    if page.seen is None or page.seen.shopify is None:
        return (Evidence("shop", "There is no Shopify order yet, or it has not been seen."),)
    shopify = page.seen.shopify
    found = [Evidence("shop", f"The parcel: {page.hold.sentence}", shopify.observed_at)]
    if shopify.cancelled_at is not None:
        found.append(Evidence("shop", "The Shopify order is cancelled.", shopify.cancelled_at))
    if page.seen.shopify_gone:
        found.append(Evidence("shop", "It is not shown any more since, as an order that was deleted."))
    if page.seen.shopify_unreadable:
        found.append(Evidence("shop", "Shopify could not be read at the last look; nothing was concluded."))
    return tuple(found)


def _operations(page: OrderPage, now: datetime) -> tuple[Evidence, ...]:
    found = []
    for row in page.operations:
        if not row.is_open:
            continue
        found.append(
            Evidence(
                "operation", _operation_sentence(row, now), row.ended_at or row.planned_at, row.not_before
            )
        )
    return tuple(found)


def _operation_sentence(row: OperationRow, now: datetime) -> str:
    what = f"{row.kind} to {'the marketplace' if row.platform == 'mirakl' else 'Shopify'}"
    said = f" ({row.code}{': ' + row.words if row.words else ''})" if row.code else ""
    match row.state:
        case "PLANNED" if row.attempt == 0:
            return f"{what} is planned and has not been sent yet."
        case "PLANNED":
            when = f", not before {wording.clock(row.not_before, now)}" if row.not_before else ""
            return f"{what} was not possible at attempt {row.attempt} and is tried again{when}{said}."
        case "IN_FLIGHT":
            return f"{what} is under way (attempt {row.attempt})."
        case "UNKNOWN":
            return f"{what} ended unclear at attempt {row.attempt}{said}; it is read back before anything is sent again."
        case "REJECTED":
            return f"{what} was refused at attempt {row.attempt}{said}."
        case _:
            return f"{what} is {wording.OPERATION_STATES.get(row.state, row.state)}{said}."


def _cases(page: OrderPage, now: datetime) -> tuple[Evidence, ...]:
    found = []
    for one in page.cases:
        found.append(
            Evidence(
                "case",
                f"Case {one.id}, {one.title}: {one.sentence}",
                one.opened_at,
                one.due_at,
                one.id,
                one.title,
            )
        )
        if one.answered_by:
            found.append(
                Evidence(
                    "answer", f"{one.answered_by} has answered case {one.id}; the next look takes it up."
                )
            )
        elif (said := page.said_to(one.id)) is not None:
            found.append(Evidence("said", page.told(said, now), said.at))
    return tuple(found)


def _timers(page: OrderPage, now: datetime) -> tuple[Evidence, ...]:
    if page.seen is None:
        return ()
    rules, memory, found = page.seen.rules, page.memory, []
    if page.differs and memory.content_since is not None and not memory.made_at_our_desk:
        quiet_until = memory.content_since + rules.quiet_period
        if quiet_until > now:
            found.append(
                Evidence(
                    "timer",
                    f"The last edit is younger than the quiet period of {wording.span(rules.quiet_period)}: "
                    "somebody may still be editing.",
                    memory.content_since,
                    quiet_until,
                )
            )
    if memory.shopify_cancelled_seen_at is not None:
        wait_until = memory.shopify_cancelled_seen_at + rules.lineage_wait
        if wait_until > now:
            found.append(
                Evidence(
                    "timer",
                    f"A cancelation waits {wording.span(rules.lineage_wait)} for an order that replaces this one.",
                    memory.shopify_cancelled_seen_at,
                    wait_until,
                )
            )
    if rules.edit_window is not None and memory.linked_at is not None:
        ends = memory.linked_at + rules.edit_window
        if ends > now and memory.released_at is None:
            found.append(
                Evidence(
                    "timer",
                    f"Every order stays held {wording.span(rules.edit_window)} after its import.",
                    memory.linked_at,
                    ends,
                )
            )
    if page.due_at is not None:
        found.append(
            Evidence("timer", "The marketplace waits for the acceptance of this order.", None, page.due_at)
        )
    return tuple(found)


def _work(page: OrderPage, now: datetime) -> tuple[Evidence, ...]:
    found = []
    if not page.live:
        found.append(
            Evidence(
                "work", f"The connection {page.connection} is not live: nothing is sent to either platform."
            )
        )
    if page.leased:
        found.append(Evidence("work", "A worker is looking at the order right now."))
    elif page.waiting:
        found.append(Evidence("work", "A hint waits for a worker.", page.hinted_at))
    elif page.next_look_at is not None:
        what = "The next look is due." if page.next_look_at <= now else "The next look is planned."
        found.append(Evidence("work", what, None, page.next_look_at))
    return tuple(found)


def _verdict(page: OrderPage, chain: tuple[Evidence, ...], now: datetime) -> tuple[str, str, datetime | None]:
    """The first of these that holds: the order is the order in which they stop an edit."""
    if page.seen is None:
        return "The order has not been looked at yet.", "a worker", page.next_look_at
    if not page.live:
        return (
            f"Nothing reaches the marketplace because the connection {page.connection} is not live.",
            "the connection to go live",
            None,
        )
    unheard = [e for e in chain if e.kind == "answer"]
    if unheard:
        return f"A person has answered: {unheard[0].sentence}", "the next look", page.next_look_at
    if not page.differs:
        return _verdict_in_agreement(page, now)
    unclear = [row for row in page.operations if row.is_open and row.state == "UNKNOWN"]
    if unclear:
        return (
            "The call to the marketplace ended unclear, so it is read back before anything is sent again.",
            "a reading of the marketplace younger than the call",
            page.next_look_at,
        )
    flying = [row for row in page.operations if row.is_open and row.state in ("IN_FLIGHT", "PLANNED")]
    flying = [row for row in flying if row.kind in ("CancelQuantities", "CancelMiraklOrder")]
    if flying:
        when = flying[0].not_before or page.next_look_at
        return f"It is on its way: {_operation_sentence(flying[0], now)}", "the marketplace's answer", when
    quiet = [e for e in chain if e.kind == "timer" and "quiet period" in e.sentence]
    deciding = [one for one in _more_than_notes(page) if one.options or one.kind != "incident"]
    if deciding:
        one = _to_answer_first(page, deciding)
        if (said := page.said_to(one.id)) is not None:
            return page.told(said, now), said.waits_for, one.due_at
        return (
            f"The edit has not reached the marketplace because it needs a person: {one.title}.",
            f"an answer to case {one.id} ({one.owner})",
            one.due_at,
        )
    if quiet:
        return (
            "The edit has not been sent yet because the quiet period after the last edit is still running.",
            "the end of the quiet period",
            quiet[0].until,
        )
    state = page.mirakl_state
    if state in (*BEFORE_ACCEPTANCE, *BEFORE_DEBIT_DONE):
        return (
            f"The edit cannot be written to the marketplace while the order is {wording.mirakl_state(state)}.",
            "the marketplace's next state",
            page.next_look_at,
        )
    if page.because:
        return (
            f"The edit has not reached the marketplace: {page.because[0]}",
            "what this names",
            page.next_look_at,
        )
    return "The two sides differ and the next look decides about it.", "the next look", page.next_look_at


def _more_than_notes(page: OrderPage) -> list[CaseRow]:
    """The open cases that wait for a person, or for what a person said: a note tells of what goes on by itself."""
    return [one for one in page.cases if one.severity != "note"]


def _to_answer_first(page: OrderPage, found: Sequence[CaseRow]) -> CaseRow:
    """The first case that still needs an answer, else the first."""
    return next((one for one in found if page.said_to(one.id) is None), found[0])


def _verdict_in_agreement(page: OrderPage, now: datetime) -> tuple[str, str, datetime | None]:
    if cases := _more_than_notes(page):
        one = _to_answer_first(page, cases)
        if (said := page.said_to(one.id)) is not None:
            return page.told(said, now), said.waits_for, one.due_at
        return (
            f"No edit is on its way. The order waits for a person: {one.title}.",
            f"an answer to case {one.id} ({one.owner})",
            one.due_at,
        )
    if page.mirakl_state in GONE_OUT:
        return "Nothing is missing: the parcel is on its way and the marketplace knows.", "", None
    if page.mirakl_state in DEAD:
        return "Nothing is missing: the order has ended on both sides.", "", None
    if page.seen is not None and (page.seen.shopify is None or page.seen.mirakl is None):
        return f"There is no edit yet. {page.standing.sentence}", "the import", page.next_look_at
    return (
        f"Every edit has reached the marketplace: both sides show the same. {page.standing.sentence}",
        "",
        None,
    )


def _answers(page: OrderPage) -> tuple[str, ...]:
    found = []
    for one in page.cases:
        said = page.said_to(one.id)
        case = f"Answer case {one.id}{'' if said is None else ' otherwise,'}"
        for option in one.options:
            if said is not None and option == said.option:
                continue
            label = wording.option_label(option)
            found.append(f"{case} “{label}” ({option}): {wording.option_consequence(option)}")
    return tuple(found)


def _would_change(page: OrderPage, chain: tuple[Evidence, ...], has_answers: bool) -> tuple[str, ...]:
    found: list[str] = []
    if page.differs:
        found.append("Undo the edit in Shopify: the difference is gone at the next look.")
    if any(e.kind == "timer" and "quiet period" in e.sentence for e in chain):
        found.append("Wait: the edit is sent by itself when the quiet period is over.")
    if any(e.kind == "marketplace" and "can_cancel" in e.sentence for e in chain):
        found.append(
            "The marketplace may allow it later: the order is looked at again with every change there."
        )
    if not page.live:
        found.append(f"Put the connection live: interlock connect --name {page.connection} --live")
    if found or has_answers or page.differs:
        found.append(
            "Have it looked at again now: “Look again” on the order's page, or "
            f"interlock order replay {page.mirakl_order_id}"
            f"{f' --connection {page.connection}' if page.number_is_shared else ''}"
        )
    return tuple(found)
