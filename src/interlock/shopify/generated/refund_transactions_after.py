from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import Bag


class RefundTransactionsAfter(BaseModel):
    refund: Optional["RefundTransactionsAfterRefund"]


class RefundTransactionsAfterRefund(BaseModel):
    transactions: "RefundTransactionsAfterRefundTransactions"


class RefundTransactionsAfterRefundTransactions(BaseModel):
    nodes: list["RefundTransactionsAfterRefundTransactionsNodes"]
    page_info: "RefundTransactionsAfterRefundTransactionsPageInfo" = Field(
        alias="pageInfo"
    )


class RefundTransactionsAfterRefundTransactionsNodes(BaseModel):
    kind: str
    status: str
    amount_set: "RefundTransactionsAfterRefundTransactionsNodesAmountSet" = Field(
        alias="amountSet"
    )


RefundTransactionsAfterRefundTransactionsNodesAmountSet = Bag


class RefundTransactionsAfterRefundTransactionsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


RefundTransactionsAfter.model_rebuild()
RefundTransactionsAfterRefund.model_rebuild()
RefundTransactionsAfterRefundTransactions.model_rebuild()
RefundTransactionsAfterRefundTransactionsNodes.model_rebuild()
