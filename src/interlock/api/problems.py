"""How the API says no: always a code, a sentence, and where one was wrong, the field."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from interlock.engine.store import count
from interlock.logs import logger
from interlock.storage.database import NOT_KEPT, Store

DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout)


class Problem(BaseModel):
    """Why a call was not done."""

    error: str = Field(description="A code that does not change.")
    detail: str = Field(description="What happened, what it means and what to do, for a person.")
    field: str | None = Field(default=None, description="The parameter or field that was wrong.")


class NotDone(Exception):
    """A call that is answered with words instead of a result. Subclasses compose the sentence.

    `more` is added to the answer beside error, detail and field. One that is `counted` is counted as it is answered; the others
    where they arise.
    """

    status = 400
    error = "refused"
    counted = False

    def __init__(
        self,
        detail: str,
        field: str = "",
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.field = field
        self.headers = dict(headers or {})
        self.more = dict(more or {})


def problem(
    status: int,
    error: str,
    detail: str,
    field: str = "",
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> Response:
    """The answer that says why not."""
    body = {"error": error, "detail": detail, **({"field": field} if field else {}), **(more or {})}
    return JSONResponse(body, status_code=status, headers={"Cache-Control": "no-store", **(headers or {})})


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems a route may answer, for its OpenAPI description. Those of the key are always among them."""
    said = {
        401: "No key, or one that is not valid.",
        403: "The key does not have the scope.",
        404: "There is no such thing.",
        409: "More than one thing is meant, or it changed meanwhile.",
        422: "A parameter or field is wrong.",
        429: "Too many calls with this key.",
        503: "The database is away.",
    }
    named = sorted({401, 403, 422, 429, 503, *statuses})
    return {status: {"model": Problem, "description": said[status]} for status in named}


def say_what_went_wrong(app: FastAPI, store: Store) -> None:
    """Every way a call can fail becomes a Problem; what was written wrongly is counted."""

    async def not_done(request: Request, error: Exception) -> Response:
        assert isinstance(error, NotDone)
        if error.counted:
            await store.tx(lambda c: count(c, "api_refused", error.error))
        return problem(error.status, error.error, str(error), error.field, error.headers, error.more)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
        await store.tx(lambda c: count(c, "api_refused", "invalid"))
        why = str(first["msg"]).removeprefix("Value error, ")
        kind = request.headers.get("content-type", "")
        if first["loc"] == ("body",) and "json" not in kind.lower():
            named = kind[:80] or "none"
            why = f"it has to be JSON, sent with Content-Type: application/json (the request says {named})"
        return problem(422, "invalid", f"{field}: {why}. Nothing was changed.", field)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        sentences = {
            404: "There is nothing at this address; /v1/openapi.json lists what there is.",
            405: "This address does not take that method; /v1/openapi.json lists what it takes.",
        }
        codes = {404: "not_found", 405: "method_not_allowed"}
        status = error.status_code
        if status == 400:
            # The only thing that is answered so before a route is asked: a body that is no text at all.
            await store.tx(lambda c: count(c, "api_refused", "invalid"))
            return problem(422, "invalid", "body: it cannot be read as JSON. Nothing was changed.", "body")
        sentence = sentences.get(status, "This call cannot be answered. Nothing was changed.")
        return problem(status, codes.get(status, "refused"), sentence)

    async def database_away(request: Request, error: Exception) -> Response:
        logger().error("api.database_away", exc_info=error)
        sentence = "The database cannot be reached. Nothing was changed; try again in a moment."
        return problem(503, "database_unavailable", sentence, headers={"Retry-After": "5"})

    async def not_kept(request: Request, error: Exception) -> Response:
        logger().warning("api.not_kept", exc_info=error)
        await store.tx(lambda c: count(c, "api_refused", "invalid"))
        return problem(422, "invalid", f"{NOT_KEPT} Nothing was changed.")

    app.add_exception_handler(DataError, not_kept)
    app.add_exception_handler(NotDone, not_done)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http_error)
    for kind in DATABASE_AWAY:
        app.add_exception_handler(kind, database_away)
