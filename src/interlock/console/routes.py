"""Every page and form of the console."""

import httpx2
from fastapi import APIRouter
from fastapi.responses import Response
from fastapi.routing import APIRoute

from interlock.access.passwords import Passwords
from interlock.console.account_pages import account_routes
from interlock.console.alert_pages import alert_routes
from interlock.console.api_key_pages import api_key_routes
from interlock.console.audit_pages import audit_routes
from interlock.console.board_pages import board_routes
from interlock.console.case_pages import case_routes
from interlock.console.connection_pages import connection_routes
from interlock.console.doors import Door
from interlock.console.edit_pages import edit_routes
from interlock.console.evidence_pages import evidence_routes
from interlock.console.health_pages import health_routes
from interlock.console.label_pages import label_routes
from interlock.console.lineage_pages import lineage_routes
from interlock.console.live_pages import live_routes
from interlock.console.login_pages import login_routes
from interlock.console.manual_pages import manual_routes
from interlock.console.mapping_pages import mapping_routes
from interlock.console.order_list_pages import order_list_routes
from interlock.console.order_pages import order_routes
from interlock.console.outside_pages import outside_routes
from interlock.console.pages import Console
from interlock.console.people_pages import people_routes
from interlock.console.privacy_pages import privacy_routes
from interlock.console.reason_pages import reason_routes
from interlock.console.shipping_method_pages import shipping_method_routes
from interlock.console.sku_pages import sku_routes
from interlock.console.stock_pages import stock_routes
from interlock.console.theme_pages import theme_routes
from interlock.console.today_pages import today_routes


def router(
    console: Console, passwords: Passwords, provider: httpx2.AsyncBaseTransport | None = None
) -> APIRouter:
    """The console's routes, page by page."""
    routes = APIRouter(default_response_class=Response, route_class=Door)
    today_routes(routes, console)
    order_list_routes(routes, console)
    order_routes(routes, console)
    edit_routes(routes, console)
    evidence_routes(routes, console)
    lineage_routes(routes, console)
    label_routes(routes, console)
    board_routes(routes, console)
    case_routes(routes, console)
    # before the maps, whose file takes any name that ends like its own
    sku_routes(routes, console)
    reason_routes(routes, console)
    shipping_method_routes(routes, console)
    stock_routes(routes, console)
    mapping_routes(routes, console)
    connection_routes(routes, console)
    health_routes(routes, console)
    alert_routes(routes, console)
    manual_routes(routes, console)
    live_routes(routes, console)
    theme_routes(routes, console)
    login_routes(routes, console, passwords)
    outside_routes(routes, console, provider)
    account_routes(routes, console, passwords)
    people_routes(routes, console)
    api_key_routes(routes, console)
    audit_routes(routes, console)
    privacy_routes(routes, console)
    console.paths = frozenset(route.path for route in routes.routes if isinstance(route, APIRoute))
    return routes
