from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class OrderState(BaseModel):
    order: Optional["OrderStateOrder"]


class OrderStateOrder(BaseModel):
    id: str
    name: str
    cancelled_at: Optional[datetime] = Field(alias="cancelledAt")
    fully_paid: bool = Field(alias="fullyPaid")
    display_financial_status: Optional[str] = Field(alias="displayFinancialStatus")


OrderState.model_rebuild()
