"""Signing in, as people and as those who should not be let in do it."""

import io
import re
from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from interlock.access import people, sessions, throttle
from interlock.access.audit_log import entries
from interlock.access.roles import Grant, Person, Role
from interlock.access.store import Scope, make_key
from interlock.console.doors import SESSION
from interlock.logs import configure
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.access.conftest import KEY, PASSWORD, RULES, People, SignedIn, code_of, secret_on
from tests.console.seed import Stopped
from tests.web.browser import Browser, text_of

APP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
COOKIE = RULES.cookie(SESSION)


def did(database: Database) -> list[tuple[str, str]]:
    with database.begin() as c:
        return [(entry.who, entry.did) for entry in entries(c)]


def code_now(clock: Stopped, secret: str = APP) -> str:
    return code_of(secret, clock.now().timestamp())


def first_link(database: Database, clock: Stopped) -> str:
    with database.begin() as c:
        link = people.first_admin_link(c, clock.now())
    assert link is not None
    return f"/welcome/{link}"


FIRST = {"handle": "Ada", "name": "Ada Canary", "email": "ada@canary.example", "password": PASSWORD}


def test_the_first_start_makes_an_administrator_who_sets_up_a_second_factor_before_anything_else(
    stranger: Browser, database: Database, clock: Stopped
) -> None:
    link = first_link(database, clock)

    begun = stranger.submit(link, link, data=FIRST)
    led = stranger.get("/")
    page = stranger.get(led.headers["location"])
    picture = stranger.get("/account/second-factor.svg")
    done = stranger.submit(
        "/account/second-factor",
        "/account/second-factor",
        data={"code": code_now(clock, secret_on(page.text))},
    )

    assert begun.status_code == 303
    assert (led.status_code, led.headers["location"]) == (303, "/account/second-factor")
    assert "Set up your second factor" in text_of(page)
    assert picture.headers["content-type"] == "image/svg+xml"
    assert b"<svg" in picture.content
    assert len(re.findall(r"<code>[a-z2-9]{5}-[a-z2-9]{5}</code>", done.text)) == 10
    assert stranger.get("/").status_code == 200
    assert stranger.get("/account/second-factor.svg").status_code == 404
    assert did(database) == [("ada", "link_used"), ("ada", "signed_in"), ("ada", "second_factor_set")]


def test_a_link_works_once_and_says_why_it_opens_nothing_any_more(
    stranger: Browser, database: Database, clock: Stopped
) -> None:
    link = first_link(database, clock)
    stranger.submit(link, link, data=FIRST)

    again = stranger.get(link)
    posted = stranger.post(link, data=FIRST)

    assert again.status_code == 410
    assert "used already; it works once" in text_of(again)
    assert posted.status_code == 403  # the form was sealed for a session that has ended
    with database.begin() as c:
        assert len(c.execute(select(people.people.c.id)).all()) == 1


def test_an_expired_a_replaced_and_an_invented_link_say_so(
    stranger: Browser, database: Database, clock: Stopped
) -> None:
    replaced = first_link(database, clock)
    link = first_link(database, clock)

    said = [text_of(stranger.get(replaced)), text_of(stranger.get("/welcome/" + "x" * 43))]
    clock.moment += timedelta(hours=25)
    said.append(text_of(stranger.get(link)))

    assert "a newer one has taken its place" in said[0]
    assert "not a link of this installation" in said[1]
    assert "expired" in said[2]


def test_a_link_makes_no_second_administrator_once_there_is_one(
    stranger: Browser, database: Database, clock: Stopped, somebody: People
) -> None:
    link = first_link(database, clock)
    somebody("bo", Role.ADMIN)

    page = stranger.get(link)

    assert page.status_code == 410
    assert "There is an administrator already" in text_of(page)
    with database.begin() as c:
        assert people.first_admin_link(c, clock.now()) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"handle": "A b"}, "A sign-in name has"),
        ({"name": " "}, "A name of 1 to"),
        ({"email": "nowhere"}, "e-mail address cannot be read"),
        ({"password": "tiny pw"}, "shorter than 15"),
        ({"password": "passwordpassword123"}, "tried first"),
        ({"password": "ababababababababab"}, "tried first"),
    ],
)
def test_what_cannot_be_kept_is_said_and_the_link_stays_good(
    stranger: Browser, database: Database, clock: Stopped, changes: dict[str, str], said: str
) -> None:
    link = first_link(database, clock)

    refused = stranger.submit(link, link, data={**FIRST, **changes})
    taken = stranger.submit(link, link, data=FIRST)

    assert refused.status_code == 422
    assert said in text_of(refused)
    assert changes.get("password", PASSWORD) not in refused.text
    assert taken.status_code == 303


def test_password_then_code_opens_the_console_and_gets_back_to_the_page_that_was_asked_for(
    stranger: Browser, database: Database, clock: Stopped, somebody: People
) -> None:
    somebody("ada", Role.CX)

    sent = stranger.get("/orders?team=finance")
    login = sent.headers["location"]
    half = stranger.submit(login, "/login", data={"handle": "ADA ", "password": PASSWORD, "back": "/orders"})
    still_out = stranger.get("/orders")
    whole = stranger.submit(
        half.headers["location"], "/login/code", data={"code": code_now(clock), "back": "/orders"}
    )

    assert login == "/login?back=%2Forders%3Fteam%3Dfinance"
    assert half.headers["location"] == "/login/code?back=%2Forders"
    assert still_out.status_code == 303
    assert whole.headers["location"] == "/orders"
    assert stranger.get("/orders").status_code == 200
    assert did(database) == [("ada", "signed_in")]


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"]
)
def test_signing_in_leads_to_no_other_site(stranger: Browser, somebody: People, back: str) -> None:
    somebody("ada", Role.CX, app=None)

    sent = stranger.submit("/login", "/login", data={"handle": "ada", "password": PASSWORD, "back": back})

    assert sent.headers["location"] == "/"


def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(
    stranger: Browser, database: Database, somebody: People
) -> None:
    somebody("ada", Role.CX)

    wrong = stranger.submit("/login", "/login", data={"handle": "ada", "password": "x" * 20})
    unknown = stranger.submit("/login", "/login", data={"handle": "eve", "password": "x" * 20})

    def plain(page: str) -> str:
        return re.sub(r'value="[^"]*"', "", page)

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert plain(wrong.text) == plain(unknown.text)
    assert did(database) == [("ada", "sign_in_refused"), ("unknown", "sign_in_refused")]


def test_a_deactivated_account_is_as_good_as_none(
    stranger: Browser, database: Database, clock: Stopped, somebody: People, signed_in: SignedIn
) -> None:
    somebody("root", Role.ADMIN)
    number = somebody("ada", Role.CX)
    inside = signed_in(number)
    assert inside.get("/").status_code == 200
    with database.begin() as c:
        people.deactivate(c, number, clock.now())

    refused = stranger.submit("/login", "/login", data={"handle": "ada", "password": PASSWORD})

    assert refused.status_code == 401
    assert inside.get("/").status_code == 303


def test_guessing_is_slowed_down_with_the_moment_of_the_next_attempt_and_never_locked_for_ever(
    app: FastAPI, stranger: Browser, clock: Stopped, somebody: People
) -> None:
    somebody("ada", Role.CX, app=None)

    def attempt(password: str) -> int:
        return (
            Browser(app).submit("/login", "/login", data={"handle": "ada", "password": password}).status_code
        )

    first = [attempt("wrong password here") for _ in range(5)]
    waiting = stranger.submit("/login", "/login", data={"handle": "ada", "password": PASSWORD})
    clock.moment += timedelta(seconds=2)
    later = attempt("wrong password here")
    for _ in range(20):
        clock.moment += throttle.HERE.longest + timedelta(seconds=1)
        attempt("wrong password here")
    clock.moment += throttle.HERE.longest + timedelta(seconds=1)
    right = attempt(PASSWORD)
    after = [attempt("wrong password here") for _ in range(2)]

    assert first == [401] * 5
    assert waiting.status_code == 429
    assert "Try again after 12:00:31 UTC" in text_of(waiting)
    assert later == 401
    assert right == 303
    assert after == [401, 401]


def test_strangers_cannot_keep_somebody_out_for_long(database: Database, clock: Stopped) -> None:
    for number in range(60):
        of = throttle.subjects(KEY, "ada", f"198.51.100.{number}")
        with database.begin() as c:
            throttle.begin_attempt(c, of, clock.now())
        with database.begin() as c:
            until = max(c.execute(select(throttle.throttles.c.until)).scalars())
        assert until - clock.now() <= throttle.ACCOUNT.longest
        clock.moment = until

    clock.moment += throttle.ACCOUNT.longest
    with database.begin() as c:
        throttle.begin_attempt(c, throttle.subjects(KEY, "ada", "203.0.113.9"), clock.now())


def test_one_address_that_tries_many_names_is_slowed_down(stranger: Browser, clock: Stopped) -> None:
    codes = [
        stranger.submit(
            "/login", "/login", data={"handle": f"name{n}", "password": "wrong password"}
        ).status_code
        for n in range(32)
    ]

    assert codes[:30] == [401] * 30
    assert codes[30:] == [429, 429]


def test_a_code_works_once_and_wrong_codes_are_slowed_down(
    stranger: Browser, clock: Stopped, somebody: People
) -> None:
    somebody("ada", Role.CX)

    def sign_in(code: str) -> int:
        stranger.submit("/login", "/login", data={"handle": "ada", "password": PASSWORD})
        return stranger.submit("/login/code", "/login/code", data={"code": code}).status_code

    code = code_now(clock)
    assert sign_in(code) == 303
    stranger.submit("/account", "/logout")
    assert sign_in(code) == 401
    assert [sign_in("000000") for _ in range(5)] == [401, 401, 401, 401, 429]


def test_a_recovery_code_works_once_when_the_app_is_gone(
    stranger: Browser, database: Database, somebody: People
) -> None:
    number = somebody("ada", Role.CX)
    with database.begin() as c:
        codes = people.make_recovery_codes(c, KEY, number)

    def sign_in(code: str) -> int:
        stranger.submit("/login", "/login", data={"handle": "ada", "password": PASSWORD})
        return stranger.submit("/login/code", "/login/code", data={"code": code}).status_code

    assert sign_in(codes[0].upper().replace("-", " ")) == 303
    stranger.submit("/account", "/logout")
    assert sign_in(codes[0]) == 401
    assert sign_in(codes[1]) == 303
    with database.begin() as c:
        assert people.recovery_codes_left(c, number) == 8


def test_the_session_that_was_there_before_signing_in_is_not_the_one_after(
    stranger: Browser, clock: Stopped, somebody: People
) -> None:
    somebody("ada", Role.CX)
    stranger.keep_cookie(COOKIE, "a-token-that-somebody-else-has-chosen-for-ada")
    stranger.submit("/login", "/login", data={"handle": "ada", "password": PASSWORD})
    half = stranger.cookies[COOKIE]
    stranger.submit("/login/code", "/login/code", data={"code": code_now(clock)})
    whole = stranger.cookies[COOKIE]

    assert len({half, whole, "a-token-that-somebody-else-has-chosen-for-ada"}) == 3
    assert stranger.get("/").status_code == 200
    stranger.keep_cookie(COOKIE, half)
    assert stranger.get("/").status_code == 303


def test_a_half_session_lasts_five_minutes(stranger: Browser, clock: Stopped, somebody: People) -> None:
    somebody("ada", Role.CX)
    stranger.submit("/login", "/login", data={"handle": "ada", "password": PASSWORD})
    clock.moment += timedelta(minutes=6)

    assert stranger.get("/login/code").headers["location"] == "/login"


def test_signing_out_ends_the_session_here_and_not_only_in_the_browser(
    database: Database, somebody: People, signed_in: SignedIn
) -> None:
    browser = signed_in(somebody("ada", Role.CX))
    token = browser.cookies[COOKIE]

    left = browser.submit("/account", "/logout")
    browser.keep_cookie(COOKIE, token)

    assert left.headers["location"] == "/login"
    assert browser.get("/").status_code == 303
    assert did(database) == [("ada", "signed_out")]


def test_a_session_ends_by_idleness_and_a_page_that_refreshes_itself_keeps_nobody_signed_in(
    clock: Stopped, somebody: People, signed_in: SignedIn
) -> None:
    number = somebody("ada", Role.CX)
    busy, watching = signed_in(number), signed_in(number)

    for _ in range(4):
        clock.moment += timedelta(minutes=40)
        assert busy.get("/").status_code == 200
        last = watching.get("/", headers={"HX-Request": "true"})

    assert last.status_code == 401
    assert last.headers["HX-Redirect"] == "/login"


def test_a_session_ends_in_any_case(clock: Stopped, somebody: People, signed_in: SignedIn) -> None:
    browser = signed_in(somebody("ada", Role.CX))
    answers = []
    for _ in range(13):
        clock.moment += timedelta(hours=1)
        answers.append(browser.get("/").status_code)

    assert answers == [200] * 11 + [303, 303]


def test_a_session_gets_another_token_when_rights_change_and_the_former_dies_within_a_minute(
    database: Database, clock: Stopped, somebody: People, signed_in: SignedIn
) -> None:
    somebody("root", Role.ADMIN)
    number = somebody("ada", Role.CX)
    browser = signed_in(number)
    former = browser.cookies[COOKIE]
    clock.moment += timedelta(seconds=5)
    with database.begin() as c:
        people.set_roles(c, number, [Grant(Role.VIEWER)], clock.now())

    assert browser.get("/").status_code == 200
    assert browser.cookies[COOKIE] != former
    late = signed_in(number)
    late.keep_cookie(COOKIE, former)
    assert late.get("/").status_code == 200
    clock.moment += timedelta(minutes=2)
    assert late.get("/").status_code == 303
    assert browser.get("/").status_code == 200


def test_the_cookie_says_what_it_is(stranger: Browser, somebody: People) -> None:
    somebody("ada", Role.CX, app=None)

    given = stranger.submit("/login", "/login", data={"handle": "ada", "password": PASSWORD}).headers[
        "set-cookie"
    ]

    assert given.startswith("interlock-session-without-tls=")
    assert "HttpOnly" in given
    assert "SameSite=lax" in given


def test_only_digests_of_tokens_and_codes_are_kept_and_names_are_unreadable(
    database: Database, keyring: Keyring, clock: Stopped, somebody: People, signed_in: SignedIn
) -> None:
    number = somebody("ada", Role.CX)
    token = signed_in(number).cookies[COOKIE]
    with database.begin() as c:
        codes = people.make_recovery_codes(c, KEY, number)
        link = people.link_for(c, number, "root", clock.now())
        kept = ""
        for table in (
            people.people,
            sessions.sessions,
            people.recovery_codes,
            people.one_time_links,
            throttle.throttles,
        ):
            kept += str(
                [
                    tuple(bytes(v) if isinstance(v, memoryview) else v for v in row)
                    for row in c.execute(select(table))
                ]
            )

    for secret in (token, *codes, link, "Canary", PASSWORD, "$argon2", APP, "Test browser"):
        assert secret not in kept


def test_nothing_of_a_person_is_in_logs_or_metrics(
    app: FastAPI, stranger: Browser, database: Database, clock: Stopped
) -> None:
    written = io.StringIO()
    configure("debug", stream=written)
    try:
        link = first_link(database, clock)
        stranger.submit(link, link, data={**FIRST, "password": "tiny pw"})
        stranger.submit(link, link, data=FIRST)
        page = stranger.get("/account/second-factor").text
        secret = secret_on(page)
        codes = stranger.submit(
            "/account/second-factor", "/account/second-factor", data={"code": code_now(clock, secret)}
        ).text
        Browser(app).submit(
            "/login", "/login", data={"handle": "canary@canary.example", "password": PASSWORD}
        )
        metrics = stranger.get("/metrics").text
        with database.begin() as c:
            log = str(list(entries(c)))
    finally:
        configure()
    recovery = re.findall(r"<code>([a-z2-9]{5}-[a-z2-9]{5})</code>", codes)

    assert len(recovery) == 10
    assert "sign_in_refused" in metrics
    for said in (written.getvalue(), metrics, log):
        for canary in (
            "Canary",
            "canary.example",
            PASSWORD,
            secret,
            stranger.cookies[COOKIE],
            link,
            *recovery,
        ):
            assert canary not in said


def test_my_account_changes_the_password_and_ends_every_other_session(
    stranger: Browser, database: Database, clock: Stopped, somebody: People, signed_in: SignedIn
) -> None:
    number = somebody("ada", Role.CX)
    here, there = signed_in(number), signed_in(number)
    new = "a heron waits in the reeds"
    with database.begin() as c:
        make_key(
            c,
            "laptop",
            [Scope.CASES_READ],
            "ada",
            clock.now(),
            Person(number, "ada", people.grants_of(c, number)),
        )

    wrong = here.submit("/account", "/account/password", data={"password": "x" * 16, "new_password": new})
    weak = here.submit("/account", "/account/password", data={"password": PASSWORD, "new_password": "short"})
    done = here.submit("/account", "/account/password", data={"password": PASSWORD, "new_password": new})

    assert (wrong.status_code, weak.status_code, done.status_code) == (422, 422, 200)
    assert "In your name one key stays open" in text_of(done)
    assert here.get("/").status_code == 200
    assert there.get("/").status_code == 303
    old = stranger.submit("/login", "/login", data={"handle": "ada", "password": PASSWORD})
    assert old.status_code == 401
    assert stranger.submit("/login", "/login", data={"handle": "ada", "password": new}).status_code == 303
    assert ("ada", "password_changed") in did(database)


def test_one_session_is_ended_from_another_and_nobody_ends_a_strangers(
    database: Database, somebody: People, signed_in: SignedIn
) -> None:
    ada, bo = somebody("ada", Role.CX), somebody("bo", Role.CX)
    here, there, other = signed_in(ada), signed_in(ada), signed_in(bo)
    with database.begin() as c:
        numbers = {
            row.person_id: row.id
            for row in c.execute(select(sessions.sessions).order_by(sessions.sessions.c.id))
        }
        mine_there = (
            c.execute(
                select(sessions.sessions.c.id)
                .where(sessions.sessions.c.person_id == ada)
                .order_by(sessions.sessions.c.id)
            )
            .scalars()
            .all()[1]
        )

    foreign = here.submit("/account", f"/account/sessions/{numbers[bo]}/end")
    ended = here.submit("/account", f"/account/sessions/{mine_there}/end")

    assert (foreign.status_code, ended.status_code) == (404, 303)
    assert other.get("/").status_code == 200
    assert there.get("/").status_code == 303
    assert here.get("/").status_code == 200


def test_the_second_factor_is_only_offered_where_the_settings_say_so(
    database: Database, somebody: People, signed_in: SignedIn
) -> None:
    browser = signed_in(somebody("ada", Role.CX, app=None))

    assert browser.get("/orders").headers["location"] == "/account/second-factor"
    assert browser.get("/account").status_code == 200


def test_a_clock_of_an_app_may_be_half_a_minute_off(
    database: Database, keyring: Keyring, clock: Stopped, somebody: People
) -> None:
    number = somebody("ada", Role.CX)
    now = clock.now()

    def accepted(seconds: int) -> bool:
        with database.begin() as c:
            c.execute(update(people.people).values(last_step=0))
            return people.check_second_factor(
                c, keyring, number, code_of(APP, now.timestamp() + seconds), now
            )

    assert [accepted(s) for s in (-60, -30, 0, 30, 60)] == [False, True, True, True, False]
