"""Who asks, and what has been noticed while answering."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from graphql import GraphQLResolveInfo

from interlock.simulator.shopify.acts import Act
from interlock.simulator.shopify.refusals import TopLevelRefusal
from interlock.simulator.shopify.state import Actor, App, Order, Shop

if TYPE_CHECKING:
    from interlock.simulator.shopify.world import ShopifyWorld


@dataclass(slots=True)
class Asking:
    """The context of one GraphQL request."""

    world: ShopifyWorld
    shop: Shop
    app: App
    actor: Actor
    reference: str | None
    variables: dict[str, Any]
    order_gids: dict[str, None] = field(default_factory=dict)
    search: list[dict[str, Any]] = field(default_factory=list)

    def saw(self, order: Order) -> Order:
        self.order_gids[order.gid] = None
        return order

    def act(self) -> Act:
        return Act(self.world, self.shop, self.actor, self.reference)

    def may(self, *any_of: str) -> bool:
        return any(scope in self.app.scopes for scope in any_of)

    def need(self, what: str, *any_of: str) -> None:
        """Raises ACCESS_DENIED with `requiredAccess` (reference 4.4)."""
        if not self.may(*any_of):
            scopes = " or ".join(f"`{scope}`" for scope in any_of)
            raise TopLevelRefusal(
                f"Access denied for {what} field. Required access: {scopes} access scope.",
                "ACCESS_DENIED",
                documentation="https://shopify.dev/api/usage/access-scopes",
                requiredAccess=f"{scopes} access scope.",
            )

    def sees(self, fulfillment_service: bool) -> bool:
        """Fulfilment orders of kinds the token does not cover are silently left out (reference 1.13)."""
        kind = "third_party" if fulfillment_service else "merchant_managed"
        return self.may(f"read_{kind}_fulfillment_orders", f"write_{kind}_fulfillment_orders")


Info: TypeAlias = GraphQLResolveInfo[Asking]
