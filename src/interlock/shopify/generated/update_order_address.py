from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class UpdateOrderAddress(BaseModel):
    order_update: Optional["UpdateOrderAddressOrderUpdate"] = Field(alias="orderUpdate")


class UpdateOrderAddressOrderUpdate(BaseModel):
    order: Optional["UpdateOrderAddressOrderUpdateOrder"]
    user_errors: list["UpdateOrderAddressOrderUpdateUserErrors"] = Field(
        alias="userErrors"
    )


class UpdateOrderAddressOrderUpdateOrder(BaseModel):
    id: str
    name: str


class UpdateOrderAddressOrderUpdateUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str


UpdateOrderAddress.model_rebuild()
UpdateOrderAddressOrderUpdate.model_rebuild()
