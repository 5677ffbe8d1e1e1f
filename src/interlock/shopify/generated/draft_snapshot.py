from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import DraftFields


class DraftSnapshot(BaseModel):
    draft_order: Optional["DraftSnapshotDraftOrder"] = Field(alias="draftOrder")


DraftSnapshotDraftOrder = DraftFields
DraftSnapshot.model_rebuild()
