"""Every reason of the catalogue has steps that can be taken, and each of them leads to a page there is."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import update

from interlock.access.roles import Grant, Person, Role, everything
from interlock.cases.store import cases, open_connection_case
from interlock.console.case_list import CaseRow, case_rows
from interlock.console.case_steps import MAP_PAGES, STEPS, Step, buttons, buttons_at, places_of
from interlock.console.doors import Need, need_of
from interlock.engine.store import ConnectionRow, connections
from interlock.orders.codec import encode
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import orders
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from interlock.web import WebParts, create_app
from tests.access.test_every_route import every_route
from tests.console.seed import CLOCK, TESTER, Numbered, Stopped, Wakes, connect, edited_up, keep

OF_NOTHING = {
    name: ""
    for name in ("order", "connection", "name", "subject", "in_shopify", "shop", "portal", "in_portal")
}


@pytest.fixture
def connection(database: Database, keyring: Keyring) -> ConnectionRow:
    with database.begin() as c:
        return connect(c, keyring)


@pytest.fixture
def row(database: Database, connection: ConnectionRow) -> CaseRow:
    """The case of an edit, of an order that is in Shopify."""
    with database.begin() as c:
        order_id, _ = keep(c, connection, edited_up())
        c.execute(
            update(orders).where(orders.c.id == order_id).values(shopify_order_id="gid://shopify/Order/17")
        )
        return case_rows(c, cases.c.order_id == order_id)[0]


def test_no_step_is_there_for_nothing() -> None:
    # Where the order's own page is known, it stands in the place of the portal's start.
    assert set(Step) == {step for steps in STEPS.values() for step in steps} | {Step.IN_PORTAL}


def test_a_case_that_knows_only_where_it_belongs_has_a_step(row: CaseRow) -> None:
    """Neither in Shopify yet nor at a marketplace with a portal: what is left are pages of the console."""
    known = {"connection": "1", "name": "atlas", "subject": "x"}
    of_order = {**OF_NOTHING, **known, "order": "7"}
    of_connection = {**OF_NOTHING, **known, "shop": "https://shop.example/admin"}
    for reason in Reason:
        one = replace(row, reason=reason.value)
        found = [
            buttons_at(one, everything("ada"), of_order),
            buttons_at(one, everything("ada"), of_connection),
        ]
        assert found[0] or found[1], reason
        assert all("{" not in button.address for places in found for button in places)


def test_where_a_step_leads_there_is_a_page_and_it_asks_for_the_same_right(
    store: InlineStore, keyring: Keyring
) -> None:
    app = create_app(WebParts(store, Stopped(), Numbered(), Wakes(), keyring, everyone=TESTER))
    needed: dict[tuple[str, str], Need | None] = {}
    for route in every_route(app.routes):
        endpoint = getattr(route, "endpoint", None)
        for method in getattr(route, "methods", None) or ():
            needed[method, re.sub(r"\{[^}]+\}", "{}", str(getattr(route, "path", "")))] = (
                None if endpoint is None else need_of(endpoint)
            )
    for step in Step:
        kind = step.value
        if kind.outside:
            continue
        path = re.sub(r"\{[^}]+\}", "{}", kind.address.partition("?")[0].partition("#")[0])
        path = "/manual/{}" if path.startswith("/manual/") else path
        need = needed["POST" if kind.form else "GET", path]
        assert need is not None, step
        # Editing and linking are places of the order's page, which everybody may see.
        if step not in (Step.DESK, Step.LINEAGE, Step.ALERTS):
            assert (need.permission, need.whole) == (kind.needs, kind.whole), step


def test_the_order_in_shopify_and_the_portal_are_one_click_away(database: Database, row: CaseRow) -> None:
    with database.begin() as c:
        found = {button.name: button.address for button in buttons(c, row, everything("ada"))}

    assert found["in_shopify"] == "https://atlas-shop.myshopify.com/admin/orders/17"
    assert found["portal"] == "https://atlas.example"
    assert found["look_again"] == f"/orders/{row.order_id}/replay"
    assert found["desk"] == f"/orders/{row.order_id}#edit"


def test_the_order_in_the_portal_is_one_click_away_where_its_address_is_known(
    database: Database, connection: ConnectionRow, row: CaseRow
) -> None:
    rules = replace(connection.rules, order_in_portal="https://atlas.example/orders/{order_id}")
    with database.begin() as c:
        c.execute(update(connections).where(connections.c.id == connection.id).values(rules=encode(rules)))
        found = {button.name: button.address for button in buttons(c, row, everything("ada"))}

    assert found["in_portal"] == "https://atlas.example/orders/M-1001-A"
    assert "portal" not in found


def test_an_address_that_no_browser_may_follow_is_no_step(
    database: Database, connection: ConnectionRow, row: CaseRow
) -> None:
    with database.begin() as c:
        c.execute(
            update(connections)
            .where(connections.c.id == connection.id)
            .values(mirakl_origin="javascript:alert(1)")
        )
        assert places_of(c, row)["portal"] == ""


def test_what_somebody_wrote_stays_inside_the_address(database: Database, connection: ConnectionRow) -> None:
    with database.begin() as c:
        open_connection_case(
            c, connection.id, Reason.OFFER_WITHOUT_VARIANT, "A&b=1#x\"'><script>", "It is so.", CLOCK
        )
        (row,) = case_rows(c, cases.c.reason == Reason.OFFER_WITHOUT_VARIANT.value)
        found = {button.name: button.address for button in buttons(c, row, everything("ada"))}

    assert found["skus"].endswith("?subject=A%26b%3D1%23x%22%27%3E%3Cscript%3E")


@pytest.mark.parametrize(
    ("grants", "reason", "has", "has_not"),
    [
        ((Grant(Role.VIEWER),), Reason.EDIT_CANNOT_BE_EXPRESSED, "in_shopify", {"look_again", "desk"}),
        ((Grant(Role.FINANCE),), Reason.EDIT_CANNOT_BE_EXPRESSED, "look_again", {"desk"}),
        ((Grant(Role.CX),), Reason.EDIT_CANNOT_BE_EXPRESSED, "desk", set()),
        ((Grant(Role.CX),), Reason.AUDIT_LOG_BROKEN, "on_call", {"audit_log"}),
        ((Grant(Role.ENGINEER),), Reason.AUDIT_LOG_BROKEN, "audit_log", set()),
    ],
)
def test_a_step_is_there_for_who_may_take_it_and_says_to_others_what_it_needs(
    database: Database, row: CaseRow, grants: tuple[Grant, ...], reason: Reason, has: str, has_not: set[str]
) -> None:
    with database.begin() as c:
        found = buttons(c, replace(row, reason=reason.value), Person(7, "ada", grants))

    assert has in {one.name for one in found if not one.lacks}
    assert {one.name for one in found if one.lacks} == has_not


def test_health_is_a_step_for_who_sees_the_whole_installation(database: Database, row: CaseRow) -> None:
    stale = replace(row, reason=Reason.POLLER_STALE.value)
    assert row.connection_id is not None
    with database.begin() as c:
        of_one = buttons(c, stale, Person(7, "ada", (Grant(Role.ENGINEER, row.connection_id),)))
        of_all = buttons(c, stale, Person(7, "ada", (Grant(Role.ENGINEER),)))

    lacking = {one.name: one.lacks for one in of_one}
    assert lacking["health"].endswith("which you do not have for all connections.")
    assert lacking["acceptance"] == ""
    assert {one.name: one.lacks for one in of_all}["health"] == ""


def test_an_option_that_is_answered_on_a_map_has_its_page() -> None:
    assert dict(MAP_PAGES) == {Option.MAP_CARRIER: "carriers", Option.MAP_SKU: "skus"}
