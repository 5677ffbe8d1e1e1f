"""`interlock connect`: add a connection after asking both sides, put one live, change its policies, or show it."""

import asyncio
import os
import re
import sys
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy import Connection, update
from sqlalchemy.exc import IntegrityError

from interlock.cli.installation import Installation, opened
from interlock.cli.probing import (
    COUNTED_OPERATIONS,
    SHOPIFY_SECRET_VARIABLE,
    CannotConnect,
    Probed,
    probe,
    shopify_shop,
)
from interlock.cli.telling import AsJson, Exit, Who, asked_by, end, print_json, say, table
from interlock.clock import SystemIdentifiers
from interlock.console import wording
from interlock.console.connections import connection_named, policies_of, profile_view, services_in_words
from interlock.console.policy_changes import changed, note_policies, then_and_now
from interlock.console.portal import TemplateRefused, checked_template
from interlock.console.reason_codes import reason_map
from interlock.engine.budgets import MIRAKL_CEILINGS
from interlock.engine.capabilities import keep_capability, keep_rules
from interlock.engine.store import (
    ConnectionRow,
    add_connection,
    connections,
    count,
    keep_services,
    note_map_changes,
    one_connection,
    seconds_until_allowed,
)
from interlock.marketplaces.reasons import Use, usable
from interlock.marketplaces.settings import Name
from interlock.mirakl.account import OriginRefused, check_origin
from interlock.orders.capability import Capability, OperatorReason
from interlock.orders.codec import decode, encode
from interlock.orders.connection import ConnectionRules, ReasonOfEdit, ShippingOrigin
from interlock.storage.installation import open_installation, set_webhook_base
from interlock.storage.installation import webhook_base as present_base

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_SPAN = re.compile(r"(\d+)\s*(s|min|m|h|d)")
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
LOCATION_ID = "gid://shopify/Location/"
MIRAKL_KEY_VARIABLE = "MIRAKL_API_KEY"


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
            "--mirakl-key-file",
            help=f"File with the API key; else {MIRAKL_KEY_VARIABLE}, else asked. Alone: the new key of a connection.",
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
            help=f"File with the client secret; else {SHOPIFY_SECRET_VARIABLE}, else asked. Alone: the app's new secret.",
        ),
    ] = None,
    acceptance_window: Annotated[
        str, typer.Option("--acceptance-window", help="What the marketplace's contract says, such as 48h.")
    ] = "",
    import_route: Annotated[
        str, typer.Option("--import-route", help="draft or order; draft for a new connection.")
    ] = "",
    payment_lock: Annotated[
        bool | None,
        typer.Option(help="Order route: unpaid until the first release; so for a new connection."),
    ] = None,
    quiet_period: Annotated[
        str, typer.Option("--quiet-period", help="After the last edit; 60s for a new connection.")
    ] = "",
    lineage_wait: Annotated[
        str,
        typer.Option("--lineage-wait", help="Before a cancel is carried over; 10min for a new connection."),
    ] = "",
    edit_window: Annotated[
        str,
        typer.Option("--edit-window", help="Held this long after import, such as 30min; none: not at all."),
    ] = "",
    label_max_age: Annotated[
        str, typer.Option("--label-max-age", help="A label check says yes on a look at Shopify this young.")
    ] = "",
    service_wait: Annotated[
        str,
        typer.Option("--service-wait", help="What a fulfilment service has to answer when asked to stop."),
    ] = "",
    partial_acceptance: Annotated[
        bool | None, typer.Option(help="Whether lines may be refused one by one.")
    ] = None,
    partial_cancelation: Annotated[
        bool | None, typer.Option(help="Whether units may be cancelled before debit (OR30).")
    ] = None,
    messages: Annotated[
        bool | None, typer.Option(help="Whether the shop may write to customers there (OR43).")
    ] = None,
    cancelation_reason: Annotated[
        list[str] | None,
        typer.Option(
            "--cancelation-reason",
            help="Code of RE01, or KIND=CODE for quantity_reduced or line_removed; chosen when there is only one.",
        ),
    ] = None,
    reduction_after_debit: Annotated[
        str,
        typer.Option(
            "--reduction-after-debit", help="Once the customer has paid: task, approve or automatic."
        ),
    ] = "",
    refund_reason: Annotated[
        list[str] | None,
        typer.Option(
            "--refund-reason",
            help="Code of RE01 for our refunds, or KIND=CODE for quantity_reduced or line_removed.",
        ),
    ] = None,
    refund_limit: Annotated[
        str,
        typer.Option(
            "--refund-limit",
            help="Above it, counted over one order, two people approve; none: one is enough.",
        ),
    ] = "",
    refund_cap: Annotated[
        str,
        typer.Option("--refund-cap", help="The most of one order that automatic refunds without approval."),
    ] = "",
    proportional_taxes: Annotated[
        str,
        typer.Option(
            "--proportional-taxes", help="yes: name every tax; no: only those Mirakl cannot compute."
        ),
    ] = "",
    mirror_marketplace_changes: Annotated[
        str,
        typer.Option(
            "--mirror-marketplace-changes",
            help="yes: what the marketplace cancels of an order is taken out in Shopify; no: a person does it.",
        ),
    ] = "",
    price_tolerance: Annotated[
        str,
        typer.Option(
            "--price-tolerance",
            help="Per cent of the shop's price; beyond it a person is asked. none: never.",
        ),
    ] = "",
    show_status: Annotated[
        str,
        typer.Option(
            "--show-status",
            help="yes: the Shopify order says in sync, held or needs decision, as metafield and tag; no: nothing. A new "
            "connection says it.",
        ),
    ] = "",
    customer_mail: Annotated[
        str,
        typer.Option(
            "--customer-mail",
            help="none: no mail about these orders is wanted; shipping: shipping mails reach the relay address.",
        ),
    ] = "",
    order_in_portal: Annotated[
        str,
        typer.Option(
            "--order-in-portal",
            help="The https address of an order's page in the marketplace's portal, with {order_id} where its number stands; "
            "none: links lead to the portal's start.",
        ),
    ] = "",
    ships_from: Annotated[
        list[str] | None,
        typer.Option(
            "--ships-from",
            help="LOCATION=CODE: the marketplace's warehouse code for a Shopify location; LOCATION= takes it away.",
        ),
    ] = None,
    poll_interval: Annotated[
        str,
        typer.Option("--poll-interval", help="Between walks of the marketplace; 60s for a new connection."),
    ] = "",
    event_reads: Annotated[
        int | None,
        typer.Option(
            "--event-reads-per-minute",
            min=0,
            max=60,
            help="Reads by number besides the walks; 6 for a new connection.",
        ),
    ] = None,
    webhook_base: Annotated[
        str,
        typer.Option("--webhook-base", help="Public https address of this installation; none: sweeps alone."),
    ] = "",
    live: Annotated[
        bool, typer.Option("--live", help="Go live: from then on both platforms are written to.")
    ] = False,
    show: Annotated[
        bool,
        typer.Option("--show", help="Show an existing connection: policies, profile, what is automatic."),
    ] = False,
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Add a connection after asking both sides what they allow. For an existing one: --live puts it live, --show shows it,
    a new key or secret takes the place of the old one, and every other option but the addresses changes it."""
    with opened() as installation:
        now = installation.clock.now()
        try:
            existing = installation.tx(lambda c: connection_named(c, name))
            policies = Policies(
                tuple(cancelation_reason or ()),
                tuple(refund_reason or ()),
                reduction_after_debit.strip(),
                refund_limit.strip(),
                refund_cap.strip(),
                proportional_taxes.strip(),
                edit_window.strip(),
                label_max_age.strip(),
                service_wait.strip(),
                mirror_marketplace_changes.strip(),
                price_tolerance.strip(),
                show_status.strip(),
                customer_mail.strip(),
                order_in_portal.strip(),
                tuple(ships_from or ()),
                Terms(
                    acceptance_window.strip(),
                    import_route.strip(),
                    quiet_period.strip(),
                    lineage_wait.strip(),
                    payment_lock,
                    partial_acceptance,
                    partial_cancelation,
                    messages,
                ),
            )
            pace = _pace(poll_interval.strip(), event_reads)
            if show and existing is None:
                raise CannotConnect(f"There is no connection {name!r}, so there is nothing to show.")
            if existing is not None:
                new = NewCredentials(mirakl_key_file, shopify_secret_file)
                if mirakl_url or mirakl_shop_id or shopify_domain or shopify_origin or shopify_client_id:
                    raise CannotConnect(_there_already(name))
                if new.given and (policies.given or pace or webhook_base or live):
                    raise CannotConnect(
                        "New credentials are tried first and stored alone. Give them by themselves, then the rest. Nothing "
                        "was stored."
                    )
                # Before anything is stored: what is refused has changed nothing.
                base = _webhook_base(webhook_base, installation.settings.allow_loopback_http)
                probed = _ready(installation, existing, policies.applied(existing.rules)) if live else None
                if new.given:
                    existing = _with_credentials(installation, existing, new, now)
                elif policies.given or pace:
                    existing = _changed(installation, existing, policies, pace, who, now)
                elif not (show or live or webhook_base):
                    raise CannotConnect(_there_already(name))
                if webhook_base:
                    _reached_at(installation, existing, base, now)
                row = existing if probed is None else _put_live(installation, existing, probed, now)
                _tell(installation, row, None, as_json, now)
                return
            rules = policies.applied(_rules(name))
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
            rules = policies.with_reasons(
                replace(rules, tax_mode=probed.capability.tax_mode or rules.tax_mode), probed.capability
            )
            rules = replace(rules, cancelation_reason=_chosen(rules.cancelation_reason, probed.capability))
            values = {
                "live": live,
                "live_since": now if live else None,
                "mirakl_origin": origin,
                "mirakl_shop_id": probed.shop_id,
                "mirakl_key": installation.keyring.encrypt(key.encode()),
                "shopify_shop": shop.shop_domain,
                "shopify_origin": shop.base_url,
                "shopify_client_id": shop.client_id,
                "shopify_client_secret": installation.keyring.encrypt(app_secret.encode()),
                **pace,
                "capability": encode(probed.capability),
                "capability_at": now,
                "capability_read_at": now,
                "services": list(probed.readiness.services),
                "services_read_at": now,
                "rules_changed_at": now,
            }
            base = _webhook_base(webhook_base, installation.settings.allow_loopback_http)
            row = _store(installation, rules, now, values, base)
        except CannotConnect as refused:
            # Counted, and no entry of the audit log: nothing of anybody's was changed.
            with installation.database.begin() as c:
                count(c, "connect_refused")
            end(Exit.UNREACHABLE if refused.unreachable else Exit.REFUSED, str(refused))
        _tell(installation, row, probed, as_json, now)


def _rules(name: str) -> ConnectionRules:
    if not _NAME.fullmatch(name):
        raise CannotConnect(
            f"{name!r} cannot be a name: take 1 to 40 small letters, digits and hyphens. It marks orders on both sides "
            "for ever. Nothing was stored."
        )
    return ConnectionRules(name=name, hold_handle=f"interlock:{name}", show_status=True)


def _pace(poll_interval: str, event_reads: int | None) -> dict[str, int]:
    """How often the marketplace is read, as far as it was given. Raises CannotConnect."""
    found: dict[str, int] = {}
    if poll_interval:
        found["poll_seconds"] = max(int(duration(poll_interval).total_seconds()), 1)
    if event_reads is not None:
        found["event_reads_per_minute"] = event_reads
    return found


def _there_already(name: str) -> str:
    return (
        f"There is a connection {name!r} already. Its addresses and shops stay what they are: choose another name for "
        f"another one. Put this one live with `interlock connect --name {name} --live`, or give it a new key or secret with "
        "--mirakl-key-file or --shopify-secret-file alone. Nothing was stored."
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
    """The address without what surrounds it; empty where none is given or wanted. Raises CannotConnect."""
    if text.strip() in ("", "none"):
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


@dataclass(frozen=True, slots=True)
class Terms:
    """The options about what a marketplace allows and nobody can read there, and about how orders come in, as they were
    given; empty or None where an option was not used."""

    acceptance_window: str = ""
    import_route: str = ""
    quiet_period: str = ""
    lineage_wait: str = ""
    payment_lock: bool | None = None
    partial_acceptance: bool | None = None
    partial_cancelation: bool | None = None
    messages: bool | None = None

    def applied(self, rules: ConnectionRules) -> ConnectionRules:
        """The rules with these options. Raises CannotConnect naming the option that cannot be."""
        match self.import_route:
            case "":
                pass
            case "draft" | "order" as route:
                rules = replace(rules, import_route=route)
            case other:
                raise CannotConnect(
                    f"{other!r} is not an import route; there are draft and order. Nothing was stored."
                )
        return replace(
            rules,
            acceptance_window=_span(self.acceptance_window, rules.acceptance_window),
            quiet_period=_span(self.quiet_period, rules.quiet_period),
            lineage_wait=_span(self.lineage_wait, rules.lineage_wait),
            payment_lock=rules.payment_lock if self.payment_lock is None else self.payment_lock,
            partial_acceptance=rules.partial_acceptance
            if self.partial_acceptance is None
            else self.partial_acceptance,
            partial_cancelation=rules.partial_cancelation
            if self.partial_cancelation is None
            else self.partial_cancelation,
            messages=rules.messages if self.messages is None else self.messages,
        )

    @property
    def said(self) -> tuple[Name, ...]:
        """What a person says anew about what the marketplace allows."""
        given: dict[Name, bool | None] = {
            "partial_acceptance": self.partial_acceptance,
            "partial_cancelation": self.partial_cancelation,
            "messages": self.messages,
        }
        window: tuple[Name, ...] = ("acceptance_window",) if self.acceptance_window else ()
        return (*window, *(name for name, value in given.items() if value is not None))


@dataclass(frozen=True, slots=True)
class Policies:
    """The options about reasons, refunds and holds as they were given; empty where an option was not used."""

    cancelation_reasons: tuple[str, ...]
    refund_reasons: tuple[str, ...]
    reduction_after_debit: str
    refund_limit: str
    refund_cap: str
    proportional_taxes: str
    edit_window: str
    label_max_age: str
    service_wait: str
    mirror_marketplace_changes: str
    price_tolerance: str
    show_status: str
    customer_mail: str
    order_in_portal: str
    ships_from: tuple[str, ...]
    terms: Terms

    @property
    def said(self) -> tuple[Name, ...]:
        """What a person says anew about what the marketplace allows."""
        return (*self.terms.said, *(("refunds",) if self.reduction_after_debit else ()))

    @property
    def given(self) -> bool:
        """Whether any of them was used."""
        return self != Policies((), (), "", "", "", "", "", "", "", "", "", "", "", "", (), Terms())

    def applied(self, rules: ConnectionRules) -> ConnectionRules:
        """The rules with these options but for the reasons. Raises CannotConnect naming the option that cannot be."""
        rules = self.terms.applied(rules)
        match self.reduction_after_debit:
            case "":
                pass
            case "task" | "approve" | "automatic" as how:
                rules = replace(rules, reduction_after_debit=how)
            case other:
                raise CannotConnect(
                    f"--reduction-after-debit: there are task, approve and automatic, not {other!r}. Nothing was stored."
                )
        match self.customer_mail:
            case "":
                pass
            case "none" | "shipping" as mail:
                rules = replace(rules, customer_mail=mail)
            case other:
                raise CannotConnect(
                    f"--customer-mail: there are none and shipping, not {other!r}. Nothing was stored."
                )
        rules = replace(
            rules,
            refund_limit=_money_limit("--refund-limit", self.refund_limit, rules.refund_limit),
            refund_cap=_money_limit("--refund-cap", self.refund_cap, rules.refund_cap),
            proportional_taxes=_yes_or_no(
                "--proportional-taxes", self.proportional_taxes, rules.proportional_taxes
            ),
            edit_window=_edit_window(self.edit_window, rules.edit_window),
            label_max_age=_span(self.label_max_age, rules.label_max_age),
            service_wait=_span(self.service_wait, rules.service_wait),
            mirror_marketplace_changes=_yes_or_no(
                "--mirror-marketplace-changes",
                self.mirror_marketplace_changes,
                rules.mirror_marketplace_changes,
            ),
            price_tolerance=_per_cent("--price-tolerance", self.price_tolerance, rules.price_tolerance),
            show_status=_yes_or_no("--show-status", self.show_status, rules.show_status),
            shipping_origins=_origins(self.ships_from, rules.shipping_origins),
            order_in_portal=_template(self.order_in_portal, rules.order_in_portal),
        )
        if rules.reduction_after_debit == "automatic" and rules.refund_cap is None:
            raise CannotConnect(
                "--reduction-after-debit automatic needs --refund-cap: the largest total, in the order's currency, that is "
                "refunded without anybody's approval. Nothing was stored."
            )
        return rules

    def with_reasons(self, rules: ConnectionRules, capability: Capability | None) -> ConnectionRules:
        """The rules with the reason codes that were given, judged by the marketplace's own list. Raises CannotConnect."""
        rules = _with_reasons(rules, "cancelation", self.cancelation_reasons, capability)
        rules = _with_reasons(rules, "refund", self.refund_reasons, capability)
        if rules.reduction_after_debit != "task" and not rules.refund_reason:
            offered = usable(() if capability is None else capability.refund_reasons)
            if len(offered) != 1:
                listed = ", ".join(f"{code} ({label})" for code, label in offered) or "none at all"
                raise CannotConnect(
                    f"Refunds need a reason. Choose one with --refund-reason: {listed}. Nothing was stored."
                )
            rules = replace(rules, refund_reason=offered[0][0])
        return rules


def _template(given: str, present: str) -> str:
    """The template of an order's page in the portal. Raises CannotConnect."""
    if not given:
        return present
    if given == "none":
        return ""
    try:
        return checked_template(given)
    except TemplateRefused as refused:
        raise CannotConnect(
            f"--order-in-portal: {refused}, not {given[:80]!r}. Nothing was stored."
        ) from None


def _with_reasons(
    rules: ConnectionRules, use: Use, given: tuple[str, ...], capability: Capability | None
) -> ConnectionRules:
    known: tuple[OperatorReason, ...] = ()
    if capability is not None:
        known = capability.cancelation_reasons if use == "cancelation" else capability.refund_reasons
    codes = [code for code, _ in usable(known)]
    by_edit = {one.edit: one for one in rules.reasons_by_edit}
    for text in given:
        kind, _, code = text.strip().rpartition("=")
        if code not in codes:
            raise CannotConnect(
                f"{code!r} is not a {use} reason a shop may give here. It may give: {', '.join(codes) or 'none'}. "
                "Nothing was stored."
            )
        match kind:
            case "":
                rules = (
                    replace(rules, cancelation_reason=code)
                    if use == "cancelation"
                    else replace(rules, refund_reason=code)
                )
            case "quantity_reduced" | "line_removed" as edit:
                one = by_edit.get(edit, ReasonOfEdit(edit))
                by_edit[edit] = (
                    replace(one, cancelation=code) if use == "cancelation" else replace(one, refund=code)
                )
            case other:
                raise CannotConnect(
                    f"--{use}-reason: {other!r} is no kind of edit; there are quantity_reduced and line_removed. "
                    "Nothing was stored."
                )
    return replace(rules, reasons_by_edit=tuple(by_edit.values()))


def _chosen(reason: str, capability: Capability) -> str:
    offered = usable(capability.cancelation_reasons)
    if reason or not offered:
        return reason
    if len(offered) > 1:
        listed = ", ".join(f"{code} ({label})" for code, label in offered)
        raise CannotConnect(f"Choose one with --cancelation-reason: {listed}. Nothing was stored.")
    return offered[0][0]


def _money_limit(option: str, text: str, now: Decimal | None) -> Decimal | None:
    """An amount in major units; `none` takes the limit away, nothing leaves it as it is."""
    if not text:
        return now
    if text == "none":
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation as wrong:
        raise CannotConnect(
            f"{option}: {text!r} is not an amount. Write it like 50 or 49.90, or none. Nothing was stored."
        ) from wrong
    if not amount.is_finite() or amount < 0 or amount.adjusted() > 12:
        raise CannotConnect(f"{option}: {text} is not an amount anyone pays. Nothing was stored.")
    return amount


def _per_cent(option: str, text: str, now: Decimal | None) -> Decimal | None:
    """A share from 0 to 1000 per cent; `none` takes it away, nothing leaves it as it is."""
    if not text:
        return now
    if text == "none":
        return None
    try:
        share = Decimal(text.removesuffix("%").strip())
    except InvalidOperation as wrong:
        raise CannotConnect(
            f"{option}: {text!r} is no share. Write it like 10 or 2.5, or none. Nothing was stored."
        ) from wrong
    if not share.is_finite() or not 0 <= share <= 1000:
        raise CannotConnect(f"{option}: {text} is not between 0 and 1000 per cent. Nothing was stored.")
    return share


def _origins(given: tuple[str, ...], now: tuple[ShippingOrigin, ...]) -> tuple[ShippingOrigin, ...]:
    """Entries such as 123=MAIN, by the number or the id of a Shopify location; without a code the entry is taken away."""
    origins = {one.location_id: one.warehouse for one in now}
    for entry in given:
        location, found, code = (part.strip() for part in entry.partition("="))
        number = location.removeprefix(LOCATION_ID)
        if not found or not number.isascii() or not number.isdigit():
            raise CannotConnect(
                f"--ships-from: {entry!r} is not LOCATION=CODE. LOCATION is the number of a Shopify location, as in the "
                "address of its page in the admin; CODE is the marketplace's code of that warehouse. Nothing was stored."
            )
        if code:
            origins[LOCATION_ID + number] = code
        else:
            origins.pop(LOCATION_ID + number, None)
    return tuple(ShippingOrigin(location_id, warehouse) for location_id, warehouse in origins.items())


Span = TypeVar("Span", timedelta, timedelta | None)


def _span(text: str, now: Span) -> Span:
    """A length of time; nothing leaves it as it is."""
    return duration(text) if text else now


def _edit_window(text: str, now: timedelta | None) -> timedelta | None:
    """A length of time; `none` takes the window away, nothing leaves it as it is."""
    if not text:
        return now
    return None if text == "none" else duration(text)


def _yes_or_no(option: str, text: str, now: bool) -> bool:
    if not text:
        return now
    if text not in ("yes", "no"):
        raise CannotConnect(f"{option}: there are yes and no, not {text!r}. Nothing was stored.")
    return text == "yes"


def _changed(
    installation: Installation,
    row: ConnectionRow,
    policies: Policies,
    pace: dict[str, int],
    who: str,
    now: datetime,
) -> ConnectionRow:
    """Store other policies of an existing connection; what waits is decided again by them."""
    capability = None if row.capability is None else decode(Capability, row.capability)
    rules = policies.with_reasons(policies.applied(row.rules), capability)

    facts = changed(row.rules, rules)
    facts |= {name.replace("_", " "): then_and_now(getattr(row, name), value) for name, value in pace.items()}
    if policies.said:
        facts["said anew"] = ", ".join(policies.said)

    def work(c: Connection) -> ConnectionRow:
        keep_rules(c, installation.queue, row, rules, now, policies.said)
        if pace:
            c.execute(update(connections).where(connections.c.id == row.id).values(**pace))
        note_map_changes(c, row.id, "reasons", reason_map(row.rules), reason_map(rules), who.strip(), "", now)
        note_policies(c, row, asked_by(), now, facts)
        return one_connection(c, row.id)

    return installation.tx(work)


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
        note_policies(c, row, asked_by(), now, {"connection": "added", "live": "yes" if row.live else "no"})
        return row

    try:
        return installation.tx(work)
    except IntegrityError as taken:
        raise CannotConnect(
            f"A connection for shop {values['mirakl_shop_id']} of {values['mirakl_origin']} exists already. One Mirakl "
            "shop account has one connection. Nothing was stored."
        ) from taken


@dataclass(frozen=True, slots=True)
class NewCredentials:
    """What a person gives an existing connection in place of a key or secret that was revoked, has run out or leaked.
    Files only: a variable of the environment may be meant for another connection. The app stays the same one: holds and
    marks on orders are the app's that made them."""

    mirakl_key: Path | None
    shopify_secret: Path | None

    @property
    def given(self) -> bool:
        return bool(self.mirakl_key or self.shopify_secret)


def _with_credentials(
    installation: Installation, row: ConnectionRow, new: NewCredentials, now: datetime
) -> ConnectionRow:
    """Try the new credentials on both sides, then store them. The secret is of an app in a shop: every connection that works
    with it gets it. Raises CannotConnect where they do not open the same shops."""
    keyring, loopback = installation.keyring, installation.settings.allow_loopback_http
    key = keyring.decrypt(row.mirakl_key).decode()
    if new.mirakl_key is not None:
        key = secret("the marketplace's API key", MIRAKL_KEY_VARIABLE, new.mirakl_key)
    app_secret = keyring.decrypt(row.shopify_client_secret).decode()
    if new.shopify_secret is not None:
        app_secret = secret("the app's client secret", SHOPIFY_SECRET_VARIABLE, new.shopify_secret)
    shop = shopify_shop(row.shopify_shop, row.shopify_origin, row.shopify_client_id, app_secret, loopback)
    origin = _origin(row.mirakl_origin, loopback)
    probed = asyncio.run(probe(origin, key, str(row.mirakl_shop_id), shop, installation.clock))
    if probed.shop_id != row.mirakl_shop_id:
        raise CannotConnect(
            f"The key is of shop {probed.shop_id}, and {row.name} works for shop {row.mirakl_shop_id}: its orders are of that "
            "shop. Nothing was stored."
        )
    renewed = {"marketplace key": new.mirakl_key, "app secret": new.shopify_secret}

    def work(c: Connection) -> ConnectionRow:
        if new.mirakl_key is not None:
            mine = update(connections).where(connections.c.id == row.id)
            c.execute(mine.values(mirakl_key=keyring.encrypt(key.encode())))
        if new.shopify_secret is not None:
            of_the_app = update(connections).where(
                connections.c.shopify_shop == row.shopify_shop,
                connections.c.shopify_client_id == row.shopify_client_id,
            )
            c.execute(of_the_app.values(shopify_client_secret=keyring.encrypt(app_secret.encode())))
        note_policies(c, row, asked_by(), now, {name: "renewed" for name, file in renewed.items() if file})
        return one_connection(c, row.id)

    return installation.tx(work)


def _reached_at(installation: Installation, row: ConnectionRow, base: str, now: datetime) -> None:
    """Say anew where this installation is reached by webhooks; an empty address is none. The service makes its
    subscriptions anew by itself."""

    def work(c: Connection) -> None:
        facts = {"webhook address": then_and_now(present_base(c), base)}
        set_webhook_base(c, base or None)
        note_policies(c, row, asked_by(), now, facts)

    installation.tx(work)


def _ready(installation: Installation, row: ConnectionRow, rules: ConnectionRules) -> Probed:
    """Ask both sides again with the stored credentials, as they are before anything is stored. Raises CannotConnect where
    the connection cannot go live under `rules`."""
    if rules.acceptance_window is None:
        raise CannotConnect(_no_window())
    key = installation.keyring.decrypt(row.mirakl_key).decode()
    app_secret = installation.keyring.decrypt(row.shopify_client_secret).decode()
    loopback = installation.settings.allow_loopback_http
    shop = shopify_shop(row.shopify_shop, row.shopify_origin, row.shopify_client_id, app_secret, loopback)
    origin = _origin(row.mirakl_origin, loopback)
    return asyncio.run(probe(origin, key, str(row.mirakl_shop_id), shop, installation.clock))


def _put_live(installation: Installation, row: ConnectionRow, probed: Probed, now: datetime) -> ConnectionRow:
    """Go live with what both sides answered just now."""

    def work(c: Connection) -> ConnectionRow:
        # What was accepted before this moment may have a Shopify order that others made (imports/earlier.py). Of a connection
        # that is live already the moment stays what it is.
        values = {"live": True, "live_since": row.live_since if row.live else now, "capability_at": now}
        c.execute(update(connections).where(connections.c.id == row.id).values(values))
        keep_services(c, row.id, probed.readiness.services, now)
        keep_capability(c, installation.queue, row, probed.capability, now)
        note_policies(c, row, asked_by(), now, {"live": then_and_now(row.live, True)})
        return one_connection(c, row.id)

    return installation.tx(work)


def _tell(
    installation: Installation, row: ConnectionRow, probed: Probed | None, as_json: bool, now: datetime
) -> None:
    policies = policies_of(row)
    profile, reached = installation.tx(lambda c: (profile_view(c, row, now), present_base(c)))
    if as_json:
        print_json(
            {
                "id": row.id,
                "name": row.name,
                "live": row.live,
                "live_since": row.live_since if row.live else None,
                "marketplace": row.mirakl_origin,
                "mirakl_shop_id": row.mirakl_shop_id,
                "shop": row.shopify_shop,
                "policies": [
                    {"setting": setting, "value": value, "means": means} for setting, value, means in policies
                ],
                "profile": profile.entries,
                "edits": profile.forecasts,
                "share": profile.share,
                "labels_nobody_can_stop": row.services,
                "webhook_base": reached,
            }
        )
        return
    if probed is not None:
        say(
            f"The marketplace knows the shop as {probed.capability.shop_name} ({probed.shop_id}), "
            f"{len(probed.capability.carriers)} carriers; the shop is {probed.readiness.name}, "
            f"{wording.counted(len(probed.readiness.locations), 'location')}, {probed.readiness.currency}."
        )
        if probed.capability.currency and probed.readiness.currency != probed.capability.currency:
            say(
                f"The marketplace pays in {probed.capability.currency}: orders are made in that currency, and the shop's "
                f"own reports convert them to {probed.readiness.currency}."
            )
        if not probed.readiness.sees_all_orders:
            say("The app does not have read_all_orders: orders older than 60 days are not seen.")
        if not probed.readiness.sees_customers:
            say("The app does not have read_customers: a customer's consent to marketing is not seen.")
    table("\nWhat its policies mean", ("setting", "value", "means"), policies)
    table(
        "\nWhat the marketplace allows",
        ("what", "value", "source", "age", "note"),
        ((e.name, e.value, e.source, e.age, e.remark) for e in profile.entries),
    )
    table(
        "\nWhat becomes of an edit",
        ("workflow", "edit", "by itself", "what happens"),
        ((one.workflow, one.edit, "yes" if one.automatic else "no", one.answer) for one in profile.forecasts),
    )
    say(f"\n{profile.share}")
    say(f"\n{services_in_words(row)}")
    if reached:
        say(f"Shopify delivers its webhooks to {reached}.")
    else:
        say(
            "No webhook address is set: changes in Shopify are found by sweeps alone, up to five minutes late."
        )
    if row.rules.show_status:
        say(
            "\nEach Shopify order that Interlock makes says where it stands, as a metafield and one tag that begins with "
            "“Interlock: ”. A Shopify Flow or an app of yours that acts on tags meets it. To have none: interlock connect "
            f"--name {row.name} --show-status no"
        )
    if row.live:
        since = "" if row.live_since is None else f" since {wording.stamp(row.live_since)}"
        say(f"\n{row.name} is live{since}: both platforms are written to.")
    else:
        say(
            f"\n{row.name} is stored. Nothing is read or written for it until it is live: "
            f"interlock connect --name {row.name} --live"
        )
