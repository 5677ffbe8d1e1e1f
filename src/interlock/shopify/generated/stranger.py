from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import PostalAddress


class Stranger(BaseModel):
    order: Optional["StrangerOrder"]


class StrangerOrder(BaseModel):
    id: str
    name: str
    cancelled_at: Optional[datetime] = Field(alias="cancelledAt")
    tags: list[str]
    email: Optional[str]
    note: Optional[str]
    source_identifier: Optional[str] = Field(alias="sourceIdentifier")
    lineage: Optional["StrangerOrderLineage"]
    custom_attributes: list["StrangerOrderCustomAttributes"] = Field(
        alias="customAttributes"
    )
    shipping_address: Optional["StrangerOrderShippingAddress"] = Field(
        alias="shippingAddress"
    )


class StrangerOrderLineage(BaseModel):
    value: str


class StrangerOrderCustomAttributes(BaseModel):
    key: str
    value: Optional[str]


StrangerOrderShippingAddress = PostalAddress
Stranger.model_rebuild()
StrangerOrder.model_rebuild()
