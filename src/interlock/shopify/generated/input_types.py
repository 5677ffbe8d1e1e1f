from datetime import datetime
from decimal import Decimal
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class AttributeInput(BaseModel):
    key: str
    value: str


class BundlesDraftOrderBundleLineItemComponentInput(BaseModel):
    quantity: int
    uuid: Optional[str] = None
    variant_id: Optional[str] = Field(alias="variantId", default=None)


class DepositInput(BaseModel):
    percentage: float


class DraftOrderAppliedDiscountInput(BaseModel):
    amount: Optional[Decimal] = None
    amount_with_currency: Optional["MoneyInput"] = Field(
        alias="amountWithCurrency", default=None
    )
    description: Optional[str] = None
    title: Optional[str] = None
    value: float
    value_type: str = Field(alias="valueType")


class DraftOrderDeleteInput(BaseModel):
    id: str


class DraftOrderInput(BaseModel):
    accept_automatic_discounts: Optional[bool] = Field(
        alias="acceptAutomaticDiscounts", default=None
    )
    allow_discount_codes_in_checkout: Optional[bool] = Field(
        alias="allowDiscountCodesInCheckout", default=None
    )
    applied_discount: Optional["DraftOrderAppliedDiscountInput"] = Field(
        alias="appliedDiscount", default=None
    )
    billing_address: Optional["MailingAddressInput"] = Field(
        alias="billingAddress", default=None
    )
    custom_attributes: Optional[list["AttributeInput"]] = Field(
        alias="customAttributes", default=None
    )
    customer_id: Optional[str] = Field(alias="customerId", default=None)
    deposit: Optional["DepositInput"] = None
    discount_codes: Optional[list[str]] = Field(alias="discountCodes", default=None)
    email: Optional[str] = None
    line_items: Optional[list["DraftOrderLineItemInput"]] = Field(
        alias="lineItems", default=None
    )
    localization_extensions: Optional[list["LocalizationExtensionInput"]] = Field(
        alias="localizationExtensions", default=None
    )
    localized_fields: Optional[list["LocalizedFieldInput"]] = Field(
        alias="localizedFields", default=None
    )
    market_region_country_code: Optional[str] = Field(
        alias="marketRegionCountryCode", default=None
    )
    metafields: Optional[list["MetafieldInput"]] = None
    note: Optional[str] = None
    payment_terms: Optional["PaymentTermsInput"] = Field(
        alias="paymentTerms", default=None
    )
    phone: Optional[str] = None
    po_number: Optional[str] = Field(alias="poNumber", default=None)
    presentment_currency_code: Optional[str] = Field(
        alias="presentmentCurrencyCode", default=None
    )
    purchasing_entity: Optional["PurchasingEntityInput"] = Field(
        alias="purchasingEntity", default=None
    )
    reserve_inventory_until: Optional[datetime] = Field(
        alias="reserveInventoryUntil", default=None
    )
    session_token: Optional[str] = Field(alias="sessionToken", default=None)
    shipping_address: Optional["MailingAddressInput"] = Field(
        alias="shippingAddress", default=None
    )
    shipping_line: Optional["ShippingLineInput"] = Field(
        alias="shippingLine", default=None
    )
    source_name: Optional[str] = Field(alias="sourceName", default=None)
    tags: Optional[list[str]] = None
    tax_exempt: Optional[bool] = Field(alias="taxExempt", default=None)
    transformer_fingerprint: Optional[str] = Field(
        alias="transformerFingerprint", default=None
    )
    use_customer_default_address: Optional[bool] = Field(
        alias="useCustomerDefaultAddress", default=None
    )
    visible_to_customer: Optional[bool] = Field(alias="visibleToCustomer", default=None)


class DraftOrderLineItemComponentInput(BaseModel):
    quantity: int
    uuid: Optional[str] = None
    variant_id: Optional[str] = Field(alias="variantId", default=None)


class DraftOrderLineItemInput(BaseModel):
    applied_discount: Optional["DraftOrderAppliedDiscountInput"] = Field(
        alias="appliedDiscount", default=None
    )
    bundle_components: Optional[
        list["BundlesDraftOrderBundleLineItemComponentInput"]
    ] = Field(alias="bundleComponents", default=None)
    components: Optional[list["DraftOrderLineItemComponentInput"]] = None
    custom_attributes: Optional[list["AttributeInput"]] = Field(
        alias="customAttributes", default=None
    )
    generate_price_override: Optional[bool] = Field(
        alias="generatePriceOverride", default=None
    )
    grams: Optional[int] = None
    original_unit_price: Optional[Decimal] = Field(
        alias="originalUnitPrice", default=None
    )
    original_unit_price_with_currency: Optional["MoneyInput"] = Field(
        alias="originalUnitPriceWithCurrency", default=None
    )
    price_override: Optional["MoneyInput"] = Field(alias="priceOverride", default=None)
    quantity: int
    requires_shipping: Optional[bool] = Field(alias="requiresShipping", default=None)
    sku: Optional[str] = None
    taxable: Optional[bool] = None
    title: Optional[str] = None
    uuid: Optional[str] = None
    variant_id: Optional[str] = Field(alias="variantId", default=None)
    weight: Optional["WeightInput"] = None


class FulfillmentOrderHoldInput(BaseModel):
    external_id: Optional[str] = Field(alias="externalId", default=None)
    fulfillment_order_line_items: Optional[list["FulfillmentOrderLineItemInput"]] = (
        Field(alias="fulfillmentOrderLineItems", default_factory=lambda: [])
    )
    handle: Optional[str] = ""
    notify_merchant: Optional[bool] = Field(alias="notifyMerchant", default=False)
    reason: str
    reason_notes: Optional[str] = Field(alias="reasonNotes", default=None)


class FulfillmentOrderLineItemInput(BaseModel):
    id: str
    quantity: int


class FulfillmentOriginAddressInput(BaseModel):
    address_1: Optional[str] = Field(alias="address1", default=None)
    address_2: Optional[str] = Field(alias="address2", default=None)
    city: Optional[str] = None
    country_code: str = Field(alias="countryCode")
    province_code: Optional[str] = Field(alias="provinceCode", default=None)
    zip_: Optional[str] = Field(alias="zip", default=None)


class HasMetafieldsMetafieldIdentifierInput(BaseModel):
    key: str
    namespace: Optional[str] = None


class LocalizationExtensionInput(BaseModel):
    key: str
    value: str


class LocalizedFieldInput(BaseModel):
    key: str
    value: str


class MailingAddressInput(BaseModel):
    address_1: Optional[str] = Field(alias="address1", default=None)
    address_2: Optional[str] = Field(alias="address2", default=None)
    city: Optional[str] = None
    company: Optional[str] = None
    country: Optional[str] = None
    country_code: Optional[str] = Field(alias="countryCode", default=None)
    first_name: Optional[str] = Field(alias="firstName", default=None)
    id: Optional[str] = None
    last_name: Optional[str] = Field(alias="lastName", default=None)
    phone: Optional[str] = None
    province: Optional[str] = None
    province_code: Optional[str] = Field(alias="provinceCode", default=None)
    zip_: Optional[str] = Field(alias="zip", default=None)


class MetafieldAccessInput(BaseModel):
    admin: Optional[str] = None
    customer_account: Optional[str] = Field(alias="customerAccount", default=None)
    storefront: Optional[str] = None


class MetafieldCapabilityAdminFilterableInput(BaseModel):
    enabled: bool


class MetafieldCapabilityAnalyticsQueryableInput(BaseModel):
    enabled: bool


class MetafieldCapabilityCartToOrderCopyableInput(BaseModel):
    enabled: bool


class MetafieldCapabilityCreateInput(BaseModel):
    admin_filterable: Optional["MetafieldCapabilityAdminFilterableInput"] = Field(
        alias="adminFilterable", default=None
    )
    analytics_queryable: Optional["MetafieldCapabilityAnalyticsQueryableInput"] = Field(
        alias="analyticsQueryable", default=None
    )
    cart_to_order_copyable: Optional["MetafieldCapabilityCartToOrderCopyableInput"] = (
        Field(alias="cartToOrderCopyable", default=None)
    )
    smart_collection_condition: Optional[
        "MetafieldCapabilitySmartCollectionConditionInput"
    ] = Field(alias="smartCollectionCondition", default=None)
    unique_values: Optional["MetafieldCapabilityUniqueValuesInput"] = Field(
        alias="uniqueValues", default=None
    )


class MetafieldCapabilitySmartCollectionConditionInput(BaseModel):
    enabled: bool


class MetafieldCapabilityUniqueValuesInput(BaseModel):
    enabled: bool


class MetafieldDefinitionConstraintsInput(BaseModel):
    key: str
    values: list[str]


class MetafieldDefinitionInput(BaseModel):
    access: Optional["MetafieldAccessInput"] = None
    capabilities: Optional["MetafieldCapabilityCreateInput"] = None
    constraints: Optional["MetafieldDefinitionConstraintsInput"] = None
    description: Optional[str] = None
    key: str
    name: str
    namespace: Optional[str] = None
    owner_type: str = Field(alias="ownerType")
    pin: Optional[bool] = False
    type_: str = Field(alias="type")
    use_as_collection_condition: Optional[bool] = Field(
        alias="useAsCollectionCondition", default=False
    )
    validations: Optional[list["MetafieldDefinitionValidationInput"]] = None


class MetafieldDefinitionValidationInput(BaseModel):
    name: str
    value: str


class MetafieldIdentifierInput(BaseModel):
    key: str
    namespace: str
    owner_id: str = Field(alias="ownerId")


class MetafieldInput(BaseModel):
    id: Optional[str] = None
    key: Optional[str] = None
    namespace: Optional[str] = None
    type_: Optional[str] = Field(alias="type", default=None)
    value: Optional[str] = None


class MetafieldsSetInput(BaseModel):
    compare_digest: Optional[str] = Field(alias="compareDigest", default=None)
    key: str
    namespace: Optional[str] = None
    owner_id: str = Field(alias="ownerId")
    type_: Optional[str] = Field(alias="type", default=None)
    value: str


class MoneyBagInput(BaseModel):
    presentment_money: Optional["MoneyInput"] = Field(
        alias="presentmentMoney", default=None
    )
    shop_money: "MoneyInput" = Field(alias="shopMoney")


class MoneyInput(BaseModel):
    amount: Decimal
    currency_code: str = Field(alias="currencyCode")


class OrderCancelRefundMethodInput(BaseModel):
    original_payment_methods_refund: Optional[bool] = Field(
        alias="originalPaymentMethodsRefund", default=None
    )
    store_credit_refund: Optional["OrderCancelStoreCreditRefundInput"] = Field(
        alias="storeCreditRefund", default=None
    )


class OrderCancelStoreCreditRefundInput(BaseModel):
    expires_at: Optional[datetime] = Field(alias="expiresAt", default=None)


class OrderCreateAssociateCustomerAttributesInput(BaseModel):
    email: Optional[str] = None
    id: Optional[str] = None


class OrderCreateCustomAttributeInput(BaseModel):
    key: str
    value: str


class OrderCreateCustomerAddressInput(BaseModel):
    address_1: Optional[str] = Field(alias="address1", default=None)
    address_2: Optional[str] = Field(alias="address2", default=None)
    city: Optional[str] = None
    company: Optional[str] = None
    country: Optional[str] = None
    first_name: Optional[str] = Field(alias="firstName", default=None)
    last_name: Optional[str] = Field(alias="lastName", default=None)
    phone: Optional[str] = None
    province: Optional[str] = None
    zip_: Optional[str] = Field(alias="zip", default=None)


class OrderCreateCustomerInput(BaseModel):
    to_associate: Optional["OrderCreateAssociateCustomerAttributesInput"] = Field(
        alias="toAssociate", default=None
    )
    to_upsert: Optional["OrderCreateUpsertCustomerAttributesInput"] = Field(
        alias="toUpsert", default=None
    )


class OrderCreateDiscountCodeInput(BaseModel):
    free_shipping_discount_code: Optional[
        "OrderCreateFreeShippingDiscountCodeAttributesInput"
    ] = Field(alias="freeShippingDiscountCode", default=None)
    item_fixed_discount_code: Optional[
        "OrderCreateFixedDiscountCodeAttributesInput"
    ] = Field(alias="itemFixedDiscountCode", default=None)
    item_percentage_discount_code: Optional[
        "OrderCreatePercentageDiscountCodeAttributesInput"
    ] = Field(alias="itemPercentageDiscountCode", default=None)


class OrderCreateFixedDiscountCodeAttributesInput(BaseModel):
    amount_set: Optional["MoneyBagInput"] = Field(alias="amountSet", default=None)
    code: str


class OrderCreateFreeShippingDiscountCodeAttributesInput(BaseModel):
    code: str


class OrderCreateFulfillmentInput(BaseModel):
    location_id: str = Field(alias="locationId")
    notify_customer: Optional[bool] = Field(alias="notifyCustomer", default=False)
    origin_address: Optional["FulfillmentOriginAddressInput"] = Field(
        alias="originAddress", default=None
    )
    shipment_status: Optional[str] = Field(alias="shipmentStatus", default=None)
    tracking_company: Optional[str] = Field(alias="trackingCompany", default=None)
    tracking_number: Optional[str] = Field(alias="trackingNumber", default=None)
    tracking_numbers: Optional[list[str]] = Field(alias="trackingNumbers", default=None)


class OrderCreateLineItemInput(BaseModel):
    fulfillment_service: Optional[str] = Field(alias="fulfillmentService", default=None)
    gift_card: Optional[bool] = Field(alias="giftCard", default=False)
    price_set: Optional["MoneyBagInput"] = Field(alias="priceSet", default=None)
    product_id: Optional[str] = Field(alias="productId", default=None)
    properties: Optional[list["OrderCreateLineItemPropertyInput"]] = None
    quantity: int
    requires_shipping: Optional[bool] = Field(alias="requiresShipping", default=False)
    sku: Optional[str] = None
    tax_lines: Optional[list["OrderCreateTaxLineInput"]] = Field(
        alias="taxLines", default=None
    )
    taxable: Optional[bool] = True
    title: Optional[str] = None
    variant_id: Optional[str] = Field(alias="variantId", default=None)
    variant_title: Optional[str] = Field(alias="variantTitle", default=None)
    vendor: Optional[str] = None
    weight: Optional["WeightInput"] = None


class OrderCreateLineItemPropertyInput(BaseModel):
    name: str
    value: str


class OrderCreateOptionsInput(BaseModel):
    inventory_behaviour: Optional[str] = Field(alias="inventoryBehaviour", default=None)
    send_fulfillment_receipt: Optional[bool] = Field(
        alias="sendFulfillmentReceipt", default=False
    )
    send_receipt: Optional[bool] = Field(alias="sendReceipt", default=False)


class OrderCreateOrderInput(BaseModel):
    billing_address: Optional["MailingAddressInput"] = Field(
        alias="billingAddress", default=None
    )
    buyer_accepts_marketing: Optional[bool] = Field(
        alias="buyerAcceptsMarketing", default=None
    )
    closed_at: Optional[datetime] = Field(alias="closedAt", default=None)
    company_location_id: Optional[str] = Field(alias="companyLocationId", default=None)
    currency: Optional[str] = None
    custom_attributes: Optional[list["OrderCreateCustomAttributeInput"]] = Field(
        alias="customAttributes", default=None
    )
    customer: Optional["OrderCreateCustomerInput"] = None
    customer_id: Optional[str] = Field(alias="customerId", default=None)
    discount_code: Optional["OrderCreateDiscountCodeInput"] = Field(
        alias="discountCode", default=None
    )
    email: Optional[str] = None
    financial_status: Optional[str] = Field(alias="financialStatus", default=None)
    fulfillment: Optional["OrderCreateFulfillmentInput"] = None
    fulfillment_status: Optional[str] = Field(alias="fulfillmentStatus", default=None)
    line_items: Optional[list["OrderCreateLineItemInput"]] = Field(
        alias="lineItems", default=None
    )
    metafields: Optional[list["MetafieldInput"]] = None
    name: Optional[str] = None
    note: Optional[str] = None
    phone: Optional[str] = None
    po_number: Optional[str] = Field(alias="poNumber", default=None)
    presentment_currency: Optional[str] = Field(
        alias="presentmentCurrency", default=None
    )
    processed_at: Optional[datetime] = Field(alias="processedAt", default=None)
    referring_site: Optional[str] = Field(alias="referringSite", default=None)
    shipping_address: Optional["MailingAddressInput"] = Field(
        alias="shippingAddress", default=None
    )
    shipping_lines: Optional[list["OrderCreateShippingLineInput"]] = Field(
        alias="shippingLines", default=None
    )
    source_identifier: Optional[str] = Field(alias="sourceIdentifier", default=None)
    source_name: Optional[str] = Field(alias="sourceName", default=None)
    source_url: Optional[str] = Field(alias="sourceUrl", default=None)
    tags: Optional[list[str]] = None
    tax_lines: Optional[list["OrderCreateTaxLineInput"]] = Field(
        alias="taxLines", default=None
    )
    taxes_included: Optional[bool] = Field(alias="taxesIncluded", default=False)
    test: Optional[bool] = False
    transactions: Optional[list["OrderCreateOrderTransactionInput"]] = None
    user_id: Optional[str] = Field(alias="userId", default=None)


class OrderCreateOrderTransactionInput(BaseModel):
    amount_set: "MoneyBagInput" = Field(alias="amountSet")
    authorization_code: Optional[str] = Field(alias="authorizationCode", default=None)
    device_id: Optional[str] = Field(alias="deviceId", default=None)
    gateway: Optional[str] = None
    gift_card_id: Optional[str] = Field(alias="giftCardId", default=None)
    kind: Optional[str] = None
    location_id: Optional[str] = Field(alias="locationId", default=None)
    processed_at: Optional[datetime] = Field(alias="processedAt", default=None)
    receipt_json: Optional[object] = Field(alias="receiptJson", default=None)
    status: Optional[str] = None
    test: Optional[bool] = False
    user_id: Optional[str] = Field(alias="userId", default=None)


class OrderCreatePercentageDiscountCodeAttributesInput(BaseModel):
    code: str
    percentage: Optional[float] = None


class OrderCreateShippingLineInput(BaseModel):
    code: Optional[str] = None
    price_set: "MoneyBagInput" = Field(alias="priceSet")
    source: Optional[str] = None
    tax_lines: Optional[list["OrderCreateTaxLineInput"]] = Field(
        alias="taxLines", default=None
    )
    title: str


class OrderCreateTaxLineInput(BaseModel):
    channel_liable: Optional[bool] = Field(alias="channelLiable", default=False)
    price_set: Optional["MoneyBagInput"] = Field(alias="priceSet", default=None)
    rate: Decimal
    title: str


class OrderCreateUpsertCustomerAttributesInput(BaseModel):
    addresses: Optional[list["OrderCreateCustomerAddressInput"]] = None
    email: Optional[str] = None
    first_name: Optional[str] = Field(alias="firstName", default=None)
    id: Optional[str] = None
    last_name: Optional[str] = Field(alias="lastName", default=None)
    multipass_identifier: Optional[str] = Field(
        alias="multipassIdentifier", default=None
    )
    note: Optional[str] = None
    phone: Optional[str] = None
    tags: Optional[list[str]] = None
    tax_exempt: Optional[bool] = Field(alias="taxExempt", default=None)


class OrderIdentifierInput(BaseModel):
    custom_id: Optional["UniqueMetafieldValueInput"] = Field(
        alias="customId", default=None
    )
    id: Optional[str] = None


class OrderInput(BaseModel):
    custom_attributes: Optional[list["AttributeInput"]] = Field(
        alias="customAttributes", default=None
    )
    email: Optional[str] = None
    id: str
    localization_extensions: Optional[list["LocalizationExtensionInput"]] = Field(
        alias="localizationExtensions", default=None
    )
    localized_fields: Optional[list["LocalizedFieldInput"]] = Field(
        alias="localizedFields", default=None
    )
    metafields: Optional[list["MetafieldInput"]] = None
    note: Optional[str] = None
    phone: Optional[str] = None
    po_number: Optional[str] = Field(alias="poNumber", default=None)
    shipping_address: Optional["MailingAddressInput"] = Field(
        alias="shippingAddress", default=None
    )
    tags: Optional[list[str]] = None


class OrderMarkAsPaidInput(BaseModel):
    id: str


class PaymentScheduleInput(BaseModel):
    due_at: Optional[datetime] = Field(alias="dueAt", default=None)
    issued_at: Optional[datetime] = Field(alias="issuedAt", default=None)


class PaymentTermsInput(BaseModel):
    payment_schedules: Optional[list["PaymentScheduleInput"]] = Field(
        alias="paymentSchedules", default=None
    )
    payment_terms_template_id: Optional[str] = Field(
        alias="paymentTermsTemplateId", default=None
    )


class PurchasingCompanyInput(BaseModel):
    company_contact_id: str = Field(alias="companyContactId")
    company_id: str = Field(alias="companyId")
    company_location_id: str = Field(alias="companyLocationId")


class PurchasingEntityInput(BaseModel):
    customer_id: Optional[str] = Field(alias="customerId", default=None)
    purchasing_company: Optional["PurchasingCompanyInput"] = Field(
        alias="purchasingCompany", default=None
    )


class ShippingLineInput(BaseModel):
    price: Optional[Decimal] = None
    price_with_currency: Optional["MoneyInput"] = Field(
        alias="priceWithCurrency", default=None
    )
    shipping_rate_handle: Optional[str] = Field(
        alias="shippingRateHandle", default=None
    )
    title: Optional[str] = None


class UniqueMetafieldValueInput(BaseModel):
    key: str
    namespace: Optional[str] = None
    value: str


class WebhookSubscriptionInput(BaseModel):
    callback_url: Optional[str] = Field(alias="callbackUrl", default=None)
    filter_: Optional[str] = Field(alias="filter", default=None)
    format: Optional[str] = None
    include_fields: Optional[list[str]] = Field(alias="includeFields", default=None)
    metafield_namespaces: Optional[list[str]] = Field(
        alias="metafieldNamespaces", default=None
    )
    metafields: Optional[list["HasMetafieldsMetafieldIdentifierInput"]] = None
    name: Optional[str] = None
    uri: Optional[str] = None


class WeightInput(BaseModel):
    unit: str
    value: float


DraftOrderAppliedDiscountInput.model_rebuild()
DraftOrderInput.model_rebuild()
DraftOrderLineItemInput.model_rebuild()
FulfillmentOrderHoldInput.model_rebuild()
MetafieldCapabilityCreateInput.model_rebuild()
MetafieldDefinitionInput.model_rebuild()
MoneyBagInput.model_rebuild()
OrderCancelRefundMethodInput.model_rebuild()
OrderCreateCustomerInput.model_rebuild()
OrderCreateDiscountCodeInput.model_rebuild()
OrderCreateFixedDiscountCodeAttributesInput.model_rebuild()
OrderCreateFulfillmentInput.model_rebuild()
OrderCreateLineItemInput.model_rebuild()
OrderCreateOrderInput.model_rebuild()
OrderCreateOrderTransactionInput.model_rebuild()
OrderCreateShippingLineInput.model_rebuild()
OrderCreateTaxLineInput.model_rebuild()
OrderCreateUpsertCustomerAttributesInput.model_rebuild()
OrderIdentifierInput.model_rebuild()
OrderInput.model_rebuild()
PaymentTermsInput.model_rebuild()
PurchasingEntityInput.model_rebuild()
ShippingLineInput.model_rebuild()
WebhookSubscriptionInput.model_rebuild()
