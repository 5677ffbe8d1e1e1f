"""What the page of a case leads to: for every reason the steps its manual page names, as buttons."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from string import Formatter
from types import MappingProxyType
from urllib.parse import quote

from sqlalchemy import Connection, select

from interlock.access.roles import Permission, Person
from interlock.console.case_list import CaseRow
from interlock.console.lacking import lacks
from interlock.console.order import admin_page
from interlock.console.portal import portal_page
from interlock.engine.store import connections
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import orders

P = Permission
MAP_PAGES: Mapping[str, str] = MappingProxyType({Option.MAP_CARRIER: "carriers", Option.MAP_SKU: "skus"})
"""The options that are answered on a map of the connection, with its page."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of step. `address` has the places that a case fills in; a step of which one is not known is not there.
    `needs` is the right that what it leads to asks for, with `whole` for all connections. With `form` the button does
    it, else it leads there; with `outside` to a page of a platform."""

    label: str
    says: str
    address: str
    needs: Permission = P.SEE
    whole: bool = False
    form: bool = False
    outside: bool = False


class Step(Enum):
    """What a person may be led to from a case."""

    LOOK_AGAIN = Kind(
        "Look again",
        "Both sides are read afresh and decided on.",
        "/orders/{order}/replay",
        P.REPLAY,
        form=True,
    )
    ORDER = Kind(
        "Open the order", "Its lines on both sides, its story and its other cases.", "/orders/{order}"
    )
    DESK = Kind(
        "Edit the order",
        "First you see what would happen; nothing is sent before you say so.",
        "/orders/{order}#edit",
        P.EDIT_ORDERS,
    )
    LINEAGE = Kind(
        "Link another Shopify order",
        "Say which Shopify orders stand for this sale, or take it back.",
        "/orders/{order}#link-title",
        P.LINK_ORDERS,
    )
    EVIDENCE = Kind(
        "What the marketplace sent",
        "Word for word, with personal data masked.",
        "/orders/{order}/evidence",
    )
    IN_SHOPIFY = Kind("Open it in Shopify", "The order in the shop's admin.", "{in_shopify}", outside=True)
    SHOP = Kind("Open the shop's admin", "Products, stock, locations, apps.", "{shop}", outside=True)
    PORTAL = Kind(
        "Open the marketplace portal",
        "Its start: where the shop acts itself.",
        "{portal}",
        outside=True,
    )
    IN_PORTAL = Kind(
        "Open it in the marketplace portal",
        "The order where the marketplace lets the shop act.",
        "{in_portal}",
        outside=True,
    )
    CARRIERS = Kind(
        "Open the carrier map",
        "How each carrier of the shop is called at this marketplace.",
        "/connections/{connection}/carriers",
    )
    SKUS = Kind(
        "Open the SKU map",
        "Which SKU of the shop each marketplace SKU means, and what is suggested.",
        "/connections/{connection}/skus?subject={subject}",
    )
    OFFERS = Kind(
        "Compare offers with products",
        "What this marketplace offers and what the shop sells.",
        "/connections/{connection}/skus#offers",
    )
    REASONS = Kind(
        "Choose a reason code",
        "From the marketplace's list; the orders that wait go on by themselves.",
        "/connections/{connection}/reasons",
    )
    FLOWS = Kind(
        "End the pause",
        "The switches of the connection: what is paused, by whom, until when.",
        "/connections/{connection}/flows",
    )
    STOCK = Kind(
        "Open the offered stock",
        "What is offered, and what is still to be told.",
        "/connections/{connection}/stock",
    )
    CONNECTION = Kind(
        "Open the connection",
        "What the marketplace allows, the policies and their consequences.",
        "/connections?connection={name}",
    )
    ACCEPTANCE = Kind(
        "Orders that wait for acceptance",
        "The least time left first: accept them in the portal while this lasts.",
        "/acceptance?connection={name}",
    )
    HOLDS = Kind("Held parcels", "Every held parcel, why, and who can free it.", "/holds?connection={name}")
    REFUNDS = Kind(
        "Refund tasks", "What to enter in the portal, line by line.", "/refund-tasks?connection={name}"
    )
    HEALTH = Kind("Open Health", "Which part is silent, and since when.", "/health", whole=True)
    ALERTS = Kind(
        "Test the channels", "A test's answer says what is wrong with a channel.", "/alerts", P.MANAGE_ALERTS
    )
    AUDIT_LOG = Kind(
        "Verify the audit log", "It names the first entry that does not fit.", "/audit-log", P.SEE_AUDIT_LOG
    )
    ON_CALL = Kind(
        "What to do when it is red",
        "The order in which to look, in the manual.",
        "/manual/operations/when-it-is-red",
    )


S = Step
R = Reason
_BOTH_SIDES = (S.IN_SHOPIFY, S.PORTAL, S.LOOK_AGAIN)
_OF_THE_CONNECTION = (S.CONNECTION, S.ACCEPTANCE, S.PORTAL, S.ON_CALL)

STEPS: Mapping[Reason, tuple[Step, ...]] = MappingProxyType(
    {
        # before the Shopify order exists
        R.SKU_UNKNOWN: (S.OFFERS, S.SHOP, S.LOOK_AGAIN),
        R.SKU_AMBIGUOUS: (S.OFFERS, S.SHOP, S.LOOK_AGAIN),
        R.STOCK_SHORT: (S.SHOP, S.STOCK, S.LOOK_AGAIN),
        R.IMPORT_REFUSED: (S.EVIDENCE, S.SHOP, S.LOOK_AGAIN),
        R.DRAFT_WITHOUT_STOCK: (S.ORDER, S.SHOP, S.PORTAL, S.LOOK_AGAIN),
        R.TOTALS_DIFFER: (*_BOTH_SIDES, S.EVIDENCE),
        R.NOT_OURS_TO_SHIP: (S.CONNECTION, S.PORTAL, S.LOOK_AGAIN),
        R.OLDER_THAN_CONNECTION: (S.SHOP, S.PORTAL, S.LOOK_AGAIN),
        R.TWO_LIVE_ORDERS: (S.IN_SHOPIFY, S.LINEAGE, S.LOOK_AGAIN),
        R.PRICE_DISCREPANCY: (S.EVIDENCE, S.SHOP, S.PORTAL, S.LOOK_AGAIN),
        # acceptance
        R.ACCEPTANCE_RUNNING_OUT: (S.ORDER, S.PORTAL, S.LOOK_AGAIN),
        R.ACCEPTANCE_REFUSED: (S.PORTAL, S.EVIDENCE, S.LOOK_AGAIN),
        R.ACCEPTED_WITHOUT_ORDER: (S.ORDER, S.SHOP, S.LOOK_AGAIN),
        R.SHIPPED_WITHOUT_ORDER: (S.PORTAL, S.SHOP, S.LOOK_AGAIN),
        # edits
        R.EDIT_CANNOT_BE_EXPRESSED: (S.DESK, *_BOTH_SIDES),
        R.REDUCTION_NOT_ALLOWED: (S.REASONS, S.DESK, *_BOTH_SIDES),
        R.REDUCTION_REFUSED: (*_BOTH_SIDES, S.EVIDENCE),
        R.REFUND_TASK: (S.REFUNDS, S.PORTAL, S.IN_SHOPIFY, S.LOOK_AGAIN),
        R.CONFIRM_WITHDRAWN: _BOTH_SIDES,
        R.MARKETPLACE_CHANGED: (*_BOTH_SIDES, S.EVIDENCE),
        R.INCIDENT_OPEN: (S.PORTAL, S.IN_SHOPIFY, S.LOOK_AGAIN),
        R.EDIT_WAITING: (S.ORDER, S.IN_SHOPIFY, S.LOOK_AGAIN),
        R.BOTH_SIDES_CHANGED: _BOTH_SIDES,
        # holds
        R.HOLD_RELEASED_BY_OTHERS: (S.IN_SHOPIFY, S.HOLDS, S.LOOK_AGAIN),
        R.CANNOT_HOLD: (S.IN_SHOPIFY, S.HOLDS, S.LOOK_AGAIN),
        R.LABEL_BEFORE_AGREEMENT: (S.IN_SHOPIFY, S.ORDER, S.LOOK_AGAIN),
        R.SHIPPED_ON_DISAGREEMENT: _BOTH_SIDES,
        R.SERVICE_DOES_NOT_STOP: (S.IN_SHOPIFY, S.LOOK_AGAIN),
        R.SERVICE_TO_ASK_AGAIN: (S.IN_SHOPIFY, S.LOOK_AGAIN),
        R.LABEL_GIVEN_BACK: _BOTH_SIDES,
        R.LABEL_OVERRIDDEN: (S.IN_SHOPIFY, S.ORDER, S.LOOK_AGAIN),
        # shipping
        R.CARRIER_UNKNOWN: (S.IN_SHOPIFY, S.LOOK_AGAIN),
        R.TRACKING_MISSING: _BOTH_SIDES,
        R.SHIPPING_REFUSED: (*_BOTH_SIDES, S.CARRIERS),
        R.TRACKING_UNUSABLE: (S.IN_SHOPIFY, S.LOOK_AGAIN),
        R.CARRIER_GONE: (S.CARRIERS, S.PORTAL),
        R.SHIPPING_DEADLINE_NEAR: (S.ORDER, *_BOTH_SIDES),
        R.PARTIAL_SHIPMENT: (S.IN_SHOPIFY, S.DESK, S.LOOK_AGAIN),
        R.FULFILLMENT_CANCELLED: _BOTH_SIDES,
        R.TRACKING_NOT_CORRECTED: (*_BOTH_SIDES, S.CARRIERS),
        R.STILL_HERE: _BOTH_SIDES,
        R.SHIPMENT_IN_PORTAL: (S.PORTAL, S.LOOK_AGAIN),
        R.SHIPMENTS_HIDDEN: (S.PORTAL, S.CONNECTION, S.LOOK_AGAIN),
        R.OPERATOR_SHIPS: _BOTH_SIDES,
        # endings and replacements
        R.CANCELLED_IN_SHOPIFY: (*_BOTH_SIDES, S.LINEAGE),
        R.SHOPIFY_ORDER_MISSING: (S.SHOP, S.PORTAL, S.CONNECTION, S.LOOK_AGAIN),
        R.POSSIBLE_SUCCESSOR: (S.LINEAGE, S.IN_SHOPIFY, S.LOOK_AGAIN),
        R.ENDED_AFTER_PICKING: _BOTH_SIDES,
        R.ENDED_WITH_REST: (S.IN_SHOPIFY, S.ORDER, S.LOOK_AGAIN),
        R.DESK_EDIT_STUCK: (S.ORDER, *_BOTH_SIDES),
        R.ORIGINAL_NOT_CANCELLED: (S.IN_SHOPIFY, S.LINEAGE, S.LOOK_AGAIN),
        R.REPLACEMENT_SPLIT: (S.LINEAGE, S.IN_SHOPIFY, S.LOOK_AGAIN),
        R.REPLACEMENT_MERGED: (S.LINEAGE, S.IN_SHOPIFY, S.LOOK_AGAIN),
        # the engineer's
        R.UNKNOWN_VALUE: (S.EVIDENCE, S.PORTAL, S.LOOK_AGAIN),
        R.UNREADABLE_ORDER: (S.PORTAL, S.EVIDENCE, S.ACCEPTANCE, S.LOOK_AGAIN),
        R.OUTCOME_UNCLEAR: (*_BOTH_SIDES, S.EVIDENCE),
        R.PLATFORM_REFUSED: (*_BOTH_SIDES, S.EVIDENCE),
        R.TOO_MANY_CYCLES: (S.ORDER, S.IN_SHOPIFY, S.LOOK_AGAIN),
        R.IMPOSSIBLE_COMBINATION: (*_BOTH_SIDES, S.EVIDENCE),
        R.POISON_ORDER: _BOTH_SIDES,
        # money
        R.REFUND_APPROVAL: (S.REFUNDS, S.PORTAL, S.LOOK_AGAIN),
        R.REFUND_REFUSED: (S.PORTAL, S.REASONS, S.LOOK_AGAIN),
        R.REFUND_NOT_PAID: (S.PORTAL, S.LOOK_AGAIN),
        R.REFUND_MISMATCH: _BOTH_SIDES,
        R.REFUND_ONLY_AT_MARKETPLACE: _BOTH_SIDES,
        R.REFUND_MADE_ALREADY: _BOTH_SIDES,
        R.REASON_CODE_MISSING: (S.REASONS, S.PORTAL),
        R.SETTING_REFUTED: (S.CONNECTION, S.PORTAL),
        # after a rebuild or a restore
        R.QUARANTINE: (S.HEALTH, S.ACCEPTANCE, S.PORTAL),
        R.DIFFERENCE_AFTER_QUARANTINE: _BOTH_SIDES,
        # connections as a whole
        R.CREDENTIAL_REFUSED: (*_OF_THE_CONNECTION, S.SHOP),
        R.SCOPE_MISSING: (S.SHOP, S.PORTAL, S.CONNECTION),
        R.SUBSCRIPTION_MISSING: (S.CONNECTION, S.SHOP, S.ON_CALL),
        R.POLLER_STALE: (S.HEALTH, S.ACCEPTANCE, S.PORTAL, S.ON_CALL),
        R.BUDGET_EXHAUSTED: (S.HEALTH, S.CONNECTION),
        R.OPERATION_UNCLEAR: (S.HEALTH, S.PORTAL, S.ON_CALL),
        R.FLOW_PAUSED: (S.FLOWS, S.ORDER, S.PORTAL),
        # mail and addresses
        R.ADDRESS_INCOMPLETE: (S.PORTAL, S.EVIDENCE, S.LOOK_AGAIN),
        R.DESTINATION_DIFFERS: (S.IN_SHOPIFY, S.ORDER, S.LOOK_AGAIN),
        R.EMAIL_NOT_RELAY: (S.IN_SHOPIFY, S.LOOK_AGAIN),
        R.MARKETING_POSSIBLE: (S.IN_SHOPIFY, S.LOOK_AGAIN),
        # the service itself
        R.CLOCK_SKEW: (S.HEALTH, S.ON_CALL),
        R.AUDIT_LOG_BROKEN: (S.AUDIT_LOG, S.ON_CALL),
        R.BACKUP_OLD: (S.HEALTH, S.ON_CALL),
        R.CANARY_IN_LOG: (S.AUDIT_LOG, S.ON_CALL),
        R.HEARTBEAT_MISSING: (S.ALERTS, S.ON_CALL),
        R.INGRESS_REDIRECTS: (S.CONNECTION, S.ON_CALL),
        # offers and stock
        R.OFFER_WITHOUT_VARIANT: (S.SKUS, S.SHOP, S.PORTAL),
        R.OFFER_AMBIGUOUS: (S.SHOP, S.SKUS),
        R.OFFER_DELETED: (S.OFFERS, S.PORTAL),
        R.OFFER_SKU_UNUSABLE: (S.OFFERS, S.PORTAL),
        R.VARIANT_WITHOUT_OFFER: (S.OFFERS, S.PORTAL),
        R.STOCK_LOCATION_GONE: (S.SHOP, S.STOCK),
        R.STOCK_FILE_REFUSED: (S.STOCK, S.PORTAL),
        R.STOCK_LINE_REFUSED: (S.STOCK, S.PORTAL),
        R.STOCK_IMPORT_STUCK: (S.STOCK, S.PORTAL),
        R.STOCK_ABSURD: (S.SHOP, S.STOCK),
        R.OVERSOLD: (S.SHOP, S.STOCK),
    }
)
"""The steps of every reason, the likeliest first. What is answered on the page itself is not among them."""


@dataclass(frozen=True, slots=True)
class Button:
    """A step of one case: where it leads to, or what its form is sent to. `lacks` says which right somebody lacks for it."""

    name: str
    kind: Kind
    address: str
    lacks: str = ""


def buttons(c: Connection, row: CaseRow, person: Person) -> tuple[Button, ...]:
    """The steps of a case that can be taken, the likeliest first, also those for which the person lacks a right."""
    return buttons_at(row, person, places_of(c, row))


def buttons_at(row: CaseRow, person: Person, places: Mapping[str, str]) -> tuple[Button, ...]:
    """The steps of a case whose places are known, with the right that the person lacks for them."""
    return tuple(
        Button(step.name.lower(), step.value, step.value.address.format(**places), _lacks(person, step, row))
        for step in (_nearer(step, places) for step in STEPS[Reason(row.reason)])
        if all(places.get(name) for _, name, _, _ in Formatter().parse(step.value.address) if name)
    )


def _lacks(person: Person, step: Step, row: CaseRow) -> str:
    kind = step.value
    return lacks(person, kind.needs, None if kind.whole else row.connection_id, kind.whole)


def _nearer(step: Step, places: Mapping[str, str]) -> Step:
    """The order's own page in the portal instead of the portal's start, where that is known."""
    return Step.IN_PORTAL if step is Step.PORTAL and places["in_portal"] else step


def places_of(c: Connection, row: CaseRow) -> dict[str, str]:
    """What the addresses of steps speak of, as an address has it; empty where the case knows of none."""
    of_connection = c.execute(
        select(
            connections.c.mirakl_origin,
            connections.c.shopify_shop,
            connections.c.rules["order_in_portal"].astext.label("order_in_portal"),
        ).where(connections.c.id == row.connection_id)
    ).one_or_none()
    of_order = c.execute(
        select(orders.c.shopify_order_id, orders.c.mirakl_order_id).where(orders.c.id == row.order_id)
    ).one_or_none()
    shopify_id = None if of_order is None else of_order.shopify_order_id
    shop = "" if of_connection is None else str(of_connection.shopify_shop or "")
    origin = "" if of_connection is None else str(of_connection.mirakl_origin or "")
    template = "" if of_connection is None else of_connection.order_in_portal or ""
    page = portal_page(origin, template, "" if of_order is None else of_order.mirakl_order_id)
    return {
        "order": str(row.order_id or ""),
        "connection": str(row.connection_id or ""),
        "name": quote(row.connection, safe=""),
        "subject": quote(row.subject, safe=""),
        "in_shopify": admin_page(shop, shopify_id or ""),
        "shop": f"https://{shop}/admin" if shop else "",
        "portal": portal_page(origin, "", "").address,
        "in_portal": "" if of_order is None or not template else page.address,
    }
