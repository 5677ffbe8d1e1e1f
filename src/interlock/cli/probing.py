"""Asks both platforms what a new connection would find there, before anything is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from interlock.clock import Clock
from interlock.engine.hosts import PrivateHost, refuse_private
from interlock.mirakl import read as mirakl_read
from interlock.mirakl.account import KeyUnusable, MiraklAccount
from interlock.mirakl.failures import ReadError, ReadRefused
from interlock.orders.capability import Capability
from interlock.orders.outcomes import Confirmed, Refused, Unavailable, Unknown
from interlock.shopify import perform as shopify_perform
from interlock.shopify import read as shopify_read
from interlock.shopify.account import ShopAddressRefused, ShopifyShop
from interlock.shopify.classify import CallFailed
from interlock.wiring import mirakl_to_try, shop_to_try

SHOPIFY_SECRET_VARIABLE = "SHOPIFY_CLIENT_SECRET"
COUNTED_OPERATIONS = ("A01", "RE01", "SH12", "SH21")
"""What the probe calls and the published ceilings count: charged to the account once its shop id is known."""


class CannotConnect(Exception):
    """One side cannot be used as it was given; nothing was stored. `unreachable` when it did not answer."""

    def __init__(self, sentence: str, unreachable: bool = False) -> None:
        super().__init__(sentence)
        self.unreachable = unreachable


@dataclass(frozen=True, slots=True)
class Probed:
    """What both platforms said of themselves."""

    capability: Capability
    readiness: shopify_read.Readiness
    shop_id: int


async def probe(
    mirakl_origin: str,
    mirakl_key: str,
    shop_id: str,
    shop: ShopifyShop,
    clock: Clock,
    transports: Mapping[str, httpx2.AsyncBaseTransport] | None = None,
) -> Probed:
    """Read A01, PC01, RE01, SH12 and SH21 of the marketplace and the start-up facts of the shop, and define the
    marker in it. Raises CannotConnect. `transports` stand in for the network, by origin."""
    if transports is None:
        try:
            for origin in (mirakl_origin, shop.base_url):
                await refuse_private(origin, shop.loopback_http)
        except PrivateHost as refused:
            raise CannotConnect(f"{refused} Nothing was stored.") from refused
    capability = await _marketplace(mirakl_origin, mirakl_key, shop_id, _http(transports, mirakl_origin))
    readiness = await _shop(shop, clock, _http(transports, shop.base_url))
    if not capability.shop_id.isdigit():
        raise CannotConnect(
            "The marketplace did not say which shop the key belongs to (A01 shop_id). Nothing was stored."
        )
    return Probed(capability, readiness, int(capability.shop_id))


def _http(transports: Mapping[str, httpx2.AsyncBaseTransport] | None, origin: str) -> httpx2.AsyncClient:
    arguments: dict[str, Any] = {"trust_env": False, "follow_redirects": False}
    if transports is not None:
        arguments["transport"] = transports[origin]
    return httpx2.AsyncClient(**arguments)


async def _without_empty_shop_id(request: httpx2.Request) -> None:
    """Leave an empty `shop_id` away: a key of one shop says by itself which shop it means (A01)."""
    if request.url.params.get("shop_id") == "":
        request.url = request.url.copy_remove_param("shop_id")


async def _marketplace(origin: str, key: str, shop_id: str, http: httpx2.AsyncClient) -> Capability:
    http.event_hooks = {"request": [_without_empty_shop_id]}
    try:
        async with http:
            client = mirakl_to_try(MiraklAccount(origin, key, shop_id), http)
            return await mirakl_read.capability(client)
    except KeyUnusable as wrong:
        raise CannotConnect(f"{wrong} Nothing was stored.") from wrong
    except ReadRefused as refused:
        raise CannotConnect(f"The marketplace at {origin}: {refused} Nothing was stored.") from refused
    except ReadError as failed:
        raise CannotConnect(f"The marketplace at {origin}: {failed} Nothing was stored.", True) from failed


async def _shop(shop: ShopifyShop, clock: Clock, http: httpx2.AsyncClient) -> shopify_read.Readiness:
    try:
        async with http:
            client = shop_to_try(shop, http, clock)
            readiness = await shopify_read.startup(client)
            _refuse_unready(shop, readiness)
            outcome = await shopify_perform.define_marker(client)
            if isinstance(outcome, Confirmed):
                outcome = await shopify_perform.define_status(client)
    except CallFailed as failed:
        if failed.trouble == "credential_refused":
            raise CannotConnect(
                f"Shopify refused the credentials of the app for {shop.shop_domain}: the client id (--shopify-client-id) or the "
                f"client secret (--shopify-secret-file, or {SHOPIFY_SECRET_VARIABLE}) is wrong, or the app is not installed in "
                "this shop. Compare both with those of the app where it was made, and the apps the shop lists as installed. "
                "Nothing was stored."
            ) from failed
        away = not isinstance(failed.outcome, Refused)
        raise CannotConnect(f"The shop {shop.shop_domain}: {failed} Nothing was stored.", away) from failed
    match outcome:
        case Confirmed():
            return readiness
        case Refused(code=code, words=words):
            why, away = f"{code}: {words}", False
        case Unavailable(why=why) | Unknown(why=why):
            away = True
    raise CannotConnect(
        f"The shop {shop.shop_domain} did not take the definitions of our metafields ({why}). Nothing was stored.",
        away,
    )


def _refuse_unready(shop: ShopifyShop, readiness: shopify_read.Readiness) -> None:
    if readiness.missing_scopes:
        missing = ", ".join(readiness.missing_scopes)
        raise CannotConnect(
            f"The app in {shop.shop_domain} lacks the scopes {missing}. Without them Shopify hides parcels without a "
            "word, or refuses our own edits of an order (write_order_edits): nothing the marketplace changed could be "
            "carried into the shop, and nothing undone. Grant them to the app, install it again, and connect once more. Nothing was stored."
        )
    if not readiness.version_supported:
        raise CannotConnect(
            f"The shop {shop.shop_domain} does not offer API version {readiness.version}. Use a release of Interlock "
            "that speaks a version it offers. Nothing was stored."
        )
    if readiness.shop_domain != shop.shop_domain:
        raise CannotConnect(
            f"The shop at {shop.base_url} calls itself {readiness.shop_domain}, not {shop.shop_domain}. "
            "Nothing was stored."
        )


def shopify_shop(domain: str, origin: str, client_id: str, secret: str, loopback_http: bool) -> ShopifyShop:
    """The shop as it was given. Raises CannotConnect when its address must not be sent credentials."""
    try:
        return ShopifyShop(domain, origin or f"https://{domain}", client_id, secret, loopback_http)
    except ShopAddressRefused as refused:
        raise CannotConnect(f"{refused} Nothing was stored.") from refused
