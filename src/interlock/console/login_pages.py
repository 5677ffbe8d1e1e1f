"""Signing in and out: the password, the second factor, and the one-time links by which people begin."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access import people, sessions, throttle
from interlock.access.audit_log import Did, record
from interlock.access.passwords import Passwords, PasswordTooWeak, check_password
from interlock.access.people import Link, LinkRefused, PersonRefused
from interlock.access.roles import Grant, Permission, Role
from interlock.access.sessions import Session
from interlock.access.throttle import TooManyAttempts
from interlock.console.doors import Asker, give_session, needs, open_to_strangers, take_session
from interlock.console.pages import Console, given_text, own_path, seen_other
from interlock.engine.store import count

WRONG = "The sign-in name or the password is wrong. Nothing was changed."
WRONG_CODE = "This code is wrong, was used before, or is too old. Wait for the next one in the app. Nothing was changed."


def client_of(console: Console, request: Request) -> str:
    """The address a request comes from."""
    peer = request.client.host if request.client is not None else ""
    return console.parts.rules.address_of(peer, request.headers.get("X-Forwarded-For", ""))


def login_routes(routes: APIRouter, console: Console, passwords: Passwords) -> None:
    """Add signing in and out to the console."""
    parts = console.parts
    rules, keyring, key = parts.rules, parts.keyring, parts.address_key

    def login_page(request: Request, status: int, handle: str, back: str, refused: str = "") -> Response:
        return console.page(
            request,
            "login",
            "Sign in",
            status,
            live=False,
            signing_in=True,
            handle=handle,
            back=back,
            refused=refused,
            outside=rules.outside.name if rules.outside is not None else "",
        )

    def code_page(request: Request, status: int, back: str, refused: str = "") -> Response:
        return console.page(
            request,
            "login_code",
            "Second factor",
            status,
            live=False,
            signing_in=True,
            back=back,
            refused=refused,
        )

    def opened(request: Request, c: Connection, person_id: int, half: bool, way: str) -> str:
        """Begin a session in place of the one this browser had, and give its token."""
        now = parts.clock.now()
        former: Session | None = request.state.session
        if former is not None:
            sessions.end(c, former.id, now)
        browser = request.headers.get("User-Agent", "")
        token = sessions.begin(c, keyring, person_id, browser, now, rules.longest, half=half)
        if not half:
            account = people.account(c, keyring, person_id)
            who = "unknown" if account is None else account.handle
            record(c, who, Did.SIGNED_IN, f"person {person_id}", now=now, facts={"by": way})
        return token

    @routes.get("/login")
    @open_to_strangers
    async def login(request: Request, back: str = "/") -> Response:
        if request.state.person is not None:
            return seen_other(own_path(back))
        return login_page(request, 200, "", own_path(back))

    @routes.post("/login")
    @open_to_strangers
    async def sign_in(
        request: Request,
        token: Annotated[str, Form()] = "",
        handle: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        back: Annotated[str, Form()] = "/",
    ) -> Response:
        console.check_form(request, token)
        name, back, now = given_text(handle).lower(), own_path(back), parts.clock.now()
        of = throttle.subjects(key, name, client_of(console, request))

        def begin(c: Connection) -> tuple[int, str] | None:
            throttle.begin_attempt(c, of, now)
            return people.kept_password(c, keyring, name)

        try:
            kept = await parts.store.tx(begin)
        except TooManyAttempts as wait:
            await console.tally(lambda c: count(c, "sign_in_refused", "throttled"))
            return login_page(request, 429, name, back, str(wait))
        if not await passwords.right(password, None if kept is None else kept[1]) or kept is None:

            def refuse(c: Connection) -> None:
                count(c, "sign_in_refused", "password")
                # What strangers type is not written down: a password is sometimes typed into the wrong field.
                who = "unknown" if kept is None else name
                record(c, who, Did.SIGN_IN_REFUSED, now=now, facts={"by": "password"})

            await parts.store.tx(refuse)
            return login_page(request, 401, name, back, WRONG)
        number = kept[0]

        def go_on(c: Connection) -> tuple[str, bool]:
            throttle.succeeded(c, of)
            throttle.forget_old(c, now)
            account = people.account(c, keyring, number)
            half = account is not None and account.has_second_factor
            return opened(request, c, number, half, "password"), half

        begun, half = await parts.store.tx(go_on)
        response = seen_other(f"/login/code?back={quote(back, safe='')}" if half else back)
        give_session(response, rules, begun)
        return response

    @routes.get("/login/code")
    @open_to_strangers
    async def ask_for_code(request: Request, back: str = "/") -> Response:
        session: Session | None = request.state.session
        if session is None or not session.half:
            return seen_other("/login")
        return code_page(request, 200, own_path(back))

    @routes.post("/login/code")
    @open_to_strangers
    async def show_code(
        request: Request,
        token: Annotated[str, Form()] = "",
        code: Annotated[str, Form()] = "",
        back: Annotated[str, Form()] = "/",
    ) -> Response:
        session: Session | None = request.state.session
        if session is None or not session.half:
            return seen_other("/login")
        console.check_form(request, token)
        back, now, person = own_path(back), parts.clock.now(), session.person
        of = throttle.subjects(key, f"code {person.id}", client_of(console, request))

        def check(c: Connection) -> str:
            throttle.begin_attempt(c, of, now)
            way = ""
            if people.check_second_factor(c, keyring, person.id, code, now):
                way = "password and app"
            elif people.use_recovery_code(c, key, person.id, code, now):
                way = "password and recovery code"
                record(c, person.handle, Did.RECOVERY_CODE_USED, f"person {person.id}", now=now)
            if not way:
                count(c, "sign_in_refused", "second factor")
                record(c, person.handle, Did.SIGN_IN_REFUSED, now=now, facts={"by": "second factor"})
                return ""
            throttle.succeeded(c, of)
            return opened(request, c, person.id, False, way)

        try:
            begun = await parts.store.tx(check)
        except TooManyAttempts as wait:
            await console.tally(lambda c: count(c, "sign_in_refused", "throttled"))
            return code_page(request, 429, back, str(wait))
        if not begun:
            return code_page(request, 401, back, WRONG_CODE)
        response = seen_other(back)
        give_session(response, rules, begun)
        return response

    @routes.post("/logout")
    @needs(Permission.OWN_ACCOUNT)
    async def sign_out(request: Request, person: Asker, token: Annotated[str, Form()] = "") -> Response:
        console.check_form(request, token)
        session: Session | None = request.state.session
        now = parts.clock.now()

        def leave(c: Connection) -> None:
            if session is not None:
                sessions.end(c, session.id, now)
                record(c, person.handle, Did.SIGNED_OUT, f"person {person.id}", now=now)

        await console.read(leave)
        response = seen_other("/login")
        take_session(response, rules)
        return response

    # -- one-time links ------------------------------------------------------------------------------------

    def link_page(
        request: Request, place: str, link: Link, handle: str, given: dict[str, str], refused: str = ""
    ) -> Response:
        return console.page(
            request,
            "welcome",
            "Welcome",
            422 if refused else 200,
            live=False,
            signing_in=True,
            place=place,
            first=link.person_id is None,
            handle=handle,
            given=given,
            refused=refused,
        )

    def what_opens(c: Connection, place: str) -> tuple[Link, str]:
        link = people.open_link(c, place, parts.clock.now())
        account = None if link.person_id is None else people.account(c, keyring, link.person_id)
        return link, "" if account is None else account.handle

    @routes.get("/welcome/{place}")
    @open_to_strangers
    async def welcome(request: Request, place: str) -> Response:
        try:
            link, handle = await parts.store.tx(lambda c: what_opens(c, place))
        except LinkRefused as refused:
            return console.page(
                request, "link_refused", "Not open", 410, live=False, signing_in=True, sentence=str(refused)
            )
        return link_page(request, place, link, handle, {"handle": "", "name": "", "email": ""})

    @routes.post("/welcome/{place}")
    @open_to_strangers
    async def begin(
        request: Request,
        place: str,
        token: Annotated[str, Form()] = "",
        handle: Annotated[str, Form()] = "",
        name: Annotated[str, Form()] = "",
        email: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()
        given = {"handle": given_text(handle), "name": given_text(name), "email": given_text(email)}
        try:
            link, own = await parts.store.tx(lambda c: what_opens(c, place))
            wanted = own or people.given_handle(handle)
            check_password(password, wanted)
            hashed = await passwords.hashed(password)

            def accept(c: Connection) -> tuple[str, bool]:
                opens = people.open_link(c, place, now)
                number = opens.person_id
                if number is None:
                    roles = (Grant(Role.ADMIN),)
                    number = people.add_person(c, keyring, wanted, name, email, roles, "interlock serve", now)
                else:
                    sessions.end_all(c, number, now)
                people.keep_password(c, keyring, number, hashed)
                people.use_link(c, opens, now)
                half = people.second_factor_is_set(c, number)
                record(c, wanted, Did.LINK_USED, f"person {number}", now=now)
                return opened(request, c, number, half, "one-time link"), half

            begun, half = await parts.store.tx(accept)
        except LinkRefused as refused:
            return console.page(
                request, "link_refused", "Not open", 410, live=False, signing_in=True, sentence=str(refused)
            )
        except (PersonRefused, PasswordTooWeak) as wrong:
            return link_page(request, place, link, own, given, str(wrong))
        response = seen_other("/login/code" if half else "/")
        give_session(response, rules, begun)
        return response
