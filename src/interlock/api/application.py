"""The API's application, mounted under `/v1` of the web process."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from interlock.access.audit_log import RecordingStore
from interlock.api.bundles import bundle_routes
from interlock.api.cases import case_routes
from interlock.api.editing import edit_routes
from interlock.api.gate import NEEDED, Caller, Gate
from interlock.api.health import health_routes
from interlock.api.label_check import label_routes
from interlock.api.mappings import mapping_routes
from interlock.api.orders import order_routes
from interlock.api.problems import responses, say_what_went_wrong
from interlock.api.reason_codes import reason_routes
from interlock.api.shipping_methods import shipping_method_routes
from interlock.api.skus import sku_routes
from interlock.clock import Clock, Identifiers
from interlock.console.api_key_list import names_in
from interlock.console.connections import connection_names
from interlock.console.editing import Desk
from interlock.engine.gateways import Connections
from interlock.engine.labels import label_check
from interlock.engine.queue import Queue
from interlock.storage.database import Store
from interlock.storage.encryption import Keyring

DESCRIPTION = """
For programs that work beside Interlock: a warehouse system that asks whether a label may be printed, a desk that
previews an edit. Every call shows a key (`Authorization: Bearer il_…`) with the scope it needs. What is wrong is answered
with a code and a sentence. No answer holds personal data.
"""


@dataclass(frozen=True)
class ApiParts:
    """What the API is made of. `connections` is None where a process has no way to the platforms; what needs to ask
    them then says that it cannot."""

    store: Store
    clock: Clock
    identifiers: Identifiers
    queue: Queue
    keyring: Keyring
    connections: Connections | None = None


class KeyShown(BaseModel):
    """The key a call was made with."""

    id: int = Field(description="Its number, as `interlock api-key list` shows it.")
    name: str
    scopes: list[str]
    connections: list[str] = Field(description="The names of those it is for; empty for all there are.")
    person: str = Field(description="Whose own key it is, empty for the key of a program.")


def create_api(parts: ApiParts) -> FastAPI:
    """The whole API. Routes are added here, each from a module of its own."""
    app = FastAPI(
        title="Interlock API",
        version="1",
        description=DESCRIPTION,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    gate = Gate(parts.store, parts.clock)
    store = RecordingStore(parts.store, parts.clock)
    labels = label_check(
        parts.store,
        parts.clock,
        parts.identifiers,
        parts.queue,
        parts.keyring,
        parts.connections,
        "api",
        recording=store,
    )
    app.include_router(_said(_key_routes(gate, parts.store)))
    app.include_router(_said(label_routes(gate, labels, parts.clock)))
    desk = Desk(parts.queue, parts.keyring, parts.identifiers)
    app.include_router(_said(order_routes(gate, store, parts.clock)))
    app.include_router(_said(edit_routes(gate, store, parts.clock, desk)))
    app.include_router(_said(case_routes(gate, store, parts.clock, desk)))
    app.include_router(_said(mapping_routes(gate, store, parts.clock, desk)))
    app.include_router(_said(bundle_routes(gate, store, parts.clock, desk)))
    app.include_router(_said(reason_routes(gate, store, parts.clock, desk)))
    app.include_router(_said(shipping_method_routes(gate, store, parts.clock, desk)))
    app.include_router(_said(sku_routes(gate, store, parts.clock)))
    app.include_router(_said(health_routes(gate, store, parts.clock)))
    say_what_went_wrong(app, parts.store)
    return app


def description() -> dict[str, Any]:
    """The OpenAPI document, as `/v1/openapi.json` serves it. It needs no installation: nothing is asked."""
    nothing: Any = None
    app = create_api(ApiParts(nothing, nothing, nothing, nothing, nothing))
    return {**app.openapi(), "servers": [{"url": "/v1"}]}


def _said(routes: APIRouter) -> APIRouter:
    """The routes, each saying in the description which scope it needs, as `x-scope` (empty where any key may ask), and
    what it does in its first sentence."""
    for route in routes.routes:
        if isinstance(route, APIRoute):
            needed = [getattr(one.call, NEEDED, None) for one in route.dependant.dependencies]
            named = next((scope.value for scope in needed if scope is not None), "")
            route.openapi_extra = {"x-scope": named}
            route.summary = route.description.partition(". ")[0].removesuffix(".").replace("\n", " ")
    return routes


def _key_routes(gate: Gate, store: Store) -> APIRouter:
    routes = APIRouter(tags=["key"])

    @routes.get("/key", responses=responses(), operation_id="show_key")
    async def show(caller: Annotated[Caller, Depends(gate.anyone)]) -> KeyShown:
        """Say which key this is and what it may do. Any valid key may ask."""
        names = await store.tx(connection_names) if caller.connections is not None else {}
        return KeyShown(
            id=caller.id,
            name=caller.name,
            scopes=[scope.value for scope in caller.scopes],
            connections=names_in(names, caller.connections),
            person="" if caller.person is None else caller.person.handle,
        )

    return routes
