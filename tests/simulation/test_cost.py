"""The limits of what a history may cost say which seed broke them, and hold the median of enough histories."""

from dataclasses import replace

from sqlalchemy import text

from interlock.storage.database import Database
from tests.simulation.cost import (
    ENOUGH,
    MEDIAN_CALLS,
    MEDIAN_TRANSACTIONS,
    MOST_CALLS,
    MOST_TRANSACTIONS,
    TRANSACTIONS_AN_HOUR,
    Cost,
    counted,
    in_words,
    too_dear,
)

FAIR = Cost(MEDIAN_CALLS, MEDIAN_TRANSACTIONS, 1.5)


def test_a_history_that_costs_too_much_is_named() -> None:
    assert too_dear([(1, FAIR)]) == []
    (excess,) = too_dear([(1, FAIR), (7, Cost(MOST_CALLS + 1, 10))])
    assert excess.startswith(f"seed 7 cost {MOST_CALLS + 1} calls")


def test_a_long_history_may_cost_more_for_each_of_its_hours() -> None:
    dear = Cost(MEDIAN_CALLS, MOST_TRANSACTIONS + 1, hours=2)
    assert len(too_dear([(1, dear)])) == 1
    assert too_dear([(1, replace(dear, hours=6))]) == []
    (excess,) = too_dear([(1, replace(dear, transactions=6 * TRANSACTIONS_AN_HOUR + 1, hours=6))])
    assert excess.endswith(f"and {6 * TRANSACTIONS_AN_HOUR} are the most")


def test_the_median_of_enough_histories_is_held_to_its_limit() -> None:
    dear = Cost(MEDIAN_CALLS + 1, MEDIAN_TRANSACTIONS + 1)
    assert too_dear([(seed, dear) for seed in range(ENOUGH - 1)]) == []
    excesses = too_dear([(seed, dear) for seed in range(ENOUGH)])
    assert len(excesses) == 2
    assert f"{MEDIAN_CALLS + 1} calls" in excesses[0]
    assert too_dear([(seed, FAIR if seed < ENOUGH / 2 + 1 else dear) for seed in range(ENOUGH)]) == []


def test_every_transaction_is_counted_whether_it_was_kept_or_not(database: Database) -> None:
    with counted(database) as cost:
        with database.begin() as c:
            c.execute(text("SELECT 1"))
        try:
            with database.begin() as c:
                raise KeyError
        except KeyError:
            pass
    with database.begin() as c:
        c.execute(text("SELECT 1"))
    assert cost.transactions == 2


def test_the_figures_are_said_in_one_line() -> None:
    assert in_words([FAIR]).startswith(f"a history: {MEDIAN_CALLS} (most {MEDIAN_CALLS}) calls, ")
