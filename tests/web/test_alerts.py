"""The page of alerts, the link of an alert, and health with what was measured."""

import asyncio
import csv
import io
import re
from datetime import timedelta

from interlock.access.audit_log import entries
from interlock.access.roles import Grant, Person, Role
from interlock.cases.store import open_connection_case
from interlock.engine.store import ConnectionRow
from interlock.monitoring import channels, links, outbox
from interlock.monitoring.decide import Alert
from interlock.monitoring.duty import Alerting
from interlock.monitoring.measures import Latency
from interlock.monitoring.rollup import add
from interlock.orders.reasons import Reason
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from interlock.web import WebParts, create_app
from tests.console.seed import CLOCK, Numbered, Stopped, Wakes, connect
from tests.monitoring.receiver import Receiver
from tests.web.browser import Browser, text_of

CHANNEL = {"name": "ops", "kind": "chat", "zone": "Europe/Berlin"}


def numbered(browser: Browser, kind: str) -> str:
    """The address of the only channel or route on the page."""
    found = re.search(rf'action="(/alerts/{kind}/\d+)/remove"', browser.get("/alerts").text)
    assert found is not None
    return found[1]


def make_alert(database: Database) -> int:
    with database.begin() as c:
        outbox.keep(
            c, [Alert("k", "g", "page", ("operations",), "something is wrong", connection="atlas")], CLOCK
        )
        return outbox.latest_alerts(c)[0].id


def test_a_channel_is_added_tested_and_removed_on_the_page(
    browser: Browser, connection: ConnectionRow
) -> None:
    assert "Nobody can be reached yet" in text_of(browser.get("/alerts"))
    with Receiver() as receiver:
        url = receiver.url("secret-token")
        added = browser.submit("/alerts", "/alerts/channels", data={**CHANNEL, "url": url})
        assert added.status_code == 303
        page = browser.get("/alerts")
        assert "secret-token" not in page.text
        assert "json://127.0.0.1/…" in page.text

        channel = numbered(browser, "channels")
        tested = browser.submit("/alerts", f"{channel}/test")
        assert "ops took the test message." in text_of(tested)
        assert len(receiver.at("secret-token")) == 1
        receiver.answer = 500
        failed = browser.submit("/alerts", f"{channel}/test")
        assert failed.status_code == 502
        assert "ops did not take the test message" in text_of(failed)
    assert browser.submit("/alerts", f"{channel}/remove").status_code == 303
    assert browser.submit("/alerts", f"{channel}/remove").status_code == 404


def test_routes_are_added_and_removed_and_bad_input_is_named(
    browser: Browser, connection: ConnectionRow
) -> None:
    browser.submit("/alerts", "/alerts/channels", data={**CHANNEL, "url": "json://127.0.0.1:9/"})

    for data, named in (
        ({"channel": "nobody"}, "There is no channel"),
        ({"channel": "ops", "team": "<b>"}, "is no team"),
        ({"channel": "ops", "hours": "8-6"}, "are no hours"),
    ):
        refused = browser.submit("/alerts", "/alerts/routes", data=data)
        assert refused.status_code == 422
        assert named in text_of(refused)
        assert "<b>" not in refused.text.replace("<b>(", "")
    data = {"channel": "ops", "team": "operations", "hours": "mon-fri 08:00-18:00"}
    assert browser.submit("/alerts", "/alerts/routes", data=data).status_code == 303
    assert "mon-fri 08:00-18:00" in text_of(browser.get("/alerts"))
    assert browser.submit("/alerts", numbered(browser, "routes") + "/remove").status_code == 303


def test_an_alert_is_acknowledged_on_the_page(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    alert = make_alert(database)

    assert "nobody: no route takes it" in text_of(browser.get("/alerts"))
    assert browser.submit("/alerts", f"/alerts/{alert}/acknowledge").status_code == 303
    with database.begin() as c:
        assert outbox.latest_alerts(c)[0].acknowledged_by == "Ada"
    assert browser.submit("/alerts", "/alerts/99/acknowledge").status_code == 404


def test_looking_at_an_alerts_link_changes_nothing_and_its_button_does(
    store: InlineStore, keyring: Keyring, database: Database, connection: ConnectionRow
) -> None:
    stranger = Browser(create_app(WebParts(store, Stopped(), Numbered(), Wakes(), keyring)))
    alert = make_alert(database)
    path = f"/alerts/acknowledge/{links.seal(keyring, alert, 99, CLOCK)}"

    for _ in range(3):
        page = stranger.get(path)
        assert page.status_code == 200
        assert "something is wrong" in text_of(page)
    with database.begin() as c:
        assert outbox.latest_alerts(c)[0].acknowledged_at is None
    assert "Acknowledged by" in text_of(stranger.submit(path, path))
    with database.begin() as c:
        assert outbox.latest_alerts(c)[0].acknowledged_by == "whoever had the link"
    with database.begin() as c:
        (entry,) = (one for one in entries(c) if one.did == "alert_acknowledged")
    assert (entry.who, entry.subject) == ("whoever had the link", f"alert {alert}")
    assert entry.facts == {"by": "link of the message", "channel": "removed since"}


def test_alerts_are_listed_by_team_connection_loudness_and_whether_they_were_seen(
    browser: Browser, keyring: Keyring, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        borealis = connect(c, keyring, "borealis", shop="borealis.myshopify.com", shop_id=2002)
        told = [
            Alert(
                f"k{n}",
                f"g{n}",
                "page" if n % 2 else "ticket",
                ("finance",) if n < 3 else ("CX", "operations"),
                f"=cmd {n}" if n == 1 else f"trouble {n:02}",
                connection_id=row.id,
                connection=row.name,
            )
            for n in range(60)
            for row in [connection if n % 3 else borealis]
        ]
        outbox.keep(c, told, CLOCK)
        outbox.acknowledge(c, outbox.latest_alerts(c)[0].id, "Kim", CLOCK)

    page = browser.get("/alerts?connection=atlas&team=finance")
    assert "trouble 02" in page.text
    assert "trouble 00" not in page.text
    assert "trouble 04" not in page.text
    assert 'href="/alerts.csv?connection=atlas&amp;team=finance"' in page.text
    first = browser.get("/alerts")
    following = re.search(r'href="(/alerts\?after=\d+)" rel="next"', first.text)
    assert following is not None
    assert "trouble 09" not in first.text
    assert "trouble 09" in browser.get(following[1]).text
    assert "No alert fits" in browser.get("/alerts?team=finance&severity=message").text
    assert browser.get("/alerts?severity=loud").status_code == 422
    assert browser.get("/alerts.csv?seen=perhaps").status_code == 422

    def file(query: str) -> list[dict[str, str]]:
        content = browser.get(f"/alerts.csv{query}").content.decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(content)))

    assert len(file("")) == 60
    assert [row["what"] for row in file("?team=finance&connection=atlas")] == ["trouble 02", "'=cmd 1"]
    assert {row["connection"] for row in file("?connection=borealis")} == {"borealis"}
    assert {row["how loud"] for row in file("?severity=page")} == {"page"}
    assert [row["seen by"] for row in file("?seen=yes")] == ["Kim"]
    assert len(file("?seen=no")) == 59
    with database.begin() as c:
        assert [one.facts for one in entries(c) if one.did == "exported"][-1] == {"seen": "no"}


def test_a_role_for_one_connection_sees_and_takes_its_alerts_alone(
    store: InlineStore, keyring: Keyring, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        other = connect(c, keyring, "borealis", shop="borealis.myshopify.com", shop_id=2002)
        own, foreign, ours = (
            Alert("own", "own", "page", ("CX",), "an own trouble", "", connection.id, connection.name),
            Alert("far", "far", "page", ("CX",), "a foreign trouble", "", other.id, other.name),
            Alert("all", "all", "page", ("CX",), "a trouble of all", ""),
        )
        outbox.keep(c, [own, foreign, ours], CLOCK)
        numbers = {row.alert.title: row.id for row in outbox.latest_alerts(c)}
    ada = Browser(
        create_app(
            WebParts(
                store,
                Stopped(),
                Numbered(),
                Wakes(),
                keyring,
                everyone=Person(7, "ada", (Grant(Role.CX, connection.id),)),
            )
        )
    )

    page = ada.get("/alerts?connection=atlas")
    assert "an own trouble" in page.text
    assert "a foreign trouble" not in page.text
    assert "a trouble of all" not in page.text
    assert "Add a channel" not in page.text

    def take(title: str) -> int:
        return ada.submit("/alerts?connection=atlas", f"/alerts/{numbers[title]}/acknowledge").status_code

    assert take("an own trouble") == 303
    assert take("a foreign trouble") == 403
    assert take("a trouble of all") == 403
    with database.begin() as c:
        seen = {row.alert.title for row in outbox.latest_alerts(c) if row.acknowledged_at}
    assert seen == {"an own trouble"}


def test_a_link_that_is_old_or_not_ours_is_refused_in_words(
    browser: Browser, keyring: Keyring, database: Database, connection: ConnectionRow
) -> None:
    alert = make_alert(database)
    old = links.seal(keyring, alert, 99, CLOCK - timedelta(days=4))

    for seal, said in ((old, "was valid until"), ("nonsense", "is not one of ours")):
        page = browser.get(f"/alerts/acknowledge/{seal}")
        assert page.status_code == 410
        assert said in text_of(page)
    with database.begin() as c:
        assert outbox.latest_alerts(c)[0].acknowledged_at is None


def test_the_link_that_was_sent_works(
    browser: Browser, store: InlineStore, keyring: Keyring, database: Database, connection: ConnectionRow
) -> None:
    with Receiver() as receiver:
        with database.begin() as c:
            channels.add_channel(c, keyring, "ops", "chat", receiver.url("ops"), "Kim", CLOCK)
            open_connection_case(c, connection.id, Reason.QUARANTINE, "x", "Something.", CLOCK)
        alerting = Alerting(store, Stopped(), keyring, "http://localhost:8080")
        asyncio.run(alerting.tell())
        asyncio.run(alerting.send_due())
        sent = next(body for body in receiver.at("ops") if "Nothing is written" in body["title"])
    found = re.search(r"http://localhost:8080(/alerts/acknowledge/\S+)", sent["message"])
    assert found is not None
    assert "Acknowledged by Ada" in text_of(browser.submit(found[1], found[1]))
    with database.begin() as c:
        said = [one.facts for one in entries(c) if one.did == "alert_acknowledged"]
    assert said == [{"by": "link of the message", "channel": "ops"}]
    case = re.search(r"http://localhost:8080(/cases/\d+)", sent["message"])
    assert case is not None
    assert browser.get(case[1]).status_code == 200


def test_health_shows_objectives_durations_and_tables_for_readers(
    browser: Browser, store: InlineStore, keyring: Keyring, database: Database, connection: ConnectionRow
) -> None:
    assert "Nothing was measured yet" in text_of(browser.get("/health"))
    with database.begin() as c:
        add(c, connection.id, [Latency("seen_accepted", CLOCK, 12.0) for _ in range(20)])
    asyncio.run(Alerting(store, Stopped(), keyring).measure())

    page = browser.get("/health")
    text = text_of(page)
    assert "S2 first seen to accepted" in text
    assert "20 measured · half ≤ 20 s · 95 % ≤ 20 s" in text
    assert 'data-plot="bars"' in page.text
    assert "style=" not in page.text
    metrics = browser.get("/metrics").text
    assert 'interlock_objective{code="S2"} 1.0' in metrics
    assert 'interlock_duration_seconds{measure="seen_accepted",quantile="0.95"} 20.0' in metrics
