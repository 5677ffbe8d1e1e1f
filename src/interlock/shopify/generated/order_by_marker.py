from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class OrderByMarker(BaseModel):
    order_by_identifier: Optional["OrderByMarkerOrderByIdentifier"] = Field(
        alias="orderByIdentifier"
    )


class OrderByMarkerOrderByIdentifier(BaseModel):
    id: str
    name: str
    created_at: datetime = Field(alias="createdAt")
    cancelled_at: Optional[datetime] = Field(alias="cancelledAt")
    marker: Optional["OrderByMarkerOrderByIdentifierMarker"]


class OrderByMarkerOrderByIdentifierMarker(BaseModel):
    value: str


OrderByMarker.model_rebuild()
OrderByMarkerOrderByIdentifier.model_rebuild()
