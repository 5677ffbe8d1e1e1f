"""Codes in words: states, options, severities, durations and moments as pages and commands show them."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from interlock.orders.money import Money
from interlock.orders.reasons import CATALOGUE, Option, Reason
from interlock.orders.timeline import counted as counted
from interlock.orders.timeline import plural as plural

_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")

ELSEWHERE = "another marketplace"
"""How a connection is named to somebody who may not see it."""

MIRAKL_STATES = {
    "STAGING": "being checked by the marketplace",
    "WAITING_ACCEPTANCE": "waiting for acceptance",
    "WAITING_DEBIT": "accepted, payment requested",
    "WAITING_DEBIT_PAYMENT": "accepted, payment under way",
    "SHIPPING": "ready to ship",
    "SHIPPED": "shipped",
    "TO_COLLECT": "ready for collection",
    "RECEIVED": "received",
    "CLOSED": "closed",
    "REFUSED": "refused",
    "CANCELED": "cancelled",
}

OPTIONS: dict[Option, tuple[str, str]] = {
    Option.MAP_SKU: (
        "Map the SKU",
        "Say which SKU of the shop is meant on the SKU map; the order goes on by itself.",
    ),
    Option.MAP_CARRIER: (
        "Map the carrier",
        "Say on the carrier map how the marketplace calls this carrier; the parcel is then reported by itself.",
    ),
    Option.CREATE_ORDER: (
        "Create it in Shopify",
        "The shop has no order for this sale: Interlock creates one and keeps it, as with every new order.",
    ),
    Option.IN_SHOP_ALREADY: (
        "It is in the shop already",
        "Interlock creates nothing and leaves the order alone from now on: no hold, no tracking, no refund. Ship it as you did "
        "before.",
    ),
    Option.CREATE_WITH_CUSTOM_LINE: (
        "Create it with a custom line",
        "The Shopify order is created now with a line that reserves no stock, and stays held.",
    ),
    Option.ACCEPT_WITHOUT_ORDER: (
        "Accept without a Shopify order",
        "The marketplace is told yes in your name. An urgent incident stays open until the Shopify order exists.",
    ),
    Option.REFUSE_ORDER: (
        "Refuse the order",
        "The marketplace is told no for every line. The customer gets nothing; this cannot be taken back.",
    ),
    Option.UNDO_IN_SHOPIFY: (
        "I undo the edit in Shopify",
        "Nothing is sent. Undo the edit in Shopify; the case closes when both sides show the same.",
    ),
    Option.ACCEPT_ANYWAY: (
        "Accept at these prices",
        "The prices of the marketplace stand for this order, and it is accepted and delivered at them.",
    ),
    Option.KEEP_ADDRESS: (
        "The address in Shopify stands",
        "The parcel goes to the address, and with the telephone number, that the Shopify order shows now. Another change holds it "
        "again.",
    ),
    Option.UNDO_BY_INTERLOCK: (
        "Let Interlock undo it",
        "Interlock sets the lines in Shopify back to what was agreed, nobody is mailed, and the parcel is released by itself.",
    ),
    Option.CANCEL_LINE: (
        "Cancel the removed units",
        "Only the units taken out in Shopify are cancelled at the marketplace, even though the rest of the edit waits. This "
        "cannot be taken back.",
    ),
    Option.CANCEL_AT_MARKETPLACE: (
        "Cancel the whole order",
        "The whole order is cancelled at the marketplace and in Shopify. This cannot be taken back.",
    ),
    Option.CANCEL_AND_MESSAGE: (
        "Cancel the whole order and tell the customer",
        "The whole order is cancelled at the marketplace and in Shopify; then your message goes to the customer through the "
        "marketplace. Neither can be taken back.",
    ),
    Option.DONE_IN_PORTAL: (
        "Done in the marketplace portal",
        "You did it in the portal. The case closes when the marketplace shows it.",
    ),
    Option.CONFIRM_WITHDRAWN: (
        "These units will not ship",
        "The refunded units count as withdrawn: the parcel may leave without them.",
    ),
    Option.SHIP_AS_EDITED: (
        "Ship as edited",
        "The parcel may leave as Shopify shows it now, although the marketplace sold something else; for exactly this edit, at "
        "our own risk. Another change holds it again.",
    ),
    Option.SHIP_WITH_DIFFERENCE: (
        "Ship with this difference",
        "The parcel may leave although the two orders add up to different totals; for exactly this difference. Another one holds "
        "it again.",
    ),
    Option.NO_SUCCESSOR: (
        "It has nothing to do with it",
        "It is released. If no order is left, the cancelation is carried to the marketplace as one of the whole order.",
    ),
    Option.SECOND_DELIVERY: (
        "A second delivery was agreed",
        "It is released and leaves beside the first parcel. The marketplace is told nothing: it knows of one delivery.",
    ),
    Option.TAKE_OVER: (
        "It takes over",
        "Once the other order is cancelled, this one stands for the marketplace order; its lines are compared with what "
        "was agreed.",
    ),
    Option.CANCEL_ORIGINAL: (
        "Cancel the original in Shopify",
        "Interlock cancels the replaced order, its stock is put back, nobody is mailed; the new order takes over.",
    ),
    Option.UNDO_TAKE_OVER: (
        "Take the take-over back",
        "The order before stands for the marketplace order again; the new one is held until somebody decides.",
    ),
    Option.SEND_AGAIN: ("Send it again", "The same call is sent once more."),
    Option.GIVE_UP: (
        "Give the edit up",
        "Nothing more is sent for this edit. The parcel is released by itself once both sides agree.",
    ),
    Option.TURNED_DOWN: (
        "The operator turned it down",
        "Interlock does not wait for this refund any more and keeps no parcel for it. What is still removed in Shopify is asked "
        "about anew; should the refund appear after all, it counts.",
    ),
    Option.APPROVE_REFUND: (
        "Approve the refund",
        "Interlock refunds exactly these figures at the marketplace. Money that was sent cannot be taken back.",
    ),
    Option.ANOTHER_REFUND: (
        "It is another refund",
        "A task asks for its money in the marketplace portal, beside what is made or asked for already.",
    ),
    Option.PRINT_ANYWAY: (
        "Print the label anyway",
        "The next label check of this parcel says yes, once. It stays on the record with your name.",
    ),
    Option.LEFT_UNDER_NUMBER: (
        "It left under the number it shows",
        "The parcel left although its label was given back: the marketplace is told of it with the carrier and number that "
        "Shopify shows.",
    ),
    Option.SEND_NUMBER: (
        "Send Shopify's number",
        "The marketplace gets the number that Shopify shows, in place of the one that somebody gave in its portal.",
    ),
    Option.DISMISS: ("Close it", "You looked at it and there is nothing left to do."),
}

SEVERITIES = {"urgent": "urgent", "today": "today", "note": "note"}

OPERATION_STATES = {
    "PLANNED": "planned",
    "IN_FLIGHT": "being sent",
    "CONFIRMED": "confirmed",
    "REJECTED": "refused",
    "UNKNOWN": "outcome unclear",
}


def option_label(option: str) -> str:
    """An option as a button says it; the code itself when it is none we know."""
    return OPTIONS[Option(option)][0] if option in set(Option) else option


def option_consequence(option: str) -> str:
    """What choosing the option does."""
    return OPTIONS[Option(option)][1] if option in set(Option) else ""


FOR_ALL = {
    Option.SEND_AGAIN: "Send again for {}",
    Option.IN_SHOP_ALREADY: "Already in the shop: {}",
}


def for_all_label(option: Option, orders: str) -> str:
    """What the button says that gives this answer for so many orders."""
    return FOR_ALL[option].format(orders)


ROLES = {
    "live": "stands now",
    "superseded": "was replaced",
    "candidate": "may take over",
    "unlinked": "has nothing to do with it",
}
"""What the place of a Shopify order in a lineage is called."""


def facts_in_words(facts: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The facts of a case for people: those that a rule keeps as a bare word and number, as a sentence."""
    return tuple(_fact_in_words(name, value) for name, value in facts)


def _fact_in_words(name: str, value: str) -> tuple[str, str]:
    match name:
        case "variants" if value.isdecimal():
            carry = "variant of the shop carries" if value == "1" else "variants of the shop carry"
            return "In the shop", f"{value} {carry} this SKU"
        case "article":
            return "Article of the bundle", value
        case _:
            return name, value


def reason_title(reason: str) -> str:
    """The reason of a case as a clause for lists."""
    return CATALOGUE[Reason(reason)].title if reason in set(Reason) else reason.replace("_", " ")


def mirakl_state(state: str | None) -> str:
    """A Mirakl order state in words; the state itself when this version does not know it."""
    if not state:
        return "not read yet"
    return MIRAKL_STATES.get(state, state)


def span(length: timedelta) -> str:
    """A duration as people say it: 45 s, 12 min, 3 h 5 min, 2 d 4 h. Never negative."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago, in whole minutes from one minute on."""
    if moment is None:
        return "never"
    length = now - moment
    return "just now" if length < timedelta(minutes=1) else f"{span(length)} ago"


def left(moment: datetime | None, now: datetime) -> str:
    """How much time is left until a moment, or how long it is over."""
    if moment is None:
        return ""
    if moment <= now:
        return f"overdue by {span(now - moment)}"
    return f"{span(moment - now)} left"


def plain(text: str) -> str:
    """A sentence of the manual where no link can lead anywhere: of each link the words alone."""
    return _LINK.sub(r"\1", text)


def stamp(moment: datetime | None) -> str:
    """A moment for tables, in UTC."""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def clock(moment: datetime | None, now: datetime) -> str:
    """A moment near today: the time alone, with the day in front when it is another one."""
    if moment is None:
        return ""
    return f"{moment:%H:%M:%S}" if moment.date() == now.date() else f"{moment:%d %b %H:%M:%S}"


def money(amount: Decimal, currency: str) -> str:
    """An amount with its currency, rounded to what the currency knows."""
    return str(Money(amount, currency))
