"""Alerts that really leave: planned before they are sent, through Apprise to a real receiver, kept with their end."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from interlock.access.audit_log import entries
from interlock.cases.store import cases, open_connection_case
from interlock.engine.store import ConnectionRow
from interlock.monitoring import channels, links, outbox
from interlock.monitoring.channels import ChannelRefused
from interlock.monitoring.decide import Alert
from interlock.monitoring.duty import Alerting
from interlock.monitoring.sending import check_url
from interlock.orders.reasons import Reason
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.build import a_view, an_order
from tests.console.seed import CLOCK, Stopped, keep
from tests.monitoring.receiver import Receiver

# Long enough that no random part of a link holds one by chance.
CANARIES = ("Ada Lov", "Lovelace", "ada@example", "Analytical", "+44 20", "SW1A 9QQ")


def add_channel(
    database: Database, keyring: Keyring, name: str, url: str, kind: str = "chat", second: str = ""
) -> None:
    with database.begin() as c:
        channels.add_channel(c, keyring, name, kind, url, "Kim", CLOCK, second=second)


def route(database: Database, channel: str, severity: str = "", hours: str = "") -> None:
    with database.begin() as c:
        channels.add_route(c, channel, "Kim", CLOCK, severity=severity, hours=hours)


def page(key: str = "k", severity: str = "page") -> Alert:
    return Alert(key, key, severity, ("operations",), "something is wrong", connection="atlas")  # type: ignore[arg-type]


def keep_alert(database: Database, alert: Alert) -> int:
    with database.begin() as c:
        return outbox.keep(c, [alert], CLOCK)


def states(database: Database) -> list[tuple[str, str, int]]:
    with database.begin() as c:
        return [
            (name, state, attempts)
            for row in outbox.latest_alerts(c)
            for name, state, attempts, _ in row.deliveries
        ]


def send(alerting: Alerting) -> int:
    return asyncio.run(alerting.send_due())


def test_an_alert_is_planned_then_sent_once_and_its_delivery_is_kept(
    database: Database, keyring: Keyring, alerting: Alerting, receiver: Receiver
) -> None:
    add_channel(database, keyring, "ops", receiver.url("ops"))
    route(database, "ops")

    assert keep_alert(database, page()) == 1
    assert keep_alert(database, page()) == 0
    assert states(database) == [("ops", "PLANNED", 0)]
    assert send(alerting) == 1
    assert send(alerting) == 0

    assert states(database) == [("ops", "SENT", 1)]
    (body,) = receiver.at("ops")
    assert body["title"] == "[PAGE] atlas: Something is wrong"
    assert "https://interlock.example/alerts/acknowledge/" in body["message"]


def test_a_channel_that_fails_is_tried_again_and_its_second_one_is_used_at_once_for_a_page(
    database: Database, keyring: Keyring, alerting: Alerting, receiver: Receiver, clock: Stopped
) -> None:
    with Receiver() as broken:
        broken.answer = 500
        add_channel(database, keyring, "second", receiver.url("second"))
        add_channel(database, keyring, "first", broken.url("first"), second="second")
        route(database, "first")
        keep_alert(database, page())

        assert send(alerting) == 0
        assert send(alerting) == 1
        assert states(database) == [("first", "PLANNED", 1), ("second", "SENT", 1)]
        assert len(receiver.at("second")) == 1

        broken.answer = 200
        clock.moment += timedelta(seconds=31)
        assert send(alerting) == 1
        assert states(database) == [("first", "SENT", 2), ("second", "SENT", 1)]


def test_a_channel_that_never_answers_is_given_up(
    database: Database, keyring: Keyring, alerting: Alerting, receiver: Receiver, clock: Stopped
) -> None:
    receiver.answer = 403
    add_channel(database, keyring, "ops", receiver.url("ops"))
    route(database, "ops")
    keep_alert(database, page(severity="message"))

    for _ in range(10):
        send(alerting)
        clock.moment += timedelta(hours=1)

    assert states(database) == [("ops", "GIVEN_UP", len(outbox.PAUSES) + 1)]


def test_a_delivery_whose_worker_is_gone_is_sent_again(
    database: Database, keyring: Keyring, alerting: Alerting, receiver: Receiver, clock: Stopped
) -> None:
    add_channel(database, keyring, "ops", receiver.url("ops"))
    route(database, "ops")
    keep_alert(database, page())
    with database.begin() as c:
        (channel_id,) = outbox.channels_with_due(c, clock.now())
        assert outbox.claim(c, clock.now(), channel_id) is not None

    assert send(alerting) == 0
    clock.moment += outbox.SENDING_FOR
    assert send(alerting) == 1

    assert states(database) == [("ops", "SENT", 2)]


def test_a_page_goes_before_the_tickets_that_wait(
    database: Database, keyring: Keyring, alerting: Alerting, receiver: Receiver, clock: Stopped
) -> None:
    add_channel(database, keyring, "ops", receiver.url("ops"))
    route(database, "ops")
    for number in range(12):
        keep_alert(database, page(f"t{number}", "ticket"))
        keep_alert(database, page(f"m{number}", "message"))
    clock.moment += timedelta(seconds=1)
    with database.begin() as c:
        outbox.keep(c, [page("p")], clock.now())

    assert send(alerting) == 25

    loud = [body["title"].partition("]")[0] for body in receiver.at("ops")]
    assert loud == ["[PAGE", *["[Message"] * 12, *["[Ticket"] * 12]


def test_a_channel_that_does_not_answer_keeps_no_other_waiting_and_nothing_is_claimed_behind_it(
    database: Database, keyring: Keyring, alerting: Alerting, receiver: Receiver, clock: Stopped
) -> None:
    async def until_ops_has_all() -> int:
        taken = await alerting.start_sending()
        while any(state != "SENT" for channel, state, _ in states(database) if channel == "ops"):
            await asyncio.sleep(0.01)
            taken += await alerting.start_sending()
        return taken

    async def story() -> None:
        taken = await until_ops_has_all()
        keep_alert(database, page("later"))
        taken += await until_ops_has_all()
        in_chat = [(state, attempts) for channel, state, attempts in states(database) if channel == "chat"]
        assert sorted(in_chat) == [("PLANNED", 0), ("PLANNED", 0), ("SENDING", 1)]
        slow.open.set()
        assert taken + await alerting.send_due() == 6

    with Receiver() as slow:
        add_channel(database, keyring, "chat", slow.url("chat"))
        add_channel(database, keyring, "ops", receiver.url("ops"))
        route(database, "chat")
        route(database, "ops")
        slow.open.clear()
        keep_alert(database, page("first"))
        keep_alert(database, page("second"))
        asyncio.run(story())

    assert len(receiver.at("ops")) == 3
    assert len(slow.at("chat")) == 3


def test_quiet_hours_keep_a_message_until_morning_and_let_a_page_through(
    database: Database, keyring: Keyring, alerting: Alerting, receiver: Receiver, clock: Stopped
) -> None:
    add_channel(database, keyring, "ops", receiver.url("ops"))
    route(database, "ops", hours="18:00-20:00")
    keep_alert(database, page("m", "message"))
    keep_alert(database, page("p", "page"))

    assert send(alerting) == 1
    assert receiver.at("ops")[0]["title"].startswith("[PAGE]")

    clock.moment = clock.moment.replace(hour=18)
    assert send(alerting) == 1


def test_a_message_of_the_same_cause_joins_the_one_before_and_a_page_does_not(
    database: Database, keyring: Keyring
) -> None:
    add_channel(database, keyring, "ops", "json://127.0.0.1:9/")
    route(database, "ops")
    for number in range(5):
        keep_alert(database, Alert(f"m{number}", "same", "message", ("operations",), "what"))
        keep_alert(database, Alert(f"p{number}", "pages", "page", ("operations",), "what"))

    with database.begin() as c:
        counts = sorted((row.alert.severity, row.alert.count) for row in outbox.latest_alerts(c))
    assert counts == [("message", 5), *[("page", 1)] * 5]


def test_a_message_does_not_join_a_ticket_of_its_cause(database: Database, keyring: Keyring) -> None:
    add_channel(database, keyring, "ops", "json://127.0.0.1:9/")
    route(database, "ops", severity="message")
    for number in range(2):
        keep_alert(database, Alert(f"t{number}", "same", "ticket", ("operations",), "what"))
        keep_alert(database, Alert(f"m{number}", "same", "message", ("operations",), "what"))

    with database.begin() as c:
        counts = sorted((row.alert.severity, row.alert.count) for row in outbox.latest_alerts(c))
    assert counts == [("message", 2), ("ticket", 2)]
    assert states(database) == [("ops", "PLANNED", 0)]


def test_a_channel_for_heartbeats_is_nobodys_second_one(database: Database, keyring: Keyring) -> None:
    add_channel(database, keyring, "alive", "json://127.0.0.1:9/", "heartbeat")

    with pytest.raises(ChannelRefused, match="takes heartbeats and no alerts"):
        add_channel(database, keyring, "pager", "json://127.0.0.1:9/", second="alive")


def test_an_alert_names_what_joined_it_and_the_nearest_deadline(database: Database, keyring: Keyring) -> None:
    add_channel(database, keyring, "ops", "json://127.0.0.1:9/")
    route(database, "ops")
    for number, hours in ((1, None), (2, 3), (3, 2), (4, None), (5, 4), (6, 5), (7, 6)):
        due = None if hours is None else CLOCK + timedelta(hours=hours)
        one = Alert(f"m{number}", "same", "message", ("operations",), "what", orders=(f"A-{number}",))
        keep_alert(database, replace(one, due_at=due))

    with database.begin() as c:
        (row,) = outbox.latest_alerts(c)
    assert row.alert.count == 7
    assert row.alert.orders == ("A-1", "A-2", "A-3", "A-4", "A-5")
    assert row.alert.due_at == CLOCK + timedelta(hours=2)


def test_the_scheduler_tells_an_open_case_and_repeats_a_page_until_somebody_acknowledges(
    database: Database,
    keyring: Keyring,
    alerting: Alerting,
    receiver: Receiver,
    clock: Stopped,
    connection: ConnectionRow,
) -> None:
    add_channel(database, keyring, "ops", receiver.url("ops"))
    with database.begin() as c:
        open_connection_case(c, connection.id, Reason.QUARANTINE, "x", "Something.", CLOCK)

    def after(minutes: int) -> int:
        clock.moment = CLOCK + timedelta(minutes=minutes)
        asyncio.run(alerting.tell())
        return send(alerting)

    assert after(0) == 1
    assert after(5) == 0
    assert after(10) == 1
    assert "Nobody has acknowledged" in receiver.at("ops")[-1]["title"]
    with database.begin() as c:
        again = outbox.latest_alerts(c, 1)[0]
        assert outbox.acknowledge(c, again.id, "Kim", clock.now()) is not None
    assert after(30) == 0


def test_a_closed_case_is_not_repeated(
    database: Database,
    keyring: Keyring,
    alerting: Alerting,
    receiver: Receiver,
    clock: Stopped,
    connection: ConnectionRow,
) -> None:
    add_channel(database, keyring, "ops", receiver.url("ops"))
    with database.begin() as c:
        open_connection_case(c, connection.id, Reason.QUARANTINE, "x", "Something.", CLOCK)
    asyncio.run(alerting.tell())
    assert send(alerting) == 1
    with database.begin() as c:
        c.execute(update(cases).values(closed_at=CLOCK))
    clock.moment += timedelta(minutes=11)
    asyncio.run(alerting.tell())

    assert send(alerting) == 0


def test_an_order_that_waits_climbs_its_ladder_and_nothing_about_the_customer_leaves(
    database: Database,
    keyring: Keyring,
    alerting: Alerting,
    receiver: Receiver,
    clock: Stopped,
    connection: ConnectionRow,
) -> None:
    add_channel(database, keyring, "ops", receiver.url("ops"))
    route(database, "ops")
    with database.begin() as c:
        view = a_view(mirakl=an_order(state="WAITING_ACCEPTANCE"))
        keep(c, connection, view)
        from interlock.orders.store import orders

        c.execute(update(orders).values(acceptance_due_at=CLOCK + timedelta(hours=1)))
        # even a sentence that should never have held a name does not get into an alert
        c.execute(
            update(cases).values(
                sentence="Ada Lovelace, ada@example.org, +44 20 7946 0000, Analytical Lane, SW1A 9QQ"
            )
        )
        open_connection_case(
            c,
            connection.id,
            Reason.UNREADABLE_ORDER,
            "Ada Lovelace",
            "Ada Lovelace lives in SW1A 9QQ.",
            CLOCK,
        )

    asyncio.run(alerting.tell())
    while send(alerting):
        pass

    sent = receiver.at("ops")
    assert any("time to accept" in body["title"] for body in sent)
    for body in sent:
        assert not any(canary in str(body) for canary in CANARIES)
    with database.begin() as c:
        kept = str(c.execute(select(outbox.alerts)).all())
    assert not any(canary in kept for canary in CANARIES)


def test_a_channels_address_is_encrypted_and_shown_masked(database: Database, keyring: Keyring) -> None:
    add_channel(database, keyring, "chat", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/")
    add_channel(database, keyring, "hook", "jsons://kim:secret@hooks.example/token", kind="webhook")

    with database.begin() as c:
        shown = [channel.masked for channel in channels.all_channels(c)]
        stored = c.execute(select(channels.alert_channels.c.url)).scalars().all()
    assert shown == ["slack://…", "jsons://hooks.example/…"]
    assert all(b"secret" not in url and b"TIiaj" not in url for url in stored)


@pytest.mark.parametrize("url", ["", "nothing://", "file:///etc/passwd", "json://a b", "not an address"])
def test_an_address_nothing_can_be_sent_to_is_refused(url: str) -> None:
    with pytest.raises(ChannelRefused, match="Nothing was changed"):
        check_url("chat", url)


def test_a_link_is_for_one_alert_and_for_a_while(keyring: Keyring) -> None:
    token = links.seal(keyring, 41, 7, CLOCK)

    assert links.link_of(keyring, token, CLOCK) == links.Link(41, 7)
    with pytest.raises(links.LinkUnusable, match="was valid until"):
        links.link_of(keyring, token, CLOCK + links.VALID_FOR + timedelta(seconds=1))
    with pytest.raises(links.LinkUnusable, match="not one of ours"):
        links.link_of(keyring, token[:-3] + "abc", CLOCK)
    with pytest.raises(links.LinkUnusable, match="not for acknowledging"):
        links.link_of(keyring, keyring.encrypt(b"console form x").decode(), CLOCK)


def test_a_heartbeat_reaches_the_address_outside(
    database: Database, keyring: Keyring, alerting: Alerting, receiver: Receiver
) -> None:
    import httpx2

    add_channel(database, keyring, "outside", f"http://127.0.0.1:{receiver.port}/beat", kind="heartbeat")

    async def beat() -> int:
        async with httpx2.AsyncClient() as client:
            alerting.http_for = lambda origin: client
            return await alerting.beat_outside()

    assert asyncio.run(beat()) == 1
    assert receiver.at("beat") == [None]
    receiver.answer = 500
    assert asyncio.run(beat()) == 0


def test_what_is_made_and_removed_is_in_the_audit_log_with_what_it_was(
    database: Database, keyring: Keyring, connection: ConnectionRow
) -> None:
    add_channel(database, keyring, "ops", "jsons://kim:secret@hooks.example/token")
    with database.begin() as c:
        first = channels.add_route(c, "ops", "Kim", CLOCK, severity="page", connection=connection.name)
        channels.add_route(c, "ops", "Kim", CLOCK, team="finance", hours="mon-fri 08:00-18:00")
        assert channels.remove_route(c, first, "Lou", CLOCK)
        assert not channels.remove_route(c, first, "Lou", CLOCK)
        channels.remove_channel(c, "ops", "Lou", CLOCK)
        found = list(entries(c))

    said = [
        (entry.who, entry.facts["what"], entry.facts.get("severity"), entry.connection_id) for entry in found
    ]
    assert {entry.did for entry in found} == {"alerts_changed"}
    assert said == [
        ("Kim", "made", None, None),
        ("Kim", "made", "page", connection.id),
        ("Kim", "made", "any", None),
        ("Lou", "removed", "page", connection.id),
        ("Lou", "removed with its channel", "any", None),
        ("Lou", "removed", None, None),
    ]
    assert found[4].facts["hours"] == "mon-fri 08:00-18:00"
    assert not any("secret" in value or "token" in value for entry in found for value in entry.facts.values())


@pytest.mark.parametrize("who", ["", "  "])
def test_nothing_is_removed_by_nobody(database: Database, keyring: Keyring, who: str) -> None:
    add_channel(database, keyring, "ops", "json://127.0.0.1:9/")
    with database.begin() as c:
        number = channels.add_route(c, "ops", "Kim", CLOCK)
        with pytest.raises(ChannelRefused, match="name of who"):
            channels.remove_route(c, number, who, CLOCK)
        with pytest.raises(ChannelRefused, match="name of who"):
            channels.remove_channel(c, "ops", who, CLOCK)
        assert len(channels.route_rows(c)) == 1
