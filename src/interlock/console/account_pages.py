"""My account: password, second factor, recovery codes and sessions of whoever is signed in."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access import people, sessions, throttle
from interlock.access.audit_log import Did, record
from interlock.access.passwords import Passwords, PasswordTooWeak, check_password
from interlock.access.people import Account
from interlock.access.roles import Permission, Person
from interlock.access.second_factor import address_for_apps, new_secret, picture
from interlock.access.sessions import Session, SessionRow
from interlock.access.store import open_keys_of
from interlock.access.throttle import TooManyAttempts
from interlock.console.doors import Asker, needs
from interlock.console.login_pages import WRONG_CODE, client_of
from interlock.console.pages import Console, PageMissing, sealed, seen_other


class NotProven(Exception):
    """What was shown to prove who is asking was wrong; nothing was changed."""


def account_routes(routes: APIRouter, console: Console, passwords: Passwords) -> None:
    """Add the page of one's own account to the console."""
    parts = console.parts
    rules, keyring, key = parts.rules, parts.keyring, parts.address_key

    def session_id(request: Request) -> int:
        session: Session | None = request.state.session
        if session is None:
            raise PageMissing("Nobody has an account where nobody signs in, as on a demo.")
        return session.id

    async def account_page(
        request: Request,
        person: Person,
        status: int = 200,
        refused: str = "",
        codes: tuple[str, ...] = (),
        done: str = "",
    ) -> Response:
        now, mine = parts.clock.now(), session_id(request)

        def read(c: Connection) -> tuple[Account | None, list[SessionRow], int]:
            found = people.account(c, keyring, person.id)
            rows = sessions.open_sessions(c, keyring, person.id, now, rules.idle)
            return found, rows, people.recovery_codes_left(c, person.id)

        found, rows, left = await console.read(read)
        return console.page(
            request,
            "account",
            "My account",
            status,
            live=False,
            account=found,
            sessions=rows,
            mine=mine,
            codes_left=left,
            codes=codes,
            refused=refused,
            done=done,
        )

    @routes.get("/account")
    @needs(Permission.OWN_ACCOUNT)
    async def own(request: Request, person: Asker) -> Response:
        return await account_page(request, person)

    @routes.post("/account/password")
    @needs(Permission.OWN_ACCOUNT)
    async def change_password(
        request: Request,
        person: Asker,
        token: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        new_password: Annotated[str, Form()] = "",
    ) -> Response:
        mine = session_id(request)
        console.check_form(request, token)
        now = parts.clock.now()
        of = throttle.subjects(key, f"own password {person.id}", client_of(console, request))

        def begin(c: Connection) -> tuple[int, str] | None:
            throttle.begin_attempt(c, of, now)
            return people.kept_password(c, keyring, person.handle)

        try:
            kept = await parts.store.tx(begin)
            if kept is None:
                raise NotProven(
                    "You have no password here: you sign in with your organisation's sign-in, and the password is changed "
                    "there. Nothing was changed."
                )
            if not await passwords.right(password, kept[1]):
                raise NotProven("Your present password is wrong. Nothing was changed.")
            check_password(new_password, person.handle)
        except TooManyAttempts as wait:
            return await account_page(request, person, 429, str(wait))
        except (NotProven, PasswordTooWeak) as wrong:
            return await account_page(request, person, 422, str(wrong))
        hashed = await passwords.hashed(new_password)

        def keep(c: Connection) -> int:
            throttle.succeeded(c, of)
            people.keep_password(c, keyring, person.id, hashed)
            sessions.end_all(c, person.id, now, but=mine)
            record(c, person.handle, Did.PASSWORD_CHANGED, f"person {person.id}", now=now)
            return open_keys_of(c, person.id)

        keys = await console.read(keep)
        done = "Your password was changed, and every other session of yours was ended."
        if keys:
            stay = "one key stays" if keys == 1 else f"{keys} keys stay"
            done += (
                f" In your name {stay} open: look at your keys below, and revoke what somebody else may have."
            )
        return await account_page(request, person, done=done)

    @routes.post("/account/sessions/{session_number}/end")
    @needs(Permission.OWN_ACCOUNT)
    async def end_session(
        request: Request, person: Asker, session_number: int, token: Annotated[str, Form()] = ""
    ) -> Response:
        session_id(request)
        console.check_form(request, token)
        now = parts.clock.now()

        def leave(c: Connection) -> bool:
            rows = sessions.open_sessions(c, keyring, person.id, now, rules.idle)
            if session_number not in [row.id for row in rows]:
                return False
            sessions.end(c, session_number, now)
            record(c, person.handle, Did.SESSION_ENDED, f"person {person.id}", now=now)
            return True

        if not await console.read(leave):
            raise PageMissing("You have no such session; it may have ended by itself.")
        return seen_other("/account")

    @routes.post("/account/sessions/end-others")
    @needs(Permission.OWN_ACCOUNT)
    async def end_others(request: Request, person: Asker, token: Annotated[str, Form()] = "") -> Response:
        mine = session_id(request)
        console.check_form(request, token)
        now = parts.clock.now()

        def leave(c: Connection) -> None:
            ended = sessions.end_all(c, person.id, now, but=mine)
            if ended:
                facts = {"sessions": str(ended)}
                record(c, person.handle, Did.SESSION_ENDED, f"person {person.id}", now=now, facts=facts)

        await console.read(leave)
        return seen_other("/account")

    @routes.post("/account/recovery-codes")
    @needs(Permission.OWN_ACCOUNT)
    async def recovery_codes(
        request: Request, person: Asker, token: Annotated[str, Form()] = "", code: Annotated[str, Form()] = ""
    ) -> Response:
        session_id(request)
        console.check_form(request, token)
        now = parts.clock.now()
        of = throttle.subjects(key, f"code {person.id}", client_of(console, request))

        def make(c: Connection) -> tuple[str, ...]:
            throttle.begin_attempt(c, of, now)
            if not people.check_second_factor(c, keyring, person.id, code, now):
                return ()
            throttle.succeeded(c, of)
            record(c, person.handle, Did.RECOVERY_CODES_MADE, f"person {person.id}", now=now)
            return people.make_recovery_codes(c, key, person.id)

        try:
            codes = await parts.store.tx(make)
        except TooManyAttempts as wait:
            return await account_page(request, person, 429, str(wait))
        if not codes:
            return await account_page(request, person, 422, WRONG_CODE)
        return await account_page(request, person, codes=codes)

    # -- second factor -------------------------------------------------------------------------------------

    async def offered(person: Person) -> str:
        return await parts.store.tx(lambda c: people.offer_second_factor(c, keyring, person.id, new_secret()))

    async def set_up_page(request: Request, person: Person, refused: str = "") -> Response:
        secret = await offered(person)
        grouped = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
        return console.page(
            request,
            "second_factor",
            "Second factor",
            422 if refused else 200,
            live=False,
            secret=grouped,
            refused=refused,
        )

    @routes.get("/account/second-factor")
    @needs(Permission.OWN_ACCOUNT)
    async def second_factor(request: Request, person: Asker) -> Response:
        session_id(request)
        if request.state.session.has_second_factor:
            return seen_other("/account")
        return await set_up_page(request, person)

    @routes.get("/account/second-factor.svg")
    @needs(Permission.OWN_ACCOUNT)
    async def second_factor_picture(request: Request, person: Asker) -> Response:
        session_id(request)
        if request.state.session.has_second_factor:
            raise PageMissing("The second factor is set up; its picture is not shown again.")
        place = rules.public_url.partition("://")[2]
        drawn = picture(address_for_apps(await offered(person), person.handle, place))
        return sealed(Response(drawn, media_type="image/svg+xml"))

    @routes.post("/account/second-factor")
    @needs(Permission.OWN_ACCOUNT)
    async def confirm_second_factor(
        request: Request, person: Asker, token: Annotated[str, Form()] = "", code: Annotated[str, Form()] = ""
    ) -> Response:
        mine = session_id(request)
        console.check_form(request, token)
        if request.state.session.has_second_factor:
            return seen_other("/account")
        now = parts.clock.now()

        def confirm(c: Connection) -> tuple[str, ...]:
            if not people.confirm_second_factor(c, keyring, person.id, code, now):
                return ()
            sessions.end_all(c, person.id, now, but=mine)
            record(c, person.handle, Did.SECOND_FACTOR_SET, f"person {person.id}", now=now)
            return people.make_recovery_codes(c, key, person.id)

        codes = await console.read(confirm)
        if not codes:
            return await set_up_page(request, person, WRONG_CODE)
        return await account_page(request, person, codes=codes, done="Your second factor is set up.")
