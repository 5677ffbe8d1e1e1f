from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import EditedOrder


class EditSetQuantity(BaseModel):
    order_edit_set_quantity: Optional["EditSetQuantityOrderEditSetQuantity"] = Field(
        alias="orderEditSetQuantity"
    )


class EditSetQuantityOrderEditSetQuantity(BaseModel):
    calculated_line_item: Optional[
        "EditSetQuantityOrderEditSetQuantityCalculatedLineItem"
    ] = Field(alias="calculatedLineItem")
    calculated_order: Optional["EditSetQuantityOrderEditSetQuantityCalculatedOrder"] = (
        Field(alias="calculatedOrder", default=None)
    )
    user_errors: list["EditSetQuantityOrderEditSetQuantityUserErrors"] = Field(
        alias="userErrors"
    )


class EditSetQuantityOrderEditSetQuantityCalculatedLineItem(BaseModel):
    id: str
    quantity: int


EditSetQuantityOrderEditSetQuantityCalculatedOrder = EditedOrder


class EditSetQuantityOrderEditSetQuantityUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str


EditSetQuantity.model_rebuild()
EditSetQuantityOrderEditSetQuantity.model_rebuild()
