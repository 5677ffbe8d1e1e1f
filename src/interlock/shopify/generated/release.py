from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class Release(BaseModel):
    fulfillment_order_release_hold: Optional["ReleaseFulfillmentOrderReleaseHold"] = (
        Field(alias="fulfillmentOrderReleaseHold")
    )


class ReleaseFulfillmentOrderReleaseHold(BaseModel):
    fulfillment_order: Optional[
        "ReleaseFulfillmentOrderReleaseHoldFulfillmentOrder"
    ] = Field(alias="fulfillmentOrder")
    user_errors: list["ReleaseFulfillmentOrderReleaseHoldUserErrors"] = Field(
        alias="userErrors"
    )


class ReleaseFulfillmentOrderReleaseHoldFulfillmentOrder(BaseModel):
    id: str
    status: str
    fulfillment_holds: list[
        "ReleaseFulfillmentOrderReleaseHoldFulfillmentOrderFulfillmentHolds"
    ] = Field(alias="fulfillmentHolds")


class ReleaseFulfillmentOrderReleaseHoldFulfillmentOrderFulfillmentHolds(BaseModel):
    id: str


class ReleaseFulfillmentOrderReleaseHoldUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str
    code: Optional[str]


Release.model_rebuild()
ReleaseFulfillmentOrderReleaseHold.model_rebuild()
ReleaseFulfillmentOrderReleaseHoldFulfillmentOrder.model_rebuild()
