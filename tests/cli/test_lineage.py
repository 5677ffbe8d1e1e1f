"""Linking Shopify orders by hand: what is kept, and every refusal in words with nothing changed."""

import pytest
from sqlalchemy import select, update

from interlock.cases.store import answers
from interlock.cli.telling import Exit
from interlock.engine.store import ConnectionRow
from interlock.orders.codec import encode
from interlock.orders.memory import Kin, Memory
from interlock.orders.store import keep_lineage, note_kin, orders
from interlock.storage.database import Database
from tests.build import NOW, a_shopify_order, a_view
from tests.cli.conftest import Run, document
from tests.console.seed import keep, shipped_with

STRANGER = "gid://shopify/Order/5500000000001"
FOREIGN = a_shopify_order(id="gid://shopify/Order/5500000000002", name="#1077", currency="SEK")


@pytest.fixture
def order(database: Database, connection: ConnectionRow) -> int:
    """#1001, which nobody replaced yet; #1077 in another currency was looked at beside it."""
    with database.begin() as c:
        order_id = keep(c, connection, a_view(kin=(FOREIGN,)))[0]
        note_kin(c, order_id, FOREIGN.id, NOW, FOREIGN.name)
        keep(c, connection, shipped_with("DPD"))
    return order_id


@pytest.fixture
def replaced(database: Database, order: int) -> int:
    """#1001 was replaced by #1001A, which stands now; #1042 may take over."""
    old = Kin("SO1", "#1001", "superseded", NOW, "Interlock", "its name continues the order's name #1001")
    new = Kin("SO1A", "#1001A", "live", NOW, "Interlock", "its name continues the order's name #1001")
    maybe = Kin("SO42", "#1042", "candidate", NOW, "Interlock", "it has the same e-mail address")
    memory = Memory(shopify_order_id="SO1A", shopify_order_name="#1001A", lineage=(old, new, maybe))
    with database.begin() as c:
        c.execute(
            update(orders)
            .where(orders.c.id == order)
            .values(memory=encode(memory), shopify_order_id="SO1A", shopify_name="#1001A")
        )
        keep_lineage(c, order, memory.lineage, [], NOW)
    return order


def words(database: Database) -> list[tuple[str, str, str, str]]:
    with database.begin() as c:
        rows = c.execute(select(answers).order_by(answers.c.id))
        return [(row.subject, row.option, row.who, row.why) for row in rows]


def test_a_link_is_kept_with_who_and_why(interlock: Run, database: Database, order: int) -> None:
    done = interlock(
        "order", "link", "M-1001-A", "https://admin.shopify.com/store/x/orders/5500000000001",
        "--why", "staff recreated it", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert document(done)["shopify_order_id"] == STRANGER
    assert words(database) == [(STRANGER, "take_over", "ada", "staff recreated it")]
    with database.begin() as c:
        assert c.execute(select(orders.c.hints).where(orders.c.id == order)).scalar_one() >= 1
    again = interlock("order", "unlink", "M-1001-A", "#1077", "--why", "no")
    assert again.exit_code == Exit.REFUSED


@pytest.mark.parametrize(
    ("other", "why", "said"),
    [
        ("#4711", "w", "is no order Interlock knows by name"),
        ("4711", "w", "is no order Interlock knows by name"),
        ("#1001", "w", "#1001 stands for M-1001-A already"),
        ("#1002", "w", "stands or stood for marketplace order M-1002-A"),
        ("#1077", "w", "#1077 is in SEK, M-1001-A in EUR"),
        ("5500000000001", " ", "the name of who asks for it and a reason"),
    ],
)
def test_a_link_that_cannot_be_is_refused(
    interlock: Run, database: Database, order: int, other: str, why: str, said: str
) -> None:
    done = interlock("order", "link", "M-1001-A", other, "--why", why)
    assert done.exit_code == Exit.REFUSED
    assert said in done.output
    assert "Nothing was changed." in done.output
    assert words(database) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("link", "M-1001-A", "#1001"), "a lineage never goes in a circle"),
        (("unlink", "M-1001-A", "#1001"), "was replaced already"),
        (("unlink", "M-1001-A", "#1077"), "is not linked"),
        (("unlink", "M-1002-A", "#1002"), "is the order Interlock made"),
        (("undo-link", "M-1002-A"), "No order has taken over M-1002-A"),
    ],
)
def test_a_lineage_is_never_bent(
    interlock: Run, database: Database, replaced: int, arguments: tuple[str, ...], said: str
) -> None:
    done = interlock("order", *arguments, "--why", "because")
    assert done.exit_code == Exit.REFUSED
    assert said in done.output
    assert words(database) == []


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (("undo-link", "#1001A"), ("SO1A", "undo_take_over")),
        (("unlink", "#1001A", "#1001A"), ("SO1A", "no_successor")),
        (("unlink", "#1001", "#1042"), ("SO42", "no_successor")),
        (("link", "#1001", "1042"), ("SO42", "take_over")),
    ],
)
def test_what_may_be_said_is_kept_once(
    interlock: Run, database: Database, replaced: int, arguments: tuple[str, ...], kept: tuple[str, str]
) -> None:
    done = interlock("order", *arguments, "--why", "because")
    assert done.exit_code == 0, done.output
    assert words(database) == [(*kept, "ada", "because")]
    twice = interlock("order", *arguments, "--why", "because")
    assert twice.exit_code == Exit.REFUSED
    assert "ada has just said something else about it" in twice.output


def test_the_lineage_is_shown_and_every_name_finds_the_order(interlock: Run, replaced: int) -> None:
    for name in ("#1001A", "1001A", "#1001", "#1042"):
        shown = interlock("order", "show", name)
        assert shown.exit_code == 0, (name, shown.output)
        assert "was replaced" in shown.output
    page = document(interlock("order", "show", "#1001A", "--json"))
    assert [kin["role"] for kin in page["memory"]["lineage"]] == ["superseded", "live", "candidate"]
