"""I6 where a connection lets Interlock refund: allowed refunds pass, and every planted breach of the rules is found."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from interlock.cases.store import answer, cases
from interlock.engine.hints import hint
from interlock.orders.codec import decode
from interlock.orders.connection import ConnectionRules
from interlock.orders.memory import Memory, RefundTask
from interlock.orders.reasons import Option, Reason
from interlock.rehearsal.judging.refunds import neither_nor
from interlock.rehearsal.recording import RECORDS
from interlock.rehearsal.world import World, WorldPlan
from interlock.simulator.mirakl import CATALOGUE, PROFILES
from interlock.simulator.mirakl.orders import Amounts
from interlock.simulator.shopify.state import Refund
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, new_key
from tests.databases import ThrowawayServer
from tests.simulation.bench import NAME, Bench, a_case
from tests.simulation.living import lived

PROFILE = PROFILES["all-or-nothing"].changed(
    {"name": NAME, "debit_request_delay": 10.0, "debit_delay": 60.0, "refund_contact_delay": 60.0}
)
RULES = ConnectionRules(
    NAME, f"interlock:{NAME}", reduction_after_debit="approve", refund_limit=Decimal("1.00")
)


async def _a_refunded_hour(database: Database) -> World:
    """One paid order of three units, edited to two, the refund approved by two people, labelled and shipped."""
    world = World(WorldPlan(seed=7, marketplaces=(PROFILE,), rules=RULES, processes=1), database, _keyring())
    for item in CATALOGUE:
        world.shopify.add_variant(item.sku, item.price, 100, title=item.title)
    await world.start()
    world.mirakl[NAME].create_generated(lines=1, quantities=[3])
    await asyncio.sleep(900)
    order = next(iter(world.shopify.shop.orders.values()))
    world.shopify.set_quantity(order, 0, 2)
    for who in ("Ada Agent", "Ben Finance"):
        await asyncio.sleep(300)
        with database.begin() as c:
            (case,) = c.execute(
                cases.select().where(
                    cases.c.reason == Reason.REFUND_APPROVAL.value, cases.c.closed_at.is_(None)
                )
            )
            now = world.service_clock.now()
            number = answer(c, case.id, Option.APPROVE_REFUND.value, who, "Figures compared.", now)
            hint(c, world.wakeups, number, "edits", now)
    await asyncio.sleep(300)
    assert world.shopify.pick(order, company="UPS", number="PARCEL1") is not None
    await asyncio.sleep(2700)
    await world.stop()
    return world


def _keyring() -> Keyring:
    return Keyring([new_key()])


@pytest.fixture(scope="module")
def finished(server: ThrowawayServer) -> Iterator[World]:
    with lived(server, 7, _a_refunded_hour) as told:
        yield told


def test_an_approved_refund_that_was_made_once_is_allowed(bench: Bench) -> None:
    verdict = bench.judge()

    assert [str(finding) for finding in verdict.broken] == []
    assert verdict.checked["I6 refund"] == 1
    assert len(bench.effects("refund", ours=True)) == 1
    assert bench.order.state == "SHIPPED"


@pytest.mark.parametrize("clock_ahead", [True, False])
def test_i8_a_release_on_a_withdrawal_that_a_machine_with_a_fast_clock_kept(
    bench: Bench, clock_ahead: bool
) -> None:
    """What was done on the ground of a withdrawal came after it, whatever its time says; with no such ground it is early."""
    ahead = (bench.effects("hold_released", ours=True)[-1].at + timedelta(seconds=90)).isoformat()
    bench.sql(
        "UPDATE orders SET memory = jsonb_set(memory, '{withdrawn,0,at}', to_jsonb(CAST(:at AS text)))",
        at=ahead,
    )
    if clock_ahead:
        bench.sql(
            "UPDATE plans SET plan = jsonb_set(plan, '{memory,withdrawn,0,at}', to_jsonb(CAST(:at AS text))) "
            "WHERE plan #> '{memory,withdrawn,0}' IS NOT NULL",
            at=ahead,
        )

    early = [f for f in bench.judge().broken if f.sentence.endswith("while the sides disagreed.")]
    assert len(early) == (0 if clock_ahead else 1)


@pytest.mark.parametrize("left", [0, 1])
def test_i6_a_refund_not_everybody_approved(bench: Bench, left: int) -> None:
    bench.sql(
        "DELETE FROM answers WHERE id IN (SELECT id FROM answers WHERE option = 'approve_refund' "
        f"ORDER BY id OFFSET {left})"
    )

    assert "I6" in bench.broken()


@pytest.mark.parametrize(("hours", "broken"), [(1, True), (0, False)])
def test_i6_what_was_refunded_of_the_order_before_counts_towards_the_limit(
    bench: Bench, hours: int, broken: bool
) -> None:
    """One approval was enough for this refund alone: it is below the limit, and with an earlier one above it."""
    bench.sql("UPDATE plans SET view = jsonb_set(view, '{rules,refund_limit}', '\"500\"')")
    bench.sql("DELETE FROM answers WHERE option = 'approve_refund' AND who = 'Ben Finance'")
    made = bench.effects("refund", ours=True)[0]
    detail = {"id": "earlier", "amount_with_tax": Decimal(500)}
    bench.happen(made, at=made.at - timedelta(hours=hours), reference="other.1.1", detail=detail)

    told = [f.sentence for f in bench.judge().broken if f.invariant == "I6"]
    assert any("approvals; 2 were needed" in sentence for sentence in told) is broken


def test_i6_the_same_person_twice_is_one_person(bench: Bench) -> None:
    bench.sql("UPDATE answers SET who = 'ADA agent' WHERE option = 'approve_refund'")

    assert "I6" in bench.broken()


def test_i6_a_refund_made_twice(bench: Bench) -> None:
    refund = bench.effects("refund", ours=True)[0]
    operation, _, epoch = str(refund.reference).split(".")
    bench.happen(refund, reference=f"{operation}.2.{epoch}", detail={"id": "another"})

    assert "I6" in bench.broken()


def test_i6_a_refund_of_another_amount(bench: Bench) -> None:
    refund = bench.effects("refund", ours=True)[0]
    bench.unhappen(refund)
    bench.happen(refund, detail={"amount_with_tax": refund.detail["amount_with_tax"] - Decimal("0.01")})

    assert "I6" in bench.broken()


def test_i6_a_refund_for_a_refund_made_in_shopify(bench: Bench) -> None:
    """Money refunded in Shopify stays a task, whatever the policy."""
    bench.sql(
        "UPDATE operations SET action = jsonb_set(action, '{subject}', '\"gid://shopify/Refund/1\"') "
        "WHERE kind = 'RefundLines'"
    )

    assert "I6" in bench.broken()


def test_i6_a_refund_where_the_policy_is_a_task(bench: Bench) -> None:
    bench.sql("UPDATE plans SET view = view #- '{rules,reduction_after_debit}'")

    assert "I6" in bench.broken()


@pytest.mark.parametrize(
    ("ordered", "cancelled", "refunded", "may_leave"),
    [
        pytest.param(3, 0, 2, 1, id="refunded"),
        pytest.param(3, 1, 1, 1, id="one and the other"),
        pytest.param(3, 1, 2, 0, id="everything"),
        pytest.param(3, 2, 2, 1, id="the operator cancelled what a refund was asked for"),
        pytest.param(3, 1, 3, 0, id="all of it was refunded"),
    ],
)
def test_i6_no_unit_counts_as_cancelled_and_refunded(
    ordered: int, cancelled: int, refunded: int, may_leave: int
) -> None:
    assert neither_nor(ordered, cancelled, refunded) == may_leave


def test_i6_units_that_were_refunded_and_left_all_the_same(bench: Bench) -> None:
    """The label has all three units, one of which our refund had taken out of the parcel."""
    edited = [e for e in bench.effects("edited") if e.at < bench.effects("refund", ours=True)[0].at]
    bench.unhappen(*bench.effects("refund_created"), *edited)
    label = bench.effects("fulfillment_created")[0]
    bench.unhappen(label)
    lines = [{**line, "quantity": line["quantity"] + 1} for line in label.detail["lines"]]
    bench.happen(label, detail={"lines": lines})
    told = [f.sentence for f in bench.judge().broken if f.invariant == "I6"]
    assert any("neither cancelled" in sentence for sentence in told)


@pytest.mark.parametrize(("raised", "made", "broken"), [(270, 270, True), (20, 270, False), (270, 0, False)])
def test_i6_refunded_units_leave_before_anything_could_be_held(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, raised: int, made: int, broken: bool
) -> None:
    """Staff raised the line again so many seconds before its label, and its fulfillment order came into being."""
    edited = bench.effects("edited")[0]
    label = bench.effects("fulfillment_created")[0]
    holds = (*bench.effects("hold_placed"), *bench.effects("hold_released"))
    bench.unhappen(*bench.effects("refund_created"), label, *holds)
    whole = [{**line, "quantity": line["quantity"] + 1} for line in edited.detail["lines"]]
    bench.happen(edited, at=label.at - timedelta(seconds=raised), detail={"lines": whole})
    lines = [{**line, "quantity": line["quantity"] + 1} for line in label.detail["lines"]]
    bench.happen(label, detail={"lines": lines})
    (parcel,) = next(iter(bench.world.shopify.shop.orders.values())).fulfillment_orders
    monkeypatch.setattr(parcel, "created_at", label.at - timedelta(seconds=made))
    told = [f.sentence for f in bench.judge().broken if f.invariant == "I6"]
    assert any("neither cancelled" in sentence for sentence in told) is broken


@pytest.mark.parametrize(("before", "broken"), [(270, True), (10, False), (-60, False), (None, False)])
def test_i6_a_refund_nobody_heard_of_is_known_by_the_first_read_after_it_was_approved(
    bench: Bench, before: int | None, broken: bool
) -> None:
    """Its answer was lost and it waited for the operator, who approved it so many seconds before the label, or never."""
    made = bench.effects("refund", ours=True)[0]
    edited = [e for e in bench.effects("edited") if e.at < made.at]
    bench.unhappen(*bench.effects("refund"), *bench.effects("refund_created"), *edited)
    label = bench.effects("fulfillment_created")[0]
    bench.unhappen(label)
    lines = [{**line, "quantity": line["quantity"] + 1} for line in label.detail["lines"]]
    label = bench.happen(label, detail={"lines": lines})
    bench.happen(made, kind="refund_request")
    bench.sql("UPDATE operations SET state = 'REJECTED' WHERE kind = 'RefundLines'")
    if before is not None:
        at = label.at - timedelta(seconds=before)
        bench.happen(made, actor="operator", at=at, detail={"by": made.actor})
    told = [f.sentence for f in bench.judge().broken if f.invariant == "I6"]
    assert any("neither cancelled" in sentence for sentence in told) is broken


@pytest.mark.parametrize(
    ("code", "seconds", "broken"), [("observed", 30, False), ("observed", -30, True), ("", 30, True)]
)
def test_i6_a_word_that_the_units_ship_all_the_same_holds_from_when_it_was_said(
    bench: Bench, code: str, seconds: int, broken: bool
) -> None:
    made = bench.effects("refund", ours=True)[0]
    edited = [e for e in bench.effects("edited") if e.at < made.at]
    bench.unhappen(*bench.effects("refund_created"), *edited)
    label = bench.effects("fulfillment_created")[0]
    bench.unhappen(label)
    lines = [{**line, "quantity": line["quantity"] + 1} for line in label.detail["lines"]]
    bench.happen(label, detail={"lines": lines})
    bench.sql("UPDATE operations SET code = :code WHERE kind = 'RefundLines'", code=code)
    bench.sql(
        "INSERT INTO answers (order_id, reason, subject, option, who, why, at) SELECT order_id, 'outcome_unclear', "
        "action->>'subject', 'dismiss', 'Ada Agent', 'They ship.', :at FROM operations WHERE kind = 'RefundLines'",
        at=label.at - timedelta(seconds=seconds),
    )
    told = [f.sentence for f in bench.judge().broken if f.invariant == "I6"]
    assert any("neither cancelled" in sentence for sentence in told) is broken


def test_i6_a_refund_that_nobody_could_see_keeps_nothing_out_of_the_parcel_yet(bench: Bench) -> None:
    """The first call made a request that waits for the operator, and its answer was lost; the second was answered."""
    (answered,) = bench.effects("refund", ours=True)
    operation, _, epoch = str(answered.reference).split(".")
    bench.sql("UPDATE operations SET attempt = 2 WHERE kind = 'RefundLines'")
    bench.unhappen(answered)
    bench.happen(answered, reference=f"{operation}.2.{epoch}")
    at = answered.at - timedelta(seconds=90)
    lost = {"id": "lost", "excluded_from_shipment": True}
    bench.happen(answered, kind="refund_request", at=at, reference=f"{operation}.1.{epoch}", detail=lost)
    assert not any("neither cancelled" in f.sentence for f in bench.judge().broken)
    bench.happen(answered, actor="system", reference=None, detail={**lost, "by": answered.actor})
    assert any("neither cancelled" in f.sentence for f in bench.judge().broken)


def test_i6_more_taken_from_a_line_than_it_had(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    line = bench.order.lines[0]
    monkeypatch.setattr(line, "refunds", [*line.refunds * 4])
    told = [f.sentence for f in bench.judge().broken if f.invariant == "I6"]
    assert any("than it had" in sentence for sentence in told)


@pytest.mark.parametrize("copies", [1, 9])
def test_i7_a_unit_that_two_tasks_ask_for(bench: Bench, copies: int) -> None:
    """A second task of the same edit while the first is open; and tasks without end."""
    bench.sql(
        "UPDATE orders SET memory = jsonb_set(memory, '{refund_tasks}', (memory->'refund_tasks') || ("
        "SELECT jsonb_agg(jsonb_set(memory->'refund_tasks'->0, '{subject}', to_jsonb('edit:' || n))) "
        "FROM generate_series(5, 4 + :copies) AS n))",
        copies=copies,
    )
    assert "I7" in bench.broken()


# -- refunds that people make in the portal ----------------------------------------------------------------------


def _made_in_the_portal(bench: Bench) -> RefundTask:
    """The same history, as if a person had made the refund: the task knows of no call of ours."""
    bench.sql("UPDATE orders SET memory = memory #- '{refund_tasks,0,made}' #- '{refund_tasks,0,made_at}'")
    (row,) = bench.connection.execute(text("SELECT memory FROM orders"))
    (task,) = decode(Memory, row.memory).refund_tasks
    assert task.settled_by
    return task


def _i7(bench: Bench) -> list[str]:
    return [finding.sentence for finding in bench.judge().broken if finding.invariant == "I7"]


def test_i7_a_task_that_was_settled_by_its_money_is_allowed(bench: Bench) -> None:
    _made_in_the_portal(bench)

    assert _i7(bench) == []
    assert bench.judge().checked["I7 money"] == 1


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize("figure", ["amount", "shipping_amount"])
def test_i7_a_task_settled_by_other_money_needs_a_persons_word(
    bench: Bench, figure: str, accepted: bool
) -> None:
    task = _made_in_the_portal(bench)
    bench.sql(
        "UPDATE orders SET memory = jsonb_set(memory, CAST(:path AS text[]), '\"7.77\"')",
        path=f"{{refund_tasks,0,lines,0,{figure}}}",
    )
    if accepted:
        bench.sql(
            "INSERT INTO answers (order_id, reason, subject, option, who, why, at) SELECT id, 'refund_mismatch', "
            ":subject, 'dismiss', 'Ada Agent', 'Right as it is.', :at FROM orders",
            subject=task.subject,
            at=task.opened_at,
        )

    assert any("was not given its money" in sentence for sentence in _i7(bench)) is not accepted


@pytest.mark.parametrize(
    ("minutes", "changes", "told", "broken"),
    [
        pytest.param(1, {}, "", True, id="nobody was told"),
        pytest.param(1, {}, "known:again", False, id="told"),
        pytest.param(1, {}, "known:other", True, id="another one was told"),
        pytest.param(-1, {}, "", False, id="from before"),
        pytest.param(1, {"amounts": Amounts(Decimal("0.01"))}, "", False, id="a goodwill"),
        pytest.param(1, {"state": "REQUESTED"}, "", False, id="nobody could see it"),
        pytest.param(1, {"by": "api:other"}, "", False, id="not made by a person"),
        pytest.param(40, {}, "", False, id="it may still be explained"),
    ],
)
def test_i7_a_refund_that_somebody_makes_twice_is_told(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    minutes: int,
    changes: dict[str, Any],
    told: str,
    broken: bool,
) -> None:
    _made_in_the_portal(bench)
    line = bench.order.lines[0]
    (first,) = line.refunds
    again = replace(
        first,
        **{"id": "again", "by": "staff", "created": first.created + timedelta(minutes=minutes), **changes},
    )
    monkeypatch.setattr(line, "refunds", [first, again])
    if told:
        a_case(bench, "refund_mismatch", again.created + timedelta(minutes=16), subject=told)

    assert any("nobody was told" in sentence for sentence in _i7(bench)) is broken


def test_i7_a_refund_like_one_that_shopify_only_recorded_repeats_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = _made_in_the_portal(bench)
    bench.sql(
        "UPDATE orders SET memory = jsonb_set(memory, '{refund_tasks,0,lines,0,seen_refunds}', to_jsonb(array[CAST(:id AS text)]))",
        id=task.settled_by[0],
    )
    line = bench.order.lines[0]
    (first,) = line.refunds
    again = replace(first, id="again", by="staff", created=first.created + timedelta(minutes=1))
    monkeypatch.setattr(line, "refunds", [first, again])

    assert not any("nobody was told" in sentence for sentence in _i7(bench))


@pytest.mark.parametrize(("moved", "broken"), [("7.77", True), (None, False)])
def test_i7_a_task_of_which_shopify_moved_another_amount_is_settled_by_it_or_by_a_word(
    bench: Bench, moved: str | None, broken: bool
) -> None:
    _made_in_the_portal(bench)
    (made,) = bench.order.lines[0].refunds
    amounts = made.amounts
    given = amounts.product_with_tax + amounts.shipping_with_tax + sum(amounts.fees.values(), Decimal(0))
    bench.sql(
        "UPDATE orders SET memory = jsonb_set(memory, '{refund_tasks,0,money}', to_jsonb(CAST(:money AS text)))",
        money=moved or str(given),
    )

    assert any("nobody said so" in sentence for sentence in _i7(bench)) is broken


@pytest.mark.parametrize(
    ("reason", "option", "broken"),
    [
        ("refund_made_already", "dismiss", False),
        ("refund_task", "done_in_portal", False),
        ("refund_made_already", "another_refund", True),
        ("label_before_agreement", "dismiss", True),
    ],
)
def test_i7_another_amount_stands_where_a_person_said_whose_money_it_is(
    bench: Bench, reason: str, option: str, broken: bool
) -> None:
    task = _made_in_the_portal(bench)
    bench.sql(
        "UPDATE orders SET memory = jsonb_set(memory, '{refund_tasks,0,money}', to_jsonb(CAST('7.77' AS text)))"
    )
    bench.sql(
        "INSERT INTO answers (order_id, reason, subject, option, who, why, at) SELECT id, :reason, :subject, :option, "
        "'Ada Agent', 'Checked on both sides.', :at FROM orders",
        reason=reason,
        option=option,
        subject=task.subject,
        at=bench.edit_at(),
    )

    assert any("nobody said so" in sentence for sentence in _i7(bench)) is broken


@pytest.mark.parametrize(
    ("task", "another", "broken"),
    [
        pytest.param({}, False, False, id="the task is that refund's"),
        pytest.param({"settled_by": ["other"]}, False, True, id="answered by another refund"),
        pytest.param({"settled_by": [], "settled_at": None}, False, True, id="asked for once more"),
        pytest.param(
            {"settled_by": [], "settled_at": None, "asks": ["edit:1"]}, False, False, id="a question"
        ),
        pytest.param({"settled_by": [], "dismissed_by": "Ada"}, False, False, id="covered by another task"),
        pytest.param({"settled_by": ["other"]}, True, False, id="a person said it is another one"),
    ],
)
def test_i7_a_refund_that_shopify_only_records_is_asked_for_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, task: dict[str, Any], another: bool, broken: bool
) -> None:
    there = _made_in_the_portal(bench).settled_by[0]
    order = next(one for one in bench.world.shopify.shop.orders.values() if one.gid == bench.shopify_gid)
    recorded = Refund(7, order, bench.edit_at(), f"{RECORDS}{there}", [], [])
    monkeypatch.setattr(order, "refunds", [*order.refunds, recorded])
    bench.sql(
        "UPDATE orders SET memory = jsonb_set(memory, '{refund_tasks,0}', (memory #> '{refund_tasks,0}') || "
        "CAST(:changes AS jsonb))",
        changes=json.dumps({"subject": recorded.gid, **task}),
    )
    if another:
        bench.sql(
            "INSERT INTO answers (order_id, reason, subject, option, who, why, at) SELECT id, 'refund_made_already', "
            ":subject, 'another_refund', 'Ada Agent', 'A second one.', :at FROM orders",
            subject=recorded.gid,
            at=bench.edit_at(),
        )

    verdict = bench.judge()
    told = [
        f
        for f in verdict.broken
        if f.sentence == "A refund that Shopify only records is asked for once more."
    ]
    assert bool(told) is broken
    assert verdict.checked["I7 recorded"] == (0 if another else 1)


@pytest.mark.parametrize(
    ("asked", "of", "opened", "broken"),
    [
        pytest.param(None, "planted", 1, False, id="asked for at once"),
        pytest.param(None, "planted", 11, True, id="nobody asked and the task was late"),
        pytest.param(0.5, "planted", 11, False, id="asked about and then answered"),
        pytest.param(0.5, "planted", 13, True, id="late after the answer"),
        pytest.param(5, "planted", 11, True, id="asked about too late"),
        pytest.param(0.5, "another", 11, True, id="another refund was asked about"),
    ],
)
def test_i7_the_task_of_a_refund_that_was_asked_about_follows_the_answer(
    bench: Bench, asked: float | None, of: str, opened: float, broken: bool
) -> None:
    refund, minute = bench.effects("refund_created")[0], timedelta(minutes=1)
    bench.happen(
        refund,
        at=refund.at + timedelta(seconds=1),
        detail={"refund": "planted", "money": "5.00", "lines": []},
    )
    evidence = bench.evidence()
    read = next(at for at in evidence.shopify_reads[refund.order_id] if at > refund.at + timedelta(seconds=1))
    there = evidence.certainly_read(NAME, bench.order.id, refund.at + timedelta(seconds=1))
    assert there is not None
    known = max(read, there)
    bench.sql(
        "UPDATE orders SET memory = jsonb_set(memory, '{refund_tasks}', (memory->'refund_tasks') || "
        "jsonb_build_array((memory #> '{refund_tasks,0}') || CAST(:changes AS jsonb)))",
        changes=json.dumps(
            {"subject": "planted", "settled_by": [], "opened_at": (known + opened * minute).isoformat()}
        ),
    )
    if asked is not None:
        a_case(bench, "refund_made_already", known + asked * minute, subject=of)
        bench.sql(
            "INSERT INTO answers (order_id, reason, subject, option, who, why, at) SELECT id, 'refund_made_already', "
            ":subject, 'another_refund', 'Ada Agent', 'A second one.', :at FROM orders",
            subject=of,
            at=known + 10 * minute,
        )

    assert ("A refund in Shopify did not become a task in time." in _i7(bench)) is broken


@pytest.mark.parametrize(
    ("fields", "deleted", "broken"),
    [
        pytest.param({}, False, True, id="nothing keeps it"),
        pytest.param({"order_state": "NEW"}, False, False, id="in a state that nobody knows"),
        pytest.param({"total_price": 1}, False, True, id="with another total"),
        pytest.param({}, True, False, id="the order is gone before the marketplace was read"),
    ],
)
def test_i7_no_task_is_due_while_nobody_can_tell_what_it_would_ask_for(
    bench: Bench, fields: dict[str, object], deleted: bool, broken: bool
) -> None:
    refund, second = bench.effects("refund_created")[0], timedelta(seconds=1)
    planted = bench.happen(
        refund, at=refund.at + second, detail={"refund": "planted", "money": "5.00", "lines": []}
    )
    like = bench.effects("created")[0]
    if fields:
        bench.happen(like, kind="shown_instead", actor="system", at=planted.at, detail={"fields": fields})
    if deleted:
        bench.happen(refund, kind="deleted", at=planted.at + second, detail={})

    assert ("A refund in Shopify did not become a task in time." in _i7(bench)) is broken
