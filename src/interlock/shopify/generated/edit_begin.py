from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class EditBegin(BaseModel):
    order_edit_begin: Optional["EditBeginOrderEditBegin"] = Field(
        alias="orderEditBegin"
    )


class EditBeginOrderEditBegin(BaseModel):
    calculated_order: Optional["EditBeginOrderEditBeginCalculatedOrder"] = Field(
        alias="calculatedOrder"
    )
    user_errors: list["EditBeginOrderEditBeginUserErrors"] = Field(alias="userErrors")


class EditBeginOrderEditBeginCalculatedOrder(BaseModel):
    id: str
    line_items: "EditBeginOrderEditBeginCalculatedOrderLineItems" = Field(
        alias="lineItems"
    )


class EditBeginOrderEditBeginCalculatedOrderLineItems(BaseModel):
    nodes: list["EditBeginOrderEditBeginCalculatedOrderLineItemsNodes"]
    page_info: "EditBeginOrderEditBeginCalculatedOrderLineItemsPageInfo" = Field(
        alias="pageInfo"
    )


class EditBeginOrderEditBeginCalculatedOrderLineItemsNodes(BaseModel):
    id: str
    quantity: int


class EditBeginOrderEditBeginCalculatedOrderLineItemsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")


class EditBeginOrderEditBeginUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str


EditBegin.model_rebuild()
EditBeginOrderEditBegin.model_rebuild()
EditBeginOrderEditBeginCalculatedOrder.model_rebuild()
EditBeginOrderEditBeginCalculatedOrderLineItems.model_rebuild()
