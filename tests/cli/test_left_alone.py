"""`interlock order create`: what somebody said to be in the shop already is created after all, once and with a reason."""

from sqlalchemy import select, update

from interlock.cases.store import answers
from interlock.cli.telling import Exit
from interlock.engine.store import ConnectionRow
from interlock.orders.codec import encode
from interlock.orders.memory import Memory
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import orders
from interlock.storage.database import Database
from tests.build import a_decision, a_view
from tests.cli.conftest import Run, document
from tests.console.seed import keep

CREATE = ("order", "create", "M-1001-A", "--json")


def test_an_order_is_created_after_all_where_it_was_said_to_be_in_the_shop(
    interlock: Run, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        order_id = keep(c, connection, a_view(shopify=None))[0]
    never_said = interlock(*CREATE, "--why", "Not there.")
    assert never_said.exit_code == Exit.REFUSED
    assert "is not left alone" in never_said.output

    said = a_decision(Reason.OLDER_THAN_CONNECTION, "order", Option.IN_SHOP_ALREADY)
    with database.begin() as c:
        memory = encode(Memory(left_alone=True, decisions=(said,)))
        c.execute(update(orders).where(orders.c.id == order_id).values(memory=memory))
    assert interlock(*CREATE).exit_code == Exit.REFUSED
    done = interlock(*CREATE, "--why", "Not there.")

    assert done.exit_code == Exit.DONE, done.output
    assert document(done)["mirakl_order_id"] == "M-1001-A"
    assert interlock(*CREATE, "--why", "Not there.").exit_code == Exit.REFUSED
    with database.begin() as c:
        (kept,) = c.execute(select(answers.c.option, answers.c.why))
    assert tuple(kept) == ("create_order", "Not there.")
