from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import FulfillmentOrderFields


class OrderFulfillmentOrdersAfter(BaseModel):
    order: Optional["OrderFulfillmentOrdersAfterOrder"]


class OrderFulfillmentOrdersAfterOrder(BaseModel):
    updated_at: datetime = Field(alias="updatedAt")
    fulfillment_orders: "OrderFulfillmentOrdersAfterOrderFulfillmentOrders" = Field(
        alias="fulfillmentOrders"
    )


class OrderFulfillmentOrdersAfterOrderFulfillmentOrders(BaseModel):
    nodes: list["OrderFulfillmentOrdersAfterOrderFulfillmentOrdersNodes"]
    page_info: "OrderFulfillmentOrdersAfterOrderFulfillmentOrdersPageInfo" = Field(
        alias="pageInfo"
    )


OrderFulfillmentOrdersAfterOrderFulfillmentOrdersNodes = FulfillmentOrderFields


class OrderFulfillmentOrdersAfterOrderFulfillmentOrdersPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


OrderFulfillmentOrdersAfter.model_rebuild()
OrderFulfillmentOrdersAfterOrder.model_rebuild()
OrderFulfillmentOrdersAfterOrderFulfillmentOrders.model_rebuild()
