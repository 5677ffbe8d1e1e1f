from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class StockChangedAt(BaseModel):
    location: Optional["StockChangedAtLocation"]


class StockChangedAtLocation(BaseModel):
    name: str
    is_active: bool = Field(alias="isActive")
    fulfills_online_orders: bool = Field(alias="fulfillsOnlineOrders")
    inventory_levels: "StockChangedAtLocationInventoryLevels" = Field(
        alias="inventoryLevels"
    )


class StockChangedAtLocationInventoryLevels(BaseModel):
    nodes: list["StockChangedAtLocationInventoryLevelsNodes"]
    page_info: "StockChangedAtLocationInventoryLevelsPageInfo" = Field(alias="pageInfo")


class StockChangedAtLocationInventoryLevelsNodes(BaseModel):
    item: "StockChangedAtLocationInventoryLevelsNodesItem"


class StockChangedAtLocationInventoryLevelsNodesItem(BaseModel):
    id: str


class StockChangedAtLocationInventoryLevelsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


StockChangedAt.model_rebuild()
StockChangedAtLocation.model_rebuild()
StockChangedAtLocationInventoryLevels.model_rebuild()
StockChangedAtLocationInventoryLevelsNodes.model_rebuild()
