"""The audit log: read, filtered, taken away as a file, and verified."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.audit_log import Did, Verified, record, verify
from interlock.access.roles import Permission
from interlock.console.audit_list import (
    COLUMNS,
    DEEDS,
    OWN_FILTERS,
    entries_page,
    file_row,
    wanted_of,
)
from interlock.console.connections import connection_names
from interlock.console.doors import SAFE_METHODS, Who, needs
from interlock.console.export import Cell, csv_file, note_export
from interlock.console.lists import Asked, FilterUnreadable, asked_of, choices
from interlock.console.pages import Console

LISTED_IN_FILE = 1000


def audit_routes(routes: APIRouter, console: Console) -> None:
    """Add the audit log to the console."""
    parts = console.parts

    async def log_page(request: Request, verified: Verified | None = None) -> Response:
        asked = asked_of(request, *OWN_FILTERS) if request.method in SAFE_METHODS else Asked("/audit-log")

        def read(c: Connection) -> dict[str, Any]:
            offered, names = choices(c, asked), connection_names(c)
            shown = {"choices": offered, "names": names, "entries": (), "next_mark": "", "refused": ""}
            try:
                found, next_mark = entries_page(c, asked, names)
            except FilterUnreadable as wrong:
                return {**shown, "refused": str(wrong)}
            return {**shown, "entries": found, "next_mark": next_mark}

        found = await console.read(read)
        return console.page(
            request,
            "audit_log",
            "Audit log",
            422 if found["refused"] else 200,
            live=False,
            asked=asked,
            deeds=DEEDS,
            verified=verified,
            **found,
        )

    @routes.get("/audit-log")
    @needs(Permission.SEE_AUDIT_LOG)
    async def log(request: Request) -> Response:
        return await log_page(request)

    @routes.get("/audit-log.csv")
    @needs(Permission.SEE_AUDIT_LOG)
    async def as_file(request: Request, who: Who) -> Response:
        asked, now = asked_of(request, *OWN_FILTERS), parts.clock.now()

        def first(c: Connection) -> None:
            wanted_of(asked, connection_names(c))  # what cannot be filtered by is said before the file begins
            note_export(c, who, "audit log", asked, now)

        try:
            await console.read(first)
        except FilterUnreadable:
            return await log_page(request)

        def batch(c: Connection, mark: str | None) -> tuple[Sequence[Sequence[Cell]], str | None]:
            names = connection_names(c)
            found, next_mark = entries_page(
                c, replace(asked, after=mark or asked.after), names, LISTED_IN_FILE
            )
            return [file_row(entry, names) for entry in found], next_mark or None

        return csv_file(parts.store, "audit-log", COLUMNS, batch)

    @routes.post("/audit-log/verify")
    @needs(Permission.SEE_AUDIT_LOG)
    async def verified(request: Request, who: Who, token: Annotated[str, Form()] = "") -> Response:
        console.check_form(request, token)
        now = parts.clock.now()

        def walk(c: Connection) -> Verified:
            walked = verify(c)
            facts = {"entries": str(walked.entries), "whole": "yes" if walked.whole else "no"}
            record(c, who, Did.AUDIT_LOG_VERIFIED, "audit log", now=now, facts=facts)
            return walked

        return await log_page(request, verified=await console.read(walk))
