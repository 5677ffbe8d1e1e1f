from datetime import datetime
from decimal import Decimal
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class Bag(BaseModel):
    presentment_money: "BagPresentmentMoney" = Field(alias="presentmentMoney")


class BagPresentmentMoney(BaseModel):
    amount: Decimal
    currency_code: str = Field(alias="currencyCode")


class PostalAddress(BaseModel):
    first_name: Optional[str] = Field(alias="firstName")
    last_name: Optional[str] = Field(alias="lastName")
    company: Optional[str]
    address_1: Optional[str] = Field(alias="address1")
    address_2: Optional[str] = Field(alias="address2")
    city: Optional[str]
    province: Optional[str]
    zip_: Optional[str] = Field(alias="zip")
    country_code_v_2: Optional[str] = Field(alias="countryCodeV2")


class DraftFields(BaseModel):
    id: str
    status: str
    created_at: datetime = Field(alias="createdAt")
    reserve_inventory_until: Optional[datetime] = Field(alias="reserveInventoryUntil")
    presentment_currency_code: str = Field(alias="presentmentCurrencyCode")
    total_price_set: "DraftFieldsTotalPriceSet" = Field(alias="totalPriceSet")
    custom_attributes: list["DraftFieldsCustomAttributes"] = Field(
        alias="customAttributes"
    )
    order: Optional["DraftFieldsOrder"]
    shipping_address: Optional["DraftFieldsShippingAddress"] = Field(
        alias="shippingAddress"
    )


class DraftFieldsTotalPriceSet(Bag):
    pass


class DraftFieldsCustomAttributes(BaseModel):
    key: str
    value: Optional[str]


class DraftFieldsOrder(BaseModel):
    id: str
    name: str


class DraftFieldsShippingAddress(PostalAddress):
    pass


class EditedOrder(BaseModel):
    id: str
    line_items: "EditedOrderLineItems" = Field(alias="lineItems")
    added_line_items: "EditedOrderAddedLineItems" = Field(alias="addedLineItems")


class EditedOrderLineItems(BaseModel):
    nodes: list["EditedOrderLineItemsNodes"]


class EditedOrderLineItemsNodes(BaseModel):
    id: str
    quantity: int


class EditedOrderAddedLineItems(BaseModel):
    nodes: list["EditedOrderAddedLineItemsNodes"]


class EditedOrderAddedLineItemsNodes(BaseModel):
    quantity: int
    variant: Optional["EditedOrderAddedLineItemsNodesVariant"]


class EditedOrderAddedLineItemsNodesVariant(BaseModel):
    id: str


class FulfillmentOrderLineFields(BaseModel):
    id: str
    remaining_quantity: int = Field(alias="remainingQuantity")
    line_item: "FulfillmentOrderLineFieldsLineItem" = Field(alias="lineItem")


class FulfillmentOrderLineFieldsLineItem(BaseModel):
    id: str


class MerchantRequests(BaseModel):
    merchant_requests: "MerchantRequestsMerchantRequests" = Field(
        alias="merchantRequests"
    )


class MerchantRequestsMerchantRequests(BaseModel):
    nodes: list["MerchantRequestsMerchantRequestsNodes"]


class MerchantRequestsMerchantRequestsNodes(BaseModel):
    kind: str
    sent_at: datetime = Field(alias="sentAt")


class FulfillmentOrderFields(MerchantRequests):
    id: str
    status: str
    request_status: str = Field(alias="requestStatus")
    supported_actions: list["FulfillmentOrderFieldsSupportedActions"] = Field(
        alias="supportedActions"
    )
    fulfillment_holds: list["FulfillmentOrderFieldsFulfillmentHolds"] = Field(
        alias="fulfillmentHolds"
    )
    assigned_location: "FulfillmentOrderFieldsAssignedLocation" = Field(
        alias="assignedLocation"
    )
    delivery_method: Optional["FulfillmentOrderFieldsDeliveryMethod"] = Field(
        alias="deliveryMethod"
    )
    destination: Optional["FulfillmentOrderFieldsDestination"]
    line_items: "FulfillmentOrderFieldsLineItems" = Field(alias="lineItems")


class FulfillmentOrderFieldsSupportedActions(BaseModel):
    action: str


class FulfillmentOrderFieldsFulfillmentHolds(BaseModel):
    id: str
    handle: Optional[str]
    reason_notes: Optional[str] = Field(alias="reasonNotes")
    held_by_requesting_app: bool = Field(alias="heldByRequestingApp")


class FulfillmentOrderFieldsAssignedLocation(BaseModel):
    location: Optional["FulfillmentOrderFieldsAssignedLocationLocation"]


class FulfillmentOrderFieldsAssignedLocationLocation(BaseModel):
    id: str
    is_fulfillment_service: bool = Field(alias="isFulfillmentService")


class FulfillmentOrderFieldsDeliveryMethod(BaseModel):
    method_type: str = Field(alias="methodType")


class FulfillmentOrderFieldsDestination(BaseModel):
    first_name: Optional[str] = Field(alias="firstName")
    last_name: Optional[str] = Field(alias="lastName")
    company: Optional[str]
    address_1: Optional[str] = Field(alias="address1")
    address_2: Optional[str] = Field(alias="address2")
    city: Optional[str]
    province: Optional[str]
    zip_: Optional[str] = Field(alias="zip")
    country_code: Optional[str] = Field(alias="countryCode")


class FulfillmentOrderFieldsLineItems(BaseModel):
    nodes: list["FulfillmentOrderFieldsLineItemsNodes"]
    page_info: "FulfillmentOrderFieldsLineItemsPageInfo" = Field(alias="pageInfo")


class FulfillmentOrderFieldsLineItemsNodes(FulfillmentOrderLineFields):
    pass


class FulfillmentOrderFieldsLineItemsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


class LineFields(BaseModel):
    id: str
    sku: Optional[str]
    title: str
    quantity: int
    current_quantity: int = Field(alias="currentQuantity")
    requires_shipping: bool = Field(alias="requiresShipping")
    custom_attributes: list["LineFieldsCustomAttributes"] = Field(
        alias="customAttributes"
    )
    variant: Optional["LineFieldsVariant"]
    line_item_group: Optional["LineFieldsLineItemGroup"] = Field(alias="lineItemGroup")
    discounted_unit_price_after_all_discounts_set: "LineFieldsDiscountedUnitPriceAfterAllDiscountsSet" = Field(
        alias="discountedUnitPriceAfterAllDiscountsSet"
    )


class LineFieldsCustomAttributes(BaseModel):
    key: str
    value: Optional[str]


class LineFieldsVariant(BaseModel):
    id: str


class LineFieldsLineItemGroup(BaseModel):
    id: str


class LineFieldsDiscountedUnitPriceAfterAllDiscountsSet(Bag):
    pass


class RequestState(MerchantRequests):
    id: str
    request_status: str = Field(alias="requestStatus")


class StockFields(BaseModel):
    id: str
    sku: Optional[str]
    tracked: bool
    inventory_levels: "StockFieldsInventoryLevels" = Field(alias="inventoryLevels")


class StockFieldsInventoryLevels(BaseModel):
    nodes: list["StockFieldsInventoryLevelsNodes"]
    page_info: "StockFieldsInventoryLevelsPageInfo" = Field(alias="pageInfo")


class StockFieldsInventoryLevelsNodes(BaseModel):
    is_active: bool = Field(alias="isActive")
    location: "StockFieldsInventoryLevelsNodesLocation"
    quantities: list["StockFieldsInventoryLevelsNodesQuantities"]


class StockFieldsInventoryLevelsNodesLocation(BaseModel):
    id: str
    is_active: bool = Field(alias="isActive")
    fulfills_online_orders: bool = Field(alias="fulfillsOnlineOrders")


class StockFieldsInventoryLevelsNodesQuantities(BaseModel):
    name: str
    quantity: int


class StockFieldsInventoryLevelsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


Bag.model_rebuild()
PostalAddress.model_rebuild()
DraftFields.model_rebuild()
EditedOrder.model_rebuild()
FulfillmentOrderLineFields.model_rebuild()
MerchantRequests.model_rebuild()
FulfillmentOrderFields.model_rebuild()
LineFields.model_rebuild()
RequestState.model_rebuild()
StockFields.model_rebuild()
