"""Somebody who may see one connection never reads of another: no name of it, no order of it, on no page, in no file, and
not through a key of theirs."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select, update

from interlock.access.roles import Grant, Person, Role
from interlock.access.store import Scope, make_key
from interlock.api.application import ApiParts, create_api
from interlock.cases.store import cases
from interlock.console import desk, flows
from interlock.engine.replays import replay_all
from interlock.engine.stock_figures import keep_figures
from interlock.engine.stock_reading import selling_from
from interlock.engine.store import ConnectionRow
from interlock.inventory.store import SoldOrder, keep_sold
from interlock.monitoring import outbox
from interlock.monitoring.decide import Alert
from interlock.orders.connection import CarrierMapping
from interlock.orders.reasons import Reason
from interlock.orders.store import orders
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from tests.access.conftest import People, SignedIn
from tests.access.test_every_route import EXPECTED, STRANGERS
from tests.build import NOW, OFFERS, an_offer, not_imported
from tests.console.seed import CLOCK, Numbered, Stopped, Wakes, connect, keep, shipped_with, sku_unknown
from tests.inventory.seed import item, stocked
from tests.web.browser import Browser, text_of

OTHER = "zephyria"
THEIRS = "Z-7001-A"
"""The name of the other connection, and a number of an order of it: nothing else here contains them."""
FORBIDDEN = (OTHER, "Z-700")


@dataclass(frozen=True)
class Two:
    """Two connections of one shop with the same troubles. `order`, `case`, `oversold` and `replay` are of the first, the
    others of the second."""

    own: ConnectionRow
    other: ConnectionRow
    order: int
    case: int
    oversold: int
    replay: int
    foreign_order: int
    foreign_case: int
    foreign_replay: int
    foreign_alert: int


def troubled(c: Connection, keyring: Keyring, row: ConnectionRow, letter: str) -> tuple[int, int, int]:
    """Orders of a connection that wait for a carrier and for a SKU; a replay of the first. The order and case of the
    carrier, and the replay."""
    order_id, _ = keep(c, row, shipped_with("Royal M.", f"{letter}-7001-A"))
    keep(c, row, sku_unknown(f"{letter}-7002-A"))
    found = select(cases.c.id).where(
        cases.c.order_id == order_id, cases.c.reason == Reason.CARRIER_UNKNOWN.value
    )
    case_id = c.execute(found).scalar_one()
    c.execute(update(cases).where(cases.c.id == case_id).values(assignee=f"Clerk {letter}-7009"))
    replay = replay_all(c, Wakes(), row.id, Reason.CARRIER_UNKNOWN, ("Royal M.",), "Otto", CLOCK)
    assert replay is not None
    return order_id, int(case_id), replay


def contested(c: Connection, own: ConnectionRow, other: ConnectionRow) -> int:
    """Three mugs of the shop, of which an order of either connection wants two; the case that asks the first one."""
    stocked(c, own, (item("MUG", 3), item("LAMP-2", 9)), NOW)
    stocked(c, other, (item("MUG", 3), item("LAMP-2", 9)), NOW)
    sold = []
    for row, order_id in ((own, "M-7003-A"), (other, "Z-7003-A")):
        waiting = replace(
            sku_unknown(order_id),
            memory=not_imported(acceptance_due_at=NOW + timedelta(hours=30)),
            offers=(an_offer(available=1), OFFERS[1]),
        )
        number, _ = keep(c, row, waiting)
        sold.append(SoldOrder(number, row.id, "", "WAITING_ACCEPTANCE", (("MUG", 2),), None))
    c.execute(update(orders).values(created_at=NOW - timedelta(hours=1)))
    keep_sold(c, sold)
    for row in (own, other):
        keep_figures(c, selling_from(c, row.shopify_shop), row.id, NOW)
    found = select(cases.c.id).where(cases.c.reason == Reason.OVERSOLD.value, cases.c.connection_id == own.id)
    return int(c.execute(found).scalar_one())


@pytest.fixture
def two(database: Database, keyring: Keyring) -> Two:
    with database.begin() as c:
        own, other = connect(c, keyring), connect(c, keyring, OTHER, shop_id=2002)
        # What the other one has chosen already would help here: the carrier's name, and the SKU.
        mapping = CarrierMapping("Royal M", "RM24")
        desk.map_carrier_names(c, Wakes(), other, [mapping], "Otto", CLOCK - timedelta(days=1))
        desk.map_sku_names(c, Wakes(), other, [("LAMP", "LAMP-2")], "Otto", CLOCK - timedelta(days=1))
        order, case, replay = troubled(c, keyring, own, "M")
        foreign_order, foreign_case, foreign_replay = troubled(c, keyring, other, "Z")
        oversold = contested(c, own, other)
        flows.pause_flow(c, Wakes(), other.id, "import", "15", "Otto", "stock count", CLOCK)
        for row in (own, other):
            told = Alert(f"k{row.id}", f"g{row.id}", "page", ("operations",), "it waits", connection=row.name)
            outbox.keep(c, [replace(told, connection_id=row.id)], CLOCK)
        (alert, *_) = [one for one in outbox.latest_alerts(c) if one.alert.connection == OTHER]
    return Two(
        own, other, order, case, oversold, replay, foreign_order, foreign_case, foreign_replay, alert.id
    )


def pages(two: Two) -> list[str]:
    """Every page and file of the console, with what belongs to the first connection in its address."""
    given = {
        "order_id": two.order,
        "case_id": two.case,
        "replay_id": two.replay,
        "connection_id": two.own.id,
        "person_id": 1,
        "place:path": "operations",
        "kind": "carriers",
    }
    found = [
        re.sub(r"\{([^}]+)\}", lambda part: str(given.get(part[1], "1")), route.removeprefix("GET "))
        for route, needed in EXPECTED.items()
        if route.startswith("GET ") and needed is not STRANGERS and route != "GET /events"
    ]
    return [
        *found,
        f"/cases/{two.oversold}",
        f"/connections/{two.own.id}/stock?sku=MUG",
        "/orders?q=7001-A",
        f"/orders?q={THEIRS}",
        f"/orders.csv?q={THEIRS}",
        "/orders?q=%231002",
        "/cases?status=closed",
    ]


def read(browser: Browser, path: str) -> str:
    """What is read at an address, where it leads to, and in the end on the page."""
    response = browser.get(path)
    said = ""
    if response.status_code in (302, 303, 307):
        said = response.headers["location"]
        response = browser.get(said)
    # What was asked for is on the page again, in the address of its own form.
    return (said + response.text).replace(THEIRS, "") if THEIRS in path else said + response.text


def test_what_is_planted_is_read_by_who_sees_all(two: Two, somebody: People, signed_in: SignedIn) -> None:
    """Or the test below would prove nothing."""
    browser = signed_in(somebody("root", Role.ADMIN))
    named = {path for path in pages(two) if OTHER in read(browser, path)}
    assert {
        "/",
        "/orders",
        "/orders.csv",
        "/orders?q=%231002",
        "/cases",
        "/cases.csv",
        "/acceptance",
        "/refund-tasks",
        "/mappings",
        "/mappings.csv",
        "/skus",
        "/skus.csv",
        "/alerts",
        "/connections",
        f"/cases/{two.oversold}",
        f"/connections/{two.own.id}/carriers",
        f"/connections/{two.own.id}/skus",
        f"/connections/{two.own.id}/stock?sku=MUG",
        "/account",
        "/manual",
    } <= named
    hints = text_of(browser.get(f"/connections/{two.own.id}/carriers"))
    assert f"chosen for this name before ({OTHER})" in hints
    assert "Clerk Z-7009" in text_of(browser.get("/cases"))
    assert f"Z-7003-A on {OTHER} · 2 units" in text_of(browser.get(f"/cases/{two.oversold}"))


@pytest.mark.parametrize("role", list(Role))
def test_somebody_of_one_connection_reads_of_no_other(
    role: Role, two: Two, somebody: People, signed_in: SignedIn
) -> None:
    browser = signed_in(somebody("ada", Grant(role, two.own.id)))
    for path in pages(two):
        page = read(browser, path)
        for word in FORBIDDEN:
            assert word not in page, (path, word, page[max(0, page.find(word) - 200) :][:400])
    # What is theirs is there all the same.
    assert "M-7001-A" in read(browser, "/orders")
    assert "M-7001-A" in read(browser, "/orders?q=M-7001-A")
    assert "an order of another marketplace · 2 units" in text_of(browser.get(f"/cases/{two.oversold}"))
    assert "another marketplace" in read(browser, f"/connections/{two.own.id}/stock?sku=MUG")
    assert browser.get(f"/cases/replays/{two.replay}").status_code == 200
    for path in (f"/orders/{two.foreign_order}", f"/cases/{two.foreign_case}"):
        assert browser.get(path).status_code == 403
    refused = browser.get(f"/cases/replays/{two.foreign_replay}")
    assert (refused.status_code, OTHER in refused.text) == (403, False)


OTHERWISE_WRITTEN = ("+{}", "%20{}", "{}%20", "{}.0", "0_{}", "-0{}", "%EF%BC%90{}")
"""Ways to write a number that Python reads as the same one, and no address of ours has."""


@pytest.mark.parametrize("written", OTHERWISE_WRITTEN)
def test_a_number_that_is_written_otherwise_opens_nothing(
    written: str, two: Two, somebody: People, signed_in: SignedIn
) -> None:
    """The door and the page have to read the same thing in an address."""
    browser = signed_in(somebody("ada", Grant(Role.ADMIN, two.own.id)))
    foreign = {
        "order_id": two.foreign_order,
        "case_id": two.foreign_case,
        "replay_id": two.foreign_replay,
        "alert_id": two.foreign_alert,
        "connection_id": two.other.id,
    }
    tried = 0
    for route, needed in EXPECTED.items():
        method, _, path = route.partition(" ")
        names = [name for name in re.findall(r"\{([^}]+)\}", path) if name in foreign]
        if needed is STRANGERS or not names:
            continue
        for name in names:
            path = path.replace(f"{{{name}}}", written.format(foreign[name]))
        path = path.replace("{kind}", "carriers").replace("{edit_id}", "1")
        answer = browser.ask(method, path)
        assert answer.status_code == 404, (route, path)
        assert not any(word in answer.text for word in FORBIDDEN)
        tried += 1
    assert tried > 40


@pytest.mark.parametrize("written", OTHERWISE_WRITTEN)
@pytest.mark.parametrize("whose", ["a program's", "a person's"])
def test_a_case_whose_number_is_written_otherwise_is_none_that_a_key_reaches(
    written: str, whose: str, two: Two, database: Database, somebody: People, stranger: Browser
) -> None:
    owner = Person(somebody("ada", Role.ADMIN), "ada", (Grant(Role.ADMIN),))
    with database.begin() as c:
        of = owner if whose == "a person's" else None
        _, token = make_key(
            c, "one", [scope.value for scope in Scope], "ada", NOW, of, connections=[two.own.id]
        )
    headers = {"Authorization": f"Bearer {token}"}
    case = f"/v1/cases/{written.format(two.foreign_case)}"
    for method, path, body in (
        ("GET", case, None),
        ("GET", f"{case}/assignee", None),
        ("PUT", f"{case}/assignee", {"assignee": "ada", "who": "ada"}),
        ("POST", f"{case}/comments", {"who": "ada", "words": "x"}),
        ("POST", f"{case}/answer", {"version": "x", "option": "dismiss", "who": "ada", "why": "x"}),
    ):
        answer = stranger.ask(method, path, headers=headers, json=body)
        assert answer.status_code in (404, 422), path
        assert not any(word in answer.text for word in FORBIDDEN)


def test_a_search_finds_nothing_of_another_connection(
    two: Two, somebody: People, signed_in: SignedIn
) -> None:
    """Neither does the answer say that there is such an order."""
    browser = signed_in(somebody("ada", Grant(Role.CX, two.own.id)))
    there, nowhere, own = (
        browser.submit("/?connection=atlas", "/orders/find", data={"number": number})
        for number in (THEIRS, "Q-7001-A", "M-7001-A")
    )
    assert there.headers["location"] == f"/orders?q={THEIRS}"
    assert nowhere.headers["location"] == "/orders?q=Q-7001-A"
    assert own.headers["location"] == f"/orders/{two.order}"
    # Both connections' orders have this name in the shop: there is one that may be found.
    named = browser.submit("/?connection=atlas", "/orders/find", data={"number": "#1002"})
    assert named.headers["location"] == f"/orders/{two.order}"


def test_a_stranger_is_told_of_no_pause(two: Two, stranger: Browser) -> None:
    page = stranger.get("/login")
    assert page.status_code == 200
    assert OTHER not in page.text


@pytest.mark.parametrize("role", list(Role))
def test_a_key_of_somebody_of_one_connection_reads_of_no_other(
    role: Role,
    two: Two,
    database: Database,
    keyring: Keyring,
    store: InlineStore,
    somebody: People,
    stranger: Browser,
) -> None:
    number = somebody("ada", Grant(role, two.own.id))
    with database.begin() as c:
        owner = Person(number, "ada", (Grant(role, two.own.id),))
        _, token = make_key(c, "own", [scope.value for scope in Scope], "ada", NOW, owner)
    reads_of_no_other(token, two, store, keyring, stranger)


@pytest.mark.parametrize("whose", ["a program's", "a person's"])
def test_a_key_for_one_connection_reads_of_no_other(
    whose: str,
    two: Two,
    database: Database,
    keyring: Keyring,
    store: InlineStore,
    somebody: People,
    stranger: Browser,
) -> None:
    """Although its person may see every connection."""
    owner = Person(somebody("root", Role.ADMIN), "root", (Grant(Role.ADMIN),))
    scopes = [scope.value for scope in Scope]
    with database.begin() as c:
        of = owner if whose == "a person's" else None
        _, token = make_key(c, "one", scopes, "root", NOW, of, connections=[two.own.id])
        _, everywhere = make_key(c, "all", scopes, "root", NOW)
    reads_of_no_other(token, two, store, keyring, stranger)

    one, every = ({"Authorization": f"Bearer {secret}"} for secret in (token, everywhere))
    answered = {"version": "x", "option": "dismiss", "who": "root", "why": "x"}
    for path, body in (
        (f"/v1/cases/{two.foreign_case}/answer", answered),
        (f"/v1/cases/{two.foreign_case}/comments", {"who": "root", "words": "x"}),
        (f"/v1/orders/{THEIRS}/edit-preview", {}),
    ):
        refused, known = (stranger.post(path, headers=headers, json=body) for headers in (one, every))
        assert (refused.status_code, known.status_code != 403) == (403, True), path
    for path in (f"/v1/orders/{THEIRS}", f"/v1/cases/{two.foreign_case}"):
        assert (
            stranger.get(path, headers=one).status_code,
            OTHER in stranger.get(path, headers=every).text,
        ) == (
            403,
            True,
        )
    assert stranger.get("/v1/orders/M-7001-A", headers=one).status_code == 200
    assert {row["name"] for row in stranger.get("/v1/connections", headers=one).json()} == {"atlas"}
    # The label check knows the orders of the key's connection alone.
    theirs, nowhere, own = (
        stranger.get(f"/v1/label-check?order={number}", headers=one)
        for number in (THEIRS, "Q-7001-A", "M-7001-A")
    )
    assert (theirs.status_code, nowhere.status_code, own.status_code) == (404, 404, 200)
    assert theirs.text.replace(THEIRS, "Q-7001-A") == nowhere.text
    named = stranger.get(f"/v1/label-check?order=M-7001-A&connection={OTHER}", headers=one)
    assert (named.status_code, named.json()["error"]) == (404, "unknown_connection")
    asked = {"order": THEIRS, "who": "root", "why": "x"}
    refused = stranger.post("/v1/label-check/override", headers=one, json=asked)
    assert (refused.status_code, refused.json()["error"]) == (404, "unknown_order")


def reads_of_no_other(token: str, two: Two, store: InlineStore, keyring: Keyring, stranger: Browser) -> None:
    """Every address of the API that reads, asked with this key."""
    headers = {"Authorization": f"Bearer {token}"}
    described = create_api(ApiParts(store, Stopped(), Numbered(), Wakes(), keyring)).openapi()["paths"]
    given = {"number": "M-7001-A", "case": two.oversold, "connection": two.own.name, "edit_id": "1"}
    read = 0
    for template in (path for path, methods in described.items() if "get" in methods):
        path = "/v1" + re.sub(r"\{(\w+)\}", lambda part: str(given.get(part[1], "1")), template)
        for query in ("", "?connection=atlas", "?number=7001-A", f"?number={THEIRS}", "?order=%231002"):
            answer = stranger.get(path + query, headers=headers)
            read += answer.status_code == 200
            for word in FORBIDDEN:
                assert word not in answer.text, (path + query, word)
    assert read > 10
    # Whether there is a connection of that name is not said.
    for place in ("carriers", "skus", "bundles", "reasons", "methods", "offers"):
        unknown, foreign = (
            stranger.get(f"/v1/connections/{name}/{place}", headers=headers) for name in ("nowhere", OTHER)
        )
        assert (unknown.status_code, foreign.status_code) == (403, 403), place
        assert unknown.json() == foreign.json()
