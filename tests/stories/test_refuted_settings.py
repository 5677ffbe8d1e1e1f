"""What the marketplace refuses although a setting allows it: a case of the connection, and other rules from that moment."""

from dataclasses import replace

from interlock.clock import SystemIdentifiers
from interlock.console import desk
from interlock.engine.capabilities import keep_rules
from interlock.engine.store import one_connection
from interlock.orders.reasons import Option, Reason
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


def _calls(stage: Stage) -> int:
    return sum(call.operation == "OR30" for call in stage.marketplace.record.calls)


def _orders(stage: Stage) -> list[SimOrder]:
    return list(stage.marketplace.orders.values())
