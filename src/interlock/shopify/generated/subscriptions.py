from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class Subscriptions(BaseModel):
    webhook_subscriptions: "SubscriptionsWebhookSubscriptions" = Field(
        alias="webhookSubscriptions"
    )


class SubscriptionsWebhookSubscriptions(BaseModel):
    nodes: list["SubscriptionsWebhookSubscriptionsNodes"]
    page_info: "SubscriptionsWebhookSubscriptionsPageInfo" = Field(alias="pageInfo")


class SubscriptionsWebhookSubscriptionsNodes(BaseModel):
    id: str
    topic: str
    uri: str
    format: str
    include_fields: list[str] = Field(alias="includeFields")
    api_version: "SubscriptionsWebhookSubscriptionsNodesApiVersion" = Field(
        alias="apiVersion"
    )


class SubscriptionsWebhookSubscriptionsNodesApiVersion(BaseModel):
    handle: str


class SubscriptionsWebhookSubscriptionsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


Subscriptions.model_rebuild()
SubscriptionsWebhookSubscriptions.model_rebuild()
SubscriptionsWebhookSubscriptionsNodes.model_rebuild()
