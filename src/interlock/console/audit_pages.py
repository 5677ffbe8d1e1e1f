"""The audit log: read, filtered, taken away as a file, and verified."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.audit_log import Did, Entry, Verified, Wanted, found, record, verify
from interlock.access.roles import Permission
from interlock.console.doors import Who, needs
from interlock.console.export import Cell, csv_file
from interlock.console.pages import Console, given_text

LISTED = 100
LISTED_IN_FILE = 1000
COLUMNS = ("number", "at", "who", "did", "subject", "connection", "facts", "previous", "digest")


class FilterUnreadable(ValueError):
    """A filter of the audit log cannot be read."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} cannot be read: write a day such as 2026-03-01, or nothing. Nothing is shown."
        )


def audit_routes(routes: APIRouter, console: Console) -> None:
    """Add the audit log to the console."""
    parts = console.parts

    async def log_page(
        request: Request, status: int = 200, verified: Verified | None = None, refused: str = ""
    ) -> Response:
        given = {
            name: given_text(request.query_params.get(name, ""))
            for name in ("who", "did", "subject", "since", "until", "before")
        }
        rows: list[Entry] = []
        try:
            wanted = wanted_of(given)
            rows = await console.read(lambda c: found(c, wanted, LISTED + 1))
        except FilterUnreadable as wrong:
            status, refused = 422, str(wrong)
        return console.page(
            request,
            "audit_log",
            "Audit log",
            status,
            live=False,
            entries=rows[:LISTED],
            older=rows[LISTED - 1].id if len(rows) > LISTED else None,
            given=given,
            known=[did.value for did in Did],
            verified=verified,
            refused=refused,
            file="/audit-log.csv" + (f"?{request.url.query}" if request.url.query else ""),
        )

    @routes.get("/audit-log")
    @needs(Permission.SEE_AUDIT_LOG)
    async def log(request: Request) -> Response:
        return await log_page(request)

    @routes.get("/audit-log.csv")
    @needs(Permission.SEE_AUDIT_LOG)
    async def as_file(request: Request, who: Who) -> Response:
        given = {
            name: given_text(request.query_params.get(name, ""))
            for name in ("who", "did", "subject", "since", "until", "before")
        }
        try:
            wanted = wanted_of(given)
        except FilterUnreadable:
            return await log_page(request)
        now = parts.clock.now()
        await parts.store.tx(lambda c: record(c, who, Did.EXPORTED, "audit log", now=now))

        def batch(c: Connection, before: int | None) -> tuple[Sequence[Sequence[Cell]], int | None]:
            mine = Wanted(
                wanted.who, wanted.did, wanted.subject, wanted.since, wanted.until, before or wanted.before
            )
            rows = found(c, mine, LISTED_IN_FILE)
            cells = [
                (e.id, e.at, e.who, e.did, e.subject, e.connection_id, _facts(e), e.previous, e.digest)
                for e in rows
            ]
            return cells, rows[-1].id if len(rows) == LISTED_IN_FILE else None

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


def wanted_of(given: dict[str, str]) -> Wanted:
    """The filters of an address. Raises FilterUnreadable."""
    return Wanted(
        given["who"],
        given["did"],
        given["subject"],
        _day("The first day", given["since"], 0),
        _day("The last day", given["until"], 1),
        int(given["before"])
        if given["before"].isascii() and given["before"].isdigit() and len(given["before"]) < 19
        else None,
    )


def _day(name: str, text: str, days_later: int) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=days_later)
    except (ValueError, OverflowError):
        raise FilterUnreadable(name) from None


def _facts(entry: Entry) -> str:
    return "; ".join(f"{name}: {value}" for name, value in sorted(entry.facts.items()))
