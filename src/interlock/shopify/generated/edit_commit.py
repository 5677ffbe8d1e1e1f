from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class EditCommit(BaseModel):
    order_edit_commit: Optional["EditCommitOrderEditCommit"] = Field(
        alias="orderEditCommit"
    )


class EditCommitOrderEditCommit(BaseModel):
    order: Optional["EditCommitOrderEditCommitOrder"]
    user_errors: list["EditCommitOrderEditCommitUserErrors"] = Field(alias="userErrors")


class EditCommitOrderEditCommitOrder(BaseModel):
    id: str


class EditCommitOrderEditCommitUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str


EditCommit.model_rebuild()
EditCommitOrderEditCommit.model_rebuild()
