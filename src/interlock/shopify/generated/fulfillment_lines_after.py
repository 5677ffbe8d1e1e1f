from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class FulfillmentLinesAfter(BaseModel):
    fulfillment: Optional["FulfillmentLinesAfterFulfillment"]


class FulfillmentLinesAfterFulfillment(BaseModel):
    fulfillment_line_items: "FulfillmentLinesAfterFulfillmentFulfillmentLineItems" = (
        Field(alias="fulfillmentLineItems")
    )


class FulfillmentLinesAfterFulfillmentFulfillmentLineItems(BaseModel):
    nodes: list["FulfillmentLinesAfterFulfillmentFulfillmentLineItemsNodes"]
    page_info: "FulfillmentLinesAfterFulfillmentFulfillmentLineItemsPageInfo" = Field(
        alias="pageInfo"
    )


class FulfillmentLinesAfterFulfillmentFulfillmentLineItemsNodes(BaseModel):
    quantity: Optional[int]
    line_item: "FulfillmentLinesAfterFulfillmentFulfillmentLineItemsNodesLineItem" = (
        Field(alias="lineItem")
    )


class FulfillmentLinesAfterFulfillmentFulfillmentLineItemsNodesLineItem(BaseModel):
    id: str


class FulfillmentLinesAfterFulfillmentFulfillmentLineItemsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


FulfillmentLinesAfter.model_rebuild()
FulfillmentLinesAfterFulfillment.model_rebuild()
FulfillmentLinesAfterFulfillmentFulfillmentLineItems.model_rebuild()
FulfillmentLinesAfterFulfillmentFulfillmentLineItemsNodes.model_rebuild()
