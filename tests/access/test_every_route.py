"""Every route says what it needs, what it needs is what is written here, and every role gets what that means."""

import hashlib
import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import Text, cast, func, select
from starlette.routing import BaseRoute, Mount

from interlock.access.audit_log import entries
from interlock.access.roles import PERMISSION_WORDS, PERMISSIONS, Grant, Permission, Role, answers_for
from interlock.access.store import PERMISSION_OF
from interlock.cases.store import cases
from interlock.console.doors import Door, Need, need_of
from interlock.engine.store import ConnectionRow
from interlock.orders.reasons import CATALOGUE, Reason
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from interlock.tables import metadata
from tests.access.conftest import People, SignedIn
from tests.console.seed import connect, edited_up, keep, sku_unknown
from tests.web.browser import Browser, text_of

P = Permission
STRANGERS = None
OF_THE_CASE = "the team of the case"

# What is no page: it checks a signature or a key by itself, or says nothing about anybody.
MACHINES = {"/webhooks/shopify/{place}", "/healthz", "/metrics", "/v1", "/static"}

EXPECTED: dict[str, Permission | str | None] = {
    "GET /": P.SEE,
    "GET /orders": P.SEE,
    "GET /orders.csv": P.EXPORT,
    "POST /orders/find": P.SEE,
    "GET /orders/{order_id}": P.SEE,
    "POST /orders/{order_id}/replay": P.REPLAY,
    "POST /orders/{order_id}/edit-preview": P.EDIT_ORDERS,
    "POST /orders/{order_id}/edit": P.EDIT_ORDERS,
    "POST /orders/{order_id}/link": P.LINK_ORDERS,
    "POST /orders/{order_id}/unlink": P.LINK_ORDERS,
    "POST /orders/{order_id}/undo-link": P.LINK_ORDERS,
    "POST /orders/{order_id}/create": P.ANSWER_OPERATIONS,
    "GET /label-check": P.SEE,
    "POST /label-check": P.SEE,
    "GET /orders/{order_id}/label": P.SEE,
    "POST /orders/{order_id}/label": P.OVERRIDE_LABEL,
    "GET /orders/{order_id}/evidence": P.SEE,
    "POST /orders/{order_id}/evidence": P.REVEAL_PERSONAL_DATA,
    "GET /acceptance": P.SEE,
    "GET /acceptance.csv": P.EXPORT,
    "GET /holds": P.SEE,
    "GET /holds.csv": P.EXPORT,
    "GET /cases": P.SEE,
    "GET /cases/{case_id}": P.SEE,
    "POST /cases/{case_id}/answer": OF_THE_CASE,
    "POST /cases/{case_id}/answer-all": OF_THE_CASE,
    "GET /cases.csv": P.EXPORT,
    "GET /cases/replays/{replay_id}": P.SEE,
    "POST /cases/{case_id}/work": P.WORK_CASES,
    "POST /cases/{case_id}/snooze": P.WORK_CASES,
    "POST /cases/{case_id}/comment": P.WORK_CASES,
    "POST /cases/{case_id}/replay": P.REPLAY,
    "GET /refund-tasks": P.SEE,
    "GET /refund-tasks.csv": P.EXPORT,
    "GET /connections/{connection_id}/flows": P.SEE,
    "POST /connections/{connection_id}/flows/pause": P.PAUSE_FLOWS,
    "POST /connections/{connection_id}/flows/resume": P.PAUSE_FLOWS,
    "GET /connections/{connection_id}/stock": P.SEE,
    "GET /connections/{connection_id}/stock.csv": P.EXPORT,
    "POST /connections/{connection_id}/stock/zero": P.PAUSE_FLOWS,
    "POST /connections/{connection_id}/stock/again": P.REPLAY,
    "GET /connections": P.SEE,
    "GET /connections.csv": P.EXPORT,
    "GET /connections/{connection_id}/carriers": P.SEE,
    "GET /connections/{connection_id}/skus": P.SEE,
    "POST /connections/{connection_id}/carriers": P.CHANGE_MAPPINGS,
    "POST /connections/{connection_id}/skus": P.CHANGE_MAPPINGS,
    "POST /connections/{connection_id}/{kind}/remove": P.CHANGE_MAPPINGS,
    "POST /connections/{connection_id}/{kind}/rollback": P.CHANGE_MAPPINGS,
    "POST /connections/{connection_id}/{kind}/file": P.CHANGE_MAPPINGS,
    "GET /connections/{connection_id}/{kind}.csv": P.EXPORT,
    "GET /connections/{connection_id}/reasons": P.SEE,
    "GET /connections/{connection_id}/reasons.csv": P.EXPORT,
    "POST /connections/{connection_id}/reasons": P.CHANGE_MAPPINGS,
    "POST /connections/{connection_id}/reasons/file": P.CHANGE_MAPPINGS,
    "POST /connections/{connection_id}/reasons/rollback": P.CHANGE_MAPPINGS,
    "GET /connections/{connection_id}/methods": P.SEE,
    "GET /connections/{connection_id}/methods.csv": P.EXPORT,
    "POST /connections/{connection_id}/methods": P.CHANGE_MAPPINGS,
    "POST /connections/{connection_id}/methods/file": P.CHANGE_MAPPINGS,
    "POST /connections/{connection_id}/methods/rollback": P.CHANGE_MAPPINGS,
    "GET /skus": P.SEE,
    "GET /skus.csv": P.EXPORT,
    "POST /connections/{connection_id}/skus/bundle": P.CHANGE_MAPPINGS,
    "GET /connections/{connection_id}/offers.csv": P.EXPORT,
    "GET /connections/{connection_id}/bundles.csv": P.EXPORT,
    "GET /mappings": P.SEE,
    "GET /mappings.csv": P.EXPORT,
    "GET /health": P.SEE,
    "GET /alerts": P.SEE,
    "GET /alerts.csv": P.EXPORT,
    "POST /alerts/channels": P.MANAGE_ALERTS,
    "POST /alerts/channels/{channel_id}/remove": P.MANAGE_ALERTS,
    "POST /alerts/channels/{channel_id}/test": P.MANAGE_ALERTS,
    "POST /alerts/routes": P.MANAGE_ALERTS,
    "POST /alerts/routes/{route_id}/remove": P.MANAGE_ALERTS,
    "POST /alerts/{alert_id}/acknowledge": P.WORK_CASES,
    # The link of a message: its seal says whom it was sent to.
    "GET /alerts/acknowledge/{seal}": STRANGERS,
    "POST /alerts/acknowledge/{seal}": STRANGERS,
    "GET /manual": P.SEE,
    "GET /manual/{place:path}": P.SEE,
    "GET /events": P.SEE,
    "POST /theme": STRANGERS,
    "GET /login": STRANGERS,
    "POST /login": STRANGERS,
    "GET /login/code": STRANGERS,
    "POST /login/code": STRANGERS,
    "GET /login/outside": STRANGERS,
    "GET /login/outside/back": STRANGERS,
    "GET /welcome/{place}": STRANGERS,
    "POST /welcome/{place}": STRANGERS,
    "POST /logout": P.OWN_ACCOUNT,
    "GET /account": P.OWN_ACCOUNT,
    "POST /account/password": P.OWN_ACCOUNT,
    "POST /account/sessions/{session_number}/end": P.OWN_ACCOUNT,
    "POST /account/sessions/end-others": P.OWN_ACCOUNT,
    "POST /account/recovery-codes": P.OWN_ACCOUNT,
    "GET /account/second-factor": P.OWN_ACCOUNT,
    "GET /account/second-factor.svg": P.OWN_ACCOUNT,
    "POST /account/second-factor": P.OWN_ACCOUNT,
    "GET /people": P.MANAGE_PEOPLE,
    "POST /people": P.MANAGE_PEOPLE,
    "GET /people/{person_id}": P.MANAGE_PEOPLE,
    "GET /people.csv": P.MANAGE_PEOPLE,
    "POST /people/{person_id}/roles": P.MANAGE_PEOPLE,
    "POST /people/{person_id}/deactivate": P.MANAGE_PEOPLE,
    "POST /people/{person_id}/reactivate": P.MANAGE_PEOPLE,
    "POST /people/{person_id}/link": P.MANAGE_PEOPLE,
    "POST /people/{person_id}/reset-second-factor": P.MANAGE_PEOPLE,
    "GET /api-keys": P.MANAGE_API_KEYS,
    "GET /api-keys.csv": P.MANAGE_API_KEYS,
    "POST /api-keys": P.MANAGE_API_KEYS,
    "POST /api-keys/{key_id}/revoke": P.MANAGE_API_KEYS,
    "GET /account/keys": P.OWN_KEYS,
    "POST /account/keys": P.OWN_KEYS,
    "POST /account/keys/{key_id}/revoke": P.OWN_KEYS,
    "GET /audit-log": P.SEE_AUDIT_LOG,
    "GET /audit-log.csv": P.SEE_AUDIT_LOG,
    "POST /audit-log/verify": P.SEE_AUDIT_LOG,
    "GET /privacy": P.REVEAL_PERSONAL_DATA,
    "GET /privacy.csv": P.EXPORT,
    "POST /privacy/{request_id}/show": P.REVEAL_PERSONAL_DATA,
    "POST /privacy/{request_id}/done": P.REVEAL_PERSONAL_DATA,
}


def every_route(routes: list[BaseRoute]) -> Iterator[BaseRoute]:
    """The routes of an application, those of included routers too."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from every_route(included.routes)


def console_routes(app: FastAPI) -> dict[str, Need | None]:
    found: dict[str, Need | None] = {}
    for route in every_route(app.routes):
        path = route.path if isinstance(route, (APIRoute, Mount)) else str(getattr(route, "path", route))
        if path in MACHINES:
            continue
        assert isinstance(route, Door), f"{path} is not behind the doors: use the console's router"
        for method in sorted(route.methods or ()):
            found[f"{method} {path}"] = need_of(route.endpoint)
    return found


def test_every_route_is_behind_the_doors_and_says_what_it_needs(app: FastAPI) -> None:
    silent = [route for route, need in console_routes(app).items() if need is None]

    assert silent == [], "say @needs(Permission.…) below the route's decorator"


def test_every_route_needs_what_is_written_here(app: FastAPI) -> None:
    found = {
        route: OF_THE_CASE if need.of_the_case else need.permission
        for route, need in console_routes(app).items()
        if need is not None
    }

    assert found == EXPECTED


def test_every_permission_opens_something() -> None:
    """A right that opens nothing is a promise on the page People that nobody keeps."""
    opened = {need for need in EXPECTED.values() if isinstance(need, Permission)}
    by_the_case = {answers_for(page.owner) for page in CATALOGUE.values()}
    by_a_key = set(PERMISSION_OF.values())

    assert opened | by_the_case | by_a_key == set(Permission)


@pytest.fixture
def order(database: Database, keyring: Keyring) -> tuple[ConnectionRow, int, int]:
    """A connection, an order of it and its case, which is customer service's."""
    with database.begin() as c:
        row = connect(c, keyring)
        order_id, _ = keep(c, row, edited_up())
        case_id = c.execute(
            select(cases.c.id).where(cases.c.reason == Reason.EDIT_CANNOT_BE_EXPRESSED.value)
        ).scalar_one()
    return row, order_id, case_id


def contents(database: Database) -> str:
    """A digest of every row of ours, but for the audit log and what a session notes of itself."""
    total = hashlib.sha256()
    with database.begin() as c:
        for table in metadata.sorted_tables:
            if table.name in ("audit_log", "sessions"):
                continue
            row = func.array_to_string(func.array_agg(cast(table.table_valued(), Text)), "|")
            total.update(str(c.execute(select(row).select_from(table)).scalar_one()).encode())
    return total.hexdigest()


def address(route: str, order: tuple[ConnectionRow, int, int]) -> tuple[str, str]:
    method, path = route.split(" ", 1)
    row, order_id, case_id = order
    given = {
        "order_id": order_id,
        "case_id": case_id,
        "connection_id": row.id,
        "person_id": 1,
        "place:path": "operations",
    }
    return method, re.sub(r"\{([^}]+)\}", lambda part: str(given.get(part[1], "1")), path)


def ask(browser: Browser, method: str, path: str) -> tuple[int, str, str]:
    # A stream of events never ends: nobody who may listen asks for one here.
    response = browser.get(path) if method == "GET" else browser.post(path, data={"why": "x"})
    return response.status_code, text_of(response), response.headers.get("location", "")


def test_a_stranger_is_led_to_the_login_from_everywhere_and_changes_nothing(
    stranger: Browser, database: Database, order: tuple[ConnectionRow, int, int]
) -> None:
    before = contents(database)
    for route, needed in EXPECTED.items():
        if needed is STRANGERS:
            continue
        status, _, location = ask(stranger, *address(route, order))
        assert (status, location.split("?")[0]) == (303, "/login"), route

    assert contents(database) == before


@pytest.mark.parametrize("role", list(Role))
def test_a_role_opens_what_it_gives_and_nothing_else(
    role: Role,
    database: Database,
    somebody: People,
    signed_in: SignedIn,
    order: tuple[ConnectionRow, int, int],
) -> None:
    somebody("root", Role.ADMIN)
    browser = signed_in(somebody("ada", role))
    before = contents(database)
    refused = 0
    for route, needed in EXPECTED.items():
        if needed is STRANGERS or route == "GET /events":
            continue
        permission = P.ANSWER_CUSTOMER_SERVICE if needed == OF_THE_CASE else Permission(str(needed))
        status, page, location = ask(browser, *address(route, order))
        if permission in PERMISSIONS[role]:
            assert "This needs the right to" not in page, route
            assert not location.startswith("/login"), route
            if route.startswith("POST "):
                # Without the seal of a page of ours no form is taken from anybody.
                assert (status, "was not sent from a page of this console" in page) in (
                    (403, True),
                    (422, False),
                    (303, False),
                ), route
        else:
            refused += 1
            assert status == 403, route
            assert (
                f"This needs the right to {PERMISSION_WORDS[permission]}, which ada does not have" in page
            ), route

    assert contents(database) == before
    with database.begin() as c:
        denied = [entry for entry in entries(c) if entry.did == "denied"]
    assert len(denied) == refused
    assert refused or role is Role.ADMIN
    assert all(entry.who == "ada" for entry in denied)


def test_a_role_for_one_connection_opens_only_what_belongs_to_it(
    database: Database,
    keyring: Keyring,
    somebody: People,
    signed_in: SignedIn,
    order: tuple[ConnectionRow, int, int],
) -> None:
    row, order_id, case_id = order
    with database.begin() as c:
        other = connect(c, keyring, "borealis", shop="borealis.myshopify.com", shop_id=2002)
        foreign, _ = keep(c, other, sku_unknown())
        foreign_case = c.execute(select(cases.c.id).where(cases.c.order_id == foreign)).scalars().first()
    browser = signed_in(somebody("ada", Grant(Role.CX, row.id)))

    def status(method: str, path: str) -> int:
        return ask(browser, method, path)[0]

    assert status("GET", f"/orders/{order_id}") == 200
    assert status("GET", f"/cases/{case_id}") == 200
    assert status("GET", f"/connections/{row.id}/skus") == 200
    assert status("GET", f"/orders/{foreign}") == 403
    assert status("GET", f"/cases/{foreign_case}") == 403
    assert status("GET", f"/connections/{other.id}/skus") == 403
    assert status("POST", f"/orders/{foreign}/replay") == 403
    assert status("POST", f"/cases/{foreign_case}/answer") == 403
    assert status("GET", "/people") == 403
    assert status("GET", "/people.csv") == 403
    assert status("GET", f"/audit-log.csv?connection={row.name}") == 403
    assert status("GET", "/privacy") == 403
    assert status("GET", "/privacy.csv") == 403
    for path in (
        "/",
        "/orders",
        "/orders.csv",
        "/cases",
        "/cases.csv",
        "/refund-tasks",
        "/mappings",
        "/mappings.csv",
        "/acceptance",
        "/holds",
        "/alerts",
        "/alerts.csv",
    ):
        led = browser.get(f"{path}?team=CX")
        assert led.headers["location"] == f"{path}?team=CX&connection=atlas"
        own = browser.get(led.headers["location"])
        assert own.status_code == 200, path
        assert "M-1003-A" not in own.text
        assert status("GET", f"{path}?connection=borealis") == 403
        assert status("GET", f"{path}?connection=nowhere") == 403
    refused = browser.get("/health")
    assert refused.status_code == 403
    assert "of the whole installation" in refused.text
    assert status("GET", f"/events?of=order-{foreign}") == 404
    assert status("GET", "/events?of=order-999999") == 404
    assert "borealis" not in browser.get("/connections").text
    assert status("GET", "/api-keys.csv") == 403
    own_file = browser.get("/connections.csv").text
    assert ("atlas" in own_file, "borealis" in own_file) == (True, False)
    for path in ("/connections", "/connections.csv"):
        assert status("GET", f"{path}?connection=atlas") == 200
        unknown, foreign_one = (
            ask(browser, "GET", f"{path}?connection={n}") for n in ("nowhere", "borealis")
        )
        assert (unknown[0], foreign_one[0]) == (422, 422)
        # Whether there is such a connection is not said.
        assert unknown[1].replace("nowhere", "…") == foreign_one[1].replace("borealis", "…")


def test_a_right_that_is_lost_while_a_page_is_open_is_said_at_the_next_click_and_nothing_is_half_done(
    database: Database,
    somebody: People,
    signed_in: SignedIn,
    order: tuple[ConnectionRow, int, int],
    clock: object,
) -> None:
    from interlock.access import people
    from tests.console.seed import CLOCK

    _, order_id, case_id = order
    somebody("root", Role.ADMIN)
    number = somebody("ada", Role.CX)
    browser = signed_in(number)
    page = browser.get(f"/cases/{case_id}").text
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token is not None
    with database.begin() as c:
        people.set_roles(c, number, [Grant(Role.VIEWER)], CLOCK)
    before = contents(database)

    answer = browser.post(
        f"/cases/{case_id}/answer", data={"token": token[1], "option": "undo_in_shopify", "why": "x"}
    )

    assert answer.status_code == 403
    assert "This needs the right to answer cases of customer service" in text_of(answer)
    assert contents(database) == before
    assert browser.get(f"/orders/{order_id}").status_code == 200


def test_the_seal_of_another_session_is_refused(
    database: Database, somebody: People, signed_in: SignedIn, order: tuple[ConnectionRow, int, int]
) -> None:
    _, order_id, _ = order
    number = somebody("ada", Role.OPERATIONS)
    mine, other = signed_in(number), signed_in(number)
    token = re.search(r'name="token" value="([^"]+)"', other.get("/").text)
    assert token is not None

    foreign = mine.post(f"/orders/{order_id}/replay", data={"token": token[1]})
    missing = mine.post(f"/orders/{order_id}/replay")
    from_elsewhere = mine.post(
        f"/orders/{order_id}/replay", data={"token": token[1]}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    own = mine.submit("/", f"/orders/{order_id}/replay")

    assert [foreign.status_code, missing.status_code, from_elsewhere.status_code] == [403, 403, 403]
    assert own.status_code == 303


def test_what_a_form_changed_is_in_the_audit_log_with_the_person_and_the_connection(
    database: Database, somebody: People, signed_in: SignedIn, order: tuple[ConnectionRow, int, int]
) -> None:
    row, order_id, case_id = order
    browser = signed_in(somebody("ada", Role.CX))

    browser.submit("/", f"/orders/{order_id}/replay")
    refused = browser.submit(
        f"/cases/{case_id}", f"/cases/{case_id}/answer", data={"option": "no such", "why": "x"}
    )
    browser.submit(
        f"/cases/{case_id}", f"/cases/{case_id}/answer", data={"option": "undo_in_shopify", "why": "x"}
    )

    with database.begin() as c:
        kept = [(e.who, e.did, e.subject, e.connection_id, e.facts.get("right")) for e in entries(c)]
    assert refused.status_code == 422
    assert kept == [
        ("ada", "changed", f"/orders/{order_id}/replay", row.id, "replay"),
        ("ada", "changed", f"/cases/{case_id}/answer", row.id, "answer_customer_service"),
    ]
