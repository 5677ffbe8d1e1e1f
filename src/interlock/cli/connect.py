"""`interlock connect`: add a connection after asking both sides, or put one live."""

import asyncio
import os
import re
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection, update
from sqlalchemy.exc import IntegrityError

from interlock.cli.installation import Installation, opened
from interlock.cli.probing import COUNTED_OPERATIONS, CannotConnect, Probed, probe, shopify_shop
from interlock.cli.telling import AsJson, Exit, end, print_json, say, table
from interlock.clock import SystemIdentifiers
from interlock.console import views
from interlock.engine.budgets import MIRAKL_CEILINGS
from interlock.engine.store import (
    ConnectionRow,
    add_connection,
    connections,
    count,
    one_connection,
    seconds_until_allowed,
)
from interlock.mirakl.client import OriginRefused, check_origin
from interlock.orders.codec import encode
from interlock.orders.connection import ConnectionRules
from interlock.storage.installation import open_installation, set_webhook_base

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_SPAN = re.compile(r"(\d+)\s*(s|min|m|h|d)")
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
MIRAKL_KEY_VARIABLE = "MIRAKL_API_KEY"
SHOPIFY_SECRET_VARIABLE = "SHOPIFY_CLIENT_SECRET"


def duration(text: str) -> timedelta:
    """`48h`, `90 min`, `60s`, `2d` as a length of time. Raises CannotConnect."""
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise CannotConnect(
            f"{text!r} is not a length of time. Write it like 60s, 90min, 48h or 2d. Nothing was stored."
        )
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def connect(
    name: Annotated[
        str, typer.Option("--name", help="A short name, such as atlas; it marks orders for ever.")
    ],
    mirakl_url: Annotated[str, typer.Option("--mirakl-url", help="https address of the marketplace.")] = "",
    mirakl_shop_id: Annotated[
        str, typer.Option("--mirakl-shop-id", help="Only for keys of several shops.")
    ] = "",
    mirakl_key_file: Annotated[
        Path | None,
        typer.Option(
            "--mirakl-key-file", help=f"File with the API key; else {MIRAKL_KEY_VARIABLE}, else asked."
        ),
    ] = None,
    shopify_domain: Annotated[str, typer.Option("--shopify-shop", help="Such as name.myshopify.com.")] = "",
    shopify_origin: Annotated[
        str, typer.Option("--shopify-url", help="Only for a simulated shop on this machine.")
    ] = "",
    shopify_client_id: Annotated[str, typer.Option("--shopify-client-id", help="Client id of the app.")] = "",
    shopify_secret_file: Annotated[
        Path | None,
        typer.Option(
            "--shopify-secret-file",
            help=f"File with the client secret; else {SHOPIFY_SECRET_VARIABLE}, else asked.",
        ),
    ] = None,
    acceptance_window: Annotated[
        str, typer.Option("--acceptance-window", help="What the marketplace's contract says, such as 48h.")
    ] = "",
    import_route: Annotated[str, typer.Option("--import-route", help="draft or order.")] = "draft",
    payment_lock: Annotated[bool, typer.Option(help="Order route: unpaid until the first release.")] = True,
    quiet_period: Annotated[str, typer.Option("--quiet-period", help="After the last edit.")] = "60s",
    lineage_wait: Annotated[
        str, typer.Option("--lineage-wait", help="Before a cancel is carried over.")
    ] = "10min",
    edit_window: Annotated[str, typer.Option("--edit-window", help="Held this long after import.")] = "",
    partial_acceptance: Annotated[bool, typer.Option(help="Lines may be refused one by one.")] = False,
    partial_cancelation: Annotated[
        bool, typer.Option(help="Units may be cancelled before debit (OR30).")
    ] = False,
    cancelation_reason: Annotated[
        str, typer.Option("--cancelation-reason", help="Code of RE01; chosen when there is only one.")
    ] = "",
    poll_interval: Annotated[
        str, typer.Option("--poll-interval", help="Between walks of the marketplace.")
    ] = "60s",
    event_reads: Annotated[
        int,
        typer.Option("--event-reads-per-minute", min=0, max=60, help="Reads by number besides the walks."),
    ] = 6,
    webhook_base: Annotated[
        str,
        typer.Option("--webhook-base", help="Public https address of this installation; none: sweeps only."),
    ] = "",
    live: Annotated[
        bool, typer.Option("--live", help="Go live: from then on both platforms are written to.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add a connection after asking both sides what they allow; with --live alone, put an existing one live."""
    with opened() as installation:
        now = installation.clock.now()
        try:
            existing = installation.tx(lambda c: views.connection_named(c, name))
            if existing is not None:
                if mirakl_url or not live:
                    raise CannotConnect(
                        f"There is a connection {name!r} already. Choose another name, or put this one live with "
                        f"`interlock connect --name {name} --live`. Nothing was stored."
                    )
                row = _put_live(installation, existing, now)
                _tell(row, None, as_json)
                return
            rules = _rules(
                name,
                acceptance_window,
                import_route,
                payment_lock,
                (quiet_period, lineage_wait, edit_window),
                partial_acceptance,
                partial_cancelation,
            )
            if live and rules.acceptance_window is None:
                raise CannotConnect(_no_window())
            origin = _origin(mirakl_url, installation.settings.allow_loopback_http)
            key = secret("the marketplace's API key", MIRAKL_KEY_VARIABLE, mirakl_key_file)
            app_secret = secret("the app's client secret", SHOPIFY_SECRET_VARIABLE, shopify_secret_file)
            if not shopify_client_id.strip():
                raise CannotConnect("Give the app's client id with --shopify-client-id. Nothing was stored.")
            shop = shopify_shop(
                shopify_domain.strip().lower(),
                shopify_origin.strip().rstrip("/"),
                shopify_client_id.strip(),
                app_secret,
                installation.settings.allow_loopback_http,
            )
            probed = asyncio.run(probe(origin, key, mirakl_shop_id, shop, installation.clock))
            rules = replace(
                rules,
                cancelation_reason=_reason(cancelation_reason, probed),
                tax_mode=probed.capability.tax_mode or rules.tax_mode,
            )
            values = {
                "live": live,
                "mirakl_origin": origin,
                "mirakl_shop_id": probed.shop_id,
                "mirakl_key": installation.keyring.encrypt(key.encode()),
                "shopify_shop": shop.shop_domain,
                "shopify_origin": shop.base_url,
                "shopify_client_id": shop.client_id,
                "shopify_client_secret": installation.keyring.encrypt(app_secret.encode()),
                "poll_seconds": max(int(duration(poll_interval).total_seconds()), 1),
                "event_reads_per_minute": event_reads,
                "capability": encode(probed.capability),
                "capability_at": now,
            }
            base = _webhook_base(webhook_base, installation.settings.allow_loopback_http)
            row = _store(installation, rules, now, values, base)
        except CannotConnect as refused:
            installation.tx(lambda c: count(c, "connect_refused"))
            end(Exit.UNREACHABLE if refused.unreachable else Exit.REFUSED, str(refused))
        _tell(row, probed, as_json)


def _rules(
    name: str,
    acceptance_window: str,
    import_route: str,
    payment_lock: bool,
    spans: tuple[str, str, str],
    partial_acceptance: bool,
    partial_cancelation: bool,
) -> ConnectionRules:
    if not _NAME.fullmatch(name):
        raise CannotConnect(
            f"{name!r} cannot be a name: take 1 to 40 small letters, digits and hyphens. It marks orders on both sides "
            "for ever. Nothing was stored."
        )
    quiet, lineage, edit = spans
    if import_route not in ("draft", "order"):
        raise CannotConnect(
            f"{import_route!r} is not an import route; there are draft and order. Nothing was stored."
        )
    return ConnectionRules(
        name=name,
        hold_handle=f"interlock:{name}",
        import_route="draft" if import_route == "draft" else "order",
        payment_lock=payment_lock,
        quiet_period=duration(quiet),
        lineage_wait=duration(lineage),
        edit_window=duration(edit) if edit.strip() else None,
        acceptance_window=duration(acceptance_window) if acceptance_window.strip() else None,
        partial_acceptance=partial_acceptance,
        partial_cancelation=partial_cancelation,
    )


def _no_window() -> str:
    return (
        "Without --acceptance-window the connection cannot go live: no field of the marketplace says how long an order "
        "may wait, and an order accepted too late is lost. Ask the marketplace; nothing was stored."
    )


def _origin(text: str, loopback: bool) -> str:
    try:
        return check_origin(text, loopback)
    except OriginRefused as refused:
        raise CannotConnect(f"--mirakl-url: {refused}") from refused


def _webhook_base(text: str, loopback: bool) -> str:
    if not text.strip():
        return ""
    try:
        return check_origin(text, loopback)
    except OriginRefused as refused:
        raise CannotConnect(
            f"--webhook-base cannot be used: {refused.what}. Shopify delivers to a public https address only, such as "
            "https://interlock.example. Nothing was stored."
        ) from refused


def secret(what: str, variable: str, file: Path | None) -> str:
    """A credential from a file, the environment, or a hidden prompt: never from the command's own words, which
    other users of the machine can read. Raises CannotConnect."""
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as wrong:
            raise CannotConnect(
                f"{file} cannot be read for {what} ({type(wrong).__name__}). Nothing was stored."
            ) from wrong
    else:
        text = os.environ.get(variable, "").strip()
        if not text and sys.stdin.isatty():
            text = str(typer.prompt(f"Please type {what}", hide_input=True)).strip()
    if not text:
        raise CannotConnect(f"Give {what} in the variable {variable} or in a file. Nothing was stored.")
    return text


def _reason(given: str, probed: Probed) -> str:
    allowed = [reason for reason in probed.capability.cancelation_reasons if reason.shop_right]
    codes = [reason.code for reason in allowed]
    if given:
        if given not in codes:
            raise CannotConnect(
                f"{given!r} is not a cancelation reason a shop may give here. It may give: {', '.join(codes) or 'none'}. "
                "Nothing was stored."
            )
        return given
    if len(codes) > 1:
        listed = ", ".join(f"{reason.code} ({reason.label})" for reason in allowed)
        raise CannotConnect(f"Choose one with --cancelation-reason: {listed}. Nothing was stored.")
    return codes[0] if codes else ""


def _store(
    installation: Installation,
    rules: ConnectionRules,
    now: datetime,
    values: dict[str, Any],
    webhook_base: str,
) -> ConnectionRow:
    def work(c: Connection) -> ConnectionRow:
        row = one_connection(c, add_connection(c, rules, now, **values))
        open_installation(c, installation.keyring, SystemIdentifiers().new_id(), now)
        if webhook_base:
            set_webhook_base(c, webhook_base)
        for operation in COUNTED_OPERATIONS:
            ceiling = MIRAKL_CEILINGS[operation]
            seconds_until_allowed(c, row.mirakl_account, operation, ceiling.calls, ceiling.window, now)
        return row

    try:
        return installation.tx(work)
    except IntegrityError as taken:
        raise CannotConnect(
            f"A connection for shop {values['mirakl_shop_id']} of {values['mirakl_origin']} exists already. One Mirakl "
            "shop account has one connection. Nothing was stored."
        ) from taken


def _put_live(installation: Installation, row: ConnectionRow, now: datetime) -> ConnectionRow:
    """Ask both sides again with the stored credentials, then go live."""
    if row.rules.acceptance_window is None:
        raise CannotConnect(_no_window())
    key = installation.keyring.decrypt(row.mirakl_key).decode()
    app_secret = installation.keyring.decrypt(row.shopify_client_secret).decode()
    loopback = installation.settings.allow_loopback_http
    shop = shopify_shop(row.shopify_shop, row.shopify_origin, row.shopify_client_id, app_secret, loopback)
    origin = _origin(row.mirakl_origin, loopback)
    probed = asyncio.run(probe(origin, key, str(row.mirakl_shop_id), shop, installation.clock))

    def work(c: Connection) -> ConnectionRow:
        c.execute(
            update(connections)
            .where(connections.c.id == row.id)
            .values(live=True, capability=encode(probed.capability), capability_at=now)
        )
        return one_connection(c, row.id)

    return installation.tx(work)


def _tell(row: ConnectionRow, probed: Probed | None, as_json: bool) -> None:
    policies = views.policies_of(row)
    if as_json:
        print_json(
            {
                "id": row.id,
                "name": row.name,
                "live": row.live,
                "marketplace": row.mirakl_origin,
                "mirakl_shop_id": row.mirakl_shop_id,
                "shop": row.shopify_shop,
                "policies": [
                    {"setting": setting, "value": value, "means": means} for setting, value, means in policies
                ],
            }
        )
        return
    if probed is not None:
        say(
            f"The marketplace knows the shop as {probed.capability.shop_name} ({probed.shop_id}), "
            f"{len(probed.capability.carriers)} carriers; the shop is {probed.readiness.name}, "
            f"{len(probed.readiness.locations)} location(s), {probed.readiness.currency}."
        )
        if probed.capability.currency and probed.readiness.currency != probed.capability.currency:
            say(
                f"The marketplace pays in {probed.capability.currency}: orders are made in that currency, and the shop's "
                f"own reports convert them to {probed.readiness.currency}."
            )
        if not probed.readiness.sees_all_orders:
            say("The app does not have read_all_orders: orders older than 60 days are not seen.")
    table("\nWhat its policies mean", ("setting", "value", "means"), policies)
    if row.live:
        say(f"\n{row.name} is live: from now on both platforms are written to.")
    else:
        say(
            f"\n{row.name} watches and writes nothing. Go live with: interlock connect --name {row.name} --live"
        )
