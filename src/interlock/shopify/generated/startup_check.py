from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class StartupCheck(BaseModel):
    current_app_installation: "StartupCheckCurrentAppInstallation" = Field(
        alias="currentAppInstallation"
    )
    shop: "StartupCheckShop"
    public_api_versions: list["StartupCheckPublicApiVersions"] = Field(
        alias="publicApiVersions"
    )
    locations: "StartupCheckLocations"


class StartupCheckCurrentAppInstallation(BaseModel):
    id: str
    access_scopes: list["StartupCheckCurrentAppInstallationAccessScopes"] = Field(
        alias="accessScopes"
    )


class StartupCheckCurrentAppInstallationAccessScopes(BaseModel):
    handle: str


class StartupCheckShop(BaseModel):
    id: str
    name: str
    myshopify_domain: str = Field(alias="myshopifyDomain")
    currency_code: str = Field(alias="currencyCode")
    taxes_included: bool = Field(alias="taxesIncluded")
    iana_timezone: str = Field(alias="ianaTimezone")
    plan: "StartupCheckShopPlan"


class StartupCheckShopPlan(BaseModel):
    public_display_name: str = Field(alias="publicDisplayName")
    partner_development: bool = Field(alias="partnerDevelopment")


class StartupCheckPublicApiVersions(BaseModel):
    handle: str
    supported: bool


class StartupCheckLocations(BaseModel):
    nodes: list["StartupCheckLocationsNodes"]
    page_info: "StartupCheckLocationsPageInfo" = Field(alias="pageInfo")


class StartupCheckLocationsNodes(BaseModel):
    id: str
    name: str
    is_active: bool = Field(alias="isActive")
    is_fulfillment_service: bool = Field(alias="isFulfillmentService")
    fulfills_online_orders: bool = Field(alias="fulfillsOnlineOrders")
    ships_inventory: bool = Field(alias="shipsInventory")


class StartupCheckLocationsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


StartupCheck.model_rebuild()
StartupCheckCurrentAppInstallation.model_rebuild()
StartupCheckShop.model_rebuild()
StartupCheckLocations.model_rebuild()
