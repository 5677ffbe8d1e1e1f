"""No order is lost because nobody accepted it in time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from interlock.orders.reasons import Option, Reason
from interlock.rehearsal.scenarios import Stage
from interlock.simulator.faults import Fault
from tests.stories.stage import (
    RULES,
    Broken,
    Theatre,
    answer_case,
    look_again,
    marketplace,
    nothing,
    open_cases,
)

AWAY = Fault("refused_before")


class BlindOnceMade(Broken):
    """Its fault befalls the reads that come after the Shopify order was made."""

    made = False

    def next_fault(self, operation: str) -> Fault | None:
        self.made = self.made or operation in ("draftOrderComplete", "orderCreate")
        return super().next_fault(operation) if self.made else None


@pytest.mark.parametrize("route", ["draft", "order"])
@pytest.mark.parametrize("kind", ["refused_before", "server_error", "truncated", "rate_limited"])
def test_an_order_that_was_made_and_cannot_be_read_back_is_accepted_within_seconds(
    theatre: Theatre, route: str, kind: str
) -> None:
    """What Shopify confirmed exists: the marketplace hears of it at once, and the hold follows with the first look."""
    blind = BlindOnceMade(Fault(kind, seconds=2.0), "order", "draftOrder")

    async def story(stage: Stage) -> None:
        blind.active = True
        await stage.until(400)
        happened = [effect.kind for effect in stage.world.shopify.record.effects]
        assert "order_created" in happened
        assert "hold_placed" not in happened, "it was read all the same, and the story tells nothing"
        blind.active = False

    told = theatre.tell(
        story,
        marketplace("all-or-nothing"),
        900,
        rules=replace(RULES, import_route=route),  # type: ignore[arg-type]
        shopify_faults=blind,
    )
    assert blind.injected[kind] > 3
    (created,) = told.shopify_effects("order_created")
    (accepted,) = told.marketplace_effects("accepted")
    assert timedelta(0) <= accepted - created < timedelta(seconds=5)
    assert len(told.shopify_effects("hold_placed")) >= 1
    assert told.stage.order.state == "SHIPPING"
    assert told.open_reasons == []


def test_acceptance_survives_an_outage_of_shopify(theatre: Theatre) -> None:
    away = Broken(AWAY, "*")

    async def story(stage: Stage) -> None:
        away.active = True
        await stage.until(1200)
        away.active = False

    told = theatre.tell(story, marketplace("all-or-nothing"), 1800, shopify_faults=away)
    assert away.injected["refused_before"] > 3
    assert told.stage.order.state == "SHIPPING"
    assert len(told.live_orders) == 1
    assert "Shopify cannot be read at the moment" in told.timeline
    assert "Order accepted at the marketplace (2 lines): confirmed." in told.timeline
    assert told.open_reasons == []


@pytest.mark.parametrize("kind", ["refused_before", "reply_lost", "server_error_after", "html", "truncated"])
def test_acceptance_survives_a_marketplace_that_does_not_answer_it(theatre: Theatre, kind: str) -> None:
    trouble = Broken(Fault(kind), "OR21", times=8)

    async def story(stage: Stage) -> None:
        trouble.active = True

    told = theatre.tell(story, marketplace("all-or-nothing"), 900, mirakl_faults=trouble)
    assert told.stage.order.state == "SHIPPING"
    assert len(told.marketplace_effects("accepted")) == 1
    assert len(told.live_orders) == 1
    assert told.open_reasons == []


def test_acceptance_survives_an_outage_of_the_whole_marketplace(theatre: Theatre) -> None:
    away = Broken(AWAY, "*")

    async def story(stage: Stage) -> None:
        away.active = True
        await stage.until(1500)
        away.active = False

    told = theatre.tell(story, marketplace("all-or-nothing"), 2100, mirakl_faults=away)
    assert told.stage.order.state == "SHIPPING"
    assert len(told.live_orders) == 1


def test_the_acceptance_ladder_opens_before_the_window_ends(theatre: Theatre) -> None:
    seen: dict[str, tuple[list[str], str, list[str]]] = {}

    async def story(stage: Stage) -> None:
        for hour, name in ((0.1, "early"), (1.0, "half"), (1.3, "late")):
            await stage.until(hour * 3600)
            found = open_cases(stage)
            ladder = [row for row in found if row.reason == Reason.ACCEPTANCE_RUNNING_OUT.value]
            seen[name] = (
                [row.reason for row in found],
                ladder[0].severity if ladder else "",
                list(ladder[0].options) if ladder else [],
            )

    told = theatre.tell(
        story,
        marketplace("all-or-nothing", acceptance_window_hours=2.0),
        5000,
        skus=("MUG-BLUE", "NOT-IN-THE-SHOP"),
        poll_seconds=120.0,
    )
    assert seen["early"] == ([Reason.SKU_UNKNOWN.value], "", [])
    assert seen["half"][1] == "urgent"
    assert Option.ACCEPT_WITHOUT_ORDER.value not in seen["half"][2]
    assert seen["late"][2] == [Option.ACCEPT_WITHOUT_ORDER.value, Option.REFUSE_ORDER.value]
    assert told.stage.order.state == "WAITING_ACCEPTANCE"
    assert "of the time to accept this order is gone" in told.timeline


def test_an_order_shipped_in_the_portal_before_it_could_be_created_is_an_incident(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(300)
        stage.marketplace.portal_decide(stage.order.id, True)
        await stage.until(900)
        assert stage.order.state == "SHIPPING"
        assert [row.reason for row in open_cases(stage)] == [Reason.SKU_UNKNOWN.value]
        stage.marketplace.portal_ship(stage.order.id)

    told = theatre.tell(story, marketplace("all-or-nothing"), 1500, skus=("MUG-BLUE", "NOT-IN-THE-SHOP"))
    assert told.stage.order.state == "SHIPPED"
    assert told.open_reasons == [Reason.SHIPPED_WITHOUT_ORDER.value]


def test_a_person_may_accept_without_a_shopify_order_and_is_reminded_until_it_exists(
    theatre: Theatre,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(1.3 * 3600)
        answer_case(stage, Reason.ACCEPTANCE_RUNNING_OUT, Option.ACCEPT_WITHOUT_ORDER)

    told = theatre.tell(
        story,
        marketplace("all-or-nothing", acceptance_window_hours=2.0),
        5400,
        skus=("MUG-BLUE", "NOT-IN-THE-SHOP"),
        poll_seconds=120.0,
    )
    assert told.stage.order.state == "SHIPPING"
    assert told.live_orders == []
    assert Reason.ACCEPTED_WITHOUT_ORDER.value in told.open_reasons


@pytest.mark.parametrize("route", ["draft", "order"])
@pytest.mark.parametrize("kind", ["reply_lost", "late_apply", "server_error_after", "truncated"])
def test_two_workers_never_create_two_orders(theatre: Theatre, route: str, kind: str) -> None:
    """Three workers, and Shopify creates but does not say so."""
    creating = ("draftOrderCreate", "draftOrderComplete", "orderCreate")
    trouble = Broken(Fault(kind, seconds=20.0), *creating, times=2)

    async def story(stage: Stage) -> None:
        trouble.active = True

    told = theatre.tell(
        story,
        marketplace("all-or-nothing"),
        1200,
        rules=replace(RULES, import_route=route),  # type: ignore[arg-type]
        processes=3,
        shopify_faults=trouble,
    )
    assert trouble.injected[kind] >= 1
    assert len(told.stage.world.shopify.shop.orders) == 1
    assert told.stage.order.state == "SHIPPING"
    reserved = [draft for draft in told.stage.world.shopify.shop.drafts.values() if draft.status == "OPEN"]
    assert reserved == []
    stock = {v.sku: v.available for v in told.stage.world.shopify.shop.variants.values()}
    assert (stock["MUG-BLUE"], stock["KETTLE-1L"]) == (97, 99)


def test_an_undisturbed_order_is_accepted_within_seconds_of_its_shopify_order(theatre: Theatre) -> None:
    told = theatre.tell(nothing, marketplace("all-or-nothing"), 120)
    (created,) = told.shopify_effects("order_created")
    (accepted,) = told.marketplace_effects("accepted")
    (held,) = told.shopify_effects("hold_placed")
    assert (accepted - created).total_seconds() < 5
    assert (held - created).total_seconds() < 5


def test_a_draft_that_staff_delete_is_made_once_more_and_then_only_when_somebody_says_so(
    theatre: Theatre,
) -> None:
    """Its address is hidden, so the order waits as a draft: deleted after five minutes, and again after half an hour."""
    seen: list[object] = []

    async def story(stage: Stage) -> None:
        shop = stage.world.shopify.shop

        def deleted() -> None:
            (draft,) = shop.drafts.values()
            stage.world.shopify.delete_draft(draft)

        def told_so() -> list[str]:
            return [row.reason for row in open_cases(stage)]

        await stage.until(300)
        deleted()
        await stage.until(1000)
        seen.extend([told_so(), len(shop.drafts)])
        await stage.until(1800)
        seen.extend([told_so(), len(shop.drafts)])
        deleted()
        await stage.until(4000)
        seen.extend([told_so(), len(shop.drafts)])
        answer_case(stage, Reason.DRAFT_WITHOUT_STOCK, Option.SEND_AGAIN)

    told = theatre.tell(story, marketplace("hidden-address", debit_delay=5400.0), 7000)
    gone = Reason.DRAFT_WITHOUT_STOCK.value
    assert seen == [[gone], 0, [], 1, [gone], 0]
    assert len(told.live_orders) == 1
    assert len(told.stage.world.shopify.shop.orders) == 1
    assert told.open_reasons == []
    stock = {v.sku: v.available for v in told.stage.world.shopify.shop.variants.values()}
    assert (stock["MUG-BLUE"], stock["KETTLE-1L"]) == (97, 99)


def test_a_completed_draft_that_shows_no_order_is_told_after_ten_minutes(theatre: Theatre) -> None:
    """Staff complete the draft and delete the order that came of it, before its first delivery reaches us."""
    seen: list[object] = []

    async def story(stage: Stage) -> None:
        shop = stage.world.shopify.shop

        def told_so() -> list[str]:
            return [row.reason for row in open_cases(stage)]

        await stage.until(300)
        (draft,) = shop.drafts.values()
        draft.completed_at, draft.reserve_until = stage.world.shopify.clock.now(), None
        look_again(stage)
        await stage.until(600)
        seen.append(told_so())
        await stage.until(1200)
        seen.append(told_so())
        answer_case(stage, Reason.DRAFT_WITHOUT_STOCK, Option.SEND_AGAIN)

    told = theatre.tell(story, marketplace("hidden-address", debit_delay=1800.0), 3600)
    assert seen == [[], [Reason.DRAFT_WITHOUT_STOCK.value]]
    assert len(told.live_orders) == 1
    assert told.open_reasons == []
