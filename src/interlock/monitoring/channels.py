"""Channels and routes: where alerts go. The address of a channel is a credential and is kept encrypted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    delete,
    insert,
    select,
    text,
    update,
)

from interlock.access.audit_log import Did, record
from interlock.engine.store import connections
from interlock.monitoring.ladders import LOUDEST, TEAMS
from interlock.monitoring.routing import Route, hours_from
from interlock.storage.database import metadata
from interlock.storage.encryption import Keyring
from interlock.storage.personal_data import personal
from interlock.storage.types import UtcDateTime

KINDS = ("chat", "mail", "webhook", "paging", "heartbeat")
LONGEST_NAME = 60
LONGEST_URL = 2000
# Schemes of Apprise whose host is no secret; others carry tokens where a host would stand.
_HOST_IS_PLAIN = ("json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos", "http", "https")

alert_channels = Table(
    "alert_channels",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column(
        "url",
        LargeBinary,
        nullable=False,
        info=personal(
            purpose="the address of an alert channel with its token", retention="until it is removed"
        ),
    ),
    # what may be shown of the address
    Column("masked", Text, nullable=False),
    Column("zone", Text, nullable=False, server_default="UTC"),
    # used when this one fails
    Column("second_id", BigInteger, ForeignKey("alert_channels.id")),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("removed_at", UtcDateTime),
    Column("removed_by", Text),
    Index(
        "uq_alert_channels_name",
        "name",
        unique=True,
        postgresql_where=text("removed_at IS NULL"),
    ),
)

alert_routes = Table(
    "alert_routes",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("channel_id", BigInteger, ForeignKey("alert_channels.id"), nullable=False),
    Column("team", Text, nullable=False, server_default=""),
    Column("severity", Text, nullable=False, server_default=""),
    Column("connection_id", BigInteger, ForeignKey("connections.id")),
    Column("hours", Text, nullable=False, server_default=""),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", Text, nullable=False),
)


class ChannelRefused(ValueError):
    """A channel or route cannot be as asked. `field` names what was wrong; nothing was changed."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(f"{sentence} Nothing was changed.")
        self.field = field


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel without its address. `masked` is what may be shown of it."""

    id: int
    name: str
    kind: str
    masked: str
    zone: str
    second_id: int | None
    made_at: datetime
    made_by: str


@dataclass(frozen=True, slots=True)
class RouteRow:
    """A route as people read it."""

    id: int
    channel: str
    team: str
    severity: str
    connection: str
    hours: str


def masked_url(url: str) -> str:
    """What may be shown of a channel's address: its scheme and, where that is no secret, its host."""
    parts = urlsplit(url)
    if parts.scheme in _HOST_IS_PLAIN and parts.hostname:
        return f"{parts.scheme}://{parts.hostname}/…"
    return f"{parts.scheme}://…"


def add_channel(
    c: Connection,
    keyring: Keyring,
    name: str,
    kind: str,
    url: str,
    who: str,
    now: datetime,
    *,
    zone: str = "UTC",
    second: str = "",
) -> Channel:
    """Keep a new channel. `url` was checked by `sending.check_url` before; it is never shown again.

    Raises ChannelRefused when the name is unusable or taken, the kind or zone unknown, the second channel missing, or
    nobody says who does it.
    """
    name, who = name.strip(), who.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ChannelRefused(
            "name", f"A channel needs a name of 1 to {LONGEST_NAME} characters that can be shown."
        )
    if kind not in KINDS:
        raise ChannelRefused("kind", f"{kind[:40]!r} is no kind of channel. There are: {', '.join(KINDS)}.")
    if not who:
        raise ChannelRefused("who", "A channel needs the name of who makes it.")
    if len(url) > LONGEST_URL:
        raise ChannelRefused("url", f"The address is longer than {LONGEST_URL} characters.")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ChannelRefused("zone", f"{zone[:40]!r} is no time zone. Write it like Europe/Berlin.") from None
    present = {channel.name: channel for channel in all_channels(c)}
    if name in present:
        raise ChannelRefused("name", f"A channel named {name!r} exists already. Remove it first.")
    if second and second not in present:
        raise ChannelRefused("second", f"There is no channel {second[:60]!r} to be the second one.")
    if second and present[second].kind == "heartbeat":
        raise ChannelRefused(
            "second", f"{second} takes heartbeats and no alerts, so it cannot be the second channel."
        )
    row = c.execute(
        insert(alert_channels)
        .values(
            name=name,
            kind=kind,
            url=keyring.encrypt(url.encode()),
            masked=masked_url(url),
            zone=zone,
            second_id=present[second].id if second else None,
            made_at=now,
            made_by=who,
        )
        .returning(alert_channels)
    ).one()
    facts = {"channel": name, "kind": kind, "address": masked_url(url), "zone": zone, "second": second}
    _note(c, who, now, "made", facts)
    return _channel(row)


def remove_channel(c: Connection, name: str, who: str, now: datetime) -> Channel:
    """Forget a channel and its routes; its address is overwritten. Raises ChannelRefused when there is none."""
    channel = channel_named(c, name)
    if not who.strip():
        raise ChannelRefused("who", "Removing a channel needs the name of who does it.")
    for route in route_rows(c):
        if route.channel == channel.name:
            _note(c, who, now, "removed with its channel", _of_route(route), _connection_of(c, route.id))
    c.execute(delete(alert_routes).where(alert_routes.c.channel_id == channel.id))
    c.execute(update(alert_channels).where(alert_channels.c.second_id == channel.id).values(second_id=None))
    c.execute(
        update(alert_channels)
        .where(alert_channels.c.id == channel.id)
        .values(removed_at=now, removed_by=who.strip(), url=b"")
    )
    _note(c, who, now, "removed", {"channel": channel.name, "kind": channel.kind})
    return channel


def channel_named(c: Connection, name: str) -> Channel:
    """The channel of this name. Raises ChannelRefused naming those that there are."""
    found = all_channels(c)
    for channel in found:
        if channel.name == name.strip():
            return channel
    names = ", ".join(channel.name for channel in found) or "none yet"
    raise ChannelRefused("name", f"There is no channel {name[:60]!r}; there are: {names}.")


def all_channels(c: Connection) -> tuple[Channel, ...]:
    """Every channel in use, by name."""
    rows = c.execute(
        select(alert_channels).where(alert_channels.c.removed_at.is_(None)).order_by(alert_channels.c.name)
    )
    return tuple(_channel(row) for row in rows)


def address_of(c: Connection, keyring: Keyring, channel_id: int) -> str | None:
    """The decrypted address of a channel; None when it was removed."""
    row = c.execute(
        select(alert_channels.c.url).where(
            alert_channels.c.id == channel_id, alert_channels.c.removed_at.is_(None)
        )
    ).one_or_none()
    return None if row is None else keyring.decrypt(row.url).decode()


def add_route(
    c: Connection,
    channel: str,
    who: str,
    now: datetime,
    *,
    team: str = "",
    severity: str = "",
    connection: str = "",
    hours: str = "",
) -> int:
    """Send alerts like this to that channel; returns the route's id. Raises ChannelRefused and HoursUnreadable."""
    found = channel_named(c, channel)
    if found.kind == "heartbeat":
        raise ChannelRefused("channel", f"{found.name} takes heartbeats and no alerts.")
    if team and team not in TEAMS:
        raise ChannelRefused("team", f"{team[:40]!r} is no team. There are: {', '.join(TEAMS)}.")
    if severity and severity not in LOUDEST:
        raise ChannelRefused(
            "severity", f"{severity[:40]!r} is no severity. There are: {', '.join(LOUDEST)}."
        )
    if not who.strip():
        raise ChannelRefused("who", "A route needs the name of who makes it.")
    hours_from(hours)
    connection_id = None
    if connection:
        connection_id = c.execute(
            select(connections.c.id).where(connections.c.name == connection)
        ).scalar_one_or_none()
        if connection_id is None:
            raise ChannelRefused("connection", f"There is no connection {connection[:60]!r}.")
    made = insert(alert_routes).values(
        channel_id=found.id,
        team=team,
        severity=severity,
        connection_id=connection_id,
        hours=hours.strip().lower(),
        made_at=now,
        made_by=who.strip(),
    )
    number = int(c.execute(made.returning(alert_routes.c.id)).scalar_one())
    route = RouteRow(number, found.name, team, severity, connection, hours.strip().lower())
    _note(c, who, now, "made", _of_route(route), connection_id)
    return number


def remove_route(c: Connection, route_id: int, who: str, now: datetime) -> bool:
    """Take a route away; False when there is none of this id. Raises ChannelRefused when nobody says who does it."""
    if not who.strip():
        raise ChannelRefused("who", "Removing a route needs the name of who does it.")
    route = next((route for route in route_rows(c) if route.id == route_id), None)
    if route is None:
        return False
    connection_id = _connection_of(c, route_id)
    c.execute(delete(alert_routes).where(alert_routes.c.id == route_id))
    _note(c, who, now, "removed", _of_route(route), connection_id)
    return True


def _connection_of(c: Connection, route_id: int) -> int | None:
    found: int | None = c.execute(
        select(alert_routes.c.connection_id).where(alert_routes.c.id == route_id)
    ).scalar_one_or_none()
    return found


def _of_route(route: RouteRow) -> dict[str, str]:
    return {
        "route": str(route.id),
        "channel": route.channel,
        "team": route.team or "any",
        "severity": route.severity or "any",
        "connection": route.connection or "any",
        "hours": route.hours or "always",
    }


def _note(
    c: Connection,
    who: str,
    now: datetime,
    what: str,
    facts: Mapping[str, str],
    connection_id: int | None = None,
) -> None:
    """An entry of the audit log: a route that is gone has to be read somewhere, or nobody knows why nobody was paged."""
    said = {"what": what, **{name: value for name, value in facts.items() if value}}
    record(c, who.strip(), Did.ALERTS_CHANGED, "alerts", now=now, connection=connection_id, facts=said)


def all_routes(c: Connection) -> tuple[Route, ...]:
    """Every route, as the rule reads it."""
    rows = c.execute(
        select(alert_routes, alert_channels.c.zone)
        .join(alert_channels, alert_channels.c.id == alert_routes.c.channel_id)
        .order_by(alert_routes.c.id)
    )
    return tuple(
        Route(
            row.id,
            row.channel_id,
            row.team,
            row.severity,
            row.connection_id,
            hours_from(row.hours),
            row.zone,
        )
        for row in rows
    )


def route_rows(c: Connection) -> tuple[RouteRow, ...]:
    """Every route with names in place of numbers."""
    rows = c.execute(
        select(alert_routes, alert_channels.c.name.label("channel"), connections.c.name.label("connection"))
        .join(alert_channels, alert_channels.c.id == alert_routes.c.channel_id)
        .outerjoin(connections, connections.c.id == alert_routes.c.connection_id)
        .order_by(alert_channels.c.name, alert_routes.c.id)
    )
    return tuple(
        RouteRow(row.id, row.channel, row.team, row.severity, row.connection or "", row.hours) for row in rows
    )


def alerting(channels: Sequence[Channel]) -> tuple[Channel, ...]:
    """The channels that take alerts: all but those for heartbeats."""
    return tuple(channel for channel in channels if channel.kind != "heartbeat")


def _channel(row: Any) -> Channel:
    return Channel(row.id, row.name, row.kind, row.masked, row.zone, row.second_id, row.made_at, row.made_by)
