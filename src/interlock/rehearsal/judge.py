"""The judge: reads a rehearsal that has ended, or stands still, and says which invariant held, was bounded, or broke.

It believes the platforms' own logs of what happened to them, our database, and the log of our calls; never what the
service says of itself.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from interlock.rehearsal.judging import (
    calls,
    closings,
    counters,
    creation,
    deadlines,
    destinations,
    edits,
    holds,
    labels,
    lineage,
    lists,
    parcels,
    pauses,
    prices,
    privacy,
    quantities,
    refunds,
    repayments,
    rest,
    rungs,
    settings,
    standing,
    stock,
    strangers,
    telephones,
)
from interlock.rehearsal.judging.evidence import (
    Evidence,
    FlowPaused,
    Interruption,
    LabelAsked,
    SettingSaid,
    gather,
)
from interlock.rehearsal.judging.rebuild import (
    i23_an_older_copy_makes_nothing_twice,
    i23_the_mapping_can_be_rebuilt,
)
from interlock.rehearsal.judging.truth import truths
from interlock.rehearsal.judging.verdict import Bounded, Finding, Verdict, Violation
from interlock.rehearsal.world import World

__all__ = [
    "Bounded",
    "Evidence",
    "Finding",
    "Interruption",
    "Verdict",
    "Violation",
    "i23_an_older_copy_makes_nothing_twice",
    "i23_the_mapping_can_be_rebuilt",
    "judge",
    "judge_evidence",
]


def judge(
    world: World,
    quiescent: bool,
    interruptions: Sequence[Interruption] = (),
    logs: Sequence[str] = (),
    asked: Sequence[LabelAsked] = (),
    paused: Sequence[FlowPaused] = (),
    settings_said: Sequence[SettingSaid] = (),
    told: Sequence[datetime] = (),
) -> Verdict:
    """Judge a world. `quiescent` says that faults ended long enough ago for everything to have come to rest.

    `interruptions` are crashes, freezes, database and platform outages with their times: without them the judge takes
    every delay for the service's own. `logs` are captured log lines, `asked` what label printers asked, `paused` the flows that people paused,
    `settings_said` what they said of settings that were refuted, `told` when the alert scheduler
    kept what was due.
    """
    poll = timedelta(seconds=world.plan.poll_seconds)
    with world.database.begin() as c:
        ahead = timedelta(seconds=world.plan.database_ahead)
        evidence = gather(
            world.mirakl,
            world.connection_ids,
            world.shopify,
            c,
            poll,
            interruptions,
            logs,
            ahead,
            asked,
            {bundle.sku: dict(bundle.articles) for bundle in world.plan.bundles},
            paused,
            world.asked_urls,
            world.forged,
            world.plan.rules,
            settings_said,
            told,
        )
        return judge_evidence(evidence, c, quiescent)


def judge_evidence(evidence: Evidence, c: Connection, quiescent: bool) -> Verdict:
    """Judge evidence that was gathered already; `c` is a connection to the database it came from."""
    verdict = Verdict()
    found = truths(evidence)
    for truth in found:
        creation.i1_one_shopify_order(evidence, truth, verdict)
        lineage.i1_both_held_while_in_doubt(evidence, truth, verdict)
        lineage.i1_what_was_replaced_never_ships(evidence, truth, verdict)
        lineage.i1_a_sale_that_lives_on_is_not_ended(evidence, truth, verdict)
        creation.i2_accepted_only_when_it_exists(evidence, truth, verdict)
        creation.i3_acceptance_answers_are_whole(evidence, truth, verdict)
        quantities.i4_only_what_left_is_shipped(evidence, truth, verdict)
        parcels.i4_no_parcel_is_told_too_much(evidence, truth, verdict)
        quantities.i5_never_below_what_shopify_shows(evidence, truth, verdict)
        quantities.i6_cancelled_to_the_cent(evidence, truth, verdict)
        prices.i6_the_order_is_worth_what_was_paid(evidence, truth, verdict)
        prices.i24_no_price_is_called_wrong_that_is_right(evidence, truth, verdict)
        refunds.i6_refunds_are_approved(evidence, truth, verdict)
        refunds.i6_what_was_refunded_stays_here(evidence, truth, verdict)
        refunds.i7_one_task_for_each_refund(evidence, truth, verdict)
        edits.our_own_edits_keep_what_is_agreed(evidence, truth, verdict)
        edits.a_swap_is_never_sent_by_halves(evidence, truth, verdict)
        edits.what_was_undone_is_not_sent(evidence, truth, verdict)
        holds.i8_held_in_time(evidence, truth, verdict)
        holds.i8_released_on_evidence(evidence, truth, verdict)
        destinations.i8_released_to_the_address_of_the_order(evidence, truth, verdict)
        destinations.i8_no_label_while_the_address_moved(evidence, truth, verdict)
        telephones.i8_nothing_leaves_under_another_number(evidence, truth, verdict)
        holds.i8_labels_only_on_agreement(evidence, truth, verdict)
        labels.a_yes_is_right(evidence, truth, verdict)
        labels.an_override_counts_once(evidence, truth, verdict)
        creation.i19_cancelled_only_when_ended(evidence, truth, verdict)
        creation.i11_every_shown_order_is_known(evidence, truth.marketplace, truth, verdict)
        settings.a_shipping_method_has_its_title(evidence, c, truth, verdict)
        settings.what_waits_is_decided_again(evidence, truth, verdict)
        strangers.i17_unknown_values_are_asked_about(evidence, truth, verdict)
        deadlines.i15_deadline_met_or_told(evidence, truth, verdict)
        rungs.i15_rungs_are_told(evidence, c, truth, verdict)
        standing.differences_had_cases(evidence, truth, verdict)
        closings.i21_cases_close_on_evidence(evidence, truth, verdict)
        if quiescent:
            rest.i17_differences_have_cases(evidence, truth, verdict)
            rest.i17_parcels_astray_have_their_case(evidence, truth, verdict)
            parcels.i15_every_parcel_is_told_of(evidence, truth, verdict)
            parcels.i15_a_shipped_order_has_its_number(evidence, truth, verdict)
            telephones.i17_another_number_is_asked_about(evidence, truth, verdict)
            rest.i18_nothing_left_undone(evidence, truth, verdict)
            refunds.i7_no_unit_is_asked_for_twice(evidence, truth, verdict)
            repayments.i7_a_task_is_settled_by_its_money(evidence, truth, verdict)
            repayments.i7_a_refund_made_twice_is_told(evidence, truth, verdict)
            repayments.i7_what_was_recorded_is_not_asked_for_again(evidence, truth, verdict)
            creation.i19_mapping_agrees_three_ways(evidence, truth, verdict)
            lineage.i1_no_second_live_order_unnoticed(evidence, truth, verdict)
            stock.i25_claims_are_what_is_left_to_ship(evidence, truth, verdict)
            rest.i24_no_case_outlives_its_reason(evidence, truth, verdict)
    calls.i9_every_write_was_planned(evidence, verdict)
    calls.i10_one_writer_at_a_time(evidence, verdict)
    pauses.what_is_paused_waits(evidence, verdict)
    settings.a_word_ends_what_was_refuted(evidence, verdict)
    settings.the_profile_shows_the_word(evidence, c, verdict)
    privacy.i12_no_personal_data(evidence, c, verdict)
    calls.i20_nothing_goes_in_circles(evidence, verdict)
    if quiescent:
        settings.i17_what_is_refuted_has_its_case(evidence, verdict)
        stock.i25_stock_is_conserved(evidence, verdict)
        lists.i17_what_a_list_lost_has_its_case(evidence, c, verdict)
        stock.i27_every_offer_shows_its_target(evidence, verdict)
    stock.i26_no_figure_exceeds_what_was_there(evidence, verdict)
    calls.i14_within_the_ceilings(evidence, verdict)
    calls.i16_every_delivery_was_sent(evidence, verdict)
    calls.i21_every_attempt_is_sent_once(evidence, verdict)
    verdict.counters = counters.count(evidence, found)
    verdict.broken.sort(key=lambda finding: finding.at)
    return verdict
