from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import RequestState


class ServiceRequest(BaseModel):
    fulfillment_order: Optional["ServiceRequestFulfillmentOrder"] = Field(
        alias="fulfillmentOrder"
    )


ServiceRequestFulfillmentOrder = RequestState
ServiceRequest.model_rebuild()
