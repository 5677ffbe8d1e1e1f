from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import FulfillmentOrderLineFields


class FulfillmentOrderLinesAfter(BaseModel):
    fulfillment_order: Optional["FulfillmentOrderLinesAfterFulfillmentOrder"] = Field(
        alias="fulfillmentOrder"
    )


class FulfillmentOrderLinesAfterFulfillmentOrder(BaseModel):
    line_items: "FulfillmentOrderLinesAfterFulfillmentOrderLineItems" = Field(
        alias="lineItems"
    )


class FulfillmentOrderLinesAfterFulfillmentOrderLineItems(BaseModel):
    nodes: list["FulfillmentOrderLinesAfterFulfillmentOrderLineItemsNodes"]
    page_info: "FulfillmentOrderLinesAfterFulfillmentOrderLineItemsPageInfo" = Field(
        alias="pageInfo"
    )


FulfillmentOrderLinesAfterFulfillmentOrderLineItemsNodes = FulfillmentOrderLineFields


class FulfillmentOrderLinesAfterFulfillmentOrderLineItemsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


FulfillmentOrderLinesAfter.model_rebuild()
FulfillmentOrderLinesAfterFulfillmentOrder.model_rebuild()
FulfillmentOrderLinesAfterFulfillmentOrderLineItems.model_rebuild()
