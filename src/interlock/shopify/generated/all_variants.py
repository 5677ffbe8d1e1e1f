from decimal import Decimal
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class AllVariants(BaseModel):
    shop: "AllVariantsShop"
    product_variants: "AllVariantsProductVariants" = Field(alias="productVariants")


class AllVariantsShop(BaseModel):
    currency_code: str = Field(alias="currencyCode")


class AllVariantsProductVariants(BaseModel):
    nodes: list["AllVariantsProductVariantsNodes"]
    page_info: "AllVariantsProductVariantsPageInfo" = Field(alias="pageInfo")


class AllVariantsProductVariantsNodes(BaseModel):
    id: str
    sku: Optional[str]
    barcode: Optional[str]
    title: str
    price: Decimal
    requires_components: bool = Field(alias="requiresComponents")
    product: "AllVariantsProductVariantsNodesProduct"
    inventory_item: "AllVariantsProductVariantsNodesInventoryItem" = Field(
        alias="inventoryItem"
    )


class AllVariantsProductVariantsNodesProduct(BaseModel):
    title: str
    status: str


class AllVariantsProductVariantsNodesInventoryItem(BaseModel):
    id: str


class AllVariantsProductVariantsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


AllVariants.model_rebuild()
AllVariantsProductVariants.model_rebuild()
AllVariantsProductVariantsNodes.model_rebuild()
