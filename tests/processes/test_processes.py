"""Workers are killed, frozen and asked to end, and the database stops under them; no order comes to harm."""

import asyncio

import pytest

from tests.processes.run import Dose, run


@pytest.mark.processes
@pytest.mark.timeout(900)
def test_orders_come_to_rest_and_every_promise_holds_while_processes_are_killed() -> None:
    result = asyncio.run(run(Dose(kills=8, stops=2, orders=12)))
    assert result.wrong == []
    killed = sum(number for what, number in result.did.items() if "SIG" in what)
    assert (killed, result.did["database stopped"], result.did["order"]) == (8, 2, 12)
    assert result.checked["I1"] == 12
