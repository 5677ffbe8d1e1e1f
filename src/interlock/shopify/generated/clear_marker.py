from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class ClearMarker(BaseModel):
    metafields_set: Optional["ClearMarkerMetafieldsSet"] = Field(alias="metafieldsSet")
    metafields_delete: Optional["ClearMarkerMetafieldsDelete"] = Field(
        alias="metafieldsDelete"
    )


class ClearMarkerMetafieldsSet(BaseModel):
    metafields: Optional[list["ClearMarkerMetafieldsSetMetafields"]]
    user_errors: list["ClearMarkerMetafieldsSetUserErrors"] = Field(alias="userErrors")


class ClearMarkerMetafieldsSetMetafields(BaseModel):
    key: str
    value: str


class ClearMarkerMetafieldsSetUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str
    code: Optional[str]


class ClearMarkerMetafieldsDelete(BaseModel):
    deleted_metafields: Optional[
        list[Optional["ClearMarkerMetafieldsDeleteDeletedMetafields"]]
    ] = Field(alias="deletedMetafields")
    user_errors: list["ClearMarkerMetafieldsDeleteUserErrors"] = Field(
        alias="userErrors"
    )


class ClearMarkerMetafieldsDeleteDeletedMetafields(BaseModel):
    key: str


class ClearMarkerMetafieldsDeleteUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str


ClearMarker.model_rebuild()
ClearMarkerMetafieldsSet.model_rebuild()
ClearMarkerMetafieldsDelete.model_rebuild()
