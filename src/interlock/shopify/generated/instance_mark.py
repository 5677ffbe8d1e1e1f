from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class InstanceMark(BaseModel):
    current_app_installation: "InstanceMarkCurrentAppInstallation" = Field(
        alias="currentAppInstallation"
    )


class InstanceMarkCurrentAppInstallation(BaseModel):
    id: str
    mark: Optional["InstanceMarkCurrentAppInstallationMark"]


class InstanceMarkCurrentAppInstallationMark(BaseModel):
    value: str
    compare_digest: str = Field(alias="compareDigest")


InstanceMark.model_rebuild()
InstanceMarkCurrentAppInstallation.model_rebuild()
