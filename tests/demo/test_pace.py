"""The hasty loop: its seconds are shorter, its sockets are real, and work takes none of its time."""

import asyncio
import time

from interlock.demo.pace import HastyLoop


def test_a_minute_passes_in_a_second_at_speed_60_and_timers_keep_their_order() -> None:
    loop = HastyLoop(600)
    rang: list[tuple[str, int]] = []

    async def ring(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        rang.append((name, round(loop.time())))

    async def all_of_them() -> None:
        await asyncio.gather(ring("late", 90), ring("early", 30), ring("middle", 60))

    began = time.monotonic()
    loop.run_until_complete(all_of_them())
    taken = time.monotonic() - began
    loop.close()

    assert rang == [("early", 30), ("middle", 60), ("late", 90)]
    assert 0.1 < taken < 90


def test_a_loop_that_was_slowed_down_passes_at_the_new_pace() -> None:
    loop = HastyLoop(1000)

    async def rest() -> float:
        await asyncio.sleep(10)
        loop.slow_down(1.0)
        began = time.monotonic()
        await asyncio.sleep(0.3)
        return time.monotonic() - began

    taken = loop.run_until_complete(rest())
    loop.close()

    assert loop.speed == 1.0
    assert taken > 0.25


def test_work_takes_no_time_of_the_day() -> None:
    loop = HastyLoop(1000)

    def toil() -> None:
        time.sleep(0.05)

    async def work() -> float:
        before = loop.time()
        toil()
        await asyncio.sleep(0)
        return loop.time() - before

    passed = loop.run_until_complete(work())
    loop.close()

    assert passed == 0


def test_sockets_are_served_between_timers() -> None:
    loop = HastyLoop(100)

    async def speak() -> bytes:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write((await reader.readline()).upper())
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"locked together\n")
        said = await reader.readline()
        writer.close()
        await writer.wait_closed()
        server.close()
        return said

    said = loop.run_until_complete(speak())
    loop.close()

    assert said == b"LOCKED TOGETHER\n"
