"""The label check from our own database: what is young is answered at once, and everything else is a no."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from interlock.cases.store import answers
from interlock.decide import decide
from interlock.engine.store import ConnectionRow, counts
from interlock.holds.store import label_overrides
from interlock.orders.memory import Decision
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import ShopifyOrder
from interlock.orders.store import keep_strangers, mark_dirty, note_kin, orders, timeline_of
from interlock.orders.view import View
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.api.conftest import MakeKey
from tests.build import (
    NOW,
    a_fulfillment_order,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_order,
)
from tests.console.seed import Stopped, Wakes, connect, keep
from tests.web.browser import Browser

SHOPIFY = "gid://shopify/Order/1001"
PARCEL = "gid://shopify/FulfillmentOrder/501"
SECOND = "gid://shopify/FulfillmentOrder/502"


def shown(parcels: tuple[str, ...] = (PARCEL,), **changes: Any) -> ShopifyOrder:
    """A released order: nothing of it is held."""
    orders_of = tuple(a_fulfillment_order(parcel, ()) for parcel in parcels)
    return a_shopify_order(**{"id": SHOPIFY, "fulfillment_orders": orders_of, **changes})


def agreed(parcels: tuple[str, ...] = (PARCEL,), **changes: Any) -> View:
    memory = a_memory(shopify_order_id=SHOPIFY, released_at=NOW)
    return a_view(**{"shopify": shown(parcels), "memory": memory, **changes})


def edited(parcels: tuple[str, ...] = (PARCEL,)) -> View:
    """Staff raised the mugs to five: customer service has to decide."""
    more = (a_shopify_line(quantity=5), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))
    return agreed(shopify=shown(parcels, lines=more))


@pytest.fixture
def stopped() -> Stopped:
    clock = Stopped()
    clock.moment = NOW + timedelta(seconds=10)
    return clock


@pytest.fixture
def ask(program: Browser, key: MakeKey) -> Any:
    headers = key("labels:check", "labels:override")

    def get(number: str, status: int = 200) -> Any:
        response = program.get(f"/v1/label-check?order={number.replace('#', '%23')}", headers=headers)
        assert response.status_code == status, response.text
        return response.json()

    return get


@pytest.fixture
def override(program: Browser, key: MakeKey) -> Any:
    headers = key("labels:override", name="desk")

    def post(body: Mapping[str, str], status: int = 200) -> Any:
        response = program.post("/v1/label-check/override", json=dict(body), headers=headers)
        assert response.status_code == status, response.text
        return response.json()

    return post


def stored(database: Database, connection: ConnectionRow, view: View) -> int:
    with database.begin() as c:
        return keep(c, connection, view)[0]


# -- what is answered --------------------------------------------------------------------------------------


def test_a_young_agreement_says_yes_with_its_age_and_source(
    database: Database, connection: ConnectionRow, ask: Any
) -> None:
    stored(database, connection, agreed())

    assert ask("1001") == {
        "print": True,
        "reason": "Both sides agree and the marketplace waits for the parcel.",
        "who_can_change_it": "",
        "order": {"mirakl": "M-1001-A", "shopify": SHOPIFY, "name": "#1001", "fulfillment_order": None},
        "as_of": "2026-03-02T12:00:00Z",
        "age_seconds": 10.0,
        "source": "stored",
    }


@pytest.mark.parametrize(
    ("number", "parcel"),
    [
        (SHOPIFY, None),
        ("1001", None),
        ("#1001", None),
        (" M-1001-A ", None),
        (PARCEL, PARCEL),
        ("501", PARCEL),
    ],
)
def test_every_number_of_the_order_finds_it(
    database: Database, connection: ConnectionRow, ask: Any, number: str, parcel: str | None
) -> None:
    stored(database, connection, agreed())

    answer = ask(number)

    assert answer["print"] is True
    assert answer["order"]["fulfillment_order"] == parcel


def test_an_edit_says_no_with_the_reason_and_who_can_change_it(
    database: Database, connection: ConnectionRow, ask: Any
) -> None:
    stored(database, connection, edited())

    answer = ask(PARCEL)

    assert (answer["print"], answer["who_can_change_it"]) == (False, "CX")
    assert "MUG" in answer["reason"]


@pytest.mark.parametrize("seconds", [30, 31, 3600])
def test_what_is_too_old_and_cannot_be_read_is_a_no(
    database: Database, connection: ConnectionRow, ask: Any, stopped: Stopped, seconds: int
) -> None:
    stored(database, connection, agreed())
    stopped.moment = NOW + timedelta(seconds=seconds)

    answer = ask("1001")

    assert (answer["print"], answer["source"]) == (False, "none")
    assert answer["reason"].startswith("Cannot confirm")
    assert answer["age_seconds"] == seconds


def test_a_hint_that_nobody_answered_yet_makes_a_young_look_too_old(
    database: Database, connection: ConnectionRow, ask: Any
) -> None:
    order_id = stored(database, connection, agreed())
    with database.begin() as c:
        mark_dirty(c, order_id, "edits", NOW)

    assert ask("1001")["print"] is False


def test_a_fulfillment_order_that_is_done_is_a_no(
    database: Database, connection: ConnectionRow, ask: Any
) -> None:
    done = a_fulfillment_order(SECOND, (), (("S1", 0),), status="CLOSED")
    view = agreed(shopify=shown(fulfillment_orders=(a_fulfillment_order(PARCEL, ()), done)))
    stored(database, connection, view)

    assert ask(PARCEL)["print"] is True
    assert ask(SECOND)["reason"].startswith("Nothing is left to ship of this fulfillment order")


def test_an_order_that_is_not_in_shopify_yet_is_a_no(
    database: Database, connection: ConnectionRow, ask: Any
) -> None:
    stored(database, connection, a_view(shopify=None, memory=a_memory(shopify_order_id="")))

    answer = ask("M-1001-A")

    assert (answer["print"], answer["as_of"], answer["age_seconds"]) == (False, None, None)


@pytest.mark.parametrize("number", ["1002", "gid://shopify/Order/1002", "#1001A", "1001A"])
def test_another_order_of_the_same_sale_is_a_no(
    database: Database, connection: ConnectionRow, ask: Any, number: str
) -> None:
    order_id = stored(database, connection, agreed())
    with database.begin() as c:
        note_kin(c, order_id, "gid://shopify/Order/1002", NOW, "#1001A")

    answer = ask(number)

    assert (answer["print"], answer["who_can_change_it"]) == (False, "CX")
    assert "Another Shopify order stands for this sale" in answer["reason"]


def test_a_stranger_that_was_noted_and_weighed_is_none_of_ours(
    database: Database, connection: ConnectionRow, ask: Any
) -> None:
    order_id = stored(database, connection, agreed())
    gid = "gid://shopify/Order/1002"
    with database.begin() as c:
        note_kin(c, order_id, gid, NOW, "#1001A")
        keep_strangers(c, order_id, [gid], [])

    assert "second delivery" in str(ask("#1001A", 404))

    with database.begin() as c:
        keep_strangers(c, order_id, [], [gid])
    assert ask("#1001A")["print"] is False


# -- bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["9999", "M-9999-A", "gid://shopify/Order/9999", "%25' OR 1=1 --"])
def test_an_unknown_order_is_neither_a_yes_nor_a_no(ask: Any, number: str) -> None:
    answer = ask(number, 404)

    assert answer["error"] == "unknown_order"
    assert "print" not in answer


@pytest.mark.parametrize(
    "number",
    [
        "",
        "%20",
        "x" * 101,
        "%00",
        "gid://shopify/Product/1",
        "gid://shopify/Order/",
        "gid://shopify/Order/abc",
        "gid://shopify/Order/1?key=1",
        "gid://elsewhere/Order/1",
    ],
)
def test_a_malformed_number_is_refused_by_name(ask: Any, number: str) -> None:
    answer = ask(number, 422)

    assert answer["field"] == "order"
    assert answer["detail"]


def test_without_a_number_nothing_is_asked(program: Browser, key: MakeKey) -> None:
    response = program.get("/v1/label-check", headers=key("labels:check"))
    assert (response.status_code, response.json()["field"]) == (422, "order")


def test_a_number_of_two_orders_names_both(database: Database, connection: ConnectionRow, ask: Any) -> None:
    stored(database, connection, agreed())
    other = agreed(
        order_id="M-1002-A",
        shopify=shown(("gid://shopify/FulfillmentOrder/601",), id="gid://shopify/Order/1002"),
        memory=a_memory(shopify_order_id="gid://shopify/Order/1002", released_at=NOW),
        mirakl=replace(an_order(), order_id="M-1002-A"),
    )
    stored(database, connection, other)

    answer = ask("#1001", 409)

    assert answer["error"] == "ambiguous_order"
    assert [one["mirakl"] for one in answer["candidates"]] == ["M-1001-A", "M-1002-A"]
    assert ask("gid://shopify/Order/1002")["order"]["mirakl"] == "M-1002-A"


def test_a_number_of_two_marketplaces_is_asked_for_with_its_connection(
    database: Database, keyring: Keyring, connection: ConnectionRow, program: Browser, key: MakeKey
) -> None:
    stored(database, connection, agreed())
    with database.begin() as c:
        birch = connect(c, keyring, "birch", shop_id=2002)
    lines = (a_shopify_line(quantity=5), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))
    gid = "gid://shopify/Order/1002"
    more = shown(("gid://shopify/FulfillmentOrder/601",), id=gid, lines=lines)
    stored(database, birch, agreed(shopify=more, memory=a_memory(shopify_order_id=gid, released_at=NOW)))
    headers = key("labels:check", "labels:override")

    def get(more: str) -> Any:
        return program.get(f"/v1/label-check?order=M-1001-A{more}", headers=headers)

    unclear, atlas, other, nobody = (
        get(more) for more in ("", "&connection=atlas", "&connection=birch", "&connection=cedar")
    )
    asked = {"order": "M-1001-A", "who": "Ada", "why": "It waits."}
    kept = program.post("/v1/label-check/override", json={**asked, "connection": "birch"}, headers=headers)

    assert (unclear.status_code, unclear.json()["error"]) == (409, "ambiguous_order")
    assert {one["connection"] for one in unclear.json()["candidates"]} == {"atlas", "birch"}
    assert "or name its connection as well" in unclear.json()["detail"]
    assert (atlas.json()["print"], other.json()["print"]) == (True, False)
    assert (nobody.status_code, nobody.json()["error"], nobody.json()["field"]) == (
        404,
        "unknown_connection",
        "connection",
    )
    assert kept.status_code == 200, kept.text
    with database.begin() as c:
        c.execute(update(orders).values(handled=orders.c.hints))
    assert get("&connection=birch").json()["source"] == "override"


def test_the_name_of_an_order_that_another_shop_replaced_says_yes_for_neither(
    database: Database, keyring: Keyring, connection: ConnectionRow, ask: Any
) -> None:
    """Both shops have a #1001; that of birch was replaced by its #1001A."""
    stored(database, connection, agreed())
    gid = "gid://shopify/Order/1002"
    lives = agreed(
        order_id="M-1002-A",
        shopify=shown(("gid://shopify/FulfillmentOrder/601",), id=gid, name="#1001A"),
        memory=a_memory(shopify_order_id=gid, released_at=NOW),
        mirakl=replace(an_order(), order_id="M-1002-A"),
    )
    with database.begin() as c:
        birch = connect(c, keyring, "birch", shop_id=2002)
    replaced = stored(database, birch, lives)
    with database.begin() as c:
        note_kin(c, replaced, "gid://shopify/Order/900", NOW, "#1001")

    for number in ("#1001", "1001"):
        unclear = ask(number, 409)
        assert unclear["error"] == "ambiguous_order"
        assert [(one["mirakl"], one["connection"]) for one in unclear["candidates"]] == [
            ("M-1001-A", "atlas"),
            ("M-1002-A", "birch"),
        ]
    assert ask("#1001&connection=atlas")["print"] is True
    assert "Another Shopify order stands for this sale" in ask("#1001&connection=birch")["reason"]
    assert ask(SHOPIFY)["print"] is True
    assert ask("gid://shopify/Order/900")["order"]["mirakl"] == "M-1002-A"


@pytest.mark.parametrize("number", ["#1003", "1003", "1002", "gid://shopify/Order/1002"])
def test_a_linked_order_is_of_its_own_sale_also_where_another_takes_it_for_a_relative(
    database: Database, connection: ConnectionRow, ask: Any, number: str
) -> None:
    """The same customer bought twice: the first order has the second one noted as what may replace it."""
    first = stored(database, connection, agreed())
    gid = "gid://shopify/Order/1002"
    second = agreed(
        order_id="M-1002-A",
        shopify=shown(("gid://shopify/FulfillmentOrder/601",), id=gid, name="#1003"),
        memory=a_memory(shopify_order_id=gid, released_at=NOW),
        mirakl=replace(an_order(), order_id="M-1002-A"),
    )
    stored(database, connection, second)
    with database.begin() as c:
        note_kin(c, first, gid, NOW, "#1003")

    answer = ask(number)

    assert (answer["order"]["mirakl"], answer["print"]) == ("M-1002-A", True)


# -- overrides ---------------------------------------------------------------------------------------------

ADA = {"order": "1001", "who": "Ada", "why": "The customer waits at the door."}


def test_an_override_says_yes_once_and_stays_on_the_record(
    database: Database, connection: ConnectionRow, ask: Any, override: Any, wakes: Wakes
) -> None:
    order_id = stored(database, connection, edited())

    kept = override(ADA)

    assert kept["order"]["fulfillment_order"] == PARCEL
    assert "MUG" in kept["against"]
    assert (kept["who"], kept["why"]) == ("Ada", "The customer waits at the door.")
    with database.begin() as c:
        # The look that takes it up has come and gone.
        c.execute(update(orders).values(handled=orders.c.hints))
    first, second = ask(PARCEL), ask(PARCEL)
    assert (first["print"], first["source"]) == (True, "override")
    assert "Ada overrode the check: The customer waits at the door." in first["reason"]
    assert second["print"] is False
    assert wakes.woken == [(order_id, "holds")]
    with database.begin() as c:
        told = [(who, said) for _, who, said in timeline_of(c, order_id)]
        assert counts(c)[("label_overridden", "")] == 1
    assert any(who == "Ada" and "API key desk" in said and "MUG" in said for who, said in told)
    assert ("Interlock", "The label check said yes once, because Ada overrode it.") in told


def test_an_override_becomes_an_incident_that_the_order_remembers(
    database: Database, connection: ConnectionRow, override: Any
) -> None:
    stored(database, connection, edited())
    override(ADA)

    with database.begin() as c:
        row = c.execute(select(answers)).one()
    answer = Decision(Reason(row.reason), row.subject, Option(row.option), row.who, row.why, row.at)
    plan = decide(replace(edited(), answers=(answer,)))
    incident = plan.memory.incident(Reason.LABEL_OVERRIDDEN, row.subject)
    assert incident is not None
    assert "Ada had the label of fulfillment order 501 printed" in incident.sentence
    assert Reason.LABEL_OVERRIDDEN in [case.reason for case in plan.cases]


def test_of_several_fulfillment_orders_one_has_to_be_named(
    database: Database, connection: ConnectionRow, ask: Any, override: Any
) -> None:
    stored(database, connection, edited((PARCEL, SECOND)))

    refused = override(ADA, 409)
    assert (refused["error"], refused["field"]) == ("ambiguous_parcel", "fulfillment_order")
    assert refused["candidates"] == [{"fulfillment_order": PARCEL}, {"fulfillment_order": SECOND}]
    override({**ADA, "fulfillment_order": "502"})
    with database.begin() as c:
        c.execute(update(orders).values(handled=orders.c.hints))
    assert ask(PARCEL)["print"] is False
    assert ask("1001")["print"] is False
    assert ask(SECOND)["print"] is True


@pytest.mark.parametrize(
    ("view", "body", "status", "error", "field"),
    [
        (agreed(), ADA, 409, "nothing_to_override", "order"),
        (edited(), {**ADA, "who": " "}, 422, "words_missing", "who"),
        (edited(), {**ADA, "why": ""}, 422, "words_missing", "why"),
        (edited(), {**ADA, "why": "two\nlines"}, 422, "words_missing", "why"),
        (edited(), {**ADA, "order": "9999"}, 404, "unknown_order", "order"),
        (edited(), {**ADA, "fulfillment_order": "999"}, 409, "parcel_not_open", "fulfillment_order"),
        (edited(()), ADA, 409, "parcel_not_open", "fulfillment_order"),
        (edited(), {**ADA, "force": "yes"}, 422, "invalid", "force"),
        (edited(), {"order": "1001", "why": "Because."}, 422, "invalid", "who"),
    ],
)
def test_an_override_that_cannot_be_given_changes_nothing(
    database: Database,
    connection: ConnectionRow,
    override: Any,
    wakes: Wakes,
    view: View,
    body: dict[str, str],
    status: int,
    error: str,
    field: str,
) -> None:
    stored(database, connection, view)

    refused = override(body, status)

    assert (refused["error"], refused["field"]) == (error, field)
    with database.begin() as c:
        assert c.execute(select(label_overrides)).all() == []
        assert c.execute(select(answers)).all() == []
    assert wakes.woken == []


def test_a_second_override_waits_for_the_first(
    database: Database, connection: ConnectionRow, override: Any
) -> None:
    stored(database, connection, edited())
    override(ADA)
    with database.begin() as c:
        c.execute(update(orders).values(handled=orders.c.hints))
    refused = override({**ADA, "who": "Bo"}, 409)
    assert refused["error"] == "already_overridden"
    assert "Ada has overridden" in refused["detail"]


GONE = {"label_yes": False, "label_reason": "The order is cancelled in Shopify.", "label_parcels": [PARCEL]}


@pytest.mark.parametrize(
    ("later", "seconds", "said"),
    [
        pytest.param(GONE, 20, "It was for another reason", id="another reason"),
        pytest.param({**GONE, "label_parcels": []}, 20, "Nothing is left to ship", id="the parcel is closed"),
        pytest.param({}, 60, "It was for another reason", id="nothing can be confirmed"),
        pytest.param(
            {"label_until": NOW + timedelta(days=1)}, 3700, "more than an hour ago", id="too long ago"
        ),
    ],
)
def test_an_override_that_does_not_count_any_more_is_a_no_that_says_so_and_gives_way_to_another(
    database: Database,
    connection: ConnectionRow,
    ask: Any,
    override: Any,
    stopped: Stopped,
    later: dict[str, Any],
    seconds: int,
    said: str,
) -> None:
    stored(database, connection, edited())
    override(ADA)
    with database.begin() as c:
        c.execute(update(orders).values(handled=orders.c.hints, **later))
    stopped.moment = NOW + timedelta(seconds=seconds)

    answer = ask(PARCEL)

    assert (answer["print"], answer["source"] == "override") == (False, False)
    assert said in answer["reason"]
    again = override({**ADA, "who": "Bo"}, 409 if said.startswith("Nothing") else 200)
    with database.begin() as c:
        kept = c.execute(
            select(label_overrides.c.who, label_overrides.c.ended_at).order_by(label_overrides.c.id)
        ).all()
    if "error" in again:
        assert (again["error"], kept) == ("parcel_not_open", [("Ada", None)])
        return
    assert kept == [("Ada", stopped.moment), ("Bo", None)]
    with database.begin() as c:
        c.execute(update(orders).values(handled=orders.c.hints))
    assert ask(PARCEL)["source"] == "override"
