"""Connections with their policies and what each of them means, and the capability profile of the marketplace."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from interlock.cases.store import cases
from interlock.console import wording
from interlock.console.flows import LOUD
from interlock.console.list_changes import ListChange, list_changes
from interlock.edits.forecast import EditForecast, forecast, share_in_words
from interlock.engine.store import (
    ConnectionRow,
    all_connections,
    connections,
)
from interlock.imports.store import sku_mappings
from interlock.marketplaces.profile import profile_of
from interlock.marketplaces.store import observations_of
from interlock.orders.capability import Capability
from interlock.orders.codec import decode
from interlock.orders.connection import FLOWS, ConnectionRules, Pause
from interlock.orders.store import orders
from interlock.shipping.store import carrier_mappings
from interlock.wiring import rules_of


@dataclass(frozen=True, slots=True)
class ProfileLine:
    """One entry of a connection's capability profile; `age` and `remark` in words."""

    name: str
    value: str
    source: str
    verified: bool
    at: datetime | None
    age: str
    remark: str


@dataclass(frozen=True, slots=True)
class ProfileView:
    """What a connection's marketplace allows, what becomes of edits there, and how much of it needs nobody."""

    entries: tuple[ProfileLine, ...]
    forecasts: tuple[EditForecast, ...]
    share: str


@dataclass(frozen=True, slots=True)
class ConnectionCard:
    """One connection as its card shows it: its policies with what each of them means."""

    id: int
    name: str
    live: bool
    marketplace: str
    shop: str
    policies: tuple[tuple[str, str, str], ...]
    profile: ProfileView
    services: str
    orders: int
    open_cases: int
    carriers_mapped: int
    carriers_known: int
    skus_mapped: int
    paused: tuple[tuple[Pause, bool], ...] = ()
    list_changes: tuple[ListChange, ...] = ()


def connection_names(c: Connection) -> dict[int, str]:
    """The connections' names by row number."""
    rows = c.execute(select(connections.c.id, connections.c.name).order_by(connections.c.name))
    return {row.id: row.name for row in rows}


def connection_named(c: Connection, name: str) -> ConnectionRow | None:
    """The connection of that name or row id."""
    for row in all_connections(c):
        if row.name == name or str(row.id) == name:
            return row
    return None


def connection_cards(c: Connection, now: datetime) -> list[ConnectionCard]:
    """Every connection, in the order they were made. Ages are counted to `now`."""
    return [_card(c, row, now) for row in all_connections(c)]


def _card(c: Connection, row: ConnectionRow, now: datetime) -> ConnectionCard:
    def number(table: Any, *conditions: Any) -> int:
        query = select(func.count()).select_from(table).where(table.c.connection_id == row.id, *conditions)
        return int(c.execute(query).scalar_one())

    return ConnectionCard(
        id=row.id,
        name=row.name,
        live=row.live,
        marketplace=row.mirakl_origin,
        shop=row.shopify_shop,
        policies=policies_of(row),
        profile=profile_view(c, row, now),
        services=services_in_words(row),
        orders=number(orders),
        open_cases=number(cases, cases.c.closed_at.is_(None)),
        carriers_mapped=number(carrier_mappings),
        carriers_known=len(rules_of(row, ()).carriers),
        skus_mapped=number(sku_mappings),
        paused=tuple(
            (pause, flow in LOUD) for flow in FLOWS if (pause := row.rules.paused(flow, now)) is not None
        ),
        list_changes=list_changes(c, row.id, 5),
    )


def profile_view(c: Connection, row: ConnectionRow, now: datetime) -> ProfileView:
    """The capability profile of a connection with source and age of each entry."""
    capability = None if row.capability is None else decode(Capability, row.capability)
    entries = profile_of(
        row.rules,
        row.rules_changed_at or row.created_at,
        timedelta(seconds=row.poll_seconds),
        capability,
        row.capability_read_at,
        observations_of(c, row.id),
    )
    lines = tuple(
        ProfileLine(
            entry.name,
            entry.value,
            entry.source,
            entry.verified,
            entry.at,
            "unknown" if entry.at is None else wording.span(now - entry.at),
            "; ".join(part for part in ("" if entry.verified else "unverified", entry.note) if part),
        )
        for entry in entries
    )
    forecasts = forecast(rules_of(row, ()), capability)
    return ProfileView(lines, forecasts, share_in_words(forecasts))


def services_in_words(row: ConnectionRow) -> str:
    """Where labels come from that nobody can stop once the place has the parcel."""
    if row.services_read_at is None:
        return "Which places of the shop are fulfilment services has not been read yet."
    if not row.services:
        return "Every place the shop ships from is its own: a hold stops every label."
    return (
        f"Labels nobody can stop: {', '.join(row.services)}. A fulfilment service that has a parcel already is asked to "
        "stop and may refuse; a hold only keeps it from being asked to ship. An edit window keeps parcels here meanwhile."
    )


def policies_of(row: ConnectionRow) -> tuple[tuple[str, str, str], ...]:
    """The connection's settings: name, value, and what the value means for the people who work with it."""
    rules = row.rules
    draft = rules.import_route == "draft"
    window = rules.acceptance_window
    return (
        (
            "import route",
            rules.import_route,
            "Staff and editing apps can edit the order; Shopify computes tax, the marketplace's exact taxes are kept "
            "beside it."
            if draft
            else "The order carries the marketplace's exact taxes, but only Interlock can edit it.",
        ),
        (
            "payment lock",
            "not used" if draft else ("on" if rules.payment_lock else "off"),
            "Orders of the draft route are paid from the start; the hold alone keeps the parcel."
            if draft
            else (
                "The order stays unpaid until the first release, a second lock beside the hold."
                if rules.payment_lock
                else "The order is paid from the start; the hold alone keeps the parcel."
            ),
        ),
        (
            "quiet period",
            wording.span(rules.quiet_period),
            "Nothing irreversible is sent to the marketplace until the last edit is this old.",
        ),
        (
            "lineage wait",
            wording.span(rules.lineage_wait),
            "A cancelation in Shopify waits this long for a replacement order before it is carried over.",
        ),
        (
            "edit window",
            "none" if rules.edit_window is None else wording.span(rules.edit_window),
            "Orders are released as soon as both sides agree."
            if rules.edit_window is None
            else "Every order stays held this long after its import, so that staff can edit it.",
        ),
        (
            "label check",
            wording.span(rules.label_max_age),
            "A label printer that asks hears yes only on a look at Shopify this young; an older one is taken anew.",
        ),
        (
            "service wait",
            wording.span(rules.service_wait),
            "A fulfilment service that was asked to stop a parcel has this long to answer before it is an urgent case.",
        ),
        (
            "acceptance window",
            "not set" if window is None else wording.span(window),
            "Without it the connection cannot go live: no field of the marketplace says it."
            if window is None
            else "An order not accepted within it is cancelled by the marketplace.",
        ),
        (
            "shipping origins",
            ", ".join(
                f"{one.location_id.rpartition('/')[2]}: {one.warehouse}" for one in rules.shipping_origins
            )
            or "none",
            "A shipment names the marketplace's warehouse for the location it leaves from; without one it names none.",
        ),
        (
            "partial acceptance",
            "allowed" if rules.partial_acceptance else "not allowed",
            "Lines can be refused one by one, in the marketplace portal."
            if rules.partial_acceptance
            else "An order is taken whole or not at all.",
        ),
        (
            "partial cancelation",
            "allowed" if rules.partial_cancelation else "not allowed",
            "Single units and lines can be cancelled before debit (OR30)."
            if rules.partial_cancelation
            else "Before debit only whole orders can be cancelled; a smaller edit becomes a case.",
        ),
        (
            "cancelation reason",
            rules.cancelation_reason or "not set",
            "The code that cancelations give to the marketplace and the customer."
            if rules.cancelation_reason
            else "Without it no cancelation can be sent; every reduction becomes a case.",
        ),
        *_refund_policies(rules),
        (
            "mirror marketplace changes",
            "on" if rules.mirror_marketplace_changes else "off",
            "What the marketplace cancels of an order is taken out of the Shopify order, where our app may edit it."
            if rules.mirror_marketplace_changes
            else "What the marketplace cancels of an order is a case: a person takes it out of the Shopify order.",
        ),
        (
            "price tolerance",
            "none" if rules.price_tolerance is None else f"{rules.price_tolerance} %",
            "Nobody is asked, whatever price an order was sold at."
            if rules.price_tolerance is None
            else "An order sold at a price further from the shop's is accepted only when a person says so.",
        ),
        (
            "status in Shopify",
            "shown" if rules.show_status else "not shown",
            "The Shopify order says in sync, held and why, or needs decision, as a metafield and a tag."
            if rules.show_status
            else "The Shopify order says nothing of where it stands; only our hold shows.",
        ),
        (
            "customer mail",
            rules.customer_mail,
            "No mail is wanted. Nothing Interlock sends triggers one; the order keeps the relay address as contact, so whether "
            "the shop mails it is up to Shopify's own switches and to whoever ships."
            if rules.customer_mail == "none"
            else "Shipping mails of the shop are wanted, through the relay address: an order that lost it is a case. Interlock "
            "sends none itself; whoever ships tells Shopify to.",
        ),
        (
            "order in the portal",
            rules.order_in_portal or "not set",
            "Orders, cases and refund tasks lead to the order's own page in the marketplace's portal."
            if rules.order_in_portal
            else "Orders, cases and refund tasks lead to the portal's start: nothing the marketplace tells says where an order's "
            "page is. Copy its address from the portal and say it with --order-in-portal.",
        ),
        (
            "poll interval",
            f"{row.poll_seconds} s",
            "How often the marketplace is asked for changes, besides "
            f"{row.event_reads_per_minute} reads by number a minute.",
        ),
    )


def _refund_policies(rules: ConnectionRules) -> tuple[tuple[str, str, str], ...]:
    how = {
        "task": "A reduction after the customer has paid becomes a task: a person refunds it in the portal.",
        "approve": "A reduction after the customer has paid is refunded by Interlock once a person has approved it.",
        "automatic": "A reduction after the customer has paid is refunded by Interlock by itself, up to the cap.",
    }
    policies: list[tuple[str, str, str]] = [
        ("reduction after debit", rules.reduction_after_debit, how[rules.reduction_after_debit])
    ]
    if rules.reduction_after_debit != "task":
        policies += [
            (
                "refund limit",
                "none" if rules.refund_limit is None else str(rules.refund_limit),
                "One approval is enough for any refund."
                if rules.refund_limit is None
                else "Above it two different people have to approve: counted is all that Interlock refunds of one order.",
            ),
            (
                "refund cap",
                "none" if rules.refund_cap is None else str(rules.refund_cap),
                "The most of one order that is refunded without approval, where refunds are automatic.",
            ),
            (
                "refund reason",
                rules.refund_reason or "not set",
                "The code that refunds give to the marketplace and the customer.",
            ),
        ]
    return (
        *policies,
        (
            "refund in Shopify",
            "always a task",
            "Money refunded in Shopify is refunded at the marketplace by a person, whatever the other settings say.",
        ),
        (
            "taxes that are sent",
            "all" if rules.proportional_taxes else "only those the marketplace cannot compute",
            "Cancelations and refunds name every tax with its share."
            if rules.proportional_taxes
            else "Taxes proportional to the amount are left to the marketplace.",
        ),
    )
