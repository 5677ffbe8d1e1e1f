"""Signing in with an OpenID Connect provider that speaks real HTTP and real tokens."""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from interlock.access import people, sessions
from interlock.access.audit_log import entries
from interlock.access.outside import ALGORITHMS
from interlock.access.passwords import Passwords
from interlock.access.roles import Grant, Role
from interlock.access.rules import AccessRules, OutsideSignIn
from interlock.access.store import Scope, SignInNeeded, make_key, proven
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from interlock.web import WebParts, create_app
from tests.access.conftest import KEY, PASSWORD, People
from tests.console.seed import Numbered, Stopped, Wakes, connect
from tests.web.browser import Browser, text_of

ISSUER = "https://id.example/realm"
CLIENT, SECRET = "interlock", "the client's secret"
RULES = AccessRules(
    public_url="https://interlock.example",
    outside=OutsideSignIn(
        ISSUER,
        CLIENT,
        SECRET,
        "Example Ltd",
        roles=(("support", "cx"), ("uk", "operations@atlas"), ("it", "admin")),
    ),
)
SIGNING = RSAKey.generate_key(2048, {"kid": "one"}, private=True)


@dataclass
class FakeProvider:
    """Gives codes for challenges and tokens for codes, as a provider does. What is `wrong` is done wrongly."""

    clock: Stopped
    groups: list[str] = field(default_factory=lambda: ["support"])
    subject: str = "subject-1"
    username: str = "Ada.Byron"
    wrong: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def authorize(self, address: str) -> str:
        """What a browser brings back from the provider's page."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(f"{ISSUER}/authorize?")
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
        assert asked["redirect_uri"] == "https://interlock.example/login/outside/back"
        assert (asked["code_challenge_method"], "openid" in asked["scope"].split()) == ("S256", True)
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return f"/login/outside/back?code={code}&state={asked['state']}"

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/realm/.well-known/openid-configuration", self.about),
                Route("/realm/keys", self.keys),
                Route("/realm/token", self.token, methods=["POST"]),
            ]
        )

    async def about(self, request: Request) -> Response:
        if self.wrong == "down":
            return JSONResponse({}, status_code=503)
        if self.wrong == "not json":
            return Response("<html>")
        plain = "http://id.example" if self.wrong == "plain" else "https://id.example"
        return JSONResponse(
            {
                "issuer": "https://other.example" if self.wrong == "other issuer" else ISSUER,
                "authorization_endpoint": f"{ISSUER}/authorize",
                "token_endpoint": f"{plain}/realm/token",
                "jwks_uri": f"{ISSUER}/keys",
            }
        )

    async def keys(self, request: Request) -> Response:
        return JSONResponse({"keys": [SIGNING.as_dict(private=False, use="sig", alg="RS256")]})

    async def token(self, request: Request) -> Response:
        if self.wrong == "no token endpoint":
            return Response("<html>", status_code=502)
        if self.wrong == "silent":
            raise httpx2.ReadTimeout("Nothing came.")
        form = await request.form()
        asked = self.codes.pop(str(form["code"]), None)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        verifier = str(form["code_verifier"]).encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).decode().rstrip("=")
        if (
            asked is None
            or request.headers["Authorization"] != f"Basic {basic}"
            or challenge != asked["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(self.clock.now().timestamp())
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "sub": self.subject,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "preferred_username": self.username,
            "name": "Ada Canary",
            "email": "ada@canary.example",
            "groups": self.groups,
        }
        key: Any = SIGNING
        header = {"alg": "RS256", "kid": "one"}
        match self.wrong:
            case "audience":
                claims["aud"] = "another"
            case "issuer":
                claims["iss"] = "https://other.example"
            case "nonce":
                claims["nonce"] = "another"
            case "no nonce":
                del claims["nonce"]
            case "expired":
                claims["exp"] = now - 600
            case "signature":
                key = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
            case "shared secret":
                key, header = OctKey.import_key(SECRET), {"alg": "HS256"}
            case "no token":
                return JSONResponse({"access_token": "x", "token_type": "Bearer"})
        if self.wrong == "unsigned":
            parts = [
                base64.urlsafe_b64encode(str(p).replace("'", '"').encode()).decode().rstrip("=")
                for p in ({"alg": "none"}, claims)
            ]
            signed = ".".join([*parts, ""])
        else:
            signed = jwt.encode(header, claims, key, algorithms=[header["alg"]])
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": signed})


@pytest.fixture
def provider(clock: Stopped) -> FakeProvider:
    return FakeProvider(clock)


@pytest.fixture
def app(
    provider: FakeProvider,
    store: InlineStore,
    keyring: Keyring,
    clock: Stopped,
    passwords: Passwords,
    database: Database,
) -> FastAPI:
    with database.begin() as c:
        connect(c, keyring)
    return create_app(
        WebParts(
            store,
            clock,
            Numbered(),
            Wakes(),
            keyring,
            hosts=("interlock.example",),
            address_key=KEY,
            rules=RULES,
            passwords=passwords,
            provider=httpx2.ASGITransport(provider.app()),
        )
    )


@pytest.fixture
def browser(app: FastAPI) -> Browser:
    return Browser(app, "https://interlock.example")


def sign_in(browser: Browser, provider: FakeProvider, back: str = "/orders") -> httpx2.Response:
    sent = browser.get(f"/login/outside?back={back}")
    return browser.get(provider.authorize(sent.headers["location"]))


def test_somebody_in_a_group_signs_in_and_gets_its_roles(
    browser: Browser, provider: FakeProvider, database: Database, keyring: Keyring
) -> None:
    provider.groups = ["support", "uk", "choir"]

    back = sign_in(browser, provider)

    with database.begin() as c:
        (ada,) = people.accounts(c, keyring)
        log = [(entry.who, entry.did) for entry in entries(c)]
    assert (back.status_code, back.headers["location"]) == (303, "/orders")
    assert browser.get("/orders").status_code == 200
    assert (ada.handle, ada.name, ada.email) == ("ada.byron", "Ada Canary", "ada@canary.example")
    assert not ada.has_password
    assert {grant.role for grant in ada.grants} == {Role.CX, Role.OPERATIONS}
    assert log == [("provider", "person_invited"), (ada.handle, "signed_in")]


def test_the_cookies_of_a_console_over_tls_are_bound_to_its_host(
    browser: Browser, provider: FakeProvider
) -> None:
    given = sign_in(browser, provider).headers.get_list("set-cookie")

    session = next(cookie for cookie in given if cookie.startswith("__Host-interlock-session="))
    assert "Secure" in session
    assert "HttpOnly" in session
    assert "Path=/" in session
    assert "Domain" not in session


def test_roles_follow_the_groups_at_every_sign_in_and_none_means_no_entry(
    app: FastAPI, browser: Browser, provider: FakeProvider, database: Database, keyring: Keyring
) -> None:
    sign_in(browser, provider)
    provider.groups = ["uk"]
    sign_in(browser, provider)
    with database.begin() as c:
        (ada,) = people.accounts(c, keyring)
    provider.groups = ["choir"]
    out = sign_in(Browser(app, "https://interlock.example"), provider)

    assert [grant.role for grant in ada.grants] == [Role.OPERATIONS]
    assert out.status_code == 403
    assert "in no group that has a role here" in text_of(out)


@pytest.mark.parametrize(
    "wrong",
    [
        "audience",
        "issuer",
        "nonce",
        "no nonce",
        "expired",
        "signature",
        "shared secret",
        "unsigned",
        "no token",
    ],
)
def test_a_token_that_is_not_good_opens_nothing(
    browser: Browser, provider: FakeProvider, database: Database, keyring: Keyring, wrong: str
) -> None:
    provider.wrong = wrong

    back = sign_in(browser, provider)

    assert back.status_code == 403, text_of(back)
    assert "Nobody was signed in" in text_of(back)
    assert browser.get("/orders").status_code == 303
    with database.begin() as c:
        assert people.accounts(c, keyring) == []
        assert [(entry.who, entry.did) for entry in entries(c)] == [("unknown", "sign_in_refused")]


@pytest.mark.parametrize(
    "wrong", ["down", "not json", "other issuer", "plain", "no token endpoint", "silent"]
)
def test_a_provider_that_is_down_is_said_and_passwords_still_work(
    browser: Browser, provider: FakeProvider, somebody: People, wrong: str
) -> None:
    somebody("bo", Role.CX, app=None)
    provider.wrong = wrong
    away = browser.get("/login/outside")
    if wrong in ("plain", "no token endpoint", "silent"):
        away = browser.get(provider.authorize(away.headers["location"]))

    inside = browser.submit("/login", "/login", data={"handle": "bo", "password": PASSWORD})

    assert away.status_code == 503
    assert "cannot be used now" in text_of(away)
    assert inside.status_code == 303


def test_an_answer_that_this_browser_did_not_ask_for_is_refused(
    app: FastAPI, browser: Browser, provider: FakeProvider, clock: Stopped
) -> None:
    sent = browser.get("/login/outside").headers["location"]
    answer = provider.authorize(sent)
    other = Browser(app, "https://interlock.example")

    elsewhere = other.get(answer)
    invented = browser.get("/login/outside/back?code=code-0&state=invented")
    clock.moment += timedelta(minutes=11)
    late = browser.get(answer)
    denied = browser.get("/login/outside/back?error=access_denied")

    assert [r.status_code for r in (elsewhere, invented, late, denied)] == [403] * 4
    assert "was not begun in this browser" in text_of(elsewhere)


def test_a_code_works_once(browser: Browser, provider: FakeProvider) -> None:
    sent = browser.get("/login/outside").headers["location"]
    answer = provider.authorize(sent)

    assert browser.get(answer).status_code == 303
    assert browser.get(answer).status_code == 403


def test_a_name_that_is_taken_is_not_taken_over(
    browser: Browser, provider: FakeProvider, database: Database, keyring: Keyring, somebody: People
) -> None:
    provider.username = "bo"
    number = somebody("bo", Role.ADMIN)

    sign_in(browser, provider)

    with database.begin() as c:
        found = {account.handle: account for account in people.accounts(c, keyring)}
    assert set(found) == {"bo", "bo-2"}
    assert found["bo"].id == number
    assert not found["bo"].from_outside
    assert found["bo-2"].grants == (Grant(Role.CX),)


@pytest.mark.parametrize("group", ["support", "it"])
def test_whoever_comes_back_without_a_group_loses_roles_and_sessions(
    app: FastAPI,
    browser: Browser,
    provider: FakeProvider,
    database: Database,
    keyring: Keyring,
    clock: Stopped,
    somebody: People,
    group: str,
) -> None:
    somebody("root", Role.ADMIN)
    provider.groups = [group]
    sign_in(browser, provider)
    headers = {"Authorization": f"Bearer {a_key(database, keyring, clock, 'ada.byron')}"}
    assert browser.get("/orders").status_code == 200
    provider.groups = ["choir"]

    out = sign_in(Browser(app, "https://interlock.example"), provider)

    assert out.status_code == 403
    assert browser.get("/orders").status_code == 303
    assert browser.get("/v1/cases", headers=headers).json()["error"] == "right_missing"
    with database.begin() as c:
        ada = people.account_named(c, keyring, "ada.byron")
        log = [(one.who, one.did, one.facts) for one in entries(c) if one.did.endswith(("_changed", "ended"))]
    assert ada is not None
    assert ada.grants == ()
    role = "cx" if group == "support" else "admin"
    assert log == [
        ("provider", "roles_changed", {"from": role, "to": "none"}),
        ("provider", "session_ended", {"sessions": "1"}),
    ]
    provider.groups = [group]
    sign_in(browser, provider)
    assert browser.get("/orders").status_code == 200


def test_the_last_administrator_without_a_group_keeps_the_roles_and_no_session(
    app: FastAPI, browser: Browser, provider: FakeProvider, database: Database, keyring: Keyring
) -> None:
    provider.groups = ["it"]
    sign_in(browser, provider)
    provider.groups = ["choir"]

    out = sign_in(Browser(app, "https://interlock.example"), provider)

    assert out.status_code == 403
    assert browser.get("/orders").status_code == 303
    with database.begin() as c:
        (ada,) = people.accounts(c, keyring)
        did = [one.did for one in entries(c) if one.who == "provider"]
    assert ada.grants == (Grant(Role.ADMIN),)
    assert did == ["person_invited", "denied", "session_ended"]


def test_a_key_of_somebody_the_provider_has_not_vouched_for_in_thirty_days_rests(
    browser: Browser,
    provider: FakeProvider,
    database: Database,
    keyring: Keyring,
    clock: Stopped,
    somebody: People,
) -> None:
    sign_in(browser, provider)
    somebody("bo", Role.CX)
    outside, local = (a_key(database, keyring, clock, handle) for handle in ("ada.byron", "bo"))

    def shown(token: str) -> httpx2.Response:
        return browser.get("/v1/key", headers={"Authorization": f"Bearer {token}"})

    clock.moment += timedelta(days=30)
    refused = shown(outside)
    assert (refused.status_code, refused.json()["error"]) == (401, "sign_in_needed")
    assert "opens again once they have signed in" in refused.json()["detail"]
    assert shown(local).status_code == 200
    with database.begin() as c, pytest.raises(SignInNeeded, match="30 days"):
        proven(c, outside, Scope.CASES_READ, clock.now())

    sign_in(browser, provider)
    assert shown(outside).status_code == 200


def test_a_password_here_does_not_vouch_for_somebody_of_the_provider(
    app: FastAPI,
    browser: Browser,
    provider: FakeProvider,
    database: Database,
    keyring: Keyring,
    clock: Stopped,
) -> None:
    sign_in(browser, provider)
    token = a_key(database, keyring, clock, "ada.byron")
    new = {"password": "", "new_password": "a heron waits in the reeds"}

    unproven = browser.submit("/account", "/account/password", data=new)

    assert (unproven.status_code, "You have no password here" in text_of(unproven)) == (422, True)
    with database.begin() as c:
        assert people.kept_password(c, keyring, "ada.byron") is None
        found = people.account_named(c, keyring, "ada.byron")
        assert found is not None
        link = people.link_for(c, found.id, "root", clock.now())
    later = Browser(app, "https://interlock.example")
    welcome = f"/welcome/{link}"
    later.submit(welcome, welcome, data={"password": new["new_password"]})
    clock.moment += timedelta(days=30)
    with database.begin() as c:
        sessions.begin(c, keyring, found.id, "by password", clock.now(), timedelta(hours=12))
        assert people.kept_password(c, keyring, "ada.byron") is not None
    shown = browser.get("/v1/key", headers={"Authorization": f"Bearer {token}"})
    assert (shown.status_code, shown.json()["error"]) == (401, "sign_in_needed")


def a_key(database: Database, keyring: Keyring, clock: Stopped, handle: str) -> str:
    with database.begin() as c:
        owner = people.account_named(c, keyring, handle)
        assert owner is not None
        return make_key(c, f"of {handle}", [Scope.CASES_READ], handle, clock.now(), owner.person)[1]


def test_somebody_who_was_deactivated_here_stays_out(
    app: FastAPI,
    browser: Browser,
    provider: FakeProvider,
    database: Database,
    keyring: Keyring,
    clock: Stopped,
) -> None:
    sign_in(browser, provider)
    with database.begin() as c:
        people.deactivate(c, people.accounts(c, keyring)[0].id, clock.now())

    back = sign_in(Browser(app, "https://interlock.example"), provider)

    assert back.status_code == 403
    assert "deactivated" in text_of(back)


def test_without_a_provider_there_is_no_such_page(
    store: InlineStore, keyring: Keyring, clock: Stopped
) -> None:
    bare = Browser(create_app(WebParts(store, clock, Numbered(), Wakes(), keyring)))

    assert bare.get("/login/outside").status_code == 404
    assert "none" not in [algorithm.lower() for algorithm in ALGORITHMS]
    assert not any(algorithm.startswith("HS") for algorithm in ALGORITHMS)
