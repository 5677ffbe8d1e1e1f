from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import RequestState


class AskServiceToStop(BaseModel):
    fulfillment_order_submit_cancellation_request: Optional[
        "AskServiceToStopFulfillmentOrderSubmitCancellationRequest"
    ] = Field(alias="fulfillmentOrderSubmitCancellationRequest")


class AskServiceToStopFulfillmentOrderSubmitCancellationRequest(BaseModel):
    fulfillment_order: Optional[
        "AskServiceToStopFulfillmentOrderSubmitCancellationRequestFulfillmentOrder"
    ] = Field(alias="fulfillmentOrder")
    user_errors: list[
        "AskServiceToStopFulfillmentOrderSubmitCancellationRequestUserErrors"
    ] = Field(alias="userErrors")


AskServiceToStopFulfillmentOrderSubmitCancellationRequestFulfillmentOrder = RequestState


class AskServiceToStopFulfillmentOrderSubmitCancellationRequestUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str


AskServiceToStop.model_rebuild()
AskServiceToStopFulfillmentOrderSubmitCancellationRequest.model_rebuild()
