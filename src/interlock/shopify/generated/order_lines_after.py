from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import LineFields


class OrderLinesAfter(BaseModel):
    order: Optional["OrderLinesAfterOrder"]


class OrderLinesAfterOrder(BaseModel):
    updated_at: datetime = Field(alias="updatedAt")
    line_items: "OrderLinesAfterOrderLineItems" = Field(alias="lineItems")


class OrderLinesAfterOrderLineItems(BaseModel):
    nodes: list["OrderLinesAfterOrderLineItemsNodes"]
    page_info: "OrderLinesAfterOrderLineItemsPageInfo" = Field(alias="pageInfo")


OrderLinesAfterOrderLineItemsNodes = LineFields


class OrderLinesAfterOrderLineItemsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


OrderLinesAfter.model_rebuild()
OrderLinesAfterOrder.model_rebuild()
OrderLinesAfterOrderLineItems.model_rebuild()
