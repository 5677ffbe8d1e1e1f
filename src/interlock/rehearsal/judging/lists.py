"""I17 and I24 for a marketplace's lists: what names lead to and a list has lost has its case once the lists were read again, and
what a list has is not called gone."""

from datetime import datetime

from sqlalchemy import Connection, select

from interlock.cases.store import cases
from interlock.engine.store import one_connection
from interlock.orders.reasons import Reason
from interlock.rehearsal.judging.evidence import Evidence, Marketplace, first_after, went_well
from interlock.rehearsal.judging.verdict import Verdict
from interlock.shipping.store import carrier_mappings
from interlock.shipping.vanished import METHOD

READS = ("SH12", "SH21")


def i17_what_a_list_lost_has_its_case(evidence: Evidence, c: Connection, verdict: Verdict) -> None:
    """At rest, of every marketplace whose lists were read and kept since they last changed: a case for each carrier (SH21) to
    which a name led by then, and each shipping method (SH12) for which alone one did, that the list does not have; and none
    for one it has. What was mapped after that read is not judged."""
    for marketplace in evidence.marketplaces:
        profile, changed = marketplace.world.profile, marketplace.world.profile_changed_at
        kept_at = one_connection(c, marketplace.connection_id).capability_read_at
        if changed is None or kept_at is None:
            continue
        read_at = kept_at - evidence.ahead
        calls = [call for call in marketplace.record.calls if went_well(call)]
        read = [first_after([call.at for call in calls if call.operation == name], changed) for name in READS]
        if any(at is None or at > read_at for at in read):
            continue
        there = {carrier.code for carrier in profile.carriers}
        methods = {method.code for method in profile.shipping_types}
        found = _missed(c, marketplace, kept_at, there, methods)
        said = set(
            c.execute(
                select(cases.c.subject).where(
                    cases.c.connection_id == marketplace.connection_id,
                    cases.c.reason == Reason.CARRIER_GONE.value,
                    cases.c.closed_at.is_(None),
                )
            ).scalars()
        )
        verdict.checked["I17 lists"] += 1
        verdict.checked["I17 missed in a list"] += len(found)
        for subject in sorted(found - said):
            verdict.violation(
                "I17", "", evidence.now, f"{marketplace.name} does not have {subject}, and nobody is told."
            )
        for subject in sorted(said & {*there, *(METHOD + code for code in methods)}):
            verdict.violation(
                "I24", "", evidence.now, f"{marketplace.name} has {subject}, and a case says that it has not."
            )


def _missed(
    c: Connection, marketplace: Marketplace, kept_at: datetime, there: set[str], methods: set[str]
) -> set[str]:
    """The codes that names led to when the lists were kept and that the lists do not have, as subjects of cases. Whether a name
    was mapped for a shipping method alone is not known where what it leads to everywhere was changed since."""
    rows = c.execute(
        select(carrier_mappings).where(carrier_mappings.c.connection_id == marketplace.connection_id)
    ).all()
    before = [row for row in rows if row.changed_at < kept_at]
    plain = [row for row in rows if not row.service and not row.country]
    everywhere = {(row.shop_name.casefold(), row.code) for row in plain}
    changed = {row.shop_name.casefold() for row in plain if row.changed_at >= kept_at}
    lost = {row.code for row in before if row.code and row.code not in there}
    lost |= {
        METHOD + row.service
        for row in before
        if row.service
        and row.service not in methods
        and (row.shop_name.casefold(), row.code) not in everywhere
        and row.shop_name.casefold() not in changed
    }
    return lost
