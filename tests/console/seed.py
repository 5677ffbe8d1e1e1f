"""A connection and orders in the database, decided by the real rules, for tests of what people see."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, insert, update

from interlock.access.roles import everything
from interlock.cases.store import sync_cases
from interlock.decide import decide
from interlock.engine import ledger
from interlock.engine.store import ConnectionRow, add_connection, connections, one_connection
from interlock.orders.actions import Action, Lane
from interlock.orders.capability import Capability
from interlock.orders.codec import encode
from interlock.orders.connection import Carrier
from interlock.orders.plan import Plan
from interlock.orders.store import add_order, label_columns, orders, plans, remember_fulfillment_orders, tell
from interlock.orders.view import View
from interlock.storage.encryption import Keyring
from tests.build import (
    LINES,
    NOW,
    OFFERS,
    a_fulfillment,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_offer,
    an_order,
    not_imported,
    some_rules,
)

SHOP = "atlas-shop.myshopify.com"
SECRET = b"the app's secret"
TESTER = everything("Ada")
"""Who looks at pages in tests that are not about accounts: pass it as `WebParts(…, everyone=TESTER)`."""
CLOCK = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)


@dataclass
class Wakes:
    """The queue port: remembers which orders were woken."""

    woken: list[tuple[int, Lane]] = field(default_factory=list)
    wanted: list[int] = field(default_factory=list)

    def wake(self, c: Connection, order_id: int, lane: Lane) -> None:
        self.woken.append((order_id, lane))

    def read_wanted(self, c: Connection, connection_id: int) -> None:
        self.wanted.append(connection_id)


class Stopped:
    """A clock that stands still at `CLOCK` unless moved."""

    def __init__(self) -> None:
        self.moment = CLOCK

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class Numbered:
    """Identifiers in a row, so that a test can tell them apart."""

    def __init__(self) -> None:
        self.count = 0

    def new_id(self) -> str:
        self.count += 1
        return f"{self.count:032x}"


def connect(
    c: Connection,
    keyring: Keyring,
    name: str = "atlas",
    live: bool = True,
    shop: str = SHOP,
    shop_id: int = 2001,
) -> ConnectionRow:
    """A live connection whose marketplace registers two carriers."""
    connection_id = add_connection(
        c,
        replace(some_rules(), name=name, hold_handle=f"interlock:{name}"),
        NOW - timedelta(days=1),
        live=live,
        mirakl_origin="https://atlas.example",
        mirakl_shop_id=shop_id,
        mirakl_key=keyring.encrypt(b"a key"),
        shopify_shop=shop,
        shopify_origin=f"https://{shop}",
        shopify_client_id="client",
        shopify_client_secret=keyring.encrypt(SECRET),
    )
    capability = Capability(
        tax_mode="TAX_INCLUDED",
        acceptance="NOT_AUTOMATIC",
        address_before_acceptance=True,
        unregistered_carriers=False,
        carriers=(Carrier("RM24", "Royal Mail 24"), Carrier("DPD", "DPD")),
        shipping_types=("STD",),
        tracking_mandatory_for=(),
        cancelation_reasons=(),
        currency="EUR",
        shop_id=str(shop_id),
        shop_name="Atlas",
        shop_state="OPEN",
        shop_model="MARKETPLACE",
        time_zone="UTC",
        multi_shipment=False,
    )
    c.execute(
        update(connections).where(connections.c.id == connection_id).values(capability=encode(capability))
    )
    return one_connection(c, connection_id)


def keep(c: Connection, connection: ConnectionRow, view: View) -> tuple[int, Plan]:
    """Decide on a view and keep order, plan, cases, operations and story, as a run does."""
    plan = decide(view)
    order_id = add_order(c, connection.id, view.order_id, "", view.now - timedelta(minutes=1))
    memory = plan.memory
    c.execute(
        update(orders)
        .where(orders.c.id == order_id)
        .values(
            memory=encode(memory),
            last_view=encode(view),
            shopify_order_id=memory.shopify_order_id or None,
            shopify_name=memory.shopify_order_name or None,
            acceptance_due_at=memory.acceptance_due_at,
            mirakl_state=None if view.mirakl is None else view.mirakl.state,
            mirakl_seen_at=None if view.mirakl is None else view.mirakl.observed_at,
            shopify_seen_at=None if view.shopify is None else view.shopify.observed_at,
            next_look_at=plan.look_at,
            **label_columns(plan.label, view.now + view.rules.label_max_age),
        )
    )
    c.execute(
        insert(plans).values(order_id=order_id, at=view.now, epoch=1, view=encode(view), plan=encode(plan))
    )
    change = sync_cases(c, order_id, connection.id, plan.cases, view.now, True, view.mirakl, memory)
    tell(c, order_id, view.now, "Interlock", (*plan.because, *change.opened))
    if view.shopify is not None:
        remember_fulfillment_orders(c, order_id, [f.id for f in view.shopify.fulfillment_orders])
    for number, action in enumerate(plan.actions):
        planned(c, order_id, connection.id, action, f"{order_id:016x}{number:016x}", view.now)
    return order_id, plan


def planned(
    c: Connection, order_id: int, connection_id: int, action: Action, operation_id: str, at: datetime
) -> None:
    """Put an operation of the order into the ledger, planned and not sent."""
    c.execute(
        insert(ledger.operations).values(
            id=operation_id,
            order_id=order_id,
            connection_id=connection_id,
            epoch=1,
            kind=type(action).__name__,
            platform=action.platform,
            call_class=action.call_class,
            action=encode(action),
            digest=ledger.digest_of(action),
            state="PLANNED",
            planned_at=at,
        )
    )


def edited_up() -> View:
    """Staff raised the mugs from two to five in Shopify: the marketplace cannot take it."""
    shopify = a_shopify_order(
        lines=(a_shopify_line(quantity=5), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))
    )
    return a_view(order_id="M-1001-A", shopify=shopify)


def shipped_with(carrier: str, order_id: str = "M-1002-A") -> View:
    """A parcel has left with this carrier."""
    shopify_id = "SO2" if order_id == "M-1002-A" else f"SO-{order_id}"
    lines = (
        a_shopify_line(fulfilled_quantity=2),
        a_shopify_line("S2", "LAMP", 1, "30.00", "L2", fulfilled_quantity=1),
    )
    shopify = a_shopify_order(
        id=shopify_id,
        name="#1002",
        marker=f"atlas:{order_id}",
        lines=lines,
        fulfillment_orders=(),
        fulfillments=(a_fulfillment(carrier=carrier, tracking_number="RM123456785GB"),),
    )
    memory = a_memory(
        shopify_order_id=shopify_id, shopify_order_name="#1002", released_at=NOW - timedelta(minutes=2)
    )
    mirakl = replace(an_order(), order_id=order_id, seller_reference="#1002")
    return a_view(order_id=order_id, shopify=shopify, mirakl=mirakl, memory=memory)


def sku_unknown(order_id: str = "M-1003-A") -> View:
    """An order that waits for acceptance and whose lamp the shop does not know."""
    mirakl = replace(
        an_order("WAITING_ACCEPTANCE", [replace(line, state="WAITING_ACCEPTANCE") for line in LINES]),
        order_id=order_id,
        seller_reference="",
        can_ship=False,
    )
    return a_view(
        order_id=order_id,
        shopify=None,
        mirakl=mirakl,
        memory=not_imported(),
        offers=(OFFERS[0], an_offer("LAMP", matches=0)),
    )
