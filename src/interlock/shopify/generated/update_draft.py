from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class UpdateDraft(BaseModel):
    draft_order_update: Optional["UpdateDraftDraftOrderUpdate"] = Field(
        alias="draftOrderUpdate"
    )


class UpdateDraftDraftOrderUpdate(BaseModel):
    draft_order: Optional["UpdateDraftDraftOrderUpdateDraftOrder"] = Field(
        alias="draftOrder"
    )
    user_errors: list["UpdateDraftDraftOrderUpdateUserErrors"] = Field(
        alias="userErrors"
    )


class UpdateDraftDraftOrderUpdateDraftOrder(BaseModel):
    id: str
    status: str


class UpdateDraftDraftOrderUpdateUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str


UpdateDraft.model_rebuild()
UpdateDraftDraftOrderUpdate.model_rebuild()
