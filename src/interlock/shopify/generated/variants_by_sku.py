from decimal import Decimal
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class VariantsBySku(BaseModel):
    shop: "VariantsBySkuShop"
    product_variants: "VariantsBySkuProductVariants" = Field(alias="productVariants")


class VariantsBySkuShop(BaseModel):
    currency_code: str = Field(alias="currencyCode")
    taxes_included: bool = Field(alias="taxesIncluded")


class VariantsBySkuProductVariants(BaseModel):
    nodes: list["VariantsBySkuProductVariantsNodes"]
    page_info: "VariantsBySkuProductVariantsPageInfo" = Field(alias="pageInfo")


class VariantsBySkuProductVariantsNodes(BaseModel):
    id: str
    sku: Optional[str]
    price: Decimal
    product: "VariantsBySkuProductVariantsNodesProduct"
    inventory_item: "VariantsBySkuProductVariantsNodesInventoryItem" = Field(
        alias="inventoryItem"
    )


class VariantsBySkuProductVariantsNodesProduct(BaseModel):
    status: str


class VariantsBySkuProductVariantsNodesInventoryItem(BaseModel):
    id: str
    tracked: bool
    inventory_levels: "VariantsBySkuProductVariantsNodesInventoryItemInventoryLevels" = Field(
        alias="inventoryLevels"
    )


class VariantsBySkuProductVariantsNodesInventoryItemInventoryLevels(BaseModel):
    nodes: list["VariantsBySkuProductVariantsNodesInventoryItemInventoryLevelsNodes"]
    page_info: "VariantsBySkuProductVariantsNodesInventoryItemInventoryLevelsPageInfo" = Field(
        alias="pageInfo"
    )


class VariantsBySkuProductVariantsNodesInventoryItemInventoryLevelsNodes(BaseModel):
    is_active: bool = Field(alias="isActive")
    location: (
        "VariantsBySkuProductVariantsNodesInventoryItemInventoryLevelsNodesLocation"
    )
    quantities: list[
        "VariantsBySkuProductVariantsNodesInventoryItemInventoryLevelsNodesQuantities"
    ]


class VariantsBySkuProductVariantsNodesInventoryItemInventoryLevelsNodesLocation(
    BaseModel
):
    id: str
    is_active: bool = Field(alias="isActive")
    fulfills_online_orders: bool = Field(alias="fulfillsOnlineOrders")


class VariantsBySkuProductVariantsNodesInventoryItemInventoryLevelsNodesQuantities(
    BaseModel
):
    name: str
    quantity: int


class VariantsBySkuProductVariantsNodesInventoryItemInventoryLevelsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


class VariantsBySkuProductVariantsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


VariantsBySku.model_rebuild()
VariantsBySkuProductVariants.model_rebuild()
VariantsBySkuProductVariantsNodes.model_rebuild()
VariantsBySkuProductVariantsNodesInventoryItem.model_rebuild()
VariantsBySkuProductVariantsNodesInventoryItemInventoryLevels.model_rebuild()
VariantsBySkuProductVariantsNodesInventoryItemInventoryLevelsNodes.model_rebuild()
