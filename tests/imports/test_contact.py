"""Mail that would go past the marketplace is a case: another address than the relay address, consent, a marketing tag."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from interlock.decide import decide
from interlock.imports import contact
from interlock.imports.contact import CONSENT, MARKETING_TAGS, marketing_tags
from interlock.orders.connection import ConnectionRules, CustomerMail
from interlock.orders.memory import Decision, Memory
from interlock.orders.plan import Case
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import MiraklOrder, ShopifyOrder, Traces
from tests.build import NOW, a_decision, a_shopify_order, a_view, an_order, some_rules

RELAY = "3e1a"
OTHER = "0ff0aabbccddeeff"


def contact_cases(
    mirakl: MiraklOrder | None, shopify: ShopifyOrder | None, rules: ConnectionRules, memory: Memory
) -> tuple[Case, ...]:
    return contact.decide(a_view(mirakl=mirakl, shopify=shopify, rules=rules), memory).cases


def found(mail: CustomerMail = "none", relay: str = RELAY, email: str = RELAY, **shopify: Any) -> list[str]:
    """The subjects of the cases, each behind its reason."""
    cases = contact_cases(
        an_order(relay=relay),
        a_shopify_order(traces=Traces(email=email), **shopify),
        some_rules(customer_mail=mail),
        Memory(),
    )
    return [f"{case.reason}: {case.subject}" for case in cases]


@pytest.mark.parametrize(
    ("mail", "relay", "email", "asked"),
    [
        ("none", RELAY, RELAY, []),
        ("none", RELAY, OTHER, ["email_not_relay: address 0ff0aabbccdd"]),
        ("none", RELAY, "", []),
        ("none", "", OTHER, []),
        ("none", "", "", []),
        ("shipping", RELAY, RELAY, []),
        ("shipping", RELAY, OTHER, ["email_not_relay: address 0ff0aabbccdd"]),
        ("shipping", RELAY, "", ["email_not_relay: no address"]),
        ("shipping", "", OTHER, []),
        ("shipping", "", "", []),
    ],
)
def test_the_address_of_the_order(mail: CustomerMail, relay: str, email: str, asked: list[str]) -> None:
    assert found(mail, relay, email) == asked


@pytest.mark.parametrize(("email", "asked"), [(OTHER, 1), (RELAY, 0)])
def test_a_relay_address_that_is_hidden_later_is_still_the_one_to_carry(email: str, asked: int) -> None:
    """Hiding it puts nothing right: mail goes past the marketplace as before."""
    shopify = a_shopify_order(traces=Traces(email=email))
    shown = contact.decide(a_view(mirakl=an_order(relay=RELAY), shopify=shopify), Memory())

    hidden = contact.decide(a_view(mirakl=an_order(relay=""), shopify=shopify), shown.memory)

    assert hidden.cases == shown.cases
    assert len(hidden.cases) == asked


@pytest.mark.parametrize("state", ["RECEIVED", "CLOSED", "CANCELED"])
def test_an_address_that_is_taken_out_after_the_order_has_ended_is_no_case(state: str) -> None:
    """A shop forgets its customers by and by, and nothing more is mailed to this one."""
    before = a_view(mirakl=an_order(relay=RELAY), shopify=a_shopify_order(traces=Traces(email=RELAY)))
    memory = contact.decide(before, Memory()).memory
    rules = replace(before.rules, customer_mail="shipping")
    redacted = a_shopify_order(traces=Traces(email=""))

    ended = a_view(mirakl=an_order(state, relay=""), shopify=redacted, rules=rules)
    assert contact.decide(ended, memory).cases == ()
    under_way = a_view(mirakl=an_order(relay=""), shopify=redacted, rules=rules)
    assert len(contact.decide(under_way, memory).cases) == 1


@pytest.mark.parametrize("mail", ["none", "shipping"])
def test_consent_and_each_marketing_tag_is_a_case_of_its_own(mail: CustomerMail) -> None:
    asked = found(mail, takes_marketing=True, tags=("mirakl", "Newsletter", "gift"))

    assert asked == [f"marketing_possible: {CONSENT}", "marketing_possible: tag Newsletter"]


@pytest.mark.parametrize(
    ("tag", "counts"),
    [
        *((tag, True) for tag in MARKETING_TAGS),
        ("Accepts Marketing", True),
        ("EMAIL_SUBSCRIBER", True),
        ("  newsletter ", True),
        ("newsletter-stand", False),
        ("mirakl", False),
        ("marketing team ordered this", False),
        ("", False),
    ],
)
def test_which_tags_count(tag: str, counts: bool) -> None:
    assert marketing_tags((tag,)) == ((tag,) if counts else ())


def test_an_order_that_is_not_there_or_cancelled_gets_no_mail() -> None:
    gone = a_shopify_order(traces=Traces(email=OTHER), takes_marketing=True, cancelled_at=NOW)

    assert contact_cases(an_order(relay=RELAY), gone, some_rules(), Memory()) == ()
    assert contact_cases(an_order(relay=RELAY), None, some_rules(), Memory()) == ()
    assert contact_cases(None, a_shopify_order(takes_marketing=True), some_rules(), Memory()) == ()


def test_while_there_is_consent_the_order_is_looked_at_every_hour() -> None:
    """Nobody tells when it is withdrawn; a tag or an address changes the order, and Shopify tells."""
    consent = a_view(mirakl=an_order(), shopify=a_shopify_order(takes_marketing=True))
    tag = a_view(mirakl=an_order(), shopify=a_shopify_order(tags=("newsletter",)))
    answered = Memory(decisions=(a_decision(Reason.MARKETING_POSSIBLE, CONSENT, Option.DISMISS),))

    assert contact.decide(consent, Memory()).look_at == consent.now + timedelta(hours=1)
    assert contact.decide(tag, Memory()).look_at is None
    assert contact.decide(consent, answered).look_at is None


def test_an_answer_counts_for_what_it_was_given_for() -> None:
    mirakl = an_order(relay=RELAY)
    one = a_shopify_order(traces=Traces(email=OTHER), tags=("newsletter",))
    asked = contact_cases(mirakl, one, some_rules(), Memory())
    said = tuple(
        Decision(case.reason, case.subject, Option.DISMISS, "Ada Agent", "It is ours.", NOW) for case in asked
    )
    memory = Memory(decisions=said)
    another = a_shopify_order(traces=Traces(email="feedfeedfeedfeed"), tags=("newsletter", "marketing"))

    assert len(asked) == 2
    assert contact_cases(mirakl, one, some_rules(), memory) == ()
    assert [case.subject for case in contact_cases(mirakl, another, some_rules(), memory)] == [
        "address feedfeedfeed",
        "tag marketing",
    ]


def test_only_the_setting_says_that_no_address_will_do() -> None:
    mirakl, order = an_order(relay=RELAY), a_shopify_order(traces=Traces(email=OTHER))
    (none,) = contact_cases(mirakl, order, some_rules(), Memory())
    (shipping,) = contact_cases(mirakl, order, some_rules(customer_mail="shipping"), Memory())

    assert "or take the address off" in none.sentence
    assert "or take the address off" not in shipping.sentence


def test_the_parcel_does_not_wait_for_it() -> None:
    order = a_shopify_order(traces=Traces(email=OTHER), takes_marketing=True)
    plain = decide(a_view(mirakl=an_order(relay=OTHER), shopify=a_shopify_order(traces=Traces(email=OTHER))))
    plan = decide(a_view(mirakl=an_order(relay=RELAY), shopify=order))

    assert {case.reason for case in plan.cases} == {Reason.EMAIL_NOT_RELAY, Reason.MARKETING_POSSIBLE}
    assert plan.actions == plain.actions
