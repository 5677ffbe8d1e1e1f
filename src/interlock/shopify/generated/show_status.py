from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class ShowStatus(BaseModel):
    tags_remove: Optional["ShowStatusTagsRemove"] = Field(
        alias="tagsRemove", default=None
    )
    tags_add: Optional["ShowStatusTagsAdd"] = Field(alias="tagsAdd")
    metafields_set: Optional["ShowStatusMetafieldsSet"] = Field(alias="metafieldsSet")


class ShowStatusTagsRemove(BaseModel):
    user_errors: list["ShowStatusTagsRemoveUserErrors"] = Field(alias="userErrors")


class ShowStatusTagsRemoveUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str


class ShowStatusTagsAdd(BaseModel):
    user_errors: list["ShowStatusTagsAddUserErrors"] = Field(alias="userErrors")


class ShowStatusTagsAddUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str


class ShowStatusMetafieldsSet(BaseModel):
    metafields: Optional[list["ShowStatusMetafieldsSetMetafields"]]
    user_errors: list["ShowStatusMetafieldsSetUserErrors"] = Field(alias="userErrors")


class ShowStatusMetafieldsSetMetafields(BaseModel):
    key: str
    value: str


class ShowStatusMetafieldsSetUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str
    code: Optional[str]


ShowStatus.model_rebuild()
ShowStatusTagsRemove.model_rebuild()
ShowStatusTagsAdd.model_rebuild()
ShowStatusMetafieldsSet.model_rebuild()
