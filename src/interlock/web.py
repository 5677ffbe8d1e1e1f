"""The web process: Shopify's webhooks in, health and metrics out, and the console's pages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape
from ipaddress import ip_address
from typing import Annotated

import httpx2
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.security import HTTPAuthorizationCredentials
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, select
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from interlock.access.erasures import keep_request
from interlock.access.passwords import Passwords
from interlock.access.roles import Person
from interlock.access.rules import AccessRules
from interlock.access.store import Scope as KeyScope
from interlock.api.application import ApiParts, create_api
from interlock.api.gate import BEARER, Gate
from interlock.api.problems import NotDone, problem
from interlock.cases.store import cases, close_connection_cases, open_connection_case
from interlock.clock import Clock, Identifiers
from interlock.console.desk import LARGEST_FILE_BYTES
from interlock.console.doors import Doors, NotPermitted, OneConnectionOnly, SecondFactorDue, SignedOut
from interlock.console.health import Health, service_health
from interlock.console.lists import FilterUnknown, FilterUnreadable, MarkUnreadable
from interlock.console.pages import (
    POLICY,
    Console,
    ConsoleParts,
    FormRefused,
    PageMissing,
    instead_of,
    static_files,
)
from interlock.console.routes import router
from interlock.engine.gateways import Connections
from interlock.engine.hints import webhook_hint
from interlock.engine.queue import Queue
from interlock.engine.store import (
    ConnectionRow,
    all_connections,
    body_digest,
    count,
    keep_unreadable,
    worker_heard_at,
)
from interlock.logs import dropped_fields, logger
from interlock.monitoring.board import Board, kept_board
from interlock.monitoring.ingress import IngressMeter
from interlock.orders.reasons import Reason
from interlock.shopify.webhooks import (
    MAX_BODY_BYTES,
    PRIVACY_TOPICS,
    TOPICS,
    Delivery,
    UnreadableDelivery,
    read_delivery,
    verify,
)
from interlock.storage.database import NOT_KEPT, Store
from interlock.storage.encryption import Keyring

MIB = 1024 * 1024
LARGEST_FORM_BYTES = 3 * MIB
# A browser shows an answer only once it has sent what it began to send; of more than this it shows that nobody answers.
MOST_READ_FOR_NOTHING = 64 * MIB
LARGEST_API_BODY_BYTES = 256 * 1024
TROUBLED_FOR = timedelta(seconds=60)
INGRESS = "/webhooks/"
API = "/v1"
METRICS = "/metrics"
# What programs ask for: they are told in JSON why not.
FOR_MACHINES = (INGRESS, API, "/healthz", METRICS)
# What may be asked for under any host name: deliveries come through the installation's public address.
ANY_HOST = (INGRESS, "/healthz")
VERDICTS = {"held": 1.0, "bounded": 0.5, "broken": 0.0}
DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout)
# What a proxy writes into a request it passes on: whoever asked may be anywhere.
PASSED_ON = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")


@dataclass(frozen=True)
class WebParts:
    """What the web process is made of. `hosts` are names, besides this machine's own, under which the console
    may be asked for: until there are accounts, none. `api_hosts` are names under which programs may ask the API, which
    checks a key by itself. `connections` lets the API read a platform; without it what needs that says it cannot.
    `address_key` is the key of the digests of addresses: with it an order is found by its e-mail. `everyone` is who every
    visitor of the console is, where nobody signs in: on a demo, never on a real installation. `rules` are those of
    signing in, and `provider` another way to its OpenID Connect provider than the network."""

    store: Store
    clock: Clock
    identifiers: Identifiers
    queue: Queue
    keyring: Keyring
    hosts: tuple[str, ...] = ()
    api_hosts: tuple[str, ...] = ()
    connections: Connections | None = None
    address_key: bytes = b""
    everyone: Person | None = None
    rules: AccessRules = field(default_factory=AccessRules)
    passwords: Passwords | None = None
    provider: httpx2.AsyncBaseTransport | None = None


def create_app(parts: WebParts) -> FastAPI:
    """The whole web application, for uvicorn or an in-process transport."""
    # Nothing of ours redirects a delivery: a sender that follows no redirect would lose it.
    app = FastAPI(title="Interlock", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    console = Console(
        ConsoleParts(
            parts.store,
            parts.clock,
            parts.identifiers,
            parts.queue,
            parts.keyring,
            parts.address_key,
            parts.everyone,
            parts.rules,
            parts.connections,
        )
    )
    app.state.doors = Doors(parts.store, parts.clock, parts.everyone, parts.rules)
    # Who stops the web server ends the streams of open pages first: it waits for every answer that is under way.
    app.state.changes = console.changes
    ingress = Ingress(parts)

    async def receive(request: Request, place: str) -> Response:
        return await ingress.receive(request, place)

    async def healthz() -> Response:
        # Anybody may ask: it says nothing but that the database answers, and how long ago a worker was heard.
        heard = await parts.store.tx(worker_heard_at)
        ago = None if heard is None else round((parts.clock.now() - heard).total_seconds(), 1)
        return JSONResponse({"status": "ok", "worker_heard_seconds": ago})

    gate = Gate(parts.store, parts.clock)
    may_read = gate.needs(KeyScope.HEALTH_READ)

    async def metrics(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]
    ) -> Response:
        if not of_this_machine(request):
            try:
                await may_read(request, credentials)
            except NotDone as no:
                return problem(no.status, no.error, str(no), no.field, no.headers)
        now = parts.clock.now()
        found, board = await parts.store.tx(lambda c: (service_health(c, now), kept_board(c)))
        return Response(metrics_page(found, dropped_fields(), board), media_type="text/plain; version=0.0.4")

    app.add_api_route("/webhooks/shopify/{place}", receive, methods=["POST"], response_class=Response)
    app.add_api_route("/healthz", healthz, methods=["GET"], response_class=Response)
    app.add_api_route(METRICS, metrics, methods=["GET"], response_class=Response)
    app.mount(API, create_api(_api_parts(parts)))
    app.mount("/static", static_files(), name="static")
    app.include_router(router(console, parts.passwords or Passwords(), parts.provider))
    _say_what_went_wrong(app, console)
    app.add_middleware(Doorkeeper, hosts=parts.hosts, api_hosts=parts.api_hosts)
    return app


def _api_parts(parts: WebParts) -> ApiParts:
    return ApiParts(
        parts.store, parts.clock, parts.identifiers, parts.queue, parts.keyring, parts.connections
    )


# -- deliveries --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody is answered: a status, and for everything but success, words."""

    status: int
    error: str = ""
    detail: str = ""

    def response(self) -> Response:
        if not self.error:
            return Response(status_code=self.status)
        return JSONResponse({"error": self.error, "detail": self.detail}, status_code=self.status)


class Ingress:
    """Takes deliveries: signature over the raw body first, one small row and the wake-up in one transaction."""

    def __init__(self, parts: WebParts) -> None:
        self._parts = parts
        self._troubled: dict[tuple[int, str], None] = {}
        self._troubled_read_at: datetime | None = None
        self._meter = IngressMeter(parts.store)

    async def receive(self, request: Request, place: str) -> Response:
        """Answer one delivery for the shop or connection `place`, and note how long that took."""
        clock, status = self._parts.clock, 500
        started = clock.monotonic()
        try:
            response = await self._receive(request, place)
            status = response.status_code
        finally:
            await self._meter.note(clock.now(), clock.monotonic() - started, status)
        return response

    async def _receive(self, request: Request, place: str) -> Response:
        raw = await _limited(request)
        if raw is None:
            await self._parts.store.tx(lambda c: count(c, "webhook_refused", "too_large"))
            limit = f"The body is longer than {MAX_BODY_BYTES} bytes. Nothing was kept."
            return Answer(413, "body_too_large", limit).response()
        now = self._parts.clock.now()
        answer = await self._parts.store.tx(lambda c: self.take(c, place, request.headers, raw, now))
        return answer.response()

    def take(self, c: Connection, place: str, headers: Headers, raw: bytes, now: datetime) -> Answer:
        """Take one delivery for the shop or connection `place`: what it says is kept, and what it is answered returned."""
        every = all_connections(c)
        shop = next((row.shopify_shop for row in every if place in (row.shopify_shop, row.name)), None)
        if shop is None:
            count(c, "webhook_refused", "unknown_shop")
            return Answer(
                404, "unknown_shop", "No connection has a shop or name like the end of this address."
            )
        rows = [row for row in every if row.shopify_shop == shop]
        if not verify(raw, headers.get("x-shopify-hmac-sha256", ""), self._secrets(rows)):
            count(c, "webhook_refused", "signature")
            said = "X-Shopify-Hmac-Sha256 is missing or does not fit the body. Nothing was kept."
            return Answer(401, "signature", said)
        given = headers.get("x-shopify-shop-domain", "")
        if given != shop:
            count(c, "webhook_refused", "foreign_shop")
            said = (
                f"X-Shopify-Shop-Domain does not name the shop of this address, {shop}. Nothing was changed."
            )
            return Answer(403, "foreign_shop", said)
        topic = headers.get("x-shopify-topic", "")
        if topic not in TOPICS and topic not in PRIVACY_TOPICS:
            count(c, "webhook_refused", "unknown_topic")
            named = topic[:80] if topic.isprintable() else ""
            said = f"X-Shopify-Topic {named!r} is not a topic Interlock subscribes to. Nothing was changed."
            return Answer(422, "unknown_topic", said)
        try:
            delivery = read_delivery(
                topic,
                shop,
                headers.get("x-shopify-webhook-id", ""),
                headers.get("x-shopify-triggered-at", ""),
                raw,
            )
        except UnreadableDelivery as wrong:
            self._keep_unreadable(c, rows, topic, raw, wrong, now)
            return Answer(422, "unreadable", str(wrong))
        if delivery.kind == "privacy":
            keep_request(c, shop, topic, delivery.webhook_id, self._parts.keyring.encrypt(raw), now)
        self._accept(c, rows, delivery, now)
        return Answer(200)

    def _secrets(self, rows: list[ConnectionRow]) -> list[bytes]:
        """Every secret in use for this shop, each once: several connections usually share one app."""
        secrets = [self._parts.keyring.decrypt(row.shopify_client_secret) for row in rows]
        return list(dict.fromkeys(secrets))

    def _accept(self, c: Connection, rows: list[ConnectionRow], delivery: Delivery, now: datetime) -> None:
        webhook_hint(
            c,
            self._parts.queue,
            [row.id for row in rows],
            delivery.shop,
            delivery.topic,
            delivery.webhook_id,
            "" if delivery.triggered_at is None else delivery.triggered_at.isoformat(),
            delivery.order_id,
            delivery.fulfillment_order_id,
            now,
            delivery.updated_at,
            delivery.marker,
            delivery.name,
            delivery.item_id,
        )
        if delivery.kind in ("privacy", "app"):
            count(c, f"webhook_{delivery.kind}", delivery.topic)
        self._close_trouble(c, rows[0].id, delivery.topic, now)

    def _keep_unreadable(
        self,
        c: Connection,
        rows: list[ConnectionRow],
        topic: str,
        raw: bytes,
        wrong: UnreadableDelivery,
        now: datetime,
    ) -> None:
        first = rows[0]
        count(c, "webhook_refused", "unreadable")
        problem = f"{topic}: {wrong.field} {wrong.why}"
        keep_unreadable(c, "webhook", problem, self._parts.keyring.encrypt(raw), body_digest(raw), now)
        sentence = (
            f"{first.name}: a delivery of {topic} from the shop could not be understood ({wrong.field} {wrong.why}). "
            "It was kept for the engineer for 7 days and nothing was done with it; the sweep finds the change if there "
            "was one. This closes with the next delivery of the topic that can be read."
        )
        open_connection_case(c, first.id, Reason.UNREADABLE_ORDER, f"delivery {topic}", sentence, now)
        self._troubled[(first.id, f"delivery {topic}")] = None

    def _close_trouble(self, c: Connection, connection_id: int, topic: str, now: datetime) -> None:
        """Close the case of a topic that can be read again; which ones are open is asked once a minute."""
        if self._troubled_read_at is None or now - self._troubled_read_at > TROUBLED_FOR:
            rows = c.execute(
                select(cases.c.connection_id, cases.c.subject).where(
                    cases.c.order_id.is_(None),
                    cases.c.reason == Reason.UNREADABLE_ORDER.value,
                    cases.c.closed_at.is_(None),
                )
            )
            self._troubled = {(row.connection_id, row.subject): None for row in rows}
            self._troubled_read_at = now
        key = (connection_id, f"delivery {topic}")
        if key in self._troubled:
            because = "A later delivery of the topic could be read."
            close_connection_cases(c, *(key[0], Reason.UNREADABLE_ORDER, key[1]), now, because)
            del self._troubled[key]


async def _limited(request: Request) -> bytes | None:
    """The raw body, or None as soon as it is known to be too long."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


# -- metrics -----------------------------------------------------------------------------------------------


def metrics_page(found: Health, dropped: Mapping[str, int], board: Board | None = None) -> bytes:
    """The Prometheus text of a moment. Labels are codes and names of parts, never anything about a person."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(found, dropped))
    if board is not None:
        registry.register(_Measured(board))
    return generate_latest(registry)


def of_this_machine(request: Request) -> bool:
    """Whether a program on this machine asks by itself: over loopback, under this machine's own name, and not through a
    proxy that says so, which may speak for anybody."""
    if request.client is None or any(name in request.headers for name in PASSED_ON):
        return False
    return _is_loopback(request.client.host) and _is_own_name(request.headers.get("host", ""))


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


class _Collected(Collector):
    def __init__(self, found: Health, dropped: Mapping[str, int]) -> None:
        self._found = found
        self._dropped = dropped

    def collect(self) -> Iterable[Metric]:
        found = self._found
        events = CounterMetricFamily("interlock_events", "Things counted.", labels=["name", "label"])
        for name, label, number in found.counts:
            events.add_metric([name, label], number)
        yield events
        withheld = CounterMetricFamily("interlock_log_fields_withheld", "Kept out of logs.", labels=["field"])
        for name in sorted(self._dropped):
            withheld.add_metric([name], self._dropped[name])
        yield withheld
        age = GaugeMetricFamily(
            "interlock_heartbeat_age_seconds", "Since a part was last heard.", labels=["part"]
        )
        for pulse in (*found.pulses, *found.polls):
            if pulse.at is not None:
                age.add_metric([pulse.name], (found.at - pulse.at).total_seconds())
        yield age
        yield _by_label("interlock_backlog_orders", "Orders with unanswered hints.", "lane", found.backlog)
        yield _by_label("interlock_operations_open", "Operations not settled.", "state", found.operations)
        yield _by_label("interlock_cases_open", "Open cases.", "severity", found.open_cases)
        oldest = 0.0
        if found.oldest_hint_at is not None:
            oldest = (found.at - found.oldest_hint_at).total_seconds()
        yield _gauge("interlock_oldest_hint_seconds", "Age of the oldest unanswered hint.", oldest)
        yield _gauge("interlock_looks_due", "Orders whose next look is due.", found.due_looks)
        yield _gauge("interlock_leases", "Orders a worker is at.", found.leased)
        yield _gauge("interlock_windows_open", "Orders waiting for acceptance.", len(found.windows))
        late = len([window for window in found.windows if window.gone >= 0.6])
        yield _gauge("interlock_windows_running_out", "Acceptance windows more than 60 % over.", late)
        yield _gauge(
            "interlock_deliveries_unresolved", "Deliveries of unknown owner.", found.unresolved_deliveries
        )
        yield _gauge(
            "interlock_unreadable_kept", "Messages kept because they were unreadable.", found.unreadable
        )
        yield _gauge("interlock_problems", "Sentences on the health page.", len(found.problems))


class _Measured(Collector):
    """Objectives and durations as of the last board; labels are codes, measures and quantiles."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def collect(self) -> Iterable[Metric]:
        verdict = GaugeMetricFamily(
            "interlock_objective", "1 held, 0.5 bounded, 0 broken; absent without events.", labels=["code"]
        )
        for one in self._board.objectives:
            if one.verdict != "no events":
                verdict.add_metric([one.code], VERDICTS[one.verdict])
        yield verdict
        took = GaugeMetricFamily(
            "interlock_duration_seconds", "Durations of the last 30 days.", labels=["measure", "quantile"]
        )
        number = GaugeMetricFamily("interlock_durations", "Durations measured.", labels=["measure"])
        for histogram in self._board.histograms:
            number.add_metric([histogram.measure], histogram.number)
            for quantile, seconds in (
                ("0.5", histogram.p50),
                ("0.95", histogram.p95),
                ("0.99", histogram.p99),
            ):
                if histogram.number:
                    took.add_metric(
                        [histogram.measure, quantile], float("inf") if seconds is None else seconds
                    )
        yield took
        yield number
        oldest = GaugeMetricFamily(
            "interlock_oldest_hint_of_lane_seconds", "Age of the oldest hint.", labels=["lane"]
        )
        for lane, _, seconds in self._board.oldest_by_lane:
            oldest.add_metric([lane], seconds)
        yield oldest
        for name, what, number_of in (
            ("interlock_skus_known", "SKUs whose quantity at the marketplace is known.", "known"),
            ("interlock_skus_drifting", "SKUs that show another quantity than they may.", "drifting"),
            ("interlock_skus_oversold", "SKUs that show more than there is.", "oversold"),
            ("interlock_sku_drift_minutes_week", "Minutes of drift of all SKUs this week.", "minutes"),
        ):
            gauge = GaugeMetricFamily(name, what, labels=["connection"])
            for drift in self._board.drift:
                gauge.add_metric([drift.connection], getattr(drift, number_of))
            yield gauge
        offers = GaugeMetricFamily(
            "interlock_offers", "Offers by what their SKU is, each once.", labels=["connection", "state"]
        )
        for drift in self._board.drift:
            for state, number_in in drift.states:
                offers.add_metric([drift.connection, state], number_in)
        yield offers
        beyond = GaugeMetricFamily(
            "interlock_sku_drift_units",
            "Units beyond what it may that a SKU shows, negative for less; of each connection those that drift most.",
            labels=["connection", "sku"],
        )
        for drift in self._board.drift:
            for sku, units in drift.worst:
                beyond.add_metric([drift.connection, sku], units)
        yield beyond


def _gauge(name: str, what: str, value: float) -> Metric:
    metric = GaugeMetricFamily(name, what)
    metric.add_metric([], value)
    return metric


def _by_label(name: str, what: str, label: str, values: Iterable[tuple[str, int]]) -> Metric:
    metric = GaugeMetricFamily(name, what, labels=[label])
    for key, number in values:
        metric.add_metric([key], number)
    return metric


# -- what keeps others out, and what went wrong --------------------------------------------------------------


class Doorkeeper:
    """Refuses host names that are not ours and forms that are too long, before anything reads them.

    A page of somebody else's site that resolves its own name to this machine would otherwise read the console. The
    API and the measures may besides be asked for under the names that were configured for programs: such a page has no key
    to show.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...], api_hosts: tuple[str, ...] = ()) -> None:
        self._app = app
        self._hosts = hosts
        self._api_hosts = (*hosts, *api_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is not None:
            await _told(refusal, scope, receive)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Answer | None:
        path, headers = str(scope["path"]), Headers(scope=scope)
        of_api = path == API or path.startswith(f"{API}/")
        # Beyond this machine the measures ask for a key, as the API does.
        for_programs = of_api or path == METRICS
        hosts = self._api_hosts if for_programs else self._hosts
        host = headers.get("host", "")
        if not path.startswith(ANY_HOST) and not _is_own_name(host) and _name_in(host) not in hosts:
            detail = (
                "The console answers only under this machine's own name and the one in INTERLOCK_PUBLIC_URL. Ask for it "
                "there; whoever runs Interlock knows the address."
            )
            if for_programs:
                detail = (
                    "The API and /metrics answer only under this machine's own name, the one in INTERLOCK_PUBLIC_URL and "
                    "those in INTERLOCK_API_HOSTS."
                )
            return Answer(421, "host_refused", detail)
        of_console = not path.startswith((INGRESS, API))
        # Browsers say where a form comes from. Ours never come from elsewhere, sealed or not.
        from_elsewhere = headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
        if of_console and from_elsewhere and scope["method"] not in ("GET", "HEAD"):
            detail = (
                "This form was sent from a page of another site. Nothing was changed. If you meant to, open the console itself "
                "and do it there."
            )
            return Answer(403, "foreign_form", detail)
        # Whoever reads a body first, even one that is refused for its key then, reads all of it.
        sized = scope["method"] in ("POST", "PUT", "PATCH") or "transfer-encoding" in headers
        if (sized or "content-length" in headers) and not path.startswith(INGRESS):
            declared = headers.get("content-length", "")
            if not declared.isdigit():
                return Answer(411, "length_required", "Give a length.")
            if of_api and int(declared) > LARGEST_API_BODY_BYTES:
                detail = f"A body may have {LARGEST_API_BODY_BYTES} bytes. Nothing was changed."
                return Answer(413, "body_too_large", detail)
            if int(declared) > LARGEST_FORM_BYTES:
                detail = (
                    f"A form may have {LARGEST_FORM_BYTES / MIB:g} MiB, and a file in it {LARGEST_FILE_BYTES / MIB:g} MiB; this "
                    f"one has {int(declared) / MIB:.1f} MiB. Nothing was changed. Split the file and give its parts one after "
                    "the other."
                )
                return Answer(413, "form_too_large", detail)
        return None


def _told(refused: Answer, scope: Scope, receive: Receive) -> ASGIApp:
    """The answer as a page where a person's browser asked for one of the console, else as JSON."""
    headers = Headers(scope=scope)
    if str(scope["path"]).startswith(FOR_MACHINES) or "text/html" not in headers.get("accept", ""):
        return refused.response()

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        await _read_for_nothing(headers, receive)
        await HTMLResponse(
            _PAGE.format(sentence=escape(refused.detail)),
            refused.status,
            {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"},
        )(scope, receive, send)

    return page


# Without anything that needs a session, a database, or another address of ours that the same refusal would meet.
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>Not done · Interlock</title></head>
<body><main><h1>Not done</h1><p role="alert">{sentence}</p></main></body>
</html>
"""


async def _read_for_nothing(headers: Headers, receive: Receive) -> None:
    """Take a body and keep nothing of it, so that the browser that sends it comes to read its answer."""
    declared = headers.get("content-length", "")
    left = int(declared) if declared.isdigit() else 0
    while 0 < left <= MOST_READ_FOR_NOTHING:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            return
        left -= len(message.get("body", b""))


def _name_in(host: str) -> str:
    """The name or address in a Host header, without its port."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and ":" in host else host
    return name.strip("[]").lower()


def _is_own_name(host: str) -> bool:
    """Whether a Host header names this machine as only itself can call it."""
    name = _name_in(host)
    return name == "localhost" or _is_loopback(name)


def _say_what_went_wrong(app: FastAPI, console: Console) -> None:
    """Every problem becomes a sentence: a page for people, JSON for the rest."""

    def said(request: Request, status: int, error: str, sentence: str) -> Response:
        if request.url.path.startswith(FOR_MACHINES):
            return JSONResponse({"error": error, "detail": sentence}, status_code=status)
        return console.problem(request, status, sentence)

    async def database_away(request: Request, error: Exception) -> Response:
        logger().error("web.database_away", exc_info=error)
        sentence = "The database cannot be reached. Nothing was changed; try again in a moment."
        response = said(request, 503, "database_unavailable", sentence)
        response.headers["Retry-After"] = "5"
        return response

    async def not_kept(request: Request, error: Exception) -> Response:
        logger().warning("web.not_kept", exc_info=error)
        return said(request, 422, "invalid", f"{NOT_KEPT} Nothing was changed.")

    async def page_missing(request: Request, error: Exception) -> Response:
        return said(request, 404, "not_found", str(error))

    async def not_listed(request: Request, error: Exception) -> Response:
        return said(request, 422, "invalid", str(error))

    async def form_refused(request: Request, error: Exception) -> Response:
        return said(request, 403, "form_refused", str(error))

    async def signed_out(request: Request, error: Exception) -> Response:
        return instead_of(request, 401, error.login if isinstance(error, SignedOut) else "/login")

    async def second_factor_due(request: Request, error: Exception) -> Response:
        return instead_of(request, 403, "/account/second-factor")

    async def one_connection_only(request: Request, error: Exception) -> Response:
        return instead_of(request, 403, error.instead if isinstance(error, OneConnectionOnly) else "/")

    async def not_permitted(request: Request, error: Exception) -> Response:
        return said(request, 403, "not_permitted", str(error))

    async def invalid(request: Request, error: Exception) -> Response:
        fields = ""
        if isinstance(error, RequestValidationError):
            fields = ", ".join(str(detail["loc"][-1]) for detail in error.errors())
        return said(request, 422, "invalid", f"This cannot be read: {fields}. Nothing was changed.")

    async def http_error(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        sentences = {404: "There is nothing at this address.", 405: "This address does not take that method."}
        return said(request, status, "refused", sentences.get(status, "This cannot be done."))

    for kind in DATABASE_AWAY:
        app.add_exception_handler(kind, database_away)
    app.add_exception_handler(DataError, not_kept)
    app.add_exception_handler(PageMissing, page_missing)
    app.add_exception_handler(FilterUnknown, not_listed)
    app.add_exception_handler(FilterUnreadable, not_listed)
    app.add_exception_handler(MarkUnreadable, not_listed)
    app.add_exception_handler(FormRefused, form_refused)
    app.add_exception_handler(SignedOut, signed_out)
    app.add_exception_handler(SecondFactorDue, second_factor_due)
    app.add_exception_handler(OneConnectionOnly, one_connection_only)
    app.add_exception_handler(NotPermitted, not_permitted)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http_error)
