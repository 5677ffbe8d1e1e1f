from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class Subscribe(BaseModel):
    webhook_subscription_create: Optional["SubscribeWebhookSubscriptionCreate"] = Field(
        alias="webhookSubscriptionCreate"
    )


class SubscribeWebhookSubscriptionCreate(BaseModel):
    webhook_subscription: Optional[
        "SubscribeWebhookSubscriptionCreateWebhookSubscription"
    ] = Field(alias="webhookSubscription")
    user_errors: list["SubscribeWebhookSubscriptionCreateUserErrors"] = Field(
        alias="userErrors"
    )


class SubscribeWebhookSubscriptionCreateWebhookSubscription(BaseModel):
    id: str
    topic: str
    uri: str
    api_version: "SubscribeWebhookSubscriptionCreateWebhookSubscriptionApiVersion" = (
        Field(alias="apiVersion")
    )


class SubscribeWebhookSubscriptionCreateWebhookSubscriptionApiVersion(BaseModel):
    handle: str


class SubscribeWebhookSubscriptionCreateUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str


Subscribe.model_rebuild()
SubscribeWebhookSubscriptionCreate.model_rebuild()
SubscribeWebhookSubscriptionCreateWebhookSubscription.model_rebuild()
