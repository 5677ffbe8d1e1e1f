from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class DeleteDraft(BaseModel):
    draft_order_delete: Optional["DeleteDraftDraftOrderDelete"] = Field(
        alias="draftOrderDelete"
    )


class DeleteDraftDraftOrderDelete(BaseModel):
    deleted_id: Optional[str] = Field(alias="deletedId")
    user_errors: list["DeleteDraftDraftOrderDeleteUserErrors"] = Field(
        alias="userErrors"
    )


class DeleteDraftDraftOrderDeleteUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str


DeleteDraft.model_rebuild()
DeleteDraftDraftOrderDelete.model_rebuild()
