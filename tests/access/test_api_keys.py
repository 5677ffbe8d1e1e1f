"""API keys in the console, keys in one's own name, and refunds that two people approve who were seen to sign in."""

import html
import re

import pytest
from sqlalchemy import Connection, func, select

from interlock.access import administration, people
from interlock.access.audit_log import entries
from interlock.access.roles import Grant, Person, Role
from interlock.access.store import KeyRefused, Scope, all_keys, keys_of, make_key, person_of, proven
from interlock.cases.store import answers, case_events, cases, sync_cases, take_answers, waiting_answers
from interlock.engine.store import ConnectionRow
from interlock.orders.plan import Case
from interlock.orders.reasons import Option, Reason
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from interlock.web import WebParts, create_app
from tests.access.conftest import People, SignedIn
from tests.console.seed import CLOCK, Numbered, Stopped, Wakes, connect, edited_up, keep, sku_unknown
from tests.web.browser import Browser, text_of

APPROVAL = Case(
    Reason.REFUND_APPROVAL,
    "edit:1",
    "Two people have to approve it.",
    (Option.APPROVE_REFUND, Option.DISMISS),
)


@pytest.fixture
def connection(database: Database, keyring: Keyring) -> ConnectionRow:
    with database.begin() as c:
        return connect(c, keyring)


@pytest.fixture
def approval(database: Database, connection: ConnectionRow) -> tuple[int, int]:
    """The row number of an order whose refund waits for approval, and that of the case."""
    with database.begin() as c:
        order_id, _ = keep(c, connection, edited_up())
        sync_cases(c, order_id, connection.id, (APPROVAL,), CLOCK, False)
        found = select(cases.c.id).where(cases.c.reason == Reason.REFUND_APPROVAL.value)
        return order_id, c.execute(found).scalar_one()


def secret_of(page: str) -> str:
    found = re.search(r'<code class="secret">([^<]+)</code>', page)
    assert found is not None
    return html.unescape(found[1])


def own_key(browser: Browser, *scopes: str, name: str = "laptop") -> dict[str, str]:
    """Make a key in the name of who is signed in, and give the headers that show it."""
    made = browser.submit("/account/keys", "/account/keys", data={"name": name, "scope": list(scopes)})
    assert made.status_code == 200, text_of(made)
    return {"Authorization": f"Bearer {secret_of(made.text)}"}


def approve(program: Browser, case_id: int, headers: dict[str, str], who: str) -> tuple[int, str]:
    """What an approval of this case is answered: the status, and who was kept or the error."""
    shown = program.get(f"/v1/cases/{case_id}", headers=headers).json()
    body = {"option": "approve_refund", "who": who, "why": "Compared.", "version": shown.get("version", "x")}
    answered = program.post(f"/v1/cases/{case_id}/answer", headers=headers, json=body)
    return answered.status_code, answered.json().get("who") or answered.json()["error"]


def take(c: Connection, order_id: int) -> None:
    take_answers(c, [number for number, _ in waiting_answers(c, order_id)], CLOCK)


def test_a_key_of_a_program_is_made_shown_once_used_and_revoked(
    database: Database, somebody: People, signed_in: SignedIn, stranger: Browser
) -> None:
    ada = signed_in(somebody("ada", Role.ENGINEER))
    assert "No key is in use." in text_of(ada.get("/api-keys"))

    made = ada.submit("/api-keys", "/api-keys", data={"name": "<b>warehouse", "scope": ["health:read"]})
    secret = secret_of(made.text)
    assert made.headers["cache-control"] == "no-store"
    assert "<b>warehouse" not in made.text
    headers = {"Authorization": f"Bearer {secret}"}
    assert stranger.get("/v1/key", headers=headers).json()["scopes"] == ["health:read"]
    assert stranger.get("/v1/cases", headers=headers).status_code == 403
    page = ada.get("/api-keys")
    assert secret not in page.text
    assert "a program's" in html.unescape(page.text)
    revoke = re.search(r'action="(/api-keys/\d+/revoke)"', page.text)
    assert revoke is not None
    assert ada.submit("/api-keys", revoke[1]).status_code == 303
    assert "revoked" in text_of(ada.get("/api-keys")).lower()
    with database.begin() as c:
        did = [(one.who, one.did) for one in entries(c) if one.did.startswith("api_key")]
        facts = [one.facts for one in entries(c)]
    assert did == [("ada", "api_key_made"), ("ada", "api_key_revoked")]
    assert secret not in str(facts)
    assert ada.submit("/api-keys", "/api-keys/999/revoke").status_code == 404


def test_a_key_for_one_connection_says_so_and_is_found_by_it_alone(
    database: Database,
    keyring: Keyring,
    connection: ConnectionRow,
    somebody: People,
    signed_in: SignedIn,
    stranger: Browser,
) -> None:
    with database.begin() as c:
        connect(c, keyring, "borealis", shop="borealis.myshopify.com", shop_id=2002)
    ada = signed_in(somebody("ada", Role.ENGINEER))
    assert 'name="connection" value="borealis"' in ada.get("/api-keys").text
    form = {"name": "warehouse", "scope": ["labels:check"], "connection": ["atlas"]}

    refused = ada.submit("/api-keys", "/api-keys", data={**form, "connection": ["atlas", "nowhere"]})
    made = ada.submit("/api-keys", "/api-keys", data=form)

    assert (refused.status_code, "There is no connection 'nowhere'" in text_of(refused)) == (422, True)
    assert 'value="atlas" checked' in refused.text
    shown = stranger.get("/v1/key", headers={"Authorization": f"Bearer {secret_of(made.text)}"}).json()
    assert shown["connections"] == ["atlas"]
    assert "warehouse a program's labels:check atlas" in text_of(ada.get("/api-keys?connection=atlas"))
    assert "warehouse" not in ada.get("/api-keys?connection=borealis").text
    with database.begin() as c:
        (key,) = all_keys(c)
        facts = [one.facts for one in entries(c) if one.did == "api_key_made"]
    assert key.connections == frozenset({connection.id})
    assert facts == [{"scopes": "labels:check", "connections": str(connection.id)}]


def test_somebody_of_one_connection_makes_no_key_for_another(
    database: Database,
    keyring: Keyring,
    connection: ConnectionRow,
    somebody: People,
    signed_in: SignedIn,
) -> None:
    with database.begin() as c:
        connect(c, keyring, "borealis", shop="borealis.myshopify.com", shop_id=2002)
    ada = signed_in(somebody("ada", Grant(Role.CX, connection.id)))
    form = {"name": "laptop", "scope": ["cases:read"], "connection": ["borealis"]}

    refused = ada.submit("/account/keys", "/account/keys", data=form)

    assert refused.status_code == 422
    assert "There are: atlas." in text_of(refused)
    with database.begin() as c:
        assert all_keys(c) == []


@pytest.mark.parametrize(
    ("roles", "scopes", "places", "needs"),
    [
        ([Role.ENGINEER], ["labels:override"], [], "print a label against the interlock"),
        ([Role.ENGINEER], ["orders:read", "cases:answer"], [], "answer cases of customer service"),
        ([Role.ENGINEER], ["orders:edit"], ["atlas"], "edit orders at the desk"),
        ([Role.ENGINEER, "atlas"], ["labels:override"], [], "print a label against the interlock at all"),
        ([Role.ENGINEER, "atlas"], ["labels:override"], ["atlas", "borealis"], "at each connection"),
        ([Role.ENGINEER, "atlas"], ["labels:override"], ["atlas"], ""),
        ([Role.ENGINEER], ["orders:read", "mappings:write", "cases:work", "labels:check"], [], ""),
        ([Role.ADMIN], [scope.value for scope in Scope], [], ""),
    ],
)
def test_nobody_gives_a_program_more_than_they_have(
    database: Database,
    keyring: Keyring,
    connection: ConnectionRow,
    somebody: People,
    signed_in: SignedIn,
    roles: list[Role | str],
    scopes: list[str],
    places: list[str],
    needs: str,
) -> None:
    """`roles` with the name of a connection: operations there besides."""
    with database.begin() as c:
        connect(c, keyring, "borealis", shop="borealis.myshopify.com", shop_id=2002)
    grants = [Grant(Role.OPERATIONS, connection.id) if role == "atlas" else Role(role) for role in roles]
    ada = signed_in(somebody("ada", *grants))

    made = ada.submit(
        "/api-keys", "/api-keys", data={"name": "warehouse", "scope": scopes, "connection": places}
    )

    with database.begin() as c:
        assert len(all_keys(c)) == (0 if needs else 1)
    assert made.status_code == (422 if needs else 200)
    if needs:
        assert needs in text_of(made)
        assert "interlock api-key create" in text_of(made)


def test_the_form_offers_what_its_reader_may_give(somebody: People, signed_in: SignedIn) -> None:
    def offered(page: str) -> set[str]:
        return set(re.findall(r'name="scope" value="([^"]+)"', page))

    ada = signed_in(somebody("ada", Role.ENGINEER))

    everything = {scope.value for scope in Scope}
    assert everything - offered(ada.get("/api-keys").text) == {
        "orders:edit",
        "labels:override",
        "cases:answer",
    }
    assert offered(ada.get("/account/keys").text) == everything


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"name": "", "scope": ["health:read"]}, "A key needs a name"),
        ({"name": "warehouse"}, "A key needs at least one scope"),
        ({"name": "warehouse", "scope": ["everything"]}, "is not a scope"),
        ({"name": "ware\x07house", "scope": ["health:read"]}, "that can be shown"),
    ],
)
def test_a_key_that_cannot_be_made_is_refused_in_words_and_the_form_keeps_what_was_written(
    database: Database, somebody: People, signed_in: SignedIn, data: dict[str, object], said: str
) -> None:
    ada = signed_in(somebody("ada", Role.ENGINEER))

    refused = ada.submit("/api-keys", "/api-keys", data=data)

    assert refused.status_code == 422
    assert said in text_of(refused)
    assert ('value="health:read" checked' in refused.text) == (data.get("scope") == ["health:read"])
    with database.begin() as c:
        assert all_keys(c) == []


def test_two_people_approve_with_keys_of_their_own_and_nobody_does_it_twice_or_for_somebody_else(
    database: Database,
    somebody: People,
    signed_in: SignedIn,
    stranger: Browser,
    approval: tuple[int, int],
) -> None:
    order_id, case_id = approval
    scopes = ("cases:read", "cases:answer")
    ada = own_key(signed_in(somebody("ada", Role.FINANCE)), *scopes)
    ben = own_key(signed_in(somebody("ben", Role.FINANCE)), *scopes, name="script")
    with database.begin() as c:
        _, program = make_key(c, "erp", scopes, "eve", CLOCK)
    erp = {"Authorization": f"Bearer {program}"}

    assert approve(stranger, case_id, erp, "ada") == (403, "person_needed")
    assert approve(stranger, case_id, ada, "ben") == (422, "not_this_person")
    assert approve(stranger, case_id, ada, "Ada") == (202, "ada")
    with database.begin() as c:
        take(c, order_id)
    # With the version that shows the first approval it is a second one, and that is another person's.
    assert approve(stranger, case_id, ada, "ada") == (409, "answer_refused")
    assert approve(stranger, case_id, ben, "ben") == (202, "ben")
    with database.begin() as c:
        assert list(c.execute(select(answers.c.who).order_by(answers.c.id)).scalars()) == ["ada", "ben"]
        changed = [one.who for one in entries(c) if one.did == "changed"]
    assert changed == ["ada", "ben"]


def test_a_personal_key_may_do_at_most_what_its_person_may_and_ends_with_the_account(
    database: Database,
    somebody: People,
    signed_in: SignedIn,
    stranger: Browser,
    approval: tuple[int, int],
    connection: ConnectionRow,
    clock: Stopped,
    store: InlineStore,
    keyring: Keyring,
) -> None:
    _, case_id = approval
    scopes = ("cases:read", "cases:answer", "mappings:write")
    vic_number = somebody("vic", Role.VIEWER)
    vic = own_key(signed_in(vic_number), *scopes)
    lin = own_key(signed_in(somebody("lin", Grant(Role.ADMIN, connection.id))), *scopes, name="lin's")

    assert approve(stranger, case_id, vic, "vic") == (403, "right_missing")
    map_one = {"shop_sku": "MUG", "who": "vic"}
    assert (
        stranger.put("/v1/connections/atlas/skus/X", headers=vic, json=map_one).json()["error"]
        == "right_missing"
    )
    # A role for one connection gives no key that reads all of them, but one that reads that one.
    assert stranger.get("/v1/cases", headers=lin).json()["error"] == "right_missing"
    assert stranger.get(f"/v1/cases/{case_id}", headers=lin).status_code == 200
    assert stranger.get("/v1/cases", headers=vic).status_code == 200
    with database.begin() as c:
        people.deactivate(c, vic_number, clock.now())
        assert person_of(c, all_keys(c)[0].id, clock.now()) is None
    with database.begin() as c, pytest.raises(KeyRefused, match="opens anything"):
        proven(c, vic["Authorization"].removeprefix("Bearer "), Scope.CASES_READ, clock.now())
    elsewhere = Browser(create_app(WebParts(store, clock, Numbered(), Wakes(), keyring)))
    assert elsewhere.get("/v1/key", headers=vic).json()["error"] == "key_revoked"


def test_a_key_of_somebody_with_one_connection_opens_what_belongs_to_it_and_nothing_else(
    database: Database,
    somebody: People,
    signed_in: SignedIn,
    stranger: Browser,
    connection: ConnectionRow,
    keyring: Keyring,
) -> None:
    with database.begin() as c:
        other = connect(c, keyring, "borealis", shop="borealis.myshopify.com", shop_id=2002)
        own_order, _ = keep(c, connection, edited_up())
        foreign_order, _ = keep(c, other, sku_unknown())
        numbers = dict(
            c.execute(select(cases.c.order_id, func.min(cases.c.id)).group_by(cases.c.order_id)).all()
        )
    scopes = [scope.value for scope in Scope]
    ada = own_key(signed_in(somebody("ada", Grant(Role.OPERATIONS, connection.id))), *scopes)
    all_of_them = own_key(signed_in(somebody("ben", Role.OPERATIONS)), *scopes, name="ben's")

    def status(path: str, headers: dict[str, str] = ada) -> int:
        return stranger.get(f"/v1{path}", headers=headers).status_code

    here = ["/orders/M-1001-A", "/orders/M-1001-A/explain", f"/cases/{numbers[own_order]}"]
    here += ["/orders?connection=atlas", "/cases?connection=atlas", "/skus?connection=atlas"]
    here += ["/connections/atlas/skus", "/connections/atlas/carriers", "/cases/catalogue", "/connections"]
    here += ["/connections/atlas/bundles", "/connections/atlas/reasons"]
    there = ["/orders/M-1003-A", "/orders/M-1003-A/explain", f"/cases/{numbers[foreign_order]}"]
    there += ["/orders?connection=borealis", "/cases?connection=borealis", "/skus?connection=borealis"]
    there += ["/connections/borealis/skus", "/connections/borealis/carriers", "/connections/borealis/offers"]
    there += ["/connections/borealis/bundles", "/connections/borealis/reasons"]
    whole = ["/orders", "/cases", "/skus", "/decisions", "/health", "/health/objectives"]
    whole += [
        "/orders?connection=atlas&number=M-1003-A",
        "/orders?connection=nowhere",
    ]
    assert [path for path in here if status(path) != 200] == []
    assert [path for path in (*there, *whole) if status(path) != 403] == []
    assert [path for path in (*here, *there) if status(path, all_of_them) not in (200, 404)] == []
    assert status("/label-check?order=M-1001-A") == 200
    assert status("/label-check?order=M-1003-A") == status("/label-check?order=M-9-A") == 404
    assert status("/label-check?order=M-1003-A", all_of_them) == 200
    assert status("/orders/M-9-A") == 404
    assert status("/cases/999999") == 404
    assert status("/orders/%00") in (404, 422)
    assert status("/cases/x") == 422
    assert [one["name"] for one in stranger.get("/v1/connections", headers=ada).json()] == ["atlas"]
    assert len(stranger.get("/v1/connections", headers=all_of_them).json()) == 2

    with database.begin() as c:
        before = c.execute(select(func.count()).select_from(case_events)).scalar_one()
    words = {"who": "ada", "words": "Rang them."}
    for case_id, answered in ((numbers[foreign_order], 403), (numbers[own_order], 201)):
        told = stranger.post(f"/v1/cases/{case_id}/comments", headers=ada, json=words)
        assert told.status_code == answered, told.text
    mapped = {"shop_sku": "MUG", "who": "ada"}
    assert stranger.put("/v1/connections/borealis/skus/X", headers=ada, json=mapped).status_code == 403
    for place in ("bundles/SET", "reasons/refund"):
        assert stranger.put(f"/v1/connections/borealis/{place}", headers=ada, json={}).status_code == 403
    edit = {"set": [], "version": "x", "who": "ada", "why": "x"}
    assert stranger.post("/v1/orders/M-1003-A/edit", headers=ada, json=edit).status_code == 403
    assert stranger.post("/v1/orders/M-1003-A/edit-preview", headers=ada, json={}).status_code == 403
    with database.begin() as c:
        assert c.execute(select(func.count()).select_from(case_events)).scalar_one() == before + 1
        changed = [one.connection_id for one in entries(c) if one.did == "changed"]
    assert changed == [connection.id]


def test_a_key_of_ones_own_is_only_ones_own(
    database: Database, somebody: People, signed_in: SignedIn
) -> None:
    ada, ben = signed_in(somebody("ada", Role.ADMIN)), signed_in(somebody("ben", Role.FINANCE))
    own_key(ada, "cases:read", name="of ada")

    assert "of ada" not in ben.get("/account/keys").text
    with database.begin() as c:
        (key,) = all_keys(c)
    assert (key.person, key.created_by) == ("ada", "ada")
    assert ben.submit("/account/keys", f"/account/keys/{key.id}/revoke").status_code == 404
    with database.begin() as c:
        assert all_keys(c)[0].revoked_at is None
    assert ada.submit("/account/keys", f"/account/keys/{key.id}/revoke").status_code == 303
    with database.begin() as c:
        assert all_keys(c)[0].revoked_by == "ada"


def test_whoever_has_still_to_set_up_a_second_factor_makes_no_key(
    somebody: People, signed_in: SignedIn
) -> None:
    ada = signed_in(somebody("ada", Role.FINANCE, app=None))

    assert ada.get("/account").status_code == 200
    assert ada.get("/account/keys").headers.get("location", "").startswith("/account/second-factor")


def test_the_keys_of_an_account_end_with_it_and_do_not_come_back(
    somebody: People, database: Database
) -> None:
    root, vic = somebody("root", Role.ADMIN), somebody("vic", Role.ADMIN)
    of = {
        number: Person(number, name, (Grant(Role.ADMIN),)) for number, name in ((root, "root"), (vic, "vic"))
    }
    with database.begin() as c:
        for person in of.values():
            make_key(c, f"of {person.handle}", [Scope.ORDERS_READ.value], person.handle, CLOCK, person)
        administration.deactivate(c, vic, "root", CLOCK)
        administration.reactivate(c, vic, "root", CLOCK)
        ended = {key.name: key.revoked_at is not None for number in of for key in keys_of(c, number)}
        told = [(entry.did, entry.subject) for entry in entries(c) if entry.who == "root"]

    assert ended == {"of root": False, "of vic": True}
    assert [did for did, _ in told][-3:] == ["api_key_revoked", "person_deactivated", "person_reactivated"]
