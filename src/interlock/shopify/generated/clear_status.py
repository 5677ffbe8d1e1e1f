from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class ClearStatus(BaseModel):
    tags_remove: Optional["ClearStatusTagsRemove"] = Field(
        alias="tagsRemove", default=None
    )
    metafields_delete: Optional["ClearStatusMetafieldsDelete"] = Field(
        alias="metafieldsDelete"
    )


class ClearStatusTagsRemove(BaseModel):
    user_errors: list["ClearStatusTagsRemoveUserErrors"] = Field(alias="userErrors")


class ClearStatusTagsRemoveUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str


class ClearStatusMetafieldsDelete(BaseModel):
    deleted_metafields: Optional[
        list[Optional["ClearStatusMetafieldsDeleteDeletedMetafields"]]
    ] = Field(alias="deletedMetafields")
    user_errors: list["ClearStatusMetafieldsDeleteUserErrors"] = Field(
        alias="userErrors"
    )


class ClearStatusMetafieldsDeleteDeletedMetafields(BaseModel):
    key: str


class ClearStatusMetafieldsDeleteUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str


ClearStatus.model_rebuild()
ClearStatusTagsRemove.model_rebuild()
ClearStatusMetafieldsDelete.model_rebuild()
