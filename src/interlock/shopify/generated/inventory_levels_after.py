from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class InventoryLevelsAfter(BaseModel):
    inventory_item: Optional["InventoryLevelsAfterInventoryItem"] = Field(
        alias="inventoryItem"
    )


class InventoryLevelsAfterInventoryItem(BaseModel):
    inventory_levels: "InventoryLevelsAfterInventoryItemInventoryLevels" = Field(
        alias="inventoryLevels"
    )


class InventoryLevelsAfterInventoryItemInventoryLevels(BaseModel):
    nodes: list["InventoryLevelsAfterInventoryItemInventoryLevelsNodes"]
    page_info: "InventoryLevelsAfterInventoryItemInventoryLevelsPageInfo" = Field(
        alias="pageInfo"
    )


class InventoryLevelsAfterInventoryItemInventoryLevelsNodes(BaseModel):
    is_active: bool = Field(alias="isActive")
    location: "InventoryLevelsAfterInventoryItemInventoryLevelsNodesLocation"
    quantities: list["InventoryLevelsAfterInventoryItemInventoryLevelsNodesQuantities"]


class InventoryLevelsAfterInventoryItemInventoryLevelsNodesLocation(BaseModel):
    id: str
    is_active: bool = Field(alias="isActive")
    fulfills_online_orders: bool = Field(alias="fulfillsOnlineOrders")


class InventoryLevelsAfterInventoryItemInventoryLevelsNodesQuantities(BaseModel):
    name: str
    quantity: int


class InventoryLevelsAfterInventoryItemInventoryLevelsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


InventoryLevelsAfter.model_rebuild()
InventoryLevelsAfterInventoryItem.model_rebuild()
InventoryLevelsAfterInventoryItemInventoryLevels.model_rebuild()
InventoryLevelsAfterInventoryItemInventoryLevelsNodes.model_rebuild()
