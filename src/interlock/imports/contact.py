"""Whether mail could reach a marketplace's customer past the marketplace: the contact address and the marketing of an order."""

from dataclasses import replace
from datetime import timedelta

from interlock.orders.connection import ConnectionRules
from interlock.orders.memory import Memory
from interlock.orders.plan import Case, Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import ENDED, ShopifyOrder
from interlock.orders.view import View

MARKETING_TAGS = (
    "accepts-marketing",
    "email-marketing",
    "email-subscriber",
    "marketing",
    "newsletter",
    "review-request",
    "sms-marketing",
)
"""Tags by which campaigns and automations choose whom to write to. Case does not count, and a blank or an underscore is
a hyphen."""

CONSENT = "consent"
CONSENT_AGAIN = timedelta(hours=1)
"""Consent is the customer's and not the order's: Shopify does not tell when it is withdrawn, so we look."""
_ANSWER = (Option.DISMISS,)


def decide(view: View, memory: Memory) -> Part:
    """The cases of an order whose mail would not go through the marketplace. A person's answer settles the address, the
    consent or the tag it was given for; another one asks anew."""
    mirakl, shopify = view.mirakl, view.shopify
    if mirakl is not None and mirakl.relay and mirakl.relay != memory.relay:
        memory = replace(memory, relay=mirakl.relay)
    if mirakl is None or shopify is None or not shopify.live:
        return Part(memory)
    # Nothing is mailed about an order that has ended, and what was known of it is taken out in the shop by and by.
    there = mirakl.relay if mirakl.state in ENDED else memory.relay
    found = (_address_case(there, shopify, view.rules), *_marketing_cases(shopify))
    cases = tuple(case for case in found if case is not None and not _settled(case, memory))
    consent = any(case.subject == CONSENT for case in cases)
    return Part(memory, cases=cases, look_at=view.now + CONSENT_AGAIN if consent else None)


def marketing_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the tags that are marketing tags, as they are written."""
    return tuple(tag for tag in tags if "-".join(tag.casefold().replace("_", " ").split()) in MARKETING_TAGS)


def _address_case(there: str, shopify: ShopifyOrder, rules: ConnectionRules) -> Case | None:
    """Compared by digest (OR11 `customer_notification_email`, Order.email) with the relay address that was shown last:
    marketplaces hide it at times, and some never show one, which proves nothing."""
    here = shopify.traces.email
    if not there or here == there:
        return None
    if not here:
        if rules.customer_mail == "none":
            return None
        return Case(
            Reason.EMAIL_NOT_RELAY,
            "no address",
            f"The Shopify order {shopify.name} carries no e-mail address, or our app may not see it, although the "
            "marketplace shows a relay address and this connection wants shipping mails: the customer gets none. Put the "
            "relay address of the marketplace order on it.",
            _ANSWER,
        )
    return Case(
        Reason.EMAIL_NOT_RELAY,
        f"address {here[:12]}",
        f"The e-mail address of the Shopify order {shopify.name} is not the relay address the marketplace shows: somebody or "
        "an app replaced it. Mails about the order go past the marketplace, which most marketplaces forbid. Put the relay "
        "address of the marketplace order back"
        + (", or take the address off." if rules.customer_mail == "none" else "."),
        _ANSWER,
    )


def _marketing_cases(shopify: ShopifyOrder) -> tuple[Case, ...]:
    cases = []
    if shopify.takes_marketing:
        cases.append(
            Case(
                Reason.MARKETING_POSSIBLE,
                CONSENT,
                f"The customer of the Shopify order {shopify.name} is subscribed to e-mail marketing, or about to be. It is the "
                "marketplace's customer, whom the shop may not write to. Unsubscribe the customer in Shopify, and find out "
                "who or which app subscribed it.",
                _ANSWER,
            )
        )
    for tag in marketing_tags(shopify.tags):
        cases.append(
            Case(
                Reason.MARKETING_POSSIBLE,
                f"tag {tag}",
                f"The Shopify order {shopify.name} carries the tag {tag}, by which campaigns and automations choose whom to "
                "write to. It is the marketplace's customer, whom the shop may not write to. Take the tag off, and find out "
                "who or which app put it there.",
                _ANSWER,
                (("tag", tag),),
            )
        )
    return tuple(cases)


def _settled(case: Case, memory: Memory) -> bool:
    said = memory.decision(case.reason, case.subject)
    return said is not None and said.option is Option.DISMISS
