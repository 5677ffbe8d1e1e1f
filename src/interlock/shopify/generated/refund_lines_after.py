from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class RefundLinesAfter(BaseModel):
    refund: Optional["RefundLinesAfterRefund"]


class RefundLinesAfterRefund(BaseModel):
    refund_line_items: "RefundLinesAfterRefundRefundLineItems" = Field(
        alias="refundLineItems"
    )


class RefundLinesAfterRefundRefundLineItems(BaseModel):
    nodes: list["RefundLinesAfterRefundRefundLineItemsNodes"]
    page_info: "RefundLinesAfterRefundRefundLineItemsPageInfo" = Field(alias="pageInfo")


class RefundLinesAfterRefundRefundLineItemsNodes(BaseModel):
    quantity: int
    line_item: "RefundLinesAfterRefundRefundLineItemsNodesLineItem" = Field(
        alias="lineItem"
    )


class RefundLinesAfterRefundRefundLineItemsNodesLineItem(BaseModel):
    id: str


class RefundLinesAfterRefundRefundLineItemsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


RefundLinesAfter.model_rebuild()
RefundLinesAfterRefund.model_rebuild()
RefundLinesAfterRefundRefundLineItems.model_rebuild()
RefundLinesAfterRefundRefundLineItemsNodes.model_rebuild()
