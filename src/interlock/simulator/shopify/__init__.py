"""A Shopify shop as it behaves towards an app: orders, edits, holds, fulfilments, refunds, stock and webhooks."""

from interlock.simulator.shopify.refusals import Refused
from interlock.simulator.shopify.switches import SHOPIFY_SWITCHES
from interlock.simulator.shopify.webhooks import WebhookWeather
from interlock.simulator.shopify.world import IndexLag, ShopifyWorld

__all__ = ["SHOPIFY_SWITCHES", "IndexLag", "Refused", "ShopifyWorld", "WebhookWeather"]
