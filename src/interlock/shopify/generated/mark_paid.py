from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class MarkPaid(BaseModel):
    order_mark_as_paid: Optional["MarkPaidOrderMarkAsPaid"] = Field(
        alias="orderMarkAsPaid"
    )


class MarkPaidOrderMarkAsPaid(BaseModel):
    order: Optional["MarkPaidOrderMarkAsPaidOrder"]
    user_errors: list["MarkPaidOrderMarkAsPaidUserErrors"] = Field(alias="userErrors")


class MarkPaidOrderMarkAsPaidOrder(BaseModel):
    id: str
    fully_paid: bool = Field(alias="fullyPaid")


class MarkPaidOrderMarkAsPaidUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str


MarkPaid.model_rebuild()
MarkPaidOrderMarkAsPaid.model_rebuild()
