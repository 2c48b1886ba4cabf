"""The queue between socket and store: bounded, in order, in bulk."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod_desktop.stream import Arrivals


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(1, 10), st.integers(1, 100))
def test_what_is_put_in_is_taken_out_in_order_within_the_bounds(
    sizes: list[int], most: int, most_bytes: int
) -> None:
    arrivals = Arrivals(1000, 100_000)
    for number, size in enumerate(sizes):
        arrivals.add(b"x" * size, number)
    taken: list[int] = []
    while arrivals:
        batch = arrivals.take(most, most_bytes)
        assert 1 <= len(batch) <= most
        assert len(batch) == 1 or sum(len(frame.data) for frame in batch) <= most_bytes
        taken += [frame.arrived for frame in batch]
    assert taken == list(range(len(sizes)))
    assert arrivals.size == 0


@pytest.mark.parametrize(("count", "full"), [(9, False), (10, True), (11, True)])
def test_it_is_full_at_its_count(count: int, full: bool) -> None:
    arrivals = Arrivals(10, 1000)
    for _ in range(count):
        last = arrivals.add(b"x", 0)
    assert arrivals.full is last is full


@pytest.mark.parametrize(("size", "full"), [(999, False), (1000, True), (1001, True)])
def test_it_is_full_at_its_bytes(size: int, full: bool) -> None:
    arrivals = Arrivals(10, 1000)
    assert arrivals.add(b"x" * size, 0) is arrivals.full is full


def test_waiting_ends_with_enough_frames_with_the_end_with_time_and_with_a_nudge() -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        arrivals = Arrivals(10, 1000)
        loop.call_later(0.01, arrivals.add, b"x", 0)
        loop.call_later(0.03, arrivals.add, b"y", 0)
        await arrivals.wait(2, 10)
        assert len(arrivals) == 2
        began = loop.time()
        await arrivals.wait(3, 0.02)
        assert loop.time() - began >= 0.019
        loop.call_later(0.01, arrivals.nudge)
        await arrivals.wait(3, 10)
        loop.call_later(0.01, arrivals.end)
        await arrivals.wait(3, 10)
        assert arrivals.ended and loop.time() - began < 5

    asyncio.run(work())


def test_the_reader_goes_on_when_there_is_room_again() -> None:
    async def work() -> None:
        arrivals = Arrivals(4, 1000)

        async def read() -> None:
            for number in range(20):
                if arrivals.add(b"x", number):
                    await arrivals.room()
            arrivals.end()

        taken: list[int] = []
        async with asyncio.TaskGroup() as group:
            group.create_task(read())
            while arrivals or not arrivals.ended:
                await arrivals.wait(4, 1)
                assert len(arrivals) <= 4
                taken += [frame.arrived for frame in arrivals.take(3, 100)]
        assert taken == list(range(20))

    asyncio.run(work())
