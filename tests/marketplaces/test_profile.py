"""The capability profile: every entry with its source and age, and what only a setting says is marked as unverified."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from interlock.marketplaces.observed import Observation, observed, window_shown
from interlock.marketplaces.profile import Entry, changes_between, profile_of
from interlock.marketplaces.reasons import missing_codes, with_usable_reasons
from interlock.marketplaces.settings import NAMES, Name, as_observed, refuted_settings, says_yes
from interlock.orders.actions import (
    Action,
    AnswerAcceptance,
    CancelQuantities,
    RefundLines,
    SendMessage,
    ShipOrder,
)
from interlock.orders.capability import Capability, OperatorReason
from interlock.orders.connection import Carrier, ConnectionRules, ReasonOfEdit
from interlock.orders.memory import Memory
from interlock.orders.outcomes import Confirmed, Outcome, Refused, Unknown
from interlock.orders.snapshots import MiraklOrder
from tests.build import CREATED, NOW, an_order, some_rules

OUT, WISH, FRAUD = (
    OperatorReason("35", "No longer available", True),
    OperatorReason("34", "Customer's wish", True),
    OperatorReason("36", "Fraud", False),
)
STOCK = OperatorReason("15", "Out of stock", True)


def a_capability(**changes: Any) -> Capability:
    values: dict[str, Any] = {
        "tax_mode": "TAX_INCLUDED",
        "acceptance": "NOT_AUTOMATIC",
        "address_before_acceptance": True,
        "unregistered_carriers": False,
        "carriers": (Carrier("UPS", "UPS"),),
        "shipping_types": ("STD",),
        "tracking_mandatory_for": ("STD",),
        "cancelation_reasons": (WISH, OUT, FRAUD),
        "currency": "EUR",
        "shop_id": "2000",
        "shop_name": "Mugs",
        "shop_state": "OPEN",
        "shop_model": "MARKETPLACE",
        "time_zone": "Europe/Paris",
        "multi_shipment": None,
        "refund_reasons": (STOCK,),
        "workflows": ("PAY_ON_SHIPMENT",),
    }
    return Capability(**{**values, **changes})


def entries(observations: dict[str, Any] | None = None, **rules: Any) -> dict[str, Entry]:
    found = profile_of(
        some_rules(**rules), CREATED, timedelta(seconds=60), a_capability(), NOW, observations or {}
    )
    assert len({entry.name for entry in found}) == len(found)
    return {entry.name: entry for entry in found}


def test_what_the_marketplace_says_is_verified_with_its_operation_and_age() -> None:
    found = entries()

    assert found["tax mode"] == Entry("tax mode", "TAX_INCLUDED", "PC01", NOW, True)
    assert found["cancelation reasons of the shop"].value == "34 (Customer's wish), 35 (No longer available)"
    assert {entry.source for entry in found.values()} == {"PC01", "RE01", "SH12", "SH21", "A01", "setting"}


def test_what_it_does_not_say_is_neither_guessed_nor_verified() -> None:
    assert (entries()["multi-shipment"].value, entries()["multi-shipment"].verified) == ("not said", False)


@pytest.mark.parametrize(
    "name",
    [
        "acceptance window",
        "external partner",
        "partial acceptance",
        "partial cancelation",
        "refunds by the shop",
        "messages",
    ],
)
def test_what_no_answer_contains_is_a_setting_marked_unverified(name: str) -> None:
    entry = entries()[name]

    assert (entry.source, entry.at, entry.verified) == ("setting", CREATED, False)


def test_an_observation_takes_the_place_of_the_setting_and_says_where_they_differ() -> None:
    seen = {"partial_cancelation": (Observation("partial_cancelation", False, "OR30 was refused"), NOW)}

    entry = entries(seen, partial_cancelation=True)["partial cancelation"]

    assert (entry.value, entry.source, entry.at, entry.verified) == ("no", "observed", NOW, True)
    assert entry.note == "OR30 was refused; the setting says yes"


def test_a_profile_that_was_never_read_shows_the_settings() -> None:
    found = profile_of(some_rules(), CREATED, timedelta(minutes=15), None, None, {})

    assert {entry.source for entry in found} == {"setting"}
    assert next(entry.value for entry in found if entry.name == "external partner") == "yes"


def test_changes_are_named() -> None:
    after = a_capability(multi_shipment=True, cancelation_reasons=(WISH,))

    assert changes_between(a_capability(), a_capability()) == ()
    assert changes_between(a_capability(), after) == ("cancelation_reasons", "multi_shipment")


CANCEL = CancelQuantities((), "EUR", "TAX_INCLUDED", "34", True)
MIXED = AnswerAcceptance((("L1", True), ("L2", False)))
ALL = AnswerAcceptance((("L1", True), ("L2", True)))
REFUND = RefundLines("edit:1", (), "EUR", "TAX_INCLUDED", "15")
MESSAGE = SendMessage("t1", "Your order", ("CUSTOMER",))


@pytest.mark.parametrize(
    ("action", "outcome", "proved"),
    [
        (CANCEL, Confirmed(), ("partial_cancelation", True)),
        (CANCEL, Refused("FEATURE_DISABLED", ""), ("partial_cancelation", False)),
        (CANCEL, Refused("HTTP_404", ""), ("partial_cancelation", False)),
        (CANCEL, Refused("HTTP_403", ""), ("partial_cancelation", False)),
        (CANCEL, Refused("ORDER_INVALID_STATE", ""), None),
        (CANCEL, Unknown("lost"), None),
        (MIXED, Confirmed(), ("partial_acceptance", True)),
        (ALL, Confirmed(), None),
        (MIXED, Refused("ORDER_PARTIAL_ACCEPTANCE_DISABLED", ""), ("partial_acceptance", False)),
        (REFUND, Confirmed(), ("refunds", True)),
        (REFUND, Refused("REFUND_NOT_PERMITTED", ""), ("refunds", False)),
        (REFUND, Refused("REFUND_BALANCE_TOO_LOW", ""), None),
        (MESSAGE, Confirmed(), ("messages", True)),
        (MESSAGE, Refused("HTTP_403", ""), ("messages", False)),
        (ShipOrder(), Confirmed(), None),
    ],
)
def test_what_the_end_of_a_call_proves(
    action: Action, outcome: Outcome, proved: tuple[str, bool] | None
) -> None:
    seen = observed(action, outcome)

    assert (None if seen is None else (seen.name, seen.allowed)) == proved


# -- the time to accept ------------------------------------------------------------------------------------

TWO_DAYS = timedelta(days=2)
WAITED = Memory(
    first_seen_at=CREATED + timedelta(minutes=1),
    acceptance_from=CREATED,
    acceptance_due_at=CREATED + TWO_DAYS,
)
LATER = CREATED + timedelta(days=9)


def refused_after(hours: float, **changes: Any) -> MiraklOrder:
    ended = CREATED + timedelta(hours=hours)
    values = {"acceptance_decided_at": None, "updated_at": ended, "observed_at": LATER, "state": "REFUSED"}
    return replace(an_order(), **{**values, **changes})


@pytest.mark.parametrize(
    ("mirakl", "memory", "window", "proved"),
    [
        (refused_after(24), WAITED, TWO_DAYS, (False, "24 h 0 min")),
        (refused_after(47.5), WAITED, TWO_DAYS, (False, "47 h 30 min")),
        (refused_after(48), WAITED, TWO_DAYS, (True, "48 h 0 min")),
        (refused_after(47.999), WAITED, TWO_DAYS, (True, "47 h 59 min")),
        (refused_after(48.9), WAITED, TWO_DAYS, (True, "48 h 54 min")),
        (refused_after(60), WAITED, TWO_DAYS, None),
        (refused_after(24, acceptance_decided_at=CREATED), WAITED, TWO_DAYS, None),
        (refused_after(24, state="CANCELED"), WAITED, TWO_DAYS, None),
        (refused_after(24, state="WAITING_ACCEPTANCE"), WAITED, TWO_DAYS, None),
        (refused_after(24), replace(WAITED, acceptance_due_at=None), TWO_DAYS, None),
        (refused_after(0), WAITED, TWO_DAYS, None),
        (refused_after(24), WAITED, None, None),
        (None, WAITED, TWO_DAYS, None),
    ],
)
def test_what_an_order_the_marketplace_refused_by_itself_proves_of_the_time_to_accept(
    mirakl: MiraklOrder | None, memory: Memory, window: timedelta | None, proved: tuple[bool, str] | None
) -> None:
    seen = window_shown(mirakl, memory, window)

    assert (None if seen is None else seen.allowed) == (None if proved is None else proved[0])
    assert seen is None or (proved is not None and proved[1] in seen.evidence)


@pytest.mark.parametrize(
    ("allowed", "source", "verified", "note"),
    [(True, "observed", True, "after 48 h"), (False, "setting", False, "it is shorter: after 48 h")],
)
def test_the_time_to_accept_is_proved_or_said_to_be_shorter(
    allowed: bool, source: str, verified: bool, note: str
) -> None:
    seen = {"acceptance_window": (Observation("acceptance_window", allowed, "after 48 h"), NOW)}

    entry = entries(seen)["acceptance window"]

    assert (entry.value, entry.source, entry.verified, entry.note) == ("48 h", source, verified, note)
    assert entries(seen, acceptance_window=None)["acceptance window"].value == "not set"


# -- settings the marketplace's answers speak against ------------------------------------------------------

YES = some_rules(
    partial_acceptance=True, partial_cancelation=True, messages=True, reduction_after_debit="approve"
)
NO = some_rules(acceptance_window=None, partial_acceptance=False, partial_cancelation=False, messages=False)
SAID_NO = tuple((name, f"{name} was refused") for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_what_the_marketplace_refused_is_not_allowed_whatever_its_setting_says(name: Name) -> None:
    rules = as_observed(YES, ((name, "no"),))

    assert rules.refuted == ((name, "no"),)
    assert rules.refuted_by(name) == "no"
    for other in NAMES:
        # A refund has a case of its own each time it is refused, and one order proves no time to accept.
        assert says_yes(rules, other) is (other != name or name in ("refunds", "acceptance_window"))


@pytest.mark.parametrize(
    ("rules", "seen"), [(YES, ()), (NO, SAID_NO), (NO, ()), (YES, (("weather", "rain"),))]
)
def test_an_observation_allows_nothing_and_one_that_agrees_changes_nothing(
    rules: ConnectionRules, seen: tuple[tuple[str, str], ...]
) -> None:
    assert as_observed(rules, seen) == rules
    assert refuted_settings(rules, seen) == ()


def test_a_refuted_setting_says_what_happens_meanwhile_and_the_commands_that_end_it() -> None:
    said: dict[str, str] = {one.name: one.sentence("atlas") for one in refuted_settings(YES, SAID_NO)}

    assert set(said) == set(NAMES)
    assert "acceptance_window was refused" in said["acceptance_window"]
    assert "`interlock connect --name atlas --acceptance-window TIME`" in said["acceptance_window"]
    for name, again, never in (
        ("partial_acceptance", "--partial-acceptance`", "--no-partial-acceptance`"),
        ("partial_cancelation", "--partial-cancelation`", "--no-partial-cancelation`"),
        ("messages", "--messages`", "--no-messages`"),
        ("refunds", "--reduction-after-debit approve`", "--reduction-after-debit task`"),
    ):
        assert f"{name} was refused" in said[name]
        assert f"`interlock connect --name atlas {again}" in said[name]
        assert f"`interlock connect --name atlas {never}" in said[name]


# -- reason codes ------------------------------------------------------------------------------------------


def test_a_code_the_marketplace_does_not_take_from_a_shop_is_named_with_what_it_takes() -> None:
    rules = some_rules(
        cancelation_reason="36",
        partial_cancelation=True,
        reduction_after_debit="approve",
        reasons_by_edit=(ReasonOfEdit("line_removed", "35", "99"),),
    )

    missing = {(one.use, one.code): one for one in missing_codes(rules, a_capability())}

    assert set(missing) == {("cancelation", "36"), ("refund", "99"), ("refund", "")}
    said = missing["cancelation", "36"].sentence("atlas")
    assert "34 (Customer's wish), 35 (No longer available)" in said
    assert "interlock connect --name atlas --cancelation-reason CODE" in said


def test_nothing_is_missing_where_nothing_is_needed() -> None:
    assert missing_codes(some_rules(), a_capability()) == ()


def test_a_code_that_was_withdrawn_is_not_used_any_more() -> None:
    rules = some_rules(
        cancelation_reason="36",
        refund_reason="15",
        reasons_by_edit=(ReasonOfEdit("line_removed", "35", "99"),),
    )

    used = with_usable_reasons(rules, a_capability())

    assert (used.cancelation_reason, used.refund_reason) == ("", "15")
    assert used.reasons_by_edit == (ReasonOfEdit("line_removed", "35", ""),)
    assert used.refund_reason_for("line_removed") == "15"


def test_a_list_without_any_reason_proves_nothing() -> None:
    used = with_usable_reasons(some_rules(cancelation_reason="36"), a_capability(cancelation_reasons=()))

    assert used.cancelation_reason == "36"
