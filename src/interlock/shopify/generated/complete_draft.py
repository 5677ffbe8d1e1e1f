from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class CompleteDraft(BaseModel):
    draft_order_complete: Optional["CompleteDraftDraftOrderComplete"] = Field(
        alias="draftOrderComplete"
    )


class CompleteDraftDraftOrderComplete(BaseModel):
    draft_order: Optional["CompleteDraftDraftOrderCompleteDraftOrder"] = Field(
        alias="draftOrder"
    )
    user_errors: list["CompleteDraftDraftOrderCompleteUserErrors"] = Field(
        alias="userErrors"
    )


class CompleteDraftDraftOrderCompleteDraftOrder(BaseModel):
    id: str
    status: str
    order: Optional["CompleteDraftDraftOrderCompleteDraftOrderOrder"]


class CompleteDraftDraftOrderCompleteDraftOrderOrder(BaseModel):
    id: str
    name: str


class CompleteDraftDraftOrderCompleteUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str


CompleteDraft.model_rebuild()
CompleteDraftDraftOrderComplete.model_rebuild()
CompleteDraftDraftOrderCompleteDraftOrder.model_rebuild()
