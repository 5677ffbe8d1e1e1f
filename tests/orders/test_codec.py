"""Stored values come back exactly as they were."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from interlock.orders.actions import Action, CancelMiraklOrder, CompleteDraft, DeleteDraft, PlaceHold
from interlock.orders.codec import CannotDecode, decode, encode
from interlock.orders.connection import ConnectionRules
from interlock.orders.memory import Decision, Memory, OrderedLine
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import Tax

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def test_memory_survives_a_round_trip() -> None:
    memory = Memory(
        first_seen_at=NOW,
        ordered=(
            OrderedLine(
                "L1",
                "MUG",
                "Mug",
                3,
                Decimal("3.10"),
                Decimal("9.30"),
                Decimal(0),
                (Tax("V", Decimal("1.55")),),
                (),
            ),
        ),
        settled=(("L1", 3),),
        decisions=(Decision(Reason.SKU_UNKNOWN, "MUG", Option.MAP_SKU, "Ada", "typo", NOW),),
    )
    assert decode(Memory, encode(memory)) == memory


@pytest.mark.parametrize(
    "action", [CompleteDraft("d1"), DeleteDraft("d1"), PlaceHold("f1", "why"), CancelMiraklOrder()]
)
def test_actions_of_the_same_shape_keep_their_kind(action: Action) -> None:
    assert decode(Action, encode(action)) == action  # type: ignore[arg-type]


def test_durations_and_absent_fields_come_back() -> None:
    rules = ConnectionRules("north", "interlock:north", quiet_period=timedelta(seconds=5))
    assert decode(ConnectionRules, encode(rules)) == rules


def test_a_value_of_another_kind_is_refused() -> None:
    with pytest.raises(CannotDecode, match="Memory"):
        decode(Memory, {"_": "Plan"})
