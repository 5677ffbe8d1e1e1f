"""Connecting: asked on both simulated platforms over HTTP, refused with a sentence, stored encrypted."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from interlock.access.audit_log import entries
from interlock.cli.probing import CannotConnect, probe, shopify_shop
from interlock.cli.telling import Exit
from interlock.clock import SystemClock
from interlock.console.wording import stamp
from interlock.engine.store import (
    add_connection,
    all_connections,
    budget_calls,
    connections,
    counts,
    map_history,
)
from interlock.marketplaces.observed import Observation
from interlock.marketplaces.store import observe
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.build import NOW
from tests.cli.conftest import Run, document

pytestmark = pytest.mark.processes


@dataclass
class Platforms:
    """Addresses and credentials of a running marketplace and shop."""

    mirakl: dict[str, Any]
    shopify: dict[str, Any]


def started(stack: ExitStack, *arguments: str) -> dict[str, Any]:
    process = subprocess.Popen(
        [sys.executable, "-m", "interlock.cli", "simulate", *arguments], stdout=subprocess.PIPE, text=True
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    assert process.stdout is not None
    stack.callback(process.stdout.close)
    line: dict[str, Any] = json.loads(process.stdout.readline())
    return line


@pytest.fixture(scope="module")
def platforms() -> Iterator[Platforms]:
    with ExitStack() as stack:
        mirakl = started(stack, "mirakl", "--port", "0", "--seed", "3")
        yield Platforms(mirakl, started(stack, "shopify", "--port", "0", "--seed", "3"))


@pytest.fixture
def given(platforms: Platforms) -> dict[str, str]:
    """The words of a command that connects, on a day on which the marketplace was asked for nothing yet: its lists may be
    read four times a day."""
    day = httpx2.post(f"{platforms.mirakl['base_url']}/_sim/clock/advance", json={"seconds": 86_400})
    assert day.status_code == 200, day.text
    return {
        "--name": "atlas",
        "--mirakl-url": platforms.mirakl["base_url"],
        "--shopify-shop": platforms.shopify["shop"],
        "--shopify-url": platforms.shopify["base_url"],
        "--shopify-client-id": platforms.shopify["client_id"],
        "--cancelation-reason": "",
    }


def connect(run: Run, given: dict[str, str], platforms: Platforms, *more: str, **environment: str) -> Any:
    words = [word for option, value in given.items() if value for word in (option, value)]
    secrets = {
        "MIRAKL_API_KEY": platforms.mirakl["api_key"],
        "SHOPIFY_CLIENT_SECRET": platforms.shopify["client_secret"],
    }
    return run("connect", *words, *more, **{**secrets, **environment})


def stored(database: Database) -> int:
    with database.begin() as c:
        return len(all_connections(c))


def allowed_reason(run: Run, given: dict[str, str], platforms: Platforms) -> str:
    """The first reason the command offers when there are several; empty when there is one."""
    said = connect(run, {**given, "--cancelation-reason": "no-such"}, platforms).stderr
    return str(said.split("It may give: ")[1].split(",")[0].split(".")[0])


def test_both_sides_are_asked_and_everything_secret_is_stored_encrypted(
    interlock: Run, database: Database, keyring: Keyring, given: dict[str, str], platforms: Platforms
) -> None:
    given["--cancelation-reason"] = allowed_reason(interlock, given, platforms)

    result = connect(interlock, given, platforms, "--acceptance-window", "48h", "--live", "--json")

    assert result.exit_code == 0, result.stderr
    said = document(result)
    assert (said["name"], said["live"], said["mirakl_shop_id"]) == (
        "atlas",
        True,
        platforms.mirakl["shop_id"],
    )
    assert {p["setting"] for p in said["policies"]} >= {"import route", "quiet period", "acceptance window"}
    with database.begin() as c:
        row = c.execute(select(connections)).one()
        charged = [call.operation for call in c.execute(select(budget_calls))]
    assert keyring.decrypt(row.mirakl_key).decode() == platforms.mirakl["api_key"]
    assert keyring.decrypt(row.shopify_client_secret).decode() == platforms.shopify["client_secret"]
    assert row.capability["carriers"]
    assert sorted(charged) == ["A01", "RE01", "SH12", "SH21"]
    for shown in (result.output, result.stderr):
        assert platforms.mirakl["api_key"] not in shown
        assert platforms.shopify["client_secret"] not in shown


def test_how_long_orders_are_held_is_set_at_connect_and_changed_later(
    interlock: Run, database: Database, given: dict[str, str], platforms: Platforms
) -> None:
    given["--cancelation-reason"] = allowed_reason(interlock, given, platforms)
    made = connect(interlock, given, platforms, "--edit-window", "30min", "--service-wait", "20min", "--json")
    assert made.exit_code == 0, made.stderr
    assert document(made)["labels_nobody_can_stop"] == []
    changed = ("connect", "--name", "atlas", "--edit-window", "none", "--label-max-age", "10s")
    said = interlock(*changed)
    assert said.exit_code == 0, said.stderr
    assert "Every place the shop ships from is its own: a hold stops every label." in said.stdout
    assert interlock("connect", "--name", "atlas", "--label-max-age", "soon").exit_code == Exit.REFUSED

    with database.begin() as c:
        [row] = all_connections(c)
    assert row.services_read_at is not None
    assert (row.rules.edit_window, row.rules.label_max_age, row.rules.service_wait) == (
        None,
        timedelta(seconds=10),
        timedelta(minutes=20),
    )


def test_a_new_connection_says_where_its_orders_stand_and_that_it_does(
    interlock: Run, database: Database, given: dict[str, str], platforms: Platforms
) -> None:
    given["--cancelation-reason"] = allowed_reason(interlock, given, platforms)
    made = connect(interlock, given, platforms, "--acceptance-window", "48h")
    with database.begin() as c:
        (before,) = all_connections(c)
    off = interlock("connect", "--name", "atlas", "--show-status", "no")
    live = interlock("connect", "--name", "atlas", "--live")
    with database.begin() as c:
        (after,) = all_connections(c)

    assert (before.rules.show_status, after.rules.show_status, after.live) == (True, False, True)
    assert "interlock connect --name atlas --show-status no" in " ".join(made.output.split())
    for said in (off, live):
        assert "one tag that begins with" not in " ".join(said.output.split())


def test_where_an_order_is_in_the_portal_is_said_once_and_checked(
    interlock: Run, database: Database, given: dict[str, str], platforms: Platforms
) -> None:
    given["--cancelation-reason"] = allowed_reason(interlock, given, platforms)
    connect(interlock, given, platforms)

    def kept() -> str:
        with database.begin() as c:
            (row,) = all_connections(c)
        return row.rules.order_in_portal

    change = ("connect", "--name", "atlas", "--order-in-portal")
    assert kept() == ""
    assert interlock(*change, "https://atlas.example/orders/{order_id}").exit_code == 0
    assert kept() == "https://atlas.example/orders/{order_id}"
    refused = interlock(*change, "https://atlas.example/orders/{number}")
    assert refused.exit_code == Exit.REFUSED
    assert "{order_id} once" in " ".join(refused.output.split())
    assert kept() == "https://atlas.example/orders/{order_id}"
    assert interlock(*change, "none").exit_code == 0
    assert kept() == ""


def test_whoever_wants_no_status_says_so_when_the_connection_is_added(
    interlock: Run, database: Database, given: dict[str, str], platforms: Platforms
) -> None:
    given["--cancelation-reason"] = allowed_reason(interlock, given, platforms)
    connect(interlock, given, platforms, "--show-status", "no")

    with database.begin() as c:
        (row,) = all_connections(c)
    assert row.rules.show_status is False


def test_a_connection_goes_live_later(
    interlock: Run, database: Database, given: dict[str, str], platforms: Platforms
) -> None:
    """What nobody can read at the marketplace is said when it is known; until the window is, nothing goes live."""
    given["--cancelation-reason"] = allowed_reason(interlock, given, platforms)
    assert (
        connect(interlock, given, platforms, "--quiet-period", "90s", "--partial-acceptance").exit_code == 0
    )
    # Refused whole: the lineage wait that came along was not stored either (it is 10 minutes without being said).
    early = interlock("connect", "--name", "atlas", "--live", "--lineage-wait", "7min")
    assert "Without --acceptance-window" in early.stderr
    with database.begin() as c:
        assert all_connections(c)[0].rules.lineage_wait == timedelta(minutes=10)
    wrong = interlock("connect", "--name", "atlas", "--import-route", "fast")
    assert (wrong.exit_code, "is not an import route" in wrong.stderr) == (3, True)
    changed = interlock(
        *("connect", "--name", "atlas", "--import-route", "order", "--no-payment-lock"),
        *("--partial-cancelation", "--no-partial-acceptance", "--lineage-wait", "5min"),
        *("--poll-interval", "15min", "--event-reads-per-minute", "0"),
    )
    assert changed.exit_code == 0

    result = interlock("connect", "--name", "atlas", "--live", "--acceptance-window", "48h", "--json")

    assert document(result)["live"] is True
    with database.begin() as c:
        (row,) = all_connections(c)
    assert row.live_since is not None
    shown = document(interlock("connect", "--name", "atlas", "--show", "--json"))
    assert shown["live_since"] == document(result)["live_since"] == row.live_since.isoformat()
    assert (
        f"atlas is live since {stamp(row.live_since)}:"
        in interlock("connect", "--name", "atlas", "--show").stdout
    )
    assert interlock("connect", "--name", "atlas", "--live").exit_code == 0
    with database.begin() as c:
        assert all_connections(c)[0].live_since == row.live_since
    rules = row.rules
    assert (rules.import_route, rules.payment_lock) == ("order", False)
    assert (rules.partial_cancelation, rules.partial_acceptance) == (True, False)
    assert (rules.quiet_period, rules.lineage_wait) == (timedelta(seconds=90), timedelta(minutes=5))
    assert (rules.acceptance_window, row.poll_seconds, row.event_reads_per_minute) == (
        timedelta(days=2),
        900,
        0,
    )
    again = connect(interlock, given, platforms)
    assert again.exit_code == 3
    assert "There is a connection 'atlas' already." in again.stderr
    twin = connect(interlock, {**given, "--name": "twin"}, platforms)
    assert "One Mirakl shop account has one connection." in twin.stderr
    assert stored(database) == 1


def test_without_an_acceptance_window_nothing_goes_live(
    interlock: Run, database: Database, given: dict[str, str], platforms: Platforms
) -> None:
    result = connect(interlock, given, platforms, "--live")

    assert result.exit_code == 3
    assert "Without --acceptance-window the connection cannot go live" in result.stderr
    assert stored(database) == 0


@pytest.mark.parametrize(
    ("changes", "environment", "said"),
    [
        ({}, {"MIRAKL_API_KEY": "wrong-key"}, "the API key is not accepted"),
        ({}, {"MIRAKL_API_KEY": "two words"}, "The API key is empty or holds blanks"),
        ({}, {"MIRAKL_API_KEY": ""}, "Give the marketplace's API key in the variable MIRAKL_API_KEY"),
        ({}, {"SHOPIFY_CLIENT_SECRET": "wrong"}, "Shopify refused the credentials of the app"),
        ({"--mirakl-url": "http://atlas.example"}, {}, "it uses plain http"),
        ({"--mirakl-url": "https://user:pw@atlas.example"}, {}, "contains a user name or password"),
        ({"--mirakl-url": "https://10.0.0.7"}, {}, "private network address"),
        ({"--mirakl-url": "atlas"}, {}, "does not begin with https://"),
        ({"--shopify-shop": "evil.example"}, {}, "is not the domain of a shop"),
        ({"--shopify-url": "https://evil.example"}, {}, "over https"),
        ({"--name": "Two Words"}, {}, "cannot be a name"),
        ({"--import-route": "fast"}, {}, "is not an import route"),
        ({"--quiet-period": "soon"}, {}, "is not a length of time"),
        ({"--cancelation-reason": "no-such"}, {}, "is not a cancelation reason a shop may give"),
        ({"--cancelation-reason": "price=34"}, {}, "'price' is no kind of edit"),
        ({"--refund-reason": "20"}, {}, "is not a refund reason a shop may give"),
        ({"--reduction-after-debit": "always"}, {}, "there are task, approve and automatic"),
        ({"--reduction-after-debit": "approve"}, {}, "Choose one with --refund-reason: 15 (Out of stock)"),
        (
            {"--reduction-after-debit": "automatic", "--refund-reason": "15"},
            {},
            "automatic needs --refund-cap",
        ),
        ({"--refund-limit": "much"}, {}, "--refund-limit: 'much' is not an amount"),
        ({"--refund-limit": "-1"}, {}, "--refund-limit: -1 is not an amount anyone pays"),
        ({"--refund-cap": "NaN"}, {}, "is not an amount anyone pays"),
        ({"--price-tolerance": "a lot"}, {}, "is no share"),
        ({"--price-tolerance": "-1"}, {}, "between 0 and 1000 per cent"),
        ({"--ships-from": "the cellar"}, {}, "'the cellar' is not LOCATION=CODE"),
        ({"--ships-from": "cellar=MAIN"}, {}, "'cellar=MAIN' is not LOCATION=CODE"),
        ({"--customer-mail": "all"}, {}, "there are none and shipping, not 'all'"),
        ({"--mirror-marketplace-changes": "maybe"}, {}, "there are yes and no"),
        ({"--proportional-taxes": "some"}, {}, "there are yes and no"),
        ({"--webhook-base": "http://interlock.example"}, {}, "--webhook-base cannot be used"),
    ],
)
def test_what_cannot_be_used_is_named_counted_and_stores_nothing(
    interlock: Run,
    database: Database,
    given: dict[str, str],
    platforms: Platforms,
    changes: dict[str, str],
    environment: dict[str, str],
    said: str,
) -> None:
    if "--webhook-base" in changes:
        given["--cancelation-reason"] = allowed_reason(interlock, given, platforms)
    before = counted(database)

    result = connect(interlock, {**given, **changes}, platforms, **environment)

    assert result.exit_code in (3, 5), result.output
    assert said in result.stderr
    assert stored(database) == 0
    assert counted(database) == before + 1


def counted(database: Database) -> int:
    with database.begin() as c:
        return counts(c).get(("connect_refused", ""), 0)


def test_loopback_needs_its_switch(
    interlock: Run, database: Database, given: dict[str, str], platforms: Platforms
) -> None:
    result = connect(interlock, given, platforms, INTERLOCK_ALLOW_LOOPBACK_HTTP="false")

    assert result.exit_code == 3
    assert "points to this machine" in result.stderr


def test_a_marketplace_that_does_not_answer_has_a_code_of_its_own(
    interlock: Run, database: Database, given: dict[str, str], platforms: Platforms
) -> None:
    result = connect(interlock, {**given, "--mirakl-url": "http://127.0.0.1:9"}, platforms)

    assert result.exit_code == 5
    assert stored(database) == 0


def test_a_name_that_leads_to_a_private_network_is_refused_before_anything_is_sent() -> None:
    shop = shopify_shop("name.myshopify.com", "", "client", "secret", False)
    with pytest.raises(CannotConnect, match="localhost leads to an address of a private network"):
        asyncio.run(probe("https://localhost", "key", "", shop, SystemClock()))


# -- policies and the profile ------------------------------------------------------------------------------


def test_set_up_says_what_is_automatic_here_and_what_nobody_has_verified(
    interlock: Run, given: dict[str, str], platforms: Platforms
) -> None:
    given["--cancelation-reason"] = "34"
    said = document(connect(interlock, given, platforms, "--json"))

    profile = {entry["name"]: entry for entry in said["profile"]}
    assert (profile["tax mode"]["source"], profile["tax mode"]["verified"]) == ("PC01", True)
    assert profile["partial cancelation"]["remark"] == "unverified"
    assert {one["automatic"] for one in said["edits"]} == {True, False}
    assert "kinds of edit" in said["share"]


def test_what_the_marketplace_refused_is_shown_and_tried_again_once_it_is_said_anew(
    interlock: Run, database: Database, given: dict[str, str], platforms: Platforms
) -> None:
    given["--cancelation-reason"] = "34"
    assert connect(interlock, given, platforms).exit_code == 0
    with database.begin() as c:
        (row,) = all_connections(c)
        observe(c, row.id, Observation("messages", False, "OR43 was refused (HTTP_403)"), NOW)

    def messages(*options: str) -> tuple[str, str]:
        said = document(interlock("connect", "--name", "atlas", *options, "--json"))
        (entry,) = (entry for entry in said["profile"] if entry["name"] == "messages")
        return entry["value"], entry["remark"]

    assert messages("--show") == ("no", "OR43 was refused (HTTP_403); the setting says yes")
    assert messages("--messages") == ("yes", "unverified")
    assert messages("--no-messages") == ("no", "unverified")
    with database.begin() as c:
        (row,) = all_connections(c)
    assert not row.rules.messages


def test_what_a_person_changes_of_the_settings_is_in_the_audit_log_with_both_values(
    interlock: Run, database: Database, given: dict[str, str], platforms: Platforms
) -> None:
    given["--cancelation-reason"] = "34"
    assert connect(interlock, given, platforms).exit_code == 0
    change = (
        "--quiet-period",
        "90s",
        "--refund-limit",
        "200",
        "--show-status",
        "no",
        "--poll-interval",
        "5min",
    )
    ships = ("--ships-from", "77=MAIN", "--messages", "--who", "Ada")
    assert interlock("connect", "--name", "atlas", *change, *ships).exit_code == 0
    assert interlock("connect", "--name", "atlas", "--quiet-period", "1", "--who", "Ada").exit_code != 0
    with database.begin() as c:
        (row,) = all_connections(c)
        found = list(entries(c))

    assert {(entry.did, entry.subject, entry.connection_id) for entry in found} == {
        ("policy_changed", f"connection {row.id}", row.id)
    }
    assert found[0].facts["connection"] == "added"
    assert (found[-1].who, dict(found[-1].facts)) == (
        "Ada",
        {
            "quiet period": "1min → 90s",
            "refund limit": "none → 200",
            "show status": "yes → no",
            "poll seconds": "60 → 300",
            "shipping origins": "none → gid://shopify/Location/77 MAIN",
            "said anew": "messages",
        },
    )


def test_a_connection_is_given_a_new_key_once_it_was_tried(
    interlock: Run,
    database: Database,
    keyring: Keyring,
    given: dict[str, str],
    platforms: Platforms,
    tmp_path: Path,
) -> None:
    given["--cancelation-reason"] = "34"
    assert connect(interlock, given, platforms).exit_code == 0
    made = httpx2.post(f"{platforms.mirakl['base_url']}/_sim/keys", json={"caller": "renewed"}).json()
    key, secret = tmp_path / "key", tmp_path / "secret"

    def renew(name: str, file: Path, text: str, *more: str) -> tuple[int, str]:
        file.write_text(f"{text}\n")
        said = interlock("connect", "--name", "atlas", name, str(file), *more, "--who", "Ada")
        assert text not in said.output + said.stderr
        return said.exit_code, said.stderr

    def present() -> tuple[str, str]:
        with database.begin() as c:
            (row,) = all_connections(c)
        return keyring.decrypt(row.mirakl_key).decode(), keyring.decrypt(row.shopify_client_secret).decode()

    before = present()
    for name, file, text in (
        ("--mirakl-key-file", key, "no-such-key"),
        ("--shopify-secret-file", secret, "no-such"),
    ):
        code, why = renew(name, file, text)
        assert (code, "Nothing was stored." in why) == (Exit.REFUSED, True), why
    code, why = renew("--mirakl-key-file", key, made["api_key"], "--quiet-period", "90s")
    assert (code, "Give them by themselves" in why) == (Exit.REFUSED, True)
    assert present() == before

    assert renew("--mirakl-key-file", key, made["api_key"])[0] == 0
    assert present() == (made["api_key"], platforms.shopify["client_secret"])
    assert renew("--shopify-secret-file", secret, platforms.shopify["client_secret"])[0] == 0
    assert present() == (made["api_key"], platforms.shopify["client_secret"])
    with database.begin() as c:
        said = [dict(entry.facts) for entry in entries(c) if entry.who == "Ada"]
    assert said == [{"marketplace key": "renewed"}, {"app secret": "renewed"}]


@pytest.mark.parametrize("wrong", ["id", "secret"])
def test_credentials_of_the_app_that_shopify_refuses_are_named(
    interlock: Run, database: Database, given: dict[str, str], platforms: Platforms, wrong: str
) -> None:
    given["--cancelation-reason"] = "34"
    secret = platforms.shopify["client_secret"]
    if wrong == "id":
        given["--shopify-client-id"] = "no-such-app"
    else:
        secret = "shpss_wrong"

    refused = connect(interlock, given, platforms, SHOPIFY_CLIENT_SECRET=secret)

    assert refused.exit_code == Exit.REFUSED
    for words in (
        "Shopify refused the credentials of the app",
        "--shopify-client-id",
        "SHOPIFY_CLIENT_SECRET",
    ):
        assert words in refused.stderr
    assert secret not in refused.stderr
    assert stored(database) == 0


def test_a_new_secret_is_that_of_every_connection_of_the_app(
    interlock: Run,
    database: Database,
    keyring: Keyring,
    given: dict[str, str],
    platforms: Platforms,
    tmp_path: Path,
) -> None:
    given["--cancelation-reason"] = "34"
    assert connect(interlock, given, platforms).exit_code == 0
    old, other = keyring.encrypt(b"the old one"), keyring.encrypt(b"of another app")
    with database.begin() as c:
        (row,) = all_connections(c)
        add = partial(
            add_connection,
            c,
            at=NOW,
            live=False,
            mirakl_origin="https://beta.example",
            mirakl_key=old,
            shopify_shop=row.shopify_shop,
            shopify_origin=row.shopify_origin,
        )
        rules = replace(row.rules, name="beta", hold_handle="interlock:beta")
        add(rules, mirakl_shop_id=1, shopify_client_id=row.shopify_client_id, shopify_client_secret=old)
        rules = replace(row.rules, name="gamma", hold_handle="interlock:gamma")
        add(rules, mirakl_shop_id=2, shopify_client_id="another", shopify_client_secret=other)
    (tmp_path / "secret").write_text(platforms.shopify["client_secret"])
    renewed = interlock("connect", "--name", "atlas", "--shopify-secret-file", str(tmp_path / "secret"))

    assert renewed.exit_code == 0, renewed.stderr
    with database.begin() as c:
        kept = {one.name: keyring.decrypt(one.shopify_client_secret).decode() for one in all_connections(c)}
    assert kept == {
        "atlas": platforms.shopify["client_secret"],
        "beta": platforms.shopify["client_secret"],
        "gamma": "of another app",
    }


def test_the_address_of_webhooks_is_shown_and_changed_later(
    interlock: Run, database: Database, given: dict[str, str], platforms: Platforms
) -> None:
    given["--cancelation-reason"] = "34"
    assert connect(interlock, given, platforms, "--webhook-base", "none").exit_code == 0

    def told(*options: str) -> str | None:
        said = interlock("connect", "--name", "atlas", *options, "--json")
        assert said.exit_code == 0, said.stderr
        found: str | None = document(said)["webhook_base"]
        return found

    assert told("--show") is None
    assert told("--webhook-base", "https://in.example/") == "https://in.example"
    assert (
        "delivers its webhooks to https://in.example."
        in interlock("connect", "--name", "atlas", "--show").stdout
    )
    refused = interlock(
        "connect", "--name", "atlas", "--quiet-period", "90s", "--webhook-base", "http://in.example"
    )
    assert (refused.exit_code, "Nothing was stored." in refused.stderr) == (Exit.REFUSED, True)
    with database.begin() as c:
        (row,) = all_connections(c)
    assert row.rules.quiet_period == timedelta(seconds=60)
    assert told("--show") == "https://in.example"
    assert told("--webhook-base", "none") is None


@pytest.mark.parametrize(
    "option", ["--mirakl-shop-id", "--shopify-shop", "--shopify-client-id", "--mirakl-url"]
)
def test_what_a_connection_stands_for_is_never_changed(
    option: str, interlock: Run, database: Database, given: dict[str, str], platforms: Platforms
) -> None:
    given["--cancelation-reason"] = "34"
    assert connect(interlock, given, platforms).exit_code == 0
    refused = interlock("connect", "--name", "atlas", option, "https://other.example", "--live")
    assert (refused.exit_code, "stay what they are" in refused.stderr) == (Exit.REFUSED, True)


def test_an_existing_connection_is_shown_and_its_refund_policy_changed(
    interlock: Run, database: Database, given: dict[str, str], platforms: Platforms
) -> None:
    given["--cancelation-reason"] = "34"
    assert connect(interlock, given, platforms).exit_code == 0

    changed = interlock(
        "connect",
        "--name",
        "atlas",
        "--reduction-after-debit",
        "automatic",
        "--refund-cap",
        "49.90",
        "--refund-limit",
        "200",
        "--refund-reason",
        "15",
        "--refund-reason",
        "line_removed=19",
        "--mirror-marketplace-changes",
        "no",
        "--price-tolerance",
        "2.5",
        "--customer-mail",
        "shipping",
        "--ships-from",
        "77=MAIN",
        "--ships-from",
        "gid://shopify/Location/78=SOUTH",
        "--ships-from",
        "78=",
        "--json",
    )
    shown = interlock("connect", "--name", "atlas", "--show")

    assert changed.exit_code == 0, changed.stderr
    with database.begin() as c:
        (row,) = all_connections(c)
        reasons = {(one.name, one.former, one.present) for one in map_history(c, row.id, "reasons")}
    assert reasons >= {("refund line_removed", "", "19")}
    assert (row.rules.reduction_after_debit, row.rules.refund_cap) == ("automatic", Decimal("49.90"))
    assert row.rules.refund_limit == 200
    assert (row.rules.mirror_marketplace_changes, row.rules.price_tolerance) == (False, Decimal("2.5"))
    assert row.rules.customer_mail == "shipping"
    assert row.rules.warehouse_of("gid://shopify/Location/77") == "MAIN"
    assert row.rules.warehouse_of("gid://shopify/Location/78") == ""
    assert row.rules.refund_reason_for("line_removed") == "19"
    assert row.rules_changed_at is not None
    assert not row.live
    for words in (
        "automatic",
        "49.90",
        "refund in Shopify",
        "always a task",
        "unverified",
        "RE01",
        "customer mail",
    ):
        assert words in shown.output, words

    refused = interlock("connect", "--name", "atlas", "--refund-cap", "none")
    nobody = interlock("connect", "--name", "nobody", "--show")

    assert (refused.exit_code, nobody.exit_code) == (3, 3)
    assert "needs --refund-cap" in refused.stderr
    assert "no connection 'nobody'" in nobody.stderr
    with database.begin() as c:
        assert all_connections(c) == [row]
