"""Waiting for several things at once."""

import asyncio

import pytest

from deployments.errors import Busy
from deployments.gathering import gather_in_order


async def test_results_come_in_order_whoever_ends_first() -> None:
    """The first coroutine ends last."""
    second_is_done = asyncio.Event()

    async def first() -> str:
        await second_is_done.wait()
        return "first"

    async def second() -> str:
        second_is_done.set()
        return "second"

    assert await gather_in_order([first(), second()]) == ["first", "second"]


async def test_the_first_error_stops_the_others_and_is_raised_as_it_is() -> None:
    """No work goes on for a request that has failed, and no group hides the error's class."""
    stopped = asyncio.Event()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async def failing() -> None:
        raise Busy("no room", 3)

    with pytest.raises(Busy) as caught:
        await gather_in_order([endless(), failing()])
    assert caught.value.retry_after_s == 3
    assert stopped.is_set()
