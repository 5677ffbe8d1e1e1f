"""Every route says what it needs, and what it needs is what is written here."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount

from interlock.console.doors import Door, need_of
from interlock.storage.database import InlineStore
from interlock.storage.encryption import Keyring
from interlock.web import WebParts, create_app
from tests.console.seed import Numbered, Stopped, Wakes

# What is no page: it checks a signature or a key by itself, or says nothing about anybody.
MACHINES = {"/webhooks/shopify/{place}", "/healthz", "/metrics", "/v1", "/static"}


def every_route(routes: list[BaseRoute]) -> Iterator[BaseRoute]:
    """The routes of an application, those of included routers too."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from every_route(included.routes)


@pytest.fixture
def app(store: InlineStore, keyring: Keyring) -> FastAPI:
    return create_app(WebParts(store, Stopped(), Numbered(), Wakes(), keyring))


def test_every_route_is_behind_the_doors_and_says_what_it_needs(app: FastAPI) -> None:
    silent = []
    behind = 0
    for route in every_route(app.routes):
        path = route.path if isinstance(route, (APIRoute, Mount)) else str(getattr(route, "path", route))
        if path in MACHINES:
            continue
        assert isinstance(route, Door), f"{path} is not behind the doors: use the console's router"
        behind += 1
        if need_of(route.endpoint) is None:
            silent.append(f"{sorted(route.methods or ())} {path} ({route.endpoint.__module__})")

    assert behind >= 20
    assert silent == [], "say @needs(Permission.…) below the route's decorator"
