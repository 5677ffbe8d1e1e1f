"""The console's pages: rendered on the server, refreshed by polling, readable without script or style sheet."""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from sqlalchemy import Connection

from interlock.cases.store import CannotAnswer, latest_answer
from interlock.clock import Clock, Identifiers
from interlock.console import desk, editing, lineage, views, wording
from interlock.console.assets import VENDOR
from interlock.console.explain import explain
from interlock.engine.queue import Queue
from interlock.engine.store import ConnectionRow, one_connection
from interlock.orders.connection import CarrierMapping
from interlock.orders.reasons import WITH_TEXT
from interlock.quarantine.store import Quarantine
from interlock.quarantine.store import latest as latest_quarantine
from interlock.storage.database import Store
from interlock.storage.encryption import Keyring, Undecipherable

T = TypeVar("T")

FOLDER = Path(__file__).parent
SESSION_COOKIE = "interlock_session"
LIVE = "live"
SHOWN_EDITS = 3
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ROW_ID = re.compile(r"[0-9]{1,18}")
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
    """What the pages need: transactions, time, where wake-ups go, and the keyring that seals their forms."""

    store: Store
    clock: Clock
    identifiers: Identifiers
    queue: Queue
    keyring: Keyring


class Console:
    """Renders pages. One of these serves one web application."""

    def __init__(self, parts: ConsoleParts) -> None:
        self.parts = parts
        self._held: Quarantine | None = None
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
            consequence=wording.option_consequence,
            reason=wording.reason_title,
            span=wording.span,
            first_up=lambda text: text[:1].upper() + text[1:],
            stamp=wording.stamp,
            iso=lambda moment: "" if moment is None else moment.isoformat(timespec="seconds"),
            quoted=lambda text: quote(str(text), safe=""),
        )
        self._environment.globals.update(
            map_pages={"map_carrier": "carriers", "map_sku": "skus"},
            ago=wording.ago,
            left=wording.left,
            clock=wording.clock,
            money=wording.money,
            operation_states=wording.OPERATION_STATES,
            roles=wording.ROLES,
            vendor=VENDOR,
        )

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query in a transaction of its own."""

        def both(c: Connection) -> tuple[T, Quarantine | None]:
            return query(c), latest_quarantine(c)

        found, held = await self.parts.store.tx(both)
        self._held = held if held is not None and held.open else None
        return found

    def page(
        self, request: Request, name: str, title: str, status: int = 200, live: bool = True, **context: Any
    ) -> Response:
        """The page `name`, or only its living part when the page itself asks for it.

        A living part that has not changed is answered with 204, so that nothing on the screen moves.
        """
        session = request.cookies.get(SESSION_COOKIE, "")
        fresh = not session.isalnum() or len(session) > 64
        session = self.parts.identifiers.new_id() if fresh else session
        now = self.parts.clock.now()
        context = {
            "now": now,
            "title": title,
            "request_path": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            "section": name,
            "token": self._token(session),
            "held": self._held,
            "has_assets": (FOLDER / "static" / "vendor" / VENDOR["htmx"]).exists(),
            **context,
        }
        living, digest = "", ""
        if live:
            living = self._environment.get_template(f"{name}_live.html").render(context)
            digest = hashlib.blake2b(living.encode(), digest_size=12).hexdigest()
        if live and request.headers.get("HX-Request") == "true":
            if hmac.compare_digest(request.headers.get("X-Shown", ""), digest):
                return _sealed(Response(status_code=204))
            template = self._environment.get_template("live.html")
        else:
            template = self._environment.get_template(f"{name}.html")
        body = template.render(context, living=Markup(living), shown=digest)
        response = _sealed(Response(body, status_code=status, media_type="text/html; charset=utf-8"))
        if fresh:
            response.set_cookie(SESSION_COOKIE, session, httponly=True, samesite="strict", path="/")
        return response

    def problem(self, request: Request, status: int, sentence: str) -> Response:
        """A page that says what was wrong."""
        return self.page(request, "problem", "Not done", status, live=False, sentence=sentence)

    def _token(self, session: str) -> str:
        return self.parts.keyring.encrypt(_TOKEN_PURPOSE + session.encode()).decode()

    def check_form(self, request: Request, token: str) -> None:
        """Raise FormRefused unless the form carries the seal of this browser's session."""
        session = request.cookies.get(SESSION_COOKIE, "")
        try:
            sealed = self.parts.keyring.decrypt(token.encode())
        except Undecipherable:
            raise FormRefused from None
        if not session or not hmac.compare_digest(sealed, _TOKEN_PURPOSE + session.encode()):
            raise FormRefused


def _sealed(response: Response) -> Response:
    """With the headers that keep other pages and scripts out."""
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


def seen_other(path: str) -> Response:
    """After a form was taken, the browser reads the page it belongs to."""
    return _sealed(RedirectResponse(path, status_code=303))


def static_files() -> StaticFiles:
    """Style sheet, icon, and the copied vendor files."""
    return StaticFiles(directory=FOLDER / "static")


def _text(value: str) -> str:
    return value.strip()[:500]


def router(console: Console) -> APIRouter:
    """Every page and form of the console."""
    routes = APIRouter(default_response_class=Response)
    parts = console.parts
    _order_routes(routes, console)
    _lineage_routes(routes, console)
    _case_routes(routes, console)
    _map_routes(routes, console)

    @routes.get("/health")
    async def health(request: Request) -> Response:
        now = parts.clock.now()
        found = await console.read(lambda c: views.health(c, now))
        return console.page(request, "health", "Health", health=found)

    @routes.get("/connections")
    async def connections(request: Request) -> Response:
        now = parts.clock.now()
        cards = await console.read(lambda c: views.connection_cards(c, now))
        return console.page(request, "connections", "Connections", cards=cards)

    return routes


def _order_routes(routes: APIRouter, console: Console) -> None:
    parts = console.parts

    @routes.get("/")
    async def today(request: Request, q: str = "") -> Response:
        number, now = _text(q), parts.clock.now()

        def read(c: Connection) -> tuple[list[views.OrderInList], views.Today, list[views.CaseRow]]:
            listed = views.found_orders(c, number) if number else views.latest_orders(c)
            return listed, views.today(c, now), views.case_queue(c, 5)

        listed, figures, queue = await console.read(read)
        return console.page(
            request, "today", "Orders", orders=listed, figures=figures, queue=queue, number=number
        )

    @routes.get("/orders/{order_id}")
    async def order(request: Request, order_id: int) -> Response:
        now = parts.clock.now()

        def read(c: Connection) -> tuple[views.OrderPage, tuple[editing.Progress, ...]] | None:
            page = views.order_page(c, order_id, now)
            return None if page is None else (page, editing.all_progress(c, page)[:SHOWN_EDITS])

        found = await console.read(read)
        if found is None:
            raise PageMissing(f"There is no order with the row number {order_id}.")
        page, edits = found
        return console.page(
            request,
            "order",
            page.shopify_name or page.mirakl_order_id,
            order=page,
            why=explain(page, now),
            edits=edits,
            may_edit=editing.may_be_edited(page),
            address_labels=editing.ADDRESS_LABELS,
        )

    @routes.post("/orders/{order_id}/replay")
    async def replay(
        request: Request,
        order_id: int,
        token: Annotated[str, Form()] = "",
        who: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()
        if not _text(who):
            return console.problem(request, 422, "Please say who asks for it. Nothing was changed.")
        try:
            await console.read(lambda c: desk.replay(c, parts.queue, order_id, _text(who), now))
        except desk.NoSuchOrder as missing:
            raise PageMissing(str(missing)) from missing
        return seen_other(f"/orders/{order_id}")


def _lineage_routes(routes: APIRouter, console: Console) -> None:
    parts = console.parts

    async def change(
        request: Request, order_id: int, token: str, work: Callable[[Connection, datetime], lineage.LinkAsked]
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()
        try:
            await console.read(lambda c: work(c, now))
        except lineage.LineageRefused as refused:
            return console.problem(request, 422, str(refused))
        return seen_other(f"/orders/{order_id}")

    @routes.post("/orders/{order_id}/link")
    async def link(
        request: Request,
        order_id: int,
        token: Annotated[str, Form()] = "",
        shopify_order: Annotated[str, Form()] = "",
        who: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
    ) -> Response:
        other, said = _text(shopify_order), (_text(who), _text(why))
        return await change(
            request, order_id, token, lambda c, now: lineage.link(c, parts.queue, order_id, other, *said, now)
        )

    @routes.post("/orders/{order_id}/unlink")
    async def unlink(
        request: Request,
        order_id: int,
        token: Annotated[str, Form()] = "",
        shopify_order: Annotated[str, Form()] = "",
        who: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
    ) -> Response:
        other, said = _text(shopify_order), (_text(who), _text(why))
        return await change(
            request,
            order_id,
            token,
            lambda c, now: lineage.unlink(c, parts.queue, order_id, other, *said, now),
        )

    @routes.post("/orders/{order_id}/undo-link")
    async def undo(
        request: Request,
        order_id: int,
        token: Annotated[str, Form()] = "",
        who: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
    ) -> Response:
        said = (_text(who), _text(why))
        return await change(
            request, order_id, token, lambda c, now: lineage.undo_link(c, parts.queue, order_id, *said, now)
        )


def _case_routes(routes: APIRouter, console: Console) -> None:
    parts = console.parts

    @routes.get("/cases")
    async def queue(request: Request) -> Response:
        found = await console.read(views.case_queue)
        return console.page(request, "cases", "Cases", queue=found)

    async def case_page(
        request: Request, case_id: int, option: str, who: str = "", why: str = "", refused: str = ""
    ) -> Response:
        found, last = await console.read(lambda c: (views.one_case(c, case_id), latest_answer(c, case_id)))
        if found is None:
            raise PageMissing(f"There is no case {case_id}.")
        chosen = option if option in found.options else ""
        return console.page(
            request,
            "case",
            f"Case {case_id}",
            422 if refused else 200,
            live=False,
            case=found,
            chosen=chosen,
            last=last,
            asks_for_text=any(offered in WITH_TEXT for offered in found.options),
            who=who,
            why=why,
            refused=refused,
        )

    @routes.get("/cases/{case_id}")
    async def one(request: Request, case_id: int, option: str = "") -> Response:
        return await case_page(request, case_id, option)

    @routes.post("/cases/{case_id}/answer")
    async def answer(
        request: Request,
        case_id: int,
        token: Annotated[str, Form()] = "",
        option: Annotated[str, Form()] = "",
        who: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
        text: Annotated[str, Form()] = "",
        seen: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()
        message = desk.written(text[: desk.LONGEST_TEXT], parts.identifiers, parts.keyring)
        try:
            order_id = await console.read(
                lambda c: desk.answer_case(
                    c,
                    parts.queue,
                    case_id,
                    option,
                    _text(who),
                    _text(why),
                    now,
                    message,
                    int(seen) if _ROW_ID.fullmatch(seen) else None,
                )
            )
        except CannotAnswer as refused:
            await console.read(lambda c: desk.count_refused_answer(c, option))
            return await case_page(request, case_id, option, _text(who), _text(why), str(refused))
        return seen_other(f"/orders/{order_id}")


def _map_routes(routes: APIRouter, console: Console) -> None:
    parts = console.parts

    async def connection_of(connection_id: int) -> ConnectionRow:
        def find(c: Connection) -> ConnectionRow | None:
            return views.connection_named(c, str(connection_id))

        found = await console.read(find)
        if found is None:
            raise PageMissing(f"There is no connection with the row number {connection_id}.")
        return found

    async def map_page(
        request: Request, connection_id: int, kind: str, refused: str = "", mapped: desk.Mapped | None = None
    ) -> Response:
        row = await connection_of(connection_id)
        subject = "" if mapped is not None else _text(request.query_params.get("subject", ""))
        context: dict[str, Any] = {
            "connection": row,
            "refused": refused,
            "mapped": mapped,
            "subject": subject,
        }
        if kind == "carriers":
            context["desk"] = await console.read(lambda c: views.carrier_desk(c, row))
        else:
            context["desk"] = await console.read(lambda c: views.sku_desk(c, row))
        title = f"{'Carrier' if kind == 'carriers' else 'SKU'} map of {row.name}"
        return console.page(request, kind, title, 422 if refused else 200, live=False, **context)

    async def keep(
        request: Request, connection_id: int, kind: str, work: Callable[[Connection], desk.Mapped], file: bool
    ) -> Response:
        try:
            mapped = await console.read(work)
        except desk.MapRefused as refused:
            if file:
                await console.read(lambda c: desk.count_refused_file(c, kind))
            return await map_page(request, connection_id, kind, refused=str(refused))
        return await map_page(request, connection_id, kind, mapped=mapped)

    @routes.get("/connections/{connection_id}/carriers")
    async def carriers(request: Request, connection_id: int) -> Response:
        return await map_page(request, connection_id, "carriers")

    @routes.get("/connections/{connection_id}/skus")
    async def skus(request: Request, connection_id: int) -> Response:
        return await map_page(request, connection_id, "skus")

    @routes.post("/connections/{connection_id}/carriers")
    async def map_carrier(
        request: Request,
        connection_id: int,
        token: Annotated[str, Form()] = "",
        shop_name: Annotated[str, Form()] = "",
        code: Annotated[str, Form()] = "",
        name: Annotated[str, Form()] = "",
        who: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        await connection_of(connection_id)
        mapping, now = CarrierMapping(_text(shop_name), _text(code), _text(name)), parts.clock.now()

        def work(c: Connection) -> desk.Mapped:
            row = one_connection(c, connection_id)
            return desk.map_carrier_names(c, parts.queue, row, [mapping], _text(who), now)

        return await keep(request, connection_id, "carriers", work, file=False)

    @routes.post("/connections/{connection_id}/skus")
    async def map_sku(
        request: Request,
        connection_id: int,
        token: Annotated[str, Form()] = "",
        mirakl_sku: Annotated[str, Form()] = "",
        shop_sku: Annotated[str, Form()] = "",
        who: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        await connection_of(connection_id)
        now = parts.clock.now()

        def work(c: Connection) -> desk.Mapped:
            row = one_connection(c, connection_id)
            pairs = [(_text(mirakl_sku), _text(shop_sku))]
            return desk.map_sku_names(c, parts.queue, row, pairs, _text(who), now)

        return await keep(request, connection_id, "skus", work, file=False)

    @routes.post("/connections/{connection_id}/carriers/remove")
    async def unmap_carrier(
        request: Request,
        connection_id: int,
        token: Annotated[str, Form()] = "",
        shop_name: Annotated[str, Form()] = "",
        who: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        await connection_of(connection_id)
        now = parts.clock.now()

        def work(c: Connection) -> desk.Mapped:
            row = one_connection(c, connection_id)
            return desk.unmap_carrier_name(c, row, _text(shop_name), _text(who), _text(why), now)

        return await keep(request, connection_id, "carriers", work, file=False)

    @routes.post("/connections/{connection_id}/skus/remove")
    async def unmap_sku(
        request: Request,
        connection_id: int,
        token: Annotated[str, Form()] = "",
        mirakl_sku: Annotated[str, Form()] = "",
        who: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        await connection_of(connection_id)
        now = parts.clock.now()

        def work(c: Connection) -> desk.Mapped:
            row = one_connection(c, connection_id)
            return desk.unmap_sku_name(c, row, _text(mirakl_sku), _text(who), _text(why), now)

        return await keep(request, connection_id, "skus", work, file=False)

    @routes.post("/connections/{connection_id}/carriers/file")
    async def carrier_file(
        request: Request,
        connection_id: int,
        file: UploadFile,
        token: Annotated[str, Form()] = "",
        who: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        await connection_of(connection_id)
        named, body = _file_name(file), await file.read(desk.LARGEST_FILE_BYTES + 1)
        now = parts.clock.now()

        def work(c: Connection) -> desk.Mapped:
            row = one_connection(c, connection_id)
            mappings = desk.read_carrier_file(row, named, body)
            return desk.map_carrier_names(c, parts.queue, row, mappings, _text(who), now)

        return await keep(request, connection_id, "carriers", work, file=True)

    @routes.post("/connections/{connection_id}/skus/file")
    async def sku_file(
        request: Request,
        connection_id: int,
        file: UploadFile,
        token: Annotated[str, Form()] = "",
        who: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        await connection_of(connection_id)
        named, body = _file_name(file), await file.read(desk.LARGEST_FILE_BYTES + 1)
        now = parts.clock.now()

        def work(c: Connection) -> desk.Mapped:
            row = one_connection(c, connection_id)
            pairs = desk.read_sku_file(named, body)
            return desk.map_sku_names(c, parts.queue, row, pairs, _text(who), now)

        return await keep(request, connection_id, "skus", work, file=True)


def _file_name(file: UploadFile) -> str:
    return (file.filename or "the file").rpartition("/")[2][:100]
