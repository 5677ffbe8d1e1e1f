"""Alerts in the console: channels, routes, what was told and how that ended, and the page an alert's link leads to."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

import httpx2
from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.audit_log import Did, record
from interlock.access.roles import Permission, may
from interlock.console.alert_list import COLUMNS, OWN_FILTERS, SEEN, alerts_page, file_row
from interlock.console.doors import SAFE_METHODS, Who, needs, open_to_strangers, own_of, signed_in
from interlock.console.export import Cell, csv_file, note_export
from interlock.console.lists import Asked, asked_of, choices
from interlock.console.pages import Console, PageMissing, own_path, seen_other
from interlock.monitoring import channels as room
from interlock.monitoring import links, outbox
from interlock.monitoring.channels import Channel, ChannelRefused
from interlock.monitoring.duty import Alerting
from interlock.monitoring.ladders import LADDERS, LOUDEST, TEAMS
from interlock.monitoring.outbox import AlertRow
from interlock.monitoring.routing import HoursUnreadable
from interlock.monitoring.sending import check_url

EXPORTED_AT_ONCE = 500
BY_LINK = "whoever had the link"


def alert_routes(routes: APIRouter, console: Console) -> None:
    """Add the page of alerts to the console."""
    parts = console.parts

    async def page(request: Request, status: int = 200, refused: str = "", done: str = "") -> Response:
        listed = request.method in SAFE_METHODS
        asked = asked_of(request, *OWN_FILTERS) if listed else Asked("/alerts", own=own_of(request))
        whole = may(signed_in(request), Permission.SEE)

        def read(c: Connection) -> dict[str, Any]:
            offered = choices(c, asked)
            found, next_mark = alerts_page(c, asked)
            channels = room.all_channels(c) if whole else ()
            return {
                "choices": offered,
                "alerts": found,
                "next_mark": next_mark,
                "channels": channels,
                "names": {channel.id: channel.name for channel in channels},
                "rows": room.route_rows(c) if whole else (),
                "tests": outbox.latest_tests(c, 5) if whole else (),
            }

        found = await console.read(read)
        if not listed:
            found["request_path"] = "/alerts"  # after a form, what is refreshed is the page itself
        return console.page(
            request,
            "alerts",
            "Alerts",
            status,
            asked=asked,
            whole=whole,
            kinds=room.KINDS,
            teams=TEAMS,
            severities=LOUDEST,
            seen_or_not=SEEN,
            ladders=LADDERS,
            refused=refused,
            done=done,
            **found,
        )

    @routes.get("/alerts")
    @needs(Permission.SEE, lists=True)
    async def alerts(request: Request) -> Response:
        return await page(request)

    @routes.get("/alerts.csv")
    @needs(Permission.EXPORT, lists=True)
    async def alerts_file(request: Request, who: Who) -> Response:
        asked, now = asked_of(request, *OWN_FILTERS), parts.clock.now()

        def first(c: Connection) -> None:
            alerts_page(c, asked, 1)  # what cannot be filtered by is said before the file begins
            note_export(c, who, "alerts", asked, now)

        await console.read(first)

        def batch(c: Connection, mark: str | None) -> tuple[Sequence[Sequence[Cell]], str | None]:
            found, next_mark = alerts_page(c, replace(asked, after=mark or asked.after), EXPORTED_AT_ONCE)
            return [file_row(row) for row in found], next_mark or None

        return csv_file(parts.store, "alerts", COLUMNS, batch)

    @routes.post("/alerts/channels")
    @needs(Permission.MANAGE_ALERTS)
    async def add_channel(
        request: Request,
        who: Who,
        token: Annotated[str, Form()] = "",
        name: Annotated[str, Form(max_length=200)] = "",
        kind: Annotated[str, Form(max_length=40)] = "",
        url: Annotated[str, Form(max_length=4000)] = "",
        zone: Annotated[str, Form(max_length=60)] = "UTC",
        second: Annotated[str, Form(max_length=200)] = "",
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()
        try:
            await asyncio.to_thread(check_url, kind, url)
            await console.read(
                lambda c: room.add_channel(
                    c, parts.keyring, name, kind, url.strip(), who, now, zone=zone or "UTC", second=second
                )
            )
        except ChannelRefused as wrong:
            return await page(request, 422, str(wrong))
        return seen_other("/alerts")

    @routes.post("/alerts/channels/{channel_id}/remove")
    @needs(Permission.MANAGE_ALERTS)
    async def remove_channel(
        request: Request, channel_id: int, who: Who, token: Annotated[str, Form()] = ""
    ) -> Response:
        console.check_form(request, token)
        channel = await one_channel(channel_id)
        now = parts.clock.now()
        await console.read(lambda c: room.remove_channel(c, channel.name, who, now))
        return seen_other("/alerts")

    @routes.post("/alerts/channels/{channel_id}/test")
    @needs(Permission.MANAGE_ALERTS)
    async def test_fire(request: Request, channel_id: int, token: Annotated[str, Form()] = "") -> Response:
        console.check_form(request, token)
        channel = await one_channel(channel_id)
        now = parts.clock.now()
        delivery = await parts.store.tx(lambda c: outbox.plan_test(c, channel, now))
        async with httpx2.AsyncClient(follow_redirects=False) as client:
            alerting = Alerting(parts.store, parts.clock, parts.keyring, http_for=lambda origin: client)
            await alerting.send_one(delivery)
        tests = await console.read(outbox.latest_tests)
        ended = next(test for test in tests if test.id == delivery)
        if ended.state == "SENT":
            return await page(request, done=f"{channel.name} took the test message.")
        why = ended.words or "it is still under way"
        return await page(request, 502, f"{channel.name} did not take the test message: {why}.")

    async def one_channel(channel_id: int) -> Channel:
        for channel in await console.read(room.all_channels):
            if channel.id == channel_id:
                return channel
        raise PageMissing(f"There is no channel {channel_id}.")

    @routes.post("/alerts/routes")
    @needs(Permission.MANAGE_ALERTS)
    async def add_route(
        request: Request,
        who: Who,
        token: Annotated[str, Form()] = "",
        channel: Annotated[str, Form(max_length=200)] = "",
        team: Annotated[str, Form(max_length=40)] = "",
        severity: Annotated[str, Form(max_length=40)] = "",
        connection: Annotated[str, Form(max_length=200)] = "",
        hours: Annotated[str, Form(max_length=80)] = "",
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()
        try:
            await console.read(
                lambda c: room.add_route(
                    c, channel, who, now, team=team, severity=severity, connection=connection, hours=hours
                )
            )
        except (ChannelRefused, HoursUnreadable) as wrong:
            return await page(request, 422, str(wrong))
        return seen_other("/alerts")

    @routes.post("/alerts/routes/{route_id}/remove")
    @needs(Permission.MANAGE_ALERTS)
    async def remove_route(
        request: Request, route_id: int, who: Who, token: Annotated[str, Form()] = ""
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()
        if not await console.read(lambda c: room.remove_route(c, route_id, who, now)):
            raise PageMissing(f"There is no route {route_id}.")
        return seen_other("/alerts")

    @routes.post("/alerts/{alert_id}/acknowledge")
    @needs(Permission.WORK_CASES, whole=True)
    async def acknowledge(
        request: Request,
        alert_id: int,
        who: Who,
        token: Annotated[str, Form()] = "",
        back: Annotated[str, Form(max_length=1000)] = "/alerts",
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()
        if await console.read(lambda c: outbox.acknowledge(c, alert_id, who, now)) is None:
            raise PageMissing(f"There is no alert {alert_id}.")
        return seen_other(own_path(back))

    # The link of an alert is opened on a telephone where perhaps nobody is signed in, and by scanners of mail programs:
    # looking changes nothing, and the button only says that somebody has seen this one alert.
    @routes.get("/alerts/acknowledge/{seal}")
    @open_to_strangers
    async def ask(request: Request, seal: str) -> Response:
        try:
            alert_id = links.link_of(parts.keyring, seal, parts.clock.now()).alert_id
        except links.LinkUnusable as wrong:
            return shown(request, 410, None, str(wrong), seal)
        found = await console.read(lambda c: outbox.latest_alerts(c, 1, alert_id))
        return shown(request, 200, found[0] if found else None, "", seal)

    @routes.post("/alerts/acknowledge/{seal}")
    @open_to_strangers
    async def take(request: Request, seal: str, token: Annotated[str, Form()] = "") -> Response:
        console.check_form(request, token)
        now = parts.clock.now()
        try:
            link = links.link_of(parts.keyring, seal, now)
        except links.LinkUnusable as wrong:
            return shown(request, 410, None, str(wrong), seal)
        person = request.state.person
        who = BY_LINK if person is None else person.handle
        row = await console.read(lambda c: _acknowledge_by_link(c, link, who, now))
        return shown(request, 200, row, "", seal)

    def shown(request: Request, status: int, row: AlertRow | None, refused: str, seal: str) -> Response:
        return console.page(
            request,
            "acknowledge",
            "Acknowledge an alert",
            status,
            live=False,
            row=row,
            refused=refused or ("" if row else "This alert is gone. Nothing was acknowledged."),
            seal=seal,
            signing_in=getattr(request.state, "person", None) is None,
        )


def _acknowledge_by_link(c: Connection, link: links.Link, who: str, now: datetime) -> AlertRow | None:
    """Acknowledge, and leave an entry of the first time in the audit log: nobody had to sign in for it."""
    before = outbox.latest_alerts(c, 1, link.alert_id)
    row = outbox.acknowledge(c, link.alert_id, who, now)
    if row is not None and before[0].acknowledged_at is None:
        names = {channel.id: channel.name for channel in room.all_channels(c)}
        facts = {"by": "link of the message", "channel": names.get(link.channel_id, "removed since")}
        record(c, who, Did.ALERT_ACKNOWLEDGED, f"alert {link.alert_id}", now=now, facts=facts)
    return row
