"""The label check on the command line, and overriding it."""

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, select, update

from interlock.cli.telling import Exit
from interlock.engine.store import ConnectionRow
from interlock.holds.store import label_overrides
from interlock.orders.store import orders
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.build import a_fulfillment_order
from tests.cli.conftest import Run, document
from tests.console.seed import connect, edited_up, keep


def _see_now(c: Connection) -> None:
    """What is stored is young, and nothing has happened since."""
    c.execute(update(orders).values(label_until=datetime(2100, 1, 1, tzinfo=UTC), hints=0, handled=0))


def test_a_label_is_checked_and_no_override_is_used_up(
    interlock: Run, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        keep(c, connection, edited_up())
        _see_now(c)
    assert interlock("label", "override", "#1001", "--why", "The customer waits.").exit_code == Exit.DONE
    with database.begin() as c:
        _see_now(c)

    told = interlock("label", "check", "#1001")
    answer = interlock("label", "check", "M-1001-A", "--connection", "atlas", "--json")

    assert told.exit_code == answer.exit_code == Exit.NOT_WELL
    assert told.output.startswith("No: ")
    assert "ada has the next check of FO1 say yes, once: The customer waits." in " ".join(told.output.split())
    shown = document(answer)
    assert (shown["print"], shown["source"], shown["order"]["mirakl"]) == (False, "stored", "M-1001-A")
    assert [one["who"] for one in shown["overrides"]] == ["ada"]
    with database.begin() as c:
        assert c.execute(select(label_overrides.c.ended_at)).scalars().all() == [None]
        c.execute(update(orders).values(label_yes=True, label_reason="Both sides agree."))
    now_a_yes = interlock("label", "check", "#1001")
    assert now_a_yes.exit_code == Exit.DONE
    assert "The override of FO1 by ada does not count any more." in " ".join(now_a_yes.output.split())
    assert interlock("label", "check", "9999").exit_code == Exit.NOT_FOUND
    assert interlock("label", "check", "#1001", "--connection", "cedar").exit_code == Exit.NOT_FOUND


def test_an_override_is_kept_once(interlock: Run, database: Database, connection: ConnectionRow) -> None:
    with database.begin() as c:
        keep(c, connection, edited_up())
        _see_now(c)

    given = ("label", "override", "#1001", "--why", "The customer waits.", "--json")
    kept = document(interlock(*given))["override"]
    with database.begin() as c:
        _see_now(c)

    assert (kept["fulfillment_order_id"], kept["who"]) == ("FO1", "ada")
    again = interlock(*given)
    assert (again.exit_code, "ada has overridden" in again.stderr) == (Exit.REFUSED, True)


def test_what_is_missing_or_unclear_is_said_and_nothing_kept(
    interlock: Run, database: Database, connection: ConnectionRow
) -> None:
    view = edited_up()
    assert view.shopify is not None
    two = (a_fulfillment_order(), a_fulfillment_order("FO2"))
    with database.begin() as c:
        keep(c, connection, replace(view, shopify=replace(view.shopify, fulfillment_orders=two)))
        _see_now(c)

    assert interlock("label", "override", "9999", "--why", "x").exit_code == Exit.NOT_FOUND
    assert interlock("label", "override", "#1001").exit_code == Exit.REFUSED
    unclear = interlock("label", "override", "#1001", "--why", "The customer waits.")
    assert unclear.exit_code == Exit.REFUSED
    assert "FO1" in unclear.stderr
    assert "FO2" in unclear.stderr


def test_a_number_of_two_marketplaces_is_overridden_with_its_connection(
    interlock: Run, database: Database, keyring: Keyring, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        keep(c, connection, edited_up())
        view = edited_up()
        assert view.shopify is not None
        another = replace(
            view,
            shopify=replace(view.shopify, id="SO9"),
            memory=replace(view.memory, shopify_order_id="SO9"),
        )
        keep(c, connect(c, keyring, "birch", shop_id=2002), another)
        _see_now(c)
    given = ("label", "override", "M-1001-A", "--why", "The customer waits.", "--json")

    unclear = interlock(*given)
    nobody = interlock(*given, "--connection", "cedar")
    kept = document(interlock(*given, "--connection", "birch"))["override"]

    assert unclear.exit_code == Exit.REFUSED
    assert "atlas" in unclear.stderr
    assert "birch" in unclear.stderr
    assert (nobody.exit_code, "There is no connection cedar" in nobody.stderr) == (Exit.NOT_FOUND, True)
    assert kept["who"] == "ada"
    with database.begin() as c:
        _see_now(c)
    assert interlock(*given, "--connection", "birch").exit_code == Exit.REFUSED
