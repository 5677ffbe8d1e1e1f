from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class CreateOrder(BaseModel):
    order_create: Optional["CreateOrderOrderCreate"] = Field(alias="orderCreate")


class CreateOrderOrderCreate(BaseModel):
    order: Optional["CreateOrderOrderCreateOrder"]
    user_errors: list["CreateOrderOrderCreateUserErrors"] = Field(alias="userErrors")


class CreateOrderOrderCreateOrder(BaseModel):
    id: str
    name: str


class CreateOrderOrderCreateUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str
    code: Optional[str]


CreateOrder.model_rebuild()
CreateOrderOrderCreate.model_rebuild()
