from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import DraftFields


class DraftsByTag(BaseModel):
    draft_orders: "DraftsByTagDraftOrders" = Field(alias="draftOrders")


class DraftsByTagDraftOrders(BaseModel):
    nodes: list["DraftsByTagDraftOrdersNodes"]
    page_info: "DraftsByTagDraftOrdersPageInfo" = Field(alias="pageInfo")


DraftsByTagDraftOrdersNodes = DraftFields


class DraftsByTagDraftOrdersPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


DraftsByTag.model_rebuild()
DraftsByTagDraftOrders.model_rebuild()
