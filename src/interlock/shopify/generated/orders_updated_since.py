from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class OrdersUpdatedSince(BaseModel):
    orders: "OrdersUpdatedSinceOrders"


class OrdersUpdatedSinceOrders(BaseModel):
    nodes: list["OrdersUpdatedSinceOrdersNodes"]
    page_info: "OrdersUpdatedSinceOrdersPageInfo" = Field(alias="pageInfo")


class OrdersUpdatedSinceOrdersNodes(BaseModel):
    id: str
    name: str
    created_at: datetime = Field(alias="createdAt")
    updated_at: datetime = Field(alias="updatedAt")
    cancelled_at: Optional[datetime] = Field(alias="cancelledAt")
    tags: list[str]
    custom_attributes: list["OrdersUpdatedSinceOrdersNodesCustomAttributes"] = Field(
        alias="customAttributes"
    )


class OrdersUpdatedSinceOrdersNodesCustomAttributes(BaseModel):
    key: str
    value: Optional[str]


class OrdersUpdatedSinceOrdersPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


OrdersUpdatedSince.model_rebuild()
OrdersUpdatedSinceOrders.model_rebuild()
OrdersUpdatedSinceOrdersNodes.model_rebuild()
