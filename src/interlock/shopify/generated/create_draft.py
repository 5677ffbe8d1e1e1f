from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import Bag


class CreateDraft(BaseModel):
    draft_order_create: Optional["CreateDraftDraftOrderCreate"] = Field(
        alias="draftOrderCreate"
    )


class CreateDraftDraftOrderCreate(BaseModel):
    draft_order: Optional["CreateDraftDraftOrderCreateDraftOrder"] = Field(
        alias="draftOrder"
    )
    user_errors: list["CreateDraftDraftOrderCreateUserErrors"] = Field(
        alias="userErrors"
    )


class CreateDraftDraftOrderCreateDraftOrder(BaseModel):
    id: str
    status: str
    reserve_inventory_until: Optional[datetime] = Field(alias="reserveInventoryUntil")
    total_price_set: "CreateDraftDraftOrderCreateDraftOrderTotalPriceSet" = Field(
        alias="totalPriceSet"
    )


CreateDraftDraftOrderCreateDraftOrderTotalPriceSet = Bag


class CreateDraftDraftOrderCreateUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str


CreateDraft.model_rebuild()
CreateDraftDraftOrderCreate.model_rebuild()
CreateDraftDraftOrderCreateDraftOrder.model_rebuild()
