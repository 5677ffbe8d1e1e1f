from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class SetInstanceMark(BaseModel):
    metafields_set: Optional["SetInstanceMarkMetafieldsSet"] = Field(
        alias="metafieldsSet"
    )


class SetInstanceMarkMetafieldsSet(BaseModel):
    metafields: Optional[list["SetInstanceMarkMetafieldsSetMetafields"]]
    user_errors: list["SetInstanceMarkMetafieldsSetUserErrors"] = Field(
        alias="userErrors"
    )


class SetInstanceMarkMetafieldsSetMetafields(BaseModel):
    value: str


class SetInstanceMarkMetafieldsSetUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str
    code: Optional[str]


SetInstanceMark.model_rebuild()
SetInstanceMarkMetafieldsSet.model_rebuild()
