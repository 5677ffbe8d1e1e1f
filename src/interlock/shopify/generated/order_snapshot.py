from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import Bag, FulfillmentOrderFields, LineFields, PostalAddress


class OrderSnapshot(BaseModel):
    order: Optional["OrderSnapshotOrder"]


class OrderSnapshotOrder(BaseModel):
    id: str
    name: str
    created_at: datetime = Field(alias="createdAt")
    updated_at: datetime = Field(alias="updatedAt")
    cancelled_at: Optional[datetime] = Field(alias="cancelledAt")
    closed: bool
    edited: bool
    merchant_editable: bool = Field(alias="merchantEditable")
    merchant_editable_errors: list[str] = Field(alias="merchantEditableErrors")
    presentment_currency_code: str = Field(alias="presentmentCurrencyCode")
    fully_paid: bool = Field(alias="fullyPaid")
    display_financial_status: Optional[str] = Field(alias="displayFinancialStatus")
    tags: list[str]
    note: Optional[str]
    custom_attributes: list["OrderSnapshotOrderCustomAttributes"] = Field(
        alias="customAttributes"
    )
    marker: Optional["OrderSnapshotOrderMarker"]
    lineage: Optional["OrderSnapshotOrderLineage"]
    status: Optional["OrderSnapshotOrderStatus"]
    email: Optional[str]
    customer: Optional["OrderSnapshotOrderCustomer"] = None
    source_identifier: Optional[str] = Field(alias="sourceIdentifier")
    app: Optional["OrderSnapshotOrderApp"]
    current_total_price_set: "OrderSnapshotOrderCurrentTotalPriceSet" = Field(
        alias="currentTotalPriceSet"
    )
    current_shipping_price_set: "OrderSnapshotOrderCurrentShippingPriceSet" = Field(
        alias="currentShippingPriceSet"
    )
    shipping_address: Optional["OrderSnapshotOrderShippingAddress"] = Field(
        alias="shippingAddress"
    )
    line_items: "OrderSnapshotOrderLineItems" = Field(alias="lineItems")
    fulfillment_orders: "OrderSnapshotOrderFulfillmentOrders" = Field(
        alias="fulfillmentOrders"
    )
    fulfillments: list["OrderSnapshotOrderFulfillments"]
    refunds: list["OrderSnapshotOrderRefunds"]


class OrderSnapshotOrderCustomAttributes(BaseModel):
    key: str
    value: Optional[str]


class OrderSnapshotOrderMarker(BaseModel):
    value: str


class OrderSnapshotOrderLineage(BaseModel):
    value: str


class OrderSnapshotOrderStatus(BaseModel):
    value: str


class OrderSnapshotOrderCustomer(BaseModel):
    default_email_address: Optional["OrderSnapshotOrderCustomerDefaultEmailAddress"] = (
        Field(alias="defaultEmailAddress")
    )


class OrderSnapshotOrderCustomerDefaultEmailAddress(BaseModel):
    marketing_state: str = Field(alias="marketingState")


class OrderSnapshotOrderApp(BaseModel):
    name: str


OrderSnapshotOrderCurrentTotalPriceSet = Bag
OrderSnapshotOrderCurrentShippingPriceSet = Bag


class OrderSnapshotOrderShippingAddress(PostalAddress):
    phone: Optional[str] = None


class OrderSnapshotOrderLineItems(BaseModel):
    nodes: list["OrderSnapshotOrderLineItemsNodes"]
    page_info: "OrderSnapshotOrderLineItemsPageInfo" = Field(alias="pageInfo")


OrderSnapshotOrderLineItemsNodes = LineFields


class OrderSnapshotOrderLineItemsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


class OrderSnapshotOrderFulfillmentOrders(BaseModel):
    nodes: list["OrderSnapshotOrderFulfillmentOrdersNodes"]
    page_info: "OrderSnapshotOrderFulfillmentOrdersPageInfo" = Field(alias="pageInfo")


OrderSnapshotOrderFulfillmentOrdersNodes = FulfillmentOrderFields


class OrderSnapshotOrderFulfillmentOrdersPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


class OrderSnapshotOrderFulfillments(BaseModel):
    id: str
    status: str
    display_status: Optional[str] = Field(alias="displayStatus")
    created_at: datetime = Field(alias="createdAt")
    location: Optional["OrderSnapshotOrderFulfillmentsLocation"]
    tracking_info: list["OrderSnapshotOrderFulfillmentsTrackingInfo"] = Field(
        alias="trackingInfo"
    )
    fulfillment_line_items: "OrderSnapshotOrderFulfillmentsFulfillmentLineItems" = (
        Field(alias="fulfillmentLineItems")
    )


class OrderSnapshotOrderFulfillmentsLocation(BaseModel):
    id: str


class OrderSnapshotOrderFulfillmentsTrackingInfo(BaseModel):
    company: Optional[str]
    number: Optional[str]
    url: Optional[str]


class OrderSnapshotOrderFulfillmentsFulfillmentLineItems(BaseModel):
    nodes: list["OrderSnapshotOrderFulfillmentsFulfillmentLineItemsNodes"]
    page_info: "OrderSnapshotOrderFulfillmentsFulfillmentLineItemsPageInfo" = Field(
        alias="pageInfo"
    )


class OrderSnapshotOrderFulfillmentsFulfillmentLineItemsNodes(BaseModel):
    quantity: Optional[int]
    line_item: "OrderSnapshotOrderFulfillmentsFulfillmentLineItemsNodesLineItem" = (
        Field(alias="lineItem")
    )


class OrderSnapshotOrderFulfillmentsFulfillmentLineItemsNodesLineItem(BaseModel):
    id: str


class OrderSnapshotOrderFulfillmentsFulfillmentLineItemsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


class OrderSnapshotOrderRefunds(BaseModel):
    id: str
    created_at: Optional[datetime] = Field(alias="createdAt")
    refund_line_items: "OrderSnapshotOrderRefundsRefundLineItems" = Field(
        alias="refundLineItems"
    )
    transactions: "OrderSnapshotOrderRefundsTransactions"


class OrderSnapshotOrderRefundsRefundLineItems(BaseModel):
    nodes: list["OrderSnapshotOrderRefundsRefundLineItemsNodes"]
    page_info: "OrderSnapshotOrderRefundsRefundLineItemsPageInfo" = Field(
        alias="pageInfo"
    )


class OrderSnapshotOrderRefundsRefundLineItemsNodes(BaseModel):
    quantity: int
    line_item: "OrderSnapshotOrderRefundsRefundLineItemsNodesLineItem" = Field(
        alias="lineItem"
    )


class OrderSnapshotOrderRefundsRefundLineItemsNodesLineItem(BaseModel):
    id: str


class OrderSnapshotOrderRefundsRefundLineItemsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


class OrderSnapshotOrderRefundsTransactions(BaseModel):
    nodes: list["OrderSnapshotOrderRefundsTransactionsNodes"]
    page_info: "OrderSnapshotOrderRefundsTransactionsPageInfo" = Field(alias="pageInfo")


class OrderSnapshotOrderRefundsTransactionsNodes(BaseModel):
    kind: str
    status: str
    amount_set: "OrderSnapshotOrderRefundsTransactionsNodesAmountSet" = Field(
        alias="amountSet"
    )


OrderSnapshotOrderRefundsTransactionsNodesAmountSet = Bag


class OrderSnapshotOrderRefundsTransactionsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


OrderSnapshot.model_rebuild()
OrderSnapshotOrder.model_rebuild()
OrderSnapshotOrderCustomer.model_rebuild()
OrderSnapshotOrderLineItems.model_rebuild()
OrderSnapshotOrderFulfillmentOrders.model_rebuild()
OrderSnapshotOrderFulfillments.model_rebuild()
OrderSnapshotOrderFulfillmentsFulfillmentLineItems.model_rebuild()
OrderSnapshotOrderFulfillmentsFulfillmentLineItemsNodes.model_rebuild()
OrderSnapshotOrderRefunds.model_rebuild()
OrderSnapshotOrderRefundsRefundLineItems.model_rebuild()
OrderSnapshotOrderRefundsRefundLineItemsNodes.model_rebuild()
OrderSnapshotOrderRefundsTransactions.model_rebuild()
OrderSnapshotOrderRefundsTransactionsNodes.model_rebuild()
