from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class Hold(BaseModel):
    fulfillment_order_hold: Optional["HoldFulfillmentOrderHold"] = Field(
        alias="fulfillmentOrderHold"
    )


class HoldFulfillmentOrderHold(BaseModel):
    fulfillment_hold: Optional["HoldFulfillmentOrderHoldFulfillmentHold"] = Field(
        alias="fulfillmentHold"
    )
    fulfillment_order: Optional["HoldFulfillmentOrderHoldFulfillmentOrder"] = Field(
        alias="fulfillmentOrder"
    )
    user_errors: list["HoldFulfillmentOrderHoldUserErrors"] = Field(alias="userErrors")


class HoldFulfillmentOrderHoldFulfillmentHold(BaseModel):
    id: str
    handle: Optional[str]
    held_by_requesting_app: bool = Field(alias="heldByRequestingApp")


class HoldFulfillmentOrderHoldFulfillmentOrder(BaseModel):
    id: str
    status: str


class HoldFulfillmentOrderHoldUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str
    code: Optional[str]


Hold.model_rebuild()
HoldFulfillmentOrderHold.model_rebuild()
