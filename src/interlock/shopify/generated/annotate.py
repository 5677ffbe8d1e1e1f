from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class Annotate(BaseModel):
    metafields_set: Optional["AnnotateMetafieldsSet"] = Field(alias="metafieldsSet")
    tags_add: Optional["AnnotateTagsAdd"] = Field(alias="tagsAdd")


class AnnotateMetafieldsSet(BaseModel):
    metafields: Optional[list["AnnotateMetafieldsSetMetafields"]]
    user_errors: list["AnnotateMetafieldsSetUserErrors"] = Field(alias="userErrors")


class AnnotateMetafieldsSetMetafields(BaseModel):
    key: str
    value: str


class AnnotateMetafieldsSetUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str
    code: Optional[str]


class AnnotateTagsAdd(BaseModel):
    user_errors: list["AnnotateTagsAddUserErrors"] = Field(alias="userErrors")


class AnnotateTagsAddUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str


Annotate.model_rebuild()
AnnotateMetafieldsSet.model_rebuild()
AnnotateTagsAdd.model_rebuild()
