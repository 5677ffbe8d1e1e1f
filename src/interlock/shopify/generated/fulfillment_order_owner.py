from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class FulfillmentOrderOwner(BaseModel):
    fulfillment_order: Optional["FulfillmentOrderOwnerFulfillmentOrder"] = Field(
        alias="fulfillmentOrder"
    )


class FulfillmentOrderOwnerFulfillmentOrder(BaseModel):
    id: str
    status: str
    order_id: str = Field(alias="orderId")
    order_name: str = Field(alias="orderName")
    fulfillment_holds: list["FulfillmentOrderOwnerFulfillmentOrderFulfillmentHolds"] = (
        Field(alias="fulfillmentHolds")
    )


class FulfillmentOrderOwnerFulfillmentOrderFulfillmentHolds(BaseModel):
    id: str
    handle: Optional[str]
    held_by_requesting_app: bool = Field(alias="heldByRequestingApp")


FulfillmentOrderOwner.model_rebuild()
FulfillmentOrderOwnerFulfillmentOrder.model_rebuild()
