from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class DefineMarker(BaseModel):
    metafield_definition_create: Optional["DefineMarkerMetafieldDefinitionCreate"] = (
        Field(alias="metafieldDefinitionCreate")
    )


class DefineMarkerMetafieldDefinitionCreate(BaseModel):
    created_definition: Optional[
        "DefineMarkerMetafieldDefinitionCreateCreatedDefinition"
    ] = Field(alias="createdDefinition")
    user_errors: list["DefineMarkerMetafieldDefinitionCreateUserErrors"] = Field(
        alias="userErrors"
    )


class DefineMarkerMetafieldDefinitionCreateCreatedDefinition(BaseModel):
    id: str
    namespace: str
    key: str


class DefineMarkerMetafieldDefinitionCreateUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str
    code: Optional[str]


DefineMarker.model_rebuild()
DefineMarkerMetafieldDefinitionCreate.model_rebuild()
