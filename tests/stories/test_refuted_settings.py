"""What the marketplace refuses although a setting allows it: a case of the connection, and other rules from that moment."""

from dataclasses import replace
from datetime import timedelta
from typing import cast

from sqlalchemy import select

from interlock.clock import SystemIdentifiers
from interlock.console import desk
from interlock.engine.capabilities import keep_rules
from interlock.engine.store import one_connection
from interlock.marketplaces.store import observations_of
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import orders
from interlock.rehearsal.scenarios import Stage
from interlock.simulator.mirakl.orders import SimOrder
from tests.stories.stage import RULES, Theatre, answer_case, marketplace, open_cases


def _allowed(stage: Stage, *denied: str) -> None:
    key = stage.marketplace.keys[stage.marketplace.api_key]
    stage.marketplace.keys[stage.marketplace.api_key] = replace(key, denied=denied)


def _swapped(stage: Stage) -> None:
    order = stage.shopify_order()
    stage.world.shopify.edit(order, add=[("LAMP-OAK", 1)], quantities=[("KETTLE-1L", 0)])


def _asked(stage: Stage) -> tuple[int, list[str], str]:
    (case,) = (row for row in open_cases(stage) if row.reason == Reason.EDIT_CANNOT_BE_EXPRESSED.value)
    return case.id, list(case.options), case.sentence


def test_a_message_the_marketplace_refuses_is_offered_to_nobody_until_it_takes_one(theatre: Theatre) -> None:
    seen: list[tuple[bool, bool]] = []

    def noted(stage: Stage) -> None:
        _, options, sentence = _asked(stage)
        seen.append((Option.CANCEL_AND_MESSAGE.value in options, "OR43 was refused" in sentence))

    async def story(stage: Stage) -> None:
        _allowed(stage, "OR43")
        first = stage.order
        second = stage.marketplace.create_generated(skus=["MUG-BLUE", "KETTLE-1L"], quantities=[3, 1])
        await stage.until(330)
        _swapped(stage)
        await stage.until(420)
        noted(stage)
        number, _, _ = _asked(stage)
        now = stage.world.service_clock.now()
        with stage.world.database.begin() as c:
            text = desk.written("It is sold out.", SystemIdentifiers(), stage.world.keyring)
            option = Option.CANCEL_AND_MESSAGE.value
            desk.answer_case(c, stage.world.wakeups, number, option, "Ada Agent", "Sold out.", now, text)
        await stage.until(600)
        assert first.state == "CANCELED"
        stage.order = second
        _swapped(stage)
        await stage.until(700)
        noted(stage)
        assert Reason.SETTING_REFUTED.value in [row.reason for row in open_cases(stage)]
        _allowed(stage)
        answer_case(stage, Reason.PLATFORM_REFUSED, Option.SEND_AGAIN)
        await stage.until(800)
        noted(stage)

    told = theatre.tell(story, marketplace("automatic"), 900)
    assert seen == [(True, False), (False, True), (True, False)]
    assert len(told.marketplace_effects("message")) == 1
    (case,) = told.of(Reason.SETTING_REFUTED)
    assert (case.subject, case.closed_at is not None) == ("messages", True)
    assert told.open_reasons == [Reason.EDIT_CANNOT_BE_EXPRESSED.value]


def test_units_the_shop_may_not_cancel_after_all_are_asked_about_until_the_setting_is_said_anew(
    theatre: Theatre,
) -> None:
    """The first refusal decides for every order; said anew, what waits is cancelled by itself."""
    before: list[object] = []

    async def story(stage: Stage) -> None:
        stage.marketplace.change_profile({"partial_cancelation": False})
        second = stage.marketplace.create_generated(skus=["MUG-BLUE"], quantities=[2])
        await stage.until(330)
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 1)
        await stage.until(500)
        before.append(_calls(stage))
        first, stage.order = stage.order, second
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 1)
        await stage.until(700)
        stage.order = first
        before.append(_calls(stage))
        before.append(sorted(row.reason for row in open_cases(stage)))
        stage.marketplace.change_profile({"partial_cancelation": True})
        with stage.world.database.begin() as c:
            (connection_id,) = stage.world.connection_ids.values()
            row = one_connection(c, connection_id)
            now = stage.world.service_clock.now()
            keep_rules(c, stage.world.wakeups, row, row.rules, now, ("partial_cancelation",))

    told = theatre.tell(story, marketplace("automatic", debit_delay=3600.0), 900, rules=RULES)
    refused = Reason.REDUCTION_NOT_ALLOWED.value
    assert before == [1, 1, [refused, refused, Reason.SETTING_REFUTED.value]]
    assert {tuple(line.live_quantity for line in order.lines) for order in _orders(told.stage)} == {
        (1, 1),
        (1,),
    }
    assert told.open_reasons == []


def test_orders_refused_sooner_than_the_window_says_are_told_of_until_the_window_is_set_right(
    theatre: Theatre,
) -> None:
    due: list[timedelta] = []

    async def story(stage: Stage) -> None:
        _allowed(stage, "OR21")
        _window_is_set(stage, timedelta(hours=2))
        await stage.until(2400)
        assert stage.order.state == "REFUSED"
        (case,) = (row for row in open_cases(stage) if row.reason == Reason.SETTING_REFUTED.value)
        assert (case.subject, "0 h 30 min after it was made" in case.sentence) == ("acceptance_window", True)
        stage.order = stage.marketplace.create_generated(skus=["MUG-BLUE"], quantities=[1])
        await stage.until(2700)
        due.append(_time_to_accept(stage))
        _window_is_set(stage, timedelta(minutes=30))
        await stage.until(2760)
        due.append(_time_to_accept(stage))

    told = theatre.tell(story, marketplace("all-or-nothing", acceptance_window_hours=0.5), 4800)
    assert due == [timedelta(hours=2), timedelta(minutes=30)]
    assert [row.closed_at is None for row in told.of(Reason.SETTING_REFUTED)] == [False]
    (connection_id,) = told.stage.world.connection_ids.values()
    with told.stage.world.database.begin() as c:
        seen, _ = observations_of(c, connection_id)["acceptance_window"]
    assert seen.allowed


def _window_is_set(stage: Stage, window: timedelta) -> None:
    (connection_id,) = stage.world.connection_ids.values()
    with stage.world.database.begin() as c:
        row, now = one_connection(c, connection_id), stage.world.service_clock.now()
        rules = replace(row.rules, acceptance_window=window)
        keep_rules(c, stage.world.wakeups, row, rules, now, ("acceptance_window",))


def _time_to_accept(stage: Stage) -> timedelta:
    with stage.world.database.begin() as c:
        row = c.execute(select(orders).where(orders.c.mirakl_order_id == stage.order.id)).one()
    return cast(timedelta, row.acceptance_due_at - stage.order.created)


def _calls(stage: Stage) -> int:
    return sum(call.operation == "OR30" for call in stage.marketplace.record.calls)


def _orders(stage: Stage) -> list[SimOrder]:
    return list(stage.marketplace.orders.values())
