"""Overriding the label check on the command line."""

from dataclasses import replace

from interlock.cli.telling import Exit
from interlock.engine.store import ConnectionRow
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.build import a_fulfillment_order
from tests.cli.conftest import Run, document
from tests.console.seed import connect, edited_up, keep


def test_an_override_is_kept_once(interlock: Run, database: Database, connection: ConnectionRow) -> None:
    with database.begin() as c:
        keep(c, connection, edited_up())

    given = ("label", "override", "#1001", "--why", "The customer waits.", "--json")
    kept = document(interlock(*given))["override"]

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
    given = ("label", "override", "M-1001-A", "--why", "The customer waits.", "--json")

    unclear = interlock(*given)
    nobody = interlock(*given, "--connection", "cedar")
    kept = document(interlock(*given, "--connection", "birch"))["override"]

    assert unclear.exit_code == Exit.REFUSED
    assert "atlas" in unclear.stderr
    assert "birch" in unclear.stderr
    assert (nobody.exit_code, "There is no connection cedar" in nobody.stderr) == (Exit.NOT_FOUND, True)
    assert kept["who"] == "ada"
    assert interlock(*given, "--connection", "birch").exit_code == Exit.REFUSED
