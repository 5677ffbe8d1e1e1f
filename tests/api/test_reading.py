"""What a program reads of orders, cases, maps and health, and what it may change."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest
from sqlalchemy import ColumnElement, Text, cast, func, insert, literal_column, select, update

from interlock.api.orders import State
from interlock.cases.store import answer, answers, cases, take_answers
from interlock.cases.work import history
from interlock.console.wording import MIRAKL_STATES
from interlock.engine.store import ConnectionRow, counts
from interlock.orders.snapshots import KNOWN_STATES
from interlock.orders.store import orders as rows
from interlock.shipping.store import carrier_map
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.api.conftest import MakeKey
from tests.build import NOW
from tests.console.seed import Stopped, Wakes, connect, edited_up, keep, shipped_with, sku_unknown
from tests.web.browser import Browser

MANY = 7


@pytest.fixture
def orders(database: Database, connection: ConnectionRow) -> list[int]:
    views = (edited_up(), shipped_with("Express Bike"), sku_unknown())
    with database.begin() as c:
        return [keep(c, connection, view)[0] for view in views]


def case_of(database: Database, reason: str) -> int:
    with database.begin() as c:
        return int(c.execute(select(cases.c.id).where(cases.c.reason == reason)).scalars().one())


# -- orders ------------------------------------------------------------------------------------------------


def test_orders_come_newest_first_and_page_by_page(
    program: Browser, key: MakeKey, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        for number in range(MANY):
            keep(c, connection, shipped_with("DPD", f"M-{number}-A"))
    shown, after, headers = [], "", key("orders:read")
    for _ in range(MANY):
        page = program.get(f"/v1/orders?limit=3&after={after}", headers=headers).json()
        shown += [order["order"] for order in page["entries"]]
        after = page["next"]
        if not after:
            break

    assert shown == [f"M-{number}-A" for number in reversed(range(MANY))]


def test_an_order_is_shown_side_by_side_with_its_cases_and_story(
    program: Browser, key: MakeKey, orders: list[int]
) -> None:
    answer = program.get("/v1/orders/M-1001-A", headers=key("orders:read")).json()

    assert (answer["order"], answer["shopify_name"], answer["live"]) == ("M-1001-A", "#1001", True)
    (mug,) = [line for line in answer["lines"] if line["sku"] == "MUG"]
    assert (mug["ordered"], mug["shopify"], mug["agreed"], mug["agrees"]) == (2, 5, 2, False)
    assert [case["reason"] for case in answer["cases"]] == ["edit_cannot_be_expressed"]
    assert answer["differs"]
    assert answer["story"]


def test_why_an_order_stands_where_it_does(program: Browser, key: MakeKey, orders: list[int]) -> None:
    answer = program.get("/v1/orders/M-1001-A/explain", headers=key("orders:read")).json()

    assert answer["verdict"]
    assert {link["kind"] for link in answer["chain"]} >= {"difference", "case"}


def test_an_order_says_when_it_was_sold(program: Browser, key: MakeKey, orders: list[int]) -> None:
    headers = key("orders:read")
    (listed,) = program.get("/v1/orders?number=M-1001-A", headers=headers).json()["entries"]
    shown = program.get("/v1/orders/M-1001-A", headers=headers).json()

    assert listed["sold_at"] == shown["sold_at"] == "2026-03-02T11:55:00Z"
    assert listed["created_at"] != listed["sold_at"]


def test_orders_are_listed_by_the_days_on_which_they_were_sold_and_by_the_team_that_has_a_case(
    program: Browser, key: MakeKey, database: Database, orders: list[int]
) -> None:
    headers = key("orders:read")
    sold = ("2026-02-27T23:59:59.999000+00:00", "2026-02-28T00:00:00+00:00", "2026-03-01T23:59:59+00:00")
    path: ColumnElement[str] = literal_column("'{mirakl,created_at}'")
    with database.begin() as c:
        for number, moment in zip(orders, sold, strict=True):
            view = func.jsonb_set(rows.c.last_view, path, func.to_jsonb(cast(moment, Text)))
            c.execute(update(rows).where(rows.c.id == number).values(last_view=view))
        names = dict(c.execute(select(rows.c.id, rows.c.mirakl_order_id)).all())

    def found(query: str) -> list[str]:
        return [one["order"] for one in program.get(f"/v1/orders?{query}", headers=headers).json()["entries"]]

    first, second, third = (names[number] for number in orders)
    assert found("sold_from=2026-02-28") == [third, second]
    assert found("sold_to=2026-02-27") == [first]
    assert found("sold_from=2026-02-28&sold_to=2026-02-28") == [second]
    assert found("sold_from=2026-02-28&sold_to=9999-12-31") == [third, second]
    assert found("sold_from=2026-03-02") == []
    assert found("owner=CX") == [first]
    assert found("state=SHIPPING") == [second, first]
    assert found("state=WAITING_ACCEPTANCE&show=cases") == [third]
    assert found("state=SHIPPED") == []
    assert program.get("/v1/orders?state=LOST", headers=headers).json()["field"] == "state"
    assert program.get("/v1/orders?sold_from=monday", headers=headers).json()["field"] == "sold_from"


@pytest.mark.parametrize("path", ["", "/explain"])
def test_a_number_of_two_marketplaces_is_asked_for_with_its_connection(
    program: Browser,
    key: MakeKey,
    database: Database,
    keyring: Keyring,
    connection: ConnectionRow,
    path: str,
) -> None:
    with database.begin() as c:
        keep(c, connection, edited_up())
        keep(c, connect(c, keyring, "birch", shop_id=2002), shipped_with("DPD", "M-1001-A"))
    headers = key("orders:read")

    unclear = program.get(f"/v1/orders/M-1001-A{path}", headers=headers)
    one, other = (
        program.get(f"/v1/orders/M-1001-A{path}?connection={name}", headers=headers)
        for name in ("atlas", "birch")
    )
    nobody = program.get(f"/v1/orders/M-1001-A{path}?connection=cedar", headers=headers)

    assert unclear.status_code == 409
    assert unclear.json() == {
        "error": "ambiguous_order",
        "detail": "M-1001-A is the number of more than one order: M-1001-A on birch and M-1001-A on atlas. Say which with "
        "connection=atlas or connection=birch.",
        "field": "connection",
        "candidates": [
            {"mirakl": "M-1001-A", "connection": "birch"},
            {"mirakl": "M-1001-A", "connection": "atlas"},
        ],
    }
    assert (one.status_code, other.status_code, one.json() == other.json()) == (200, 200, False)
    assert (nobody.status_code, nobody.json()["detail"]) == (
        404,
        "There is no order 'M-1001-A' on a connection 'cedar'.",
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("show=urgent", ["M-1003-A"]),
        ("show=cases", ["M-1003-A", "M-1002-A", "M-1001-A"]),
        ("connection=atlas", ["M-1003-A", "M-1002-A", "M-1001-A"]),
        ("number=RM123456785GB", ["M-1002-A"]),
        ("number=%231001", ["M-1001-A"]),
    ],
)
def test_orders_are_filtered_and_found_by_any_number(
    program: Browser, key: MakeKey, orders: list[int], query: str, found: list[str]
) -> None:
    answer = program.get(f"/v1/orders?{query}", headers=key("orders:read")).json()

    assert [order["order"] for order in answer["entries"]] == found


@pytest.mark.parametrize("path", ["/v1/orders/none", "/v1/orders/none/explain", "/v1/cases/99"])
def test_what_there_is_not_is_said_to_be_missing(
    program: Browser, key: MakeKey, orders: list[int], path: str
) -> None:
    answer = program.get(path, headers=key("orders:read", "cases:read"))

    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


@pytest.mark.parametrize(
    "query",
    [
        "after=x",
        "limit=0",
        "limit=1000",
        "show=some",
        "connection=%00",
        "after=99999999999999999999",
        "state=nope",  # a parameter of another list: all orders would be told instead
        "connection=zzz",
    ],
)
def test_a_list_that_cannot_be_asked_for_names_the_parameter(
    program: Browser, key: MakeKey, query: str
) -> None:
    answer = program.get(f"/v1/orders?{query}", headers=key("orders:read"))

    assert (answer.status_code, answer.json()["field"]) == (422, query.partition("=")[0])


# -- cases -------------------------------------------------------------------------------------------------


def test_cases_are_listed_filtered_and_shown(
    program: Browser, key: MakeKey, database: Database, orders: list[int]
) -> None:
    headers = key("cases:read")
    listed = program.get("/v1/cases?owner=operations&limit=200", headers=headers).json()["entries"]
    first = program.get("/v1/cases?limit=1", headers=headers).json()
    second = program.get(f"/v1/cases?limit=1&after={first['next']}", headers=headers).json()
    one = program.get(f"/v1/cases/{case_of(database, 'carrier_unknown')}", headers=headers)

    assert {case["owner"] for case in listed} == {"operations"}
    assert first["entries"][0]["case"] > second["entries"][0]["case"]
    assert one.json()["manual_page"] == "/manual/operations/cases/carrier_unknown"
    assert one.headers["etag"] == f'"{one.json()["version"]}"'
    assert len(program.get("/v1/cases/catalogue", headers=headers).json()) > 40


def test_cases_are_listed_by_who_has_them_by_severity_and_by_what_becomes_of_them(
    program: Browser, key: MakeKey, database: Database, orders: list[int], stopped: Stopped
) -> None:
    headers, now = key("cases:read"), stopped.now()
    edited, carrier, sku = (
        case_of(database, reason) for reason in ("edit_cannot_be_expressed", "carrier_unknown", "sku_unknown")
    )
    values: dict[int, dict[str, Any]] = {
        edited: {"severity": "urgent", "assignee": "Grace", "begun_at": now},
        carrier: {"severity": "today", "snoozed_until": now + timedelta(hours=1)},
        sku: {"severity": "today"},
    }
    with database.begin() as c:
        for number, given in values.items():
            c.execute(update(cases).where(cases.c.id == number).values(**given))

    def found(query: str) -> set[int]:
        return {one["case"] for one in program.get(f"/v1/cases?{query}", headers=headers).json()["entries"]}

    assert found("severity=urgent") == found("assignee=Grace") == found("state=in_progress") == {edited}
    assert found("assignee=nobody") == found("severity=today") == {carrier, sku}
    assert found("state=snoozed") == {carrier}
    assert found("state=open") == {edited, carrier, sku}
    assert found("state=closed") == set()
    assert program.get("/v1/cases?severity=loud", headers=headers).status_code == 422


def test_cases_come_in_the_order_of_their_damage_and_none_twice_although_they_change_between_pages(
    program: Browser, key: MakeKey, database: Database, connection: ConnectionRow
) -> None:
    headers, soon = key("cases:read"), NOW + timedelta(hours=1)
    at_stake = [
        (soon, Decimal("5.00")),
        (soon, Decimal("7.50")),
        (soon, None),
        (None, Decimal("90.00")),
        (None, None),
        (soon + timedelta(seconds=1), Decimal("1000.00")),
        (None, None),
    ]
    with database.begin() as c:
        for number in range(len(at_stake)):
            keep(c, connection, sku_unknown(f"M-{number}-A"))
        ids = list(c.execute(select(cases.c.id).order_by(cases.c.id)).scalars())
        for number, (damage_at, at_risk) in zip(ids, at_stake, strict=True):
            c.execute(update(cases).where(cases.c.id == number).values(damage_at=damage_at, at_risk=at_risk))
    shown: list[int] = []
    after = ""
    for _ in at_stake:
        path = f"/v1/cases?order=damage&limit=2&after={after}"
        page = program.get(path, headers=headers).json()
        shown += [one["case"] for one in page["entries"]]
        after = page["next"]
        if not after:
            break
        with database.begin() as c:  # what was shown last is settled meanwhile, and takes no place of another
            c.execute(update(cases).where(cases.c.id == shown[-1]).values(closed_at=NOW, damage_at=NOW))

    assert shown == [ids[place] for place in (1, 0, 2, 5, 3, 4, 6)]
    first = program.get("/v1/cases?order=damage&limit=1&state=all", headers=headers).json()
    assert first["entries"][0]["damage_at"] is not None
    for order, mark in (("damage", "17"), ("newest", first["next"])):
        wrong = program.get(f"/v1/cases?order={order}&after={mark}", headers=headers)
        assert (wrong.status_code, wrong.json()["error"]) == (422, "mark_unreadable")


def answering(seen: str, **changes: Any) -> dict[str, Any]:
    given = {"version": seen, "option": "undo_in_shopify", "who": "Carla", "why": "The customer agrees."}
    return {**given, **changes}


def test_a_case_is_answered_once_however_often_the_answer_is_sent(
    program: Browser, key: MakeKey, database: Database, orders: list[int], wakes: Wakes
) -> None:
    headers = key("cases:read", "cases:answer")
    case_id = case_of(database, "edit_cannot_be_expressed")
    version = program.get(f"/v1/cases/{case_id}", headers=headers).json()["version"]
    wakes.woken.clear()
    sent = [
        program.post(f"/v1/cases/{case_id}/answer", headers=headers, json=answering(version))
        for _ in range(2)
    ]

    assert [answer.status_code for answer in sent] == [202, 202]
    assert sent[0].json() == sent[1].json()
    assert wakes.woken == [(orders[0], "edits")]
    with database.begin() as c:
        (kept,) = c.execute(select(answers)).all()
    assert (kept.who, kept.why) == ("Carla (API key warehouse)", "The customer agrees.")
    (decision,) = program.get("/v1/decisions?order=M-1001-A", headers=headers).json()["entries"]
    assert (decision["option"], decision["taken_at"]) == ("undo_in_shopify", None)
    assert program.get("/v1/decisions?order=M-1002-A", headers=headers).json()["entries"] == []


def taken_up(database: Database) -> None:
    """A look has taken up what was answered, and the case asks as before."""
    with database.begin() as c:
        take_answers(c, list(c.execute(select(answers.c.id)).scalars()), NOW)


def test_an_answer_that_a_look_has_taken_up_is_not_overruled_unseen(
    program: Browser, key: MakeKey, database: Database, orders: list[int]
) -> None:
    headers = key("cases:read", "cases:answer", "orders:read")
    case_id = case_of(database, "edit_cannot_be_expressed")
    before = program.get(f"/v1/cases/{case_id}", headers=headers).json()
    with database.begin() as c:
        answer(c, case_id, "undo_in_shopify", "Ada", "They want the two.", NOW)
    taken_up(database)
    other = {"option": "cancel_at_marketplace"}
    unseen = program.post(
        f"/v1/cases/{case_id}/answer", headers=headers, json=answering(before["version"], **other)
    )
    after = program.get(f"/v1/cases/{case_id}", headers=headers).json()
    (listed,) = [
        one for one in program.get("/v1/cases", headers=headers).json()["entries"] if one["case"] == case_id
    ]
    (of_order,) = program.get("/v1/orders/M-1001-A", headers=headers).json()["cases"]
    seen = program.post(
        f"/v1/cases/{case_id}/answer", headers=headers, json=answering(after["version"], **other)
    )

    assert (unseen.status_code, unseen.json()["error"]) == (409, "stale_version")
    assert before["latest_answer"] is None
    assert (after["latest_answer"]["who"], after["latest_answer"]["option"]) == ("Ada", "undo_in_shopify")
    assert after["answered_by"] == ""
    assert {after["version"]} == {listed["version"], of_order["version"]}
    assert (seen.status_code, seen.json()["option"]) == (202, "cancel_at_marketplace")


def test_the_same_answer_to_the_present_version_is_a_second_answer(
    program: Browser, key: MakeKey, database: Database, orders: list[int]
) -> None:
    headers = key("cases:read", "cases:answer")
    place = f"/v1/cases/{case_of(database, 'edit_cannot_be_expressed')}"
    versions = [program.get(place, headers=headers).json()["version"]]
    first = program.post(f"{place}/answer", headers=headers, json=answering(versions[0]))
    versions.append(program.get(place, headers=headers).json()["version"])
    waiting = program.post(f"{place}/answer", headers=headers, json=answering(versions[1]))
    taken_up(database)
    sent_again = program.post(f"{place}/answer", headers=headers, json=answering(versions[0]))
    with database.begin() as c:
        assert len(c.execute(select(answers)).all()) == 1
    second = program.post(f"{place}/answer", headers=headers, json=answering(versions[1]))

    assert [sent.status_code for sent in (first, waiting, sent_again, second)] == [202] * 4
    assert first.json() == waiting.json() == sent_again.json()
    with database.begin() as c:
        assert [row.taken_at for row in c.execute(select(answers).order_by(answers.c.id))] == [NOW, None]


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"version": "of yesterday"}, 409, "stale_version"),
        ({"option": "refuse_order"}, 409, "answer_refused"),
        ({"option": "no such answer"}, 409, "answer_refused"),
        ({"who": ""}, 422, "invalid"),
        ({"who": "  "}, 422, "invalid"),
        ({"why": "two\nlines"}, 422, "invalid"),
        ({"text": "A message that no option of this case sends."}, 409, "answer_refused"),
        ({"more": 1}, 422, "invalid"),
    ],
)
def test_an_answer_that_cannot_be_taken_changes_nothing(
    program: Browser,
    key: MakeKey,
    database: Database,
    orders: list[int],
    changes: dict[str, Any],
    status: int,
    error: str,
) -> None:
    headers = key("cases:read", "cases:answer")
    case_id = case_of(database, "edit_cannot_be_expressed")
    version = program.get(f"/v1/cases/{case_id}", headers=headers).json()["version"]
    answer = program.post(f"/v1/cases/{case_id}/answer", headers=headers, json=answering(version, **changes))

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    with database.begin() as c:
        assert c.execute(select(answers)).all() == []


def test_a_case_is_given_to_a_person_and_not_taken_from_another_unseen(
    program: Browser, key: MakeKey, database: Database, orders: list[int]
) -> None:
    headers = key("cases:read", "cases:work")
    place = f"/v1/cases/{case_of(database, 'carrier_unknown')}/assignee"
    first = program.put(place, headers=headers, json={"to": "Olga", "who": "Ben"})
    again = program.put(place, headers=headers, json={"to": "Olga", "who": "Ben"})
    blind = program.put(place, headers=headers, json={"to": "Carla", "who": "Carla"})
    seen = program.put(place, headers=headers, json={"to": "Carla", "seen": "Olga", "who": "Carla"})

    assert [answer.status_code for answer in (first, again, blind, seen)] == [200, 200, 409, 200]
    assert blind.json()["error"] == "stale_version"
    assert program.get(place, headers=headers).json()["assignee"] == "Carla"


def test_a_comment_sent_twice_counts_once_and_is_kept_encrypted(
    program: Browser, key: MakeKey, database: Database, orders: list[int]
) -> None:
    headers = key("cases:work")
    case_id = case_of(database, "carrier_unknown")
    said = {"who": "Ben", "words": "The warehouse calls it Bike.\nAsk Olga."}
    sent = [program.post(f"/v1/cases/{case_id}/comments", headers=headers, json=said) for _ in range(2)]
    blank = program.post(f"/v1/cases/{case_id}/comments", headers=headers, json={**said, "words": "  "})

    assert [answer.status_code for answer in sent] == [201, 201]
    assert (blank.status_code, blank.json()["error"]) == (409, "not_done")
    with database.begin() as c:
        (event,) = [event for event in history(c, case_id) if event.what == "commented"]
    assert event.who == "Ben (API key warehouse)"
    assert event.words is not None
    assert b"warehouse calls" not in event.words


def test_a_case_rests_for_a_reason_and_never_beyond_its_damage(
    program: Browser, key: MakeKey, database: Database, orders: list[int]
) -> None:
    headers = key("cases:work")
    case_id = case_of(database, "carrier_unknown")
    with database.begin() as c:
        c.execute(update(cases).where(cases.c.id == case_id).values(damage_at=None))
    place = f"/v1/cases/{case_id}/snooze"
    given = {"who": "Ben", "hours": 2, "why": "Olga asks the warehouse."}
    rests = program.post(place, headers=headers, json=given)
    for wrong in ({"hours": 0}, {"hours": 169}, {"why": " "}, {"hours": "2"}):
        assert program.post(place, headers=headers, json={**given, **wrong}).status_code == 422

    assert rests.status_code == 200
    with database.begin() as c:
        until = c.execute(select(cases.c.snoozed_until).where(cases.c.id == case_id)).scalar_one()
        (event,) = [event for event in history(c, case_id) if event.what == "snoozed"]
        c.execute(update(cases).where(cases.c.id == case_id).values(damage_at=until - timedelta(hours=1)))
    assert datetime.fromisoformat(rests.json()["until"]) == until
    assert event.who == "Ben (API key warehouse)"
    assert event.words is not None
    assert b"warehouse" not in event.words
    refused = program.post(place, headers=headers, json=given)
    assert (refused.status_code, refused.json()["error"]) == (409, "not_done")


# -- maps --------------------------------------------------------------------------------------------------


def test_a_carrier_is_mapped_once_changed_by_version_and_removed(
    program: Browser, key: MakeKey, database: Database, connection: ConnectionRow, orders: list[int]
) -> None:
    headers = key("mappings:read", "mappings:write")
    place = "/v1/connections/atlas/carriers/Express%20Bike"
    waiting = program.get("/v1/connections/atlas/carriers", headers=headers).json()["waiting"]
    wanted = {"code": "DPD", "who": "Olga"}
    first = program.put(place, headers=headers, json=wanted)
    again = program.put(place, headers=headers, json=wanted)
    blind = program.put(place, headers=headers, json={"code": "RM24", "who": "Ben"})
    (entry,) = program.get("/v1/connections/atlas/carriers", headers=headers).json()["entries"]
    seen = program.put(
        place, headers=headers, json={"code": "RM24", "who": "Ben", "version": entry["version"]}
    )
    stale = program.delete(f"{place}?who=Ben&why=closed&version={entry['version']}", headers=headers)
    (present,) = program.get("/v1/connections/atlas/carriers", headers=headers).json()["entries"]
    leave = f"{place}?who=Ben&why=closed&version={present['version']}"
    gone = program.delete(leave, headers=headers)

    assert (stale.status_code, stale.json()["error"]) == (409, "stale_version")
    assert program.delete(f"{place}?who=Ben&why=closed", headers=headers).status_code == 422
    assert waiting == [{"key": "Express Bike", "orders": 1}]
    assert [answer.json() for answer in (first, again)] == [
        {"orders": 1, "left_out": 0},
        {"orders": 0, "left_out": 0},
    ]
    assert (blind.status_code, blind.json()["error"]) == (409, "stale_version")
    assert entry["changed_by"] == "Olga (API key warehouse)"
    assert (seen.status_code, gone.status_code) == (200, 200)
    assert program.delete(leave, headers=headers).json()["error"] == "not_mapped"
    with database.begin() as c:
        assert carrier_map(c, connection.id) == ()


def test_a_carrier_is_mapped_for_one_country_beside_the_others(
    program: Browser, key: MakeKey, connection: ConnectionRow
) -> None:
    headers = key("mappings:read", "mappings:write")
    place = "/v1/connections/atlas/carriers/Parcel"
    for wanted in ({"code": "DPD"}, {"code": "RM24", "country": "GB"}):
        assert program.put(place, headers=headers, json={**wanted, "who": "Olga"}).status_code == 200
    both = program.get("/v1/connections/atlas/carriers", headers=headers).json()["entries"]
    version = next(entry["version"] for entry in both if entry["country"] == "GB")
    gone = program.delete(f"{place}?who=Ben&why=closed&country=GB&version={version}", headers=headers)
    entries = program.get("/v1/connections/atlas/carriers", headers=headers).json()["entries"]

    assert gone.status_code == 200
    assert [(entry["code"], entry["country"]) for entry in entries] == [("DPD", "")]


def test_a_sku_is_mapped_and_the_order_that_waits_for_it_goes_on(
    program: Browser, key: MakeKey, connection: ConnectionRow, orders: list[int], wakes: Wakes
) -> None:
    headers = key("mappings:read", "mappings:write")
    wakes.woken.clear()
    kept = program.put(
        "/v1/connections/atlas/skus/LAMP", headers=headers, json={"shop_sku": "LAMP-2", "who": "Olga"}
    )

    assert kept.json() == {"orders": 1, "left_out": 0}
    assert wakes.woken == [(orders[2], "acceptance")]
    (entry,) = program.get("/v1/connections/atlas/skus", headers=headers).json()["entries"]
    assert (entry["mirakl_sku"], entry["shop_sku"]) == ("LAMP", "LAMP-2")


def test_a_mapped_sku_says_how_many_cases_somebody_else_has_answered_otherwise(
    program: Browser, key: MakeKey, database: Database, orders: list[int], wakes: Wakes
) -> None:
    of_order = {"order_id": orders[2], "reason": "sku_unknown", "subject": "LAMP"}
    other = {"option": "refuse_order", "who": "Grace", "why": "Not sold any more.", "taken_at": NOW}
    with database.begin() as c:
        opened_at = (
            c.execute(select(cases.c.opened_at).where(cases.c.order_id == orders[2])).scalars().first()
        )
        c.execute(insert(answers).values(**of_order, **other, at=opened_at))
    wakes.woken.clear()
    wanted = {"shop_sku": "LAMP-2", "who": "Olga"}
    kept = program.put("/v1/connections/atlas/skus/LAMP", headers=key("mappings:write"), json=wanted)

    assert kept.json() == {"orders": 1, "left_out": 1}
    assert wakes.woken == [(orders[2], "acceptance")], "its order is looked at all the same"


@pytest.mark.parametrize(
    ("place", "body", "status", "error"),
    [
        ("atlas/carriers/X", {"code": "NONE", "who": "Olga"}, 422, "mapping_refused"),
        ("atlas/carriers/X", {"code": "DPD", "name": "DPD", "who": "Olga"}, 422, "mapping_refused"),
        ("atlas/carriers/X", {"code": "DPD"}, 422, "invalid"),
        ("nobody/carriers/X", {"code": "DPD", "who": "Olga"}, 404, "not_found"),
        ("atlas/skus/X", {"shop_sku": "", "who": "Olga"}, 422, "invalid"),
        ("atlas/skus/X", {"shop_sku": " ", "who": "Olga"}, 422, "invalid"),
        ("atlas/skus/%20", {"shop_sku": "Y", "who": "Olga"}, 422, "invalid"),
    ],
)
def test_an_entry_that_cannot_be_kept_is_refused_in_words(
    program: Browser,
    key: MakeKey,
    database: Database,
    connection: ConnectionRow,
    place: str,
    body: dict[str, Any],
    status: int,
    error: str,
) -> None:
    answer = program.put(f"/v1/connections/{place}", headers=key("mappings:write"), json=body)

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    if status == 422:
        with database.begin() as c:
            assert counts(c)[("api_refused", error)] == 1


def test_a_body_of_another_kind_is_told_what_is_wanted(
    program: Browser, key: MakeKey, connection: ConnectionRow
) -> None:
    answer = program.put(
        "/v1/connections/atlas/skus/X", headers=key("mappings:write"), data={"shop_sku": "Y", "who": "Olga"}
    )

    assert answer.status_code == 422
    assert "application/json (the request says application/x-www-form-urlencoded)" in answer.json()["detail"]


# -- the rest ----------------------------------------------------------------------------------------------


def test_health_and_connections_are_told(program: Browser, key: MakeKey, orders: list[int]) -> None:
    headers = key("health:read", "mappings:read")
    health = program.get("/v1/health", headers=headers).json()

    assert health["ok"] is False
    assert any("No worker has ever been heard" in problem for problem in health["problems"])
    assert health["cases_open"]["urgent"] >= 1
    assert program.get("/v1/connections", headers=headers).json()[0]["name"] == "atlas"
    assert program.get("/v1/health/objectives", headers=headers).json() == []


def test_an_entry_is_kept_without_the_blanks_around_it_and_found_again_with_them(
    program: Browser, key: MakeKey, connection: ConnectionRow
) -> None:
    headers = key("mappings:read", "mappings:write")
    program.put("/v1/connections/atlas/skus/X3%20", headers=headers, json={"shop_sku": " Y", "who": "Olga"})

    (entry,) = program.get("/v1/connections/atlas/skus", headers=headers).json()["entries"]
    assert (entry["mirakl_sku"], entry["shop_sku"]) == ("X3", "Y")
    path = f"/v1/connections/atlas/skus/%20X3?who=Olga&why=gone&version={entry['version']}"
    assert program.delete(path, headers=headers).json() == {"orders": 0, "left_out": 0}


def test_a_list_of_a_connection_there_is_not_names_those_there_are(
    program: Browser, key: MakeKey, orders: list[int]
) -> None:
    headers = key("orders:read", "cases:read")
    for path in ("/v1/orders", "/v1/cases"):
        answer = program.get(f"{path}?connection=zzz", headers=headers)

        assert (answer.status_code, answer.json()["field"]) == (422, "connection")
        assert "Known are: atlas." in answer.json()["detail"]


def test_a_parameter_that_is_none_is_named_with_those_there_are(
    program: Browser, key: MakeKey, database: Database, orders: list[int]
) -> None:
    headers = key("orders:read")
    answer = program.get("/v1/orders?search=Ada", headers=headers)

    assert answer.status_code == 422
    assert "'search' is no parameter of this address." in answer.json()["detail"]
    assert "number" in answer.json()["detail"]
    assert program.get("/v1/key?verbose=1", headers=headers).status_code == 422
    with database.begin() as c:
        assert counts(c)[("api_refused", "invalid")] == 2


def test_a_name_with_a_slash_is_mapped_and_removed(
    program: Browser, key: MakeKey, connection: ConnectionRow
) -> None:
    headers = key("mappings:read", "mappings:write")
    wanted = {"skus": {"shop_sku": "LAMP-2"}, "carriers": {"code": "DPD"}}
    for which, body in wanted.items():
        place = f"/v1/connections/atlas/{which}"
        kept = program.put(f"{place}/A%2FB", headers=headers, json={**body, "who": "Olga"})
        (entry,) = program.get(place, headers=headers).json()["entries"]
        gone = program.delete(f"{place}/A%2FB?who=Olga&why=sold&version={entry['version']}", headers=headers)
        assert (kept.status_code, entry["mirakl_sku" if which == "skus" else "shop_name"]) == (200, "A/B")
        assert gone.status_code == 200


def test_the_states_that_a_list_filters_by_are_those_there_are() -> None:
    assert set(get_args(State)) == set(KNOWN_STATES) == set(MIRAKL_STATES)
