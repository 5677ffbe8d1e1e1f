"""How long the shop's deliveries take is counted, most of all when none of them is taken."""

import asyncio
from datetime import timedelta

from sqlalchemy import func, select

from interlock.monitoring.ingress import IngressMeter
from interlock.monitoring.rollup import latency_counts
from interlock.storage.database import Database, InlineStore, Store
from tests.console.seed import CLOCK
from tests.ports import free_port


def counted(database: Database) -> int:
    """How many answers were counted as never given."""
    last = latency_counts.c.counts[func.cardinality(latency_counts.c.counts)]
    with database.begin() as c:
        found = select(func.sum(last)).where(
            latency_counts.c.grain == "5min", latency_counts.c.measure == "ingress"
        )
        return int(c.execute(found).scalar_one() or 0)


def noted(meter: IngressMeter, first: int, last: int) -> None:
    """Every second one delivery comes and fails."""

    async def all_of_them() -> None:
        for second in range(first, last):
            await meter.note(CLOCK + timedelta(seconds=second), 0.05, 500)

    asyncio.run(all_of_them())


def test_deliveries_that_all_fail_are_counted_while_they_fail(database: Database, store: InlineStore) -> None:
    meter = IngressMeter(store)

    noted(meter, 0, 61)

    assert counted(database) == 61


def test_while_the_database_is_away_failures_wait_and_one_answer_in_ten_seconds_asks_for_it(
    database: Database, store: InlineStore
) -> None:
    asked = []

    class Away:
        async def tx(self, fn: object) -> object:
            asked.append(fn)
            return await InlineStore(nowhere).tx(fn)  # type: ignore[arg-type]

    nowhere = Database(f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/nowhere")
    away: Store = Away()  # type: ignore[assignment]
    meter = IngressMeter(away)
    noted(meter, 0, 40)
    assert (len(asked), counted(database)) == (4, 0)

    meter.store = store
    noted(meter, 40, 41)
    assert counted(database) == 41
    nowhere.engine.dispose()
