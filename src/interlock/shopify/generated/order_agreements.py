from datetime import datetime
from typing import Annotated, Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel


class OrderAgreements(BaseModel):
    current_app_installation: "OrderAgreementsCurrentAppInstallation" = Field(
        alias="currentAppInstallation"
    )
    order: Optional["OrderAgreementsOrder"]


class OrderAgreementsCurrentAppInstallation(BaseModel):
    app: "OrderAgreementsCurrentAppInstallationApp"


class OrderAgreementsCurrentAppInstallationApp(BaseModel):
    id: str


class OrderAgreementsOrder(BaseModel):
    agreements: "OrderAgreementsOrderAgreements"


class OrderAgreementsOrderAgreements(BaseModel):
    nodes: list["OrderAgreementsOrderAgreementsNodes"]
    page_info: "OrderAgreementsOrderAgreementsPageInfo" = Field(alias="pageInfo")


class OrderAgreementsOrderAgreementsNodes(BaseModel):
    typename__: Literal[
        "OrderAgreement",
        "OrderEditAgreement",
        "RefundAgreement",
        "ReturnAgreement",
        "SalesAgreement",
    ] = Field(alias="__typename")
    id: str
    happened_at: datetime = Field(alias="happenedAt")
    reason: str
    app: Optional["OrderAgreementsOrderAgreementsNodesApp"]
    sales: "OrderAgreementsOrderAgreementsNodesSales"


class OrderAgreementsOrderAgreementsNodesApp(BaseModel):
    id: str
    handle: Optional[str]
    title: str


class OrderAgreementsOrderAgreementsNodesSales(BaseModel):
    nodes: list[
        Annotated[
            Union[
                "OrderAgreementsOrderAgreementsNodesSalesNodesSale",
                "OrderAgreementsOrderAgreementsNodesSalesNodesProductSale",
            ],
            Field(discriminator="typename__"),
        ]
    ]


class OrderAgreementsOrderAgreementsNodesSalesNodesSale(BaseModel):
    typename__: Literal[
        "AdditionalFeeSale",
        "AdjustmentSale",
        "DutySale",
        "FeeSale",
        "GiftCardSale",
        "Sale",
        "ShippingLineSale",
        "TipSale",
        "UnknownSale",
    ] = Field(alias="__typename")
    id: str
    quantity: Optional[int]


class OrderAgreementsOrderAgreementsNodesSalesNodesProductSale(BaseModel):
    typename__: Literal["ProductSale"] = Field(alias="__typename")
    id: str
    quantity: Optional[int]
    line_item: "OrderAgreementsOrderAgreementsNodesSalesNodesProductSaleLineItem" = (
        Field(alias="lineItem")
    )


class OrderAgreementsOrderAgreementsNodesSalesNodesProductSaleLineItem(BaseModel):
    id: str


class OrderAgreementsOrderAgreementsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


OrderAgreements.model_rebuild()
OrderAgreementsCurrentAppInstallation.model_rebuild()
OrderAgreementsOrder.model_rebuild()
OrderAgreementsOrderAgreements.model_rebuild()
OrderAgreementsOrderAgreementsNodes.model_rebuild()
OrderAgreementsOrderAgreementsNodesSales.model_rebuild()
OrderAgreementsOrderAgreementsNodesSalesNodesProductSale.model_rebuild()
