"""The frame of the console's pages: rendered on the server, refreshed when what they show has changed, readable
without script or style sheet."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from sqlalchemy import Connection

from interlock.access.audit_log import recorded
from interlock.access.roles import Permission, Person, connections_for, sees, teams_of
from interlock.access.rules import AccessRules
from interlock.access.sessions import Session
from interlock.clock import Clock, Identifiers
from interlock.console import wording
from interlock.console.assets import VENDOR
from interlock.console.audit_words import deed_in_words, subject_in_words
from interlock.console.case_steps import MAP_PAGES
from interlock.console.doors import refreshes_itself
from interlock.console.flows import LoudPause, loud_pauses
from interlock.console.live import EVERYTHING, Changes
from interlock.console.navigation import menu
from interlock.console.part_words import count_in_words, operation_in_words
from interlock.console.said import SHOWN_LATER
from interlock.engine.gateways import Connections
from interlock.engine.queue import Queue
from interlock.quarantine.store import Quarantine
from interlock.quarantine.store import latest as latest_quarantine
from interlock.storage.database import Store
from interlock.storage.encryption import Keyring, Undecipherable
from interlock.storage.text import storable

T = TypeVar("T")

FOLDER = Path(__file__).parent
FORM = "form"
THEME_COOKIE = "interlock_theme"
THEMES = ("light", "dark")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_TOKEN_PURPOSE = b"console form "


class PageMissing(Exception):
    """There is no such page; the sentence says of what."""


class FormRefused(Exception):
    """A form was not sent from a page of ours."""

    def __init__(self) -> None:
        super().__init__(
            "This form was not sent from a page of this console, or the page is from before a restart. Nothing was "
            "changed. Go back, load the page again and send the form once more."
        )


@dataclass(frozen=True)
class ConsoleParts:
    """What the pages need: transactions, time, where wake-ups go, the keyring that seals their forms, and the key of
    the digests under which e-mail addresses are found; empty where they are not searched. `everyone` is who all visitors
    are where there are no accounts: on a demo. `connections` lets the label check read Shopify; without it what is too old
    is a no."""

    store: Store
    clock: Clock
    identifiers: Identifiers
    queue: Queue
    keyring: Keyring
    address_key: bytes = b""
    everyone: Person | None = None
    rules: AccessRules = field(default_factory=AccessRules)
    connections: Connections | None = None


class Console:
    """Renders pages. One of these serves one web application. `changes` tells open pages what has changed; `paths` are
    the pages there are, which the menu shows."""

    def __init__(self, parts: ConsoleParts) -> None:
        self.parts = parts
        self.changes = Changes(parts.store, parts.clock)
        self.paths: frozenset[str] = frozenset()
        self._held: Quarantine | None = None
        self._loud: tuple[LoudPause, ...] = ()
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            state=wording.mirakl_state,
            option=wording.option_label,
            for_all=wording.for_all_label,
            consequence=wording.option_consequence,
            reason=wording.reason_title,
            facts=wording.facts_in_words,
            operation=operation_in_words,
            counter=count_in_words,
            span=wording.span,
            first_up=lambda text: text[:1].upper() + text[1:],
            stamp=wording.stamp,
            counted=wording.counted,
            deed=deed_in_words,
            subject=subject_in_words,
            plural=wording.plural,
            plain=wording.plain,
            iso=lambda moment: "" if moment is None else moment.isoformat(timespec="seconds"),
            quoted=lambda text: quote(str(text), safe=""),
        )
        self._environment.globals.update(
            map_pages=MAP_PAGES,
            ago=wording.ago,
            left=wording.left,
            clock=wording.clock,
            money=wording.money,
            operation_states=wording.OPERATION_STATES,
            roles=wording.ROLES,
            teams_of=teams_of,
            vendor=VENDOR,
            shown_later=SHOWN_LATER,
        )

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query in a transaction of its own. What it changes because of a form leaves an entry in the audit log."""
        now = self.parts.clock.now()
        run = recorded(query, now)

        def both(c: Connection) -> tuple[T, Quarantine | None, tuple[LoudPause, ...]]:
            return run(c), latest_quarantine(c), loud_pauses(c, now)

        found, held, self._loud = await self.parts.store.tx(both)
        self._held = held if held is not None and held.open else None
        return found

    async def tally(self, work: Callable[[Connection], None]) -> None:
        """Count that something was refused, in a transaction of its own: nobody's deed, so no entry in the audit log."""
        await self.parts.store.tx(work)

    def page(
        self,
        request: Request,
        name: str,
        title: str,
        status: int = 200,
        live: bool = True,
        watch: str = EVERYTHING,
        **context: Any,
    ) -> Response:
        """The page `name`, or only its living part when the page itself asks for it, which it does when the topic
        `watch` has changed.

        A living part that has not changed is answered with 204, so that nothing on the screen moves.
        """
        seal = self._seal(request)
        fresh = not seal
        seal = seal or self.parts.identifiers.new_id()
        now = self.parts.clock.now()
        person: Person | None = getattr(request.state, "person", None)
        own = frozenset() if person is None else connections_for(person, Permission.SEE)
        context = {
            "now": now,
            "title": title,
            "request_path": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            "menu": menu(self.paths, request.url.path),
            "theme": theme if (theme := request.cookies.get(THEME_COOKIE, "")) in THEMES else "",
            "watch": watch,
            "token": self._token(seal),
            "signing_in": False,
            "held": self._held,
            "loud": [one for one in self._loud if sees(own, one.connection_id)],
            "person": person,
            "demo": self.parts.everyone is not None,
            "has_assets": (FOLDER / "static" / "vendor" / VENDOR["htmx"]).exists(),
            **context,
        }
        living, digest = "", ""
        if live:
            living = self._environment.get_template(f"{name}_live.html").render(context)
            # The seal of a form is another one each time, and says nothing of what is shown.
            said = living.replace(str(context["token"]), "")
            digest = hashlib.blake2b(said.encode(), digest_size=12).hexdigest()
        if live and refreshes_itself(request):
            if hmac.compare_digest(request.headers.get("X-Shown", ""), digest):
                return sealed(Response(status_code=204))
            template = self._environment.get_template("live.html")
        else:
            template = self._environment.get_template(f"{name}.html")
        body = template.render(context, living=Markup(living), shown=digest)
        response = sealed(Response(body, status_code=status, media_type="text/html; charset=utf-8"))
        if fresh:
            rules = self.parts.rules
            response.set_cookie(
                rules.cookie(FORM), seal, httponly=True, secure=rules.secure, samesite="strict", path="/"
            )
        return response

    def problem(self, request: Request, status: int, sentence: str) -> Response:
        """A page that says what was wrong.

        A page that refreshes itself cannot show that in its living part. Where there is nothing to refresh any more it is
        loaded anew, and then says why; where that may pass it keeps what it shows and tries again.
        """
        response = self.page(request, "problem", "Not done", status, live=False, sentence=sentence)
        if refreshes_itself(request) and status < 500:
            response.headers["HX-Refresh"] = "true"
        return response

    def _seal(self, request: Request) -> str:
        """What forms of this browser are sealed with: its session, or before somebody signs in a cookie of its own."""
        session: Session | None = getattr(request.state, "session", None)
        if session is not None:
            return f"session {session.id}"
        found = request.cookies.get(self.parts.rules.cookie(FORM), "")
        return found if found.isalnum() and len(found) <= 64 else ""

    def _token(self, seal: str) -> str:
        return self.parts.keyring.encrypt(_TOKEN_PURPOSE + seal.encode()).decode()

    def check_form(self, request: Request, token: str) -> None:
        """Raise FormRefused unless the form carries the seal of this browser's session."""
        seal = self._seal(request)
        try:
            found = self.parts.keyring.decrypt(token.encode())
        except Undecipherable:
            raise FormRefused from None
        if not seal or not hmac.compare_digest(found, _TOKEN_PURPOSE + seal.encode()):
            raise FormRefused


def sealed(response: Response) -> Response:
    """The response with the headers that keep other pages and scripts out."""
    response.headers.update(
        {
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "X-Frame-Options": "DENY",
            "Cache-Control": "no-store",
        }
    )
    return response


def instead_of(request: Request, status: int, path: str) -> Response:
    """Another page than the one that was asked for. A page that refreshes itself is refused with `status`, and left for
    the other one as a whole."""
    if refreshes_itself(request):
        return sealed(Response(status_code=status, headers={"HX-Redirect": path}))
    return seen_other(path)


def seen_other(path: str) -> Response:
    """After a form was taken, the browser reads the page it belongs to."""
    return sealed(RedirectResponse(path, status_code=303))


def own_path(path: str) -> str:
    """The path when it is one of this console, and the first page when it may lead elsewhere."""
    ours = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if ours and len(path) < 1000 else "/"


def static_files() -> StaticFiles:
    """Style sheet, icon, and the copied vendor files."""
    return StaticFiles(directory=FOLDER / "static")


def given_text(value: str) -> str:
    """A short text of a form: without outer blanks, never longer than 500 characters, and fit to be kept."""
    return storable(value.strip()[:500])
