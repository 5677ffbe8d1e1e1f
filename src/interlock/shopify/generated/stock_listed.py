from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import StockFields


class StockListed(BaseModel):
    product_variants: "StockListedProductVariants" = Field(alias="productVariants")


class StockListedProductVariants(BaseModel):
    nodes: list["StockListedProductVariantsNodes"]
    page_info: "StockListedProductVariantsPageInfo" = Field(alias="pageInfo")


class StockListedProductVariantsNodes(BaseModel):
    id: str
    sku: Optional[str]
    inventory_item: "StockListedProductVariantsNodesInventoryItem" = Field(
        alias="inventoryItem"
    )


StockListedProductVariantsNodesInventoryItem = StockFields


class StockListedProductVariantsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


StockListed.model_rebuild()
StockListedProductVariants.model_rebuild()
StockListedProductVariantsNodes.model_rebuild()
