from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class CancelOrder(BaseModel):
    order_cancel: Optional["CancelOrderOrderCancel"] = Field(alias="orderCancel")


class CancelOrderOrderCancel(BaseModel):
    job: Optional["CancelOrderOrderCancelJob"]
    job_result: Optional["CancelOrderOrderCancelJobResult"] = Field(alias="jobResult")
    order_cancel_user_errors: list["CancelOrderOrderCancelOrderCancelUserErrors"] = (
        Field(alias="orderCancelUserErrors")
    )


class CancelOrderOrderCancelJob(BaseModel):
    id: str
    done: bool


class CancelOrderOrderCancelJobResult(BaseModel):
    id: str
    status: str


class CancelOrderOrderCancelOrderCancelUserErrors(BaseModel):
    field: Optional[list[str]]
    message: str
    code: Optional[str]


CancelOrder.model_rebuild()
CancelOrderOrderCancel.model_rebuild()
