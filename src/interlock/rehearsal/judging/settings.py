"""What a connection's settings say of an order is what the order shows; and what a person says of a setting that the marketplace
had refuted counts from then on."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from interlock.engine.store import one_connection
from interlock.marketplaces.profile import Entry, profile_of
from interlock.marketplaces.settings import NAMES, says_yes
from interlock.marketplaces.store import observations_of
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import DEAD, GONE_OUT
from interlock.rehearsal.judging.evidence import (
    Evidence,
    Marketplace,
    Reference,
    SettingSaid,
    first_after,
    went_well,
)
from interlock.rehearsal.judging.truth import Truth
from interlock.rehearsal.judging.verdict import Verdict

MADE = ("CreateDraft", "CreateOrder")
CALLED = {
    "acceptance_window": "acceptance window",
    "partial_acceptance": "partial acceptance",
    "partial_cancelation": "partial cancelation",
    "refunds": "refunds by the shop",
    "messages": "messages",
}
"""What the profile of a connection calls the settings that a marketplace may refute."""
TRIED_BY = {
    "partial_acceptance": "OR21",
    "partial_cancelation": "OR30",
    "refunds": "OR28",
    "messages": "OR43",
}
NO_RIGHT = {
    "partial_cancelation": ("FEATURE_DISABLED", "FORBIDDEN", "HTTP_403", "HTTP_404"),
    "refunds": ("REFUND_NOT_PERMITTED", "FORBIDDEN", "HTTP_403"),
    "messages": ("FORBIDDEN", "HTTP_403"),
}
"""By setting, the codes of refusals that speak of the right to do it at all."""
AT_ONCE = timedelta(seconds=1)
ON_ITS_WAY = timedelta(seconds=60)
"""So long before a person's word the answer may have come that speaks against it afterwards."""
DECIDED_AGAIN_WITHIN = timedelta(seconds=60)
A_LOOK_TAKES = timedelta(seconds=60)
"""So long before its plan a look may have read the settings."""
CLOCKS_DIFFER = timedelta(minutes=6)
"""So far the clock of the process that kept an answer of the marketplace may have been wrong."""


def a_shipping_method_has_its_title(
    evidence: Evidence, c: Connection, truth: Truth, verdict: Verdict
) -> None:
    """The shipping line of an order that was planned by a look that began after the last change of the settings is called
    what they call its shipping method, where they give it a title."""
    row = truth.row
    connection = one_connection(c, truth.marketplace.connection_id)
    title = connection.rules.title_of_method(truth.order.shipping_type_code)
    if row is None or not title or connection.rules_changed_at is None:
        return
    changed_at = connection.rules_changed_at - evidence.ahead
    asked = [one.planned_at for one in evidence.operations_of.get(row.id, []) if one.kind in MADE]
    if not asked or min(asked) <= changed_at + A_LOOK_TAKES:
        return
    for gid in truth.made_by_us:
        order = evidence.shopify_orders.get(gid)
        for line in order.shipping_lines[:1] if order is not None else ():
            verdict.checked["shipping title"] += 1
            if line.title != title:
                verdict.violation(
                    "settings",
                    truth.id,
                    min(asked),
                    "The shipping line is not called what the settings call its shipping method.",
                    f"{line.title}, not {title}",
                )


# -- settings that a marketplace refuted -------------------------------------------------------------------


def a_word_ends_what_was_refuted(evidence: Evidence, verdict: Verdict) -> None:
    """A person's word on a refuted setting closes its case there and then. It opens again only on another answer of the
    marketplace: a refusal that was on its way or came later, or an order that it refused by itself."""
    for said in evidence.settings_said:
        verdict.checked["setting said"] += 1
        opened = _times_open(evidence, said.connection_id, said.setting)
        closed = [
            one for one in opened if one.closed_at is not None and abs(one.closed_at - said.at) <= AT_ONCE
        ]
        if not closed:
            verdict.violation(
                "settings",
                "",
                said.at,
                f"A person had their say on the refuted setting {said.setting}, and its case stayed open.",
            )
            continue
        again = opened[opened.index(closed[-1]) + 1 :][:1]
        for one in again:
            verdict.checked["setting refuted again"] += 1
            if not _refused_since(evidence, said, one.opened_at + CLOCKS_DIFFER):
                verdict.violation(
                    "settings",
                    "",
                    one.opened_at,
                    f"The setting {said.setting} was called refuted again, and the marketplace had not answered anew.",
                    f"said at {said.at:%H:%M:%S}",
                )


def _times_open(evidence: Evidence, connection_id: int, setting: str) -> list[Row[Any]]:
    """Each time that the case of this setting was open, in the order in which that began."""
    return [
        case
        for case in evidence.cases
        if case.order_id is None
        and (case.connection_id, case.reason, case.subject)
        == (connection_id, Reason.SETTING_REFUTED.value, setting)
    ]


def _refused_since(evidence: Evidence, said: SettingSaid, until: datetime) -> bool:
    marketplace = next(one for one in evidence.marketplaces if one.connection_id == said.connection_id)
    if said.setting == "acceptance_window":
        return any(effect.kind == "auto_refused" for effect in marketplace.record.effects)
    since = said.at - ON_ITS_WAY - evidence.unavailable(said.at - ON_ITS_WAY, said.at)
    return any(
        call.operation == TRIED_BY[said.setting] and call.status >= 400 and since <= call.ended_at <= until
        for call in marketplace.record.calls
        if call.caller == marketplace.caller
    )


def what_waits_is_decided_again(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """Every order that waits with an open case of its own when a person says something of a refuted setting is looked at again
    within a minute: its Shopify order is read."""
    for said in evidence.settings_said:
        moment = truth.at(said.at)
        if truth.row is None or truth.marketplace.connection_id != said.connection_id or not moment.live:
            continue
        if moment.state in DEAD or moment.state in GONE_OUT or moment.gid in evidence.deleted:
            continue
        waits = any(
            case.opened_at < said.at - CLOCKS_DIFFER
            and (case.closed_at is None or case.closed_at > said.at + CLOCKS_DIFFER)
            for case in evidence.cases_of(truth.row)
        )
        due = evidence.due_after(said.at, DECIDED_AGAIN_WITHIN)
        if not waits or due > evidence.now:
            continue
        verdict.checked["setting decided again"] += 1
        read = first_after(evidence.shopify_reads.get(moment.gid, []), said.at)
        if read is None or read > due:
            verdict.violation(
                "settings",
                truth.id,
                said.at,
                f"The setting {said.setting} was said anew and an order that waited was not looked at again.",
                "never read" if read is None else f"read {read:%H:%M:%S}",
                f"due {due:%H:%M:%S}",
            )


def the_profile_shows_the_word(evidence: Evidence, c: Connection, verdict: Verdict) -> None:
    """After a person's word the profile of the connection shows the setting as theirs and no older than their word, or what
    an answer has proved since."""
    last = {(said.connection_id, said.setting): said for said in evidence.settings_said}
    for said in last.values():
        entry = _entry(c, said)
        verdict.checked["setting shown"] += 1
        if entry.at is None:
            verdict.violation("settings", "", said.at, f"The profile says no age of {entry.name}.")
            continue
        at = entry.at - evidence.ahead
        wrong = entry.source == "setting" and at < said.at - AT_ONCE
        if entry.source == "observed" and entry.value == "no":
            wrong = at < said.at - CLOCKS_DIFFER or not _refused_since(evidence, said, evidence.now)
        if wrong:
            verdict.violation(
                "settings",
                "",
                said.at,
                "The profile shows what was so before a person had their say.",
                f"{entry.name}: {entry.value}, {entry.source} at {at:%H:%M:%S}, said at {said.at:%H:%M:%S}",
            )


def _entry(c: Connection, said: SettingSaid) -> Entry:
    row = one_connection(c, said.connection_id)
    entries = profile_of(
        row.rules,
        row.rules_changed_at or row.created_at,
        timedelta(seconds=row.poll_seconds),
        None,
        None,
        observations_of(c, row.id),
    )
    return next(entry for entry in entries if entry.name == CALLED[said.setting])


def i17_what_is_refuted_has_its_case(evidence: Evidence, verdict: Verdict) -> None:
    """I17, at rest: a setting that says yes, of which the marketplace's last word was that the shop has no right to it, has its
    case, unless a person had their say since."""
    for marketplace in evidence.marketplaces:
        for setting, codes in NO_RIGHT.items():
            name = next(one for one in NAMES if one == setting)
            if not says_yes(marketplace.rules, name):
                continue
            refused = max(_refusals(evidence, marketplace, setting, codes), default=None)
            if refused is None or _word_or_success_since(evidence, marketplace, setting, refused):
                continue
            verdict.checked["I17 refuted"] += 1
            opened = _times_open(evidence, marketplace.connection_id, setting)
            if not any(case.closed_at is None for case in opened):
                verdict.violation(
                    "I17",
                    "",
                    refused,
                    f"The marketplace refused what the setting {setting} says that it allows, and no case says so.",
                )


def _refusals(
    evidence: Evidence, marketplace: Marketplace, setting: str, codes: tuple[str, ...]
) -> Iterator[datetime]:
    """When the marketplace refused a call for want of the right, and the ledger has heard that very answer."""
    for call in marketplace.record.calls:
        reference = Reference.of(call.reference)
        if call.operation != TRIED_BY[setting] or call.status < 400 or call.fault or reference is None:
            continue
        row = evidence.operation_of.get(reference.operation)
        if (
            row is not None
            and (row.state, row.attempt) == ("REJECTED", reference.attempt)
            and row.code in codes
        ):
            yield call.at


def _word_or_success_since(evidence: Evidence, marketplace: Marketplace, setting: str, at: datetime) -> bool:
    said = any(
        (one.connection_id, one.setting) == (marketplace.connection_id, setting) and one.at > at - ON_ITS_WAY
        for one in evidence.settings_said
    )
    allowed = any(
        call.operation == TRIED_BY[setting] and call.at > at - ON_ITS_WAY and went_well(call)
        for call in marketplace.record.calls
    )
    return said or allowed
