"""What people write is kept encrypted, and only as long as something needs it."""

from datetime import timedelta

from sqlalchemy import func, select

from interlock.orders.texts import KEPT_FOR, forget_old_texts, forget_texts, keep_text, kept_text, texts
from interlock.storage.database import Database
from tests.build import NOW
from tests.engine.rows import a_leased_order


def test_a_text_is_kept_until_nothing_needs_it(database: Database) -> None:
    with database.begin() as c:
        row = a_leased_order(c)
        keep_text(c, "t1", row.id, "message", b"cipher", NOW)
        keep_text(c, "t2", row.id, "address", b"cipher too", NOW)

        assert kept_text(c, "t1") == b"cipher"
        assert forget_texts(c, frozenset()) == 0
        assert forget_texts(c, {"t1", "unheard of"}) == 1
        assert kept_text(c, "t1") is None
        assert kept_text(c, "t2") == b"cipher too"


def test_no_text_is_kept_longer_than_thirty_days(database: Database) -> None:
    with database.begin() as c:
        row = a_leased_order(c)
        keep_text(c, "t1", row.id, "message", b"old", NOW - KEPT_FOR - timedelta(seconds=1))
        keep_text(c, "t2", row.id, "message", b"new", NOW - KEPT_FOR + timedelta(seconds=1))

        assert forget_old_texts(c, NOW) == 1
        assert c.execute(select(func.count()).select_from(texts)).scalar_one() == 1
