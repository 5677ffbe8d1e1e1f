from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import EditedOrder


class EditAddVariant(BaseModel):
    order_edit_add_variant: Optional["EditAddVariantOrderEditAddVariant"] = Field(
        alias="orderEditAddVariant"
    )


class EditAddVariantOrderEditAddVariant(BaseModel):
    calculated_line_item: Optional[
        "EditAddVariantOrderEditAddVariantCalculatedLineItem"
    ] = Field(alias="calculatedLineItem")
    calculated_order: Optional["EditAddVariantOrderEditAddVariantCalculatedOrder"] = (
        Field(alias="calculatedOrder", default=None)
    )
    user_errors: list["EditAddVariantOrderEditAddVariantUserErrors"] = Field(
        alias="userErrors"
    )


class EditAddVariantOrderEditAddVariantCalculatedLineItem(BaseModel):
    id: str
    quantity: int


EditAddVariantOrderEditAddVariantCalculatedOrder = EditedOrder


class EditAddVariantOrderEditAddVariantUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str


EditAddVariant.model_rebuild()
EditAddVariantOrderEditAddVariant.model_rebuild()
