"""The platform's HTTP face: tokens, GraphQL, and control endpoints for whoever runs the simulation."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from interlock.simulator.faults import FaultyFront, json_body
from interlock.simulator.record import Call
from interlock.simulator.shopify.asking import Asking
from interlock.simulator.shopify.control import control_routes
from interlock.simulator.shopify.execution import answer, asked_of_the_root, operation_name
from interlock.simulator.shopify.state import Actor, Shop, Token
from interlock.simulator.shopify.webhooks import API_VERSION

if TYPE_CHECKING:
    from interlock.simulator.shopify.world import ShopifyWorld

TOKEN_OPERATION = "accessToken"
_UNAUTHORIZED = b'{"errors":"[API] Invalid API key or access token (unrecognized login or wrong password)"}'
_NOT_MODELLED = b'{"errors":"Not Found","simulator":"This path is not modelled."}'


def build_app(world: ShopifyWorld) -> ASGIApp:
    """The ASGI application, with the world's fault plan in front of it."""
    site = _Site(world)
    inner = Starlette(
        routes=[
            Route("/admin/oauth/access_token", site.access_token, methods=["POST"]),
            Route("/admin/api/{version}/graphql.json", site.graphql, methods=["POST"]),
            Mount("/_sim", routes=control_routes(world)),
            Route("/{rest:path}", site.not_modelled, methods=["GET", "POST", "PUT", "DELETE", "PATCH"]),
        ]
    )

    async def sleep(platform_seconds: float) -> None:
        await asyncio.sleep(world.clock.source_seconds(platform_seconds))

    return FaultyFront(inner, world.faults, operation_of, sleep, site.unseen)


def operation_of(method: str, path: str, body: bytes) -> str | None:
    """The word for a request in the call log; None for control endpoints."""
    del method
    if path == "/admin/oauth/access_token":
        return TOKEN_OPERATION
    if not path.endswith("/graphql.json"):
        return None
    try:
        document = json.loads(body)
        return operation_name(document["query"], document.get("operationName")) or "invalid"
    except (ValueError, KeyError, TypeError):
        return "invalid"


class _Site:
    def __init__(self, world: ShopifyWorld) -> None:
        self.world = world

    # The call log

    def unseen(self, operation: str, headers: dict[str, str], status: int, fault: str) -> None:
        now = self.world.clock.now()
        token = self.world.tokens.get(headers.get("x-shopify-access-token", ""))
        caller = token.app.name if token else "unknown"
        self.world.record.calls.append(
            Call(now, now, operation, caller, headers.get("x-client-reference"), status, (), fault)
        )

    def _log(
        self,
        request: Request,
        operation: str,
        caller: str,
        status: int,
        order_ids: tuple[str, ...] = (),
        **detail: Any,
    ) -> str:
        now = self.world.clock.now()
        state = request.scope.get("state", {})
        self.world.record.calls.append(
            Call(
                now,
                now,
                operation,
                caller,
                request.headers.get("x-client-reference"),
                status,
                order_ids,
                state.get("fault"),
                detail,
                timedelta(seconds=state.get("late", 0)),
            )
        )
        return self.world.uuid("request", len(self.world.record.calls))

    def _respond(self, status: int, body: bytes, request_id: str, **headers: str) -> Response:
        return Response(
            body,
            status,
            {"x-request-id": request_id, **headers},
            media_type="application/json; charset=utf-8",
        )

    # Endpoints

    def _shop(self, request: Request) -> Shop | None:
        """By host name; a loopback address means the only shop there is."""
        host = request.headers.get("host", "").partition(":")[0]
        found = self.world.shops.get(host)
        if found is None and not host.endswith(".myshopify.com") and len(self.world.shops) == 1:
            return self.world.shop
        return found

    async def access_token(self, request: Request) -> Response:
        """Client-credentials grant (reference 2.1)."""
        body = await request.body()
        given = _form(request, body)
        shop = self._shop(request)
        app = self.world.apps.get(given.get("client_id", ""))
        good = (
            shop is not None
            and app is not None
            and app in shop.installed
            and given.get("client_secret") in app.secrets
            and given.get("grant_type") == "client_credentials"
        )
        if not good or app is None or shop is None:
            request_id = self._log(request, TOKEN_OPERATION, "unknown", 400)
            text = {"error": "invalid_client", "error_description": "The client is unknown or not installed."}
            return self._respond(400, json_body(text), request_id)
        token = self.world.issue_token(app, shop, given["client_secret"])
        request_id = self._log(request, TOKEN_OPERATION, app.name, 200)
        answered = {
            "access_token": token.value,
            "scope": ",".join(app.scopes),
            "expires_in": self.world.token_seconds,
        }
        return self._respond(200, json_body(answered), request_id)

    def _token(self, request: Request) -> Token | None:
        token = self.world.tokens.get(request.headers.get("x-shopify-access-token", ""))
        if token is None or token.expires_at <= self.world.clock.now():
            return None
        shop = self._shop(request)
        return token if shop is None or shop is token.shop else None

    async def graphql(self, request: Request) -> Response:
        body = await request.body()
        operation = operation_of("POST", request.url.path, body) or "invalid"
        token = self._token(request)
        version = {"X-Shopify-API-Version": API_VERSION}
        if token is None:
            return self._respond(401, _UNAUTHORIZED, self._log(request, operation, "unknown", 401))
        try:
            asked = json.loads(body)
            text = asked["query"]
        except (ValueError, KeyError, TypeError):
            request_id = self._log(request, operation, token.app.name, 400)
            return self._respond(
                400, b'{"errors":{"query":"Required parameter missing or invalid"}}', request_id
            )
        actor = Actor(f"api:{token.app.name}", token.app)
        reference = request.headers.get("x-client-reference")
        variables = asked.get("variables") or {}
        ask = Asking(self.world, token.shop, token.app, actor, reference, variables)
        wanted = asked.get("operationName")
        document = answer(ask, text, wanted)
        detail = _outcome(document)
        if fields := asked_of_the_root(text, wanted):
            detail["asked"] = fields
        request_id = self._log(request, operation, token.app.name, 200, tuple(ask.order_gids), **detail)
        return self._respond(200, json_body(document), request_id, **version)

    async def not_modelled(self, request: Request) -> Response:
        request_id = self._log(request, f"{request.method} {request.url.path}", "unknown", 404)
        return self._respond(404, _NOT_MODELLED, request_id)


def _outcome(document: dict[str, Any]) -> dict[str, Any]:
    """What a judge wants to know of an answer: error codes, user errors, cost. No personal data."""
    detail: dict[str, Any] = {}
    if "errors" in document:
        detail["errors"] = [item.get("extensions", {}).get("code") for item in document["errors"]]
    refusals = [
        (error.get("code"), error["message"])
        for payload in (document.get("data") or {}).values()
        if isinstance(payload, dict)
        for key in ("userErrors", "orderCancelUserErrors")
        for error in payload.get(key) or []
        if "message" in error
    ]
    if refusals:
        detail["user_errors"] = refusals
    cost = document.get("extensions", {}).get("cost")
    if cost is not None:
        detail["cost"] = cost["requestedQueryCost"]
    return detail


def _form(request: Request, body: bytes) -> dict[str, str]:
    if "json" in request.headers.get("content-type", ""):
        try:
            given = json.loads(body)
        except ValueError:
            return {}
        return given if isinstance(given, dict) else {}
    return {key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()}
