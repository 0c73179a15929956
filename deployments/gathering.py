"""Waiting for several things at once, in the way that this service wants: in order, and with plain errors."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")


async def gather_in_order(coroutines: Sequence[Coroutine[object, object, T]]) -> list[T]:
    """The results in the order of the coroutines.

    The first error stops the others, which `asyncio.gather` lets run on, and is raised as it is, which
    `asyncio.TaskGroup` wraps into a group.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(coroutine) for coroutine in coroutines]
    except BaseExceptionGroup as errors:
        raise _first_leaf(errors) from None
    return [task.result() for task in tasks]


async def gather_both(
    first: Coroutine[object, object, T], second: Coroutine[object, object, U]
) -> tuple[T, U]:
    """Both results; errors as in `gather_in_order`."""
    try:
        async with asyncio.TaskGroup() as group:
            one, other = group.create_task(first), group.create_task(second)
    except BaseExceptionGroup as errors:
        raise _first_leaf(errors) from None
    return one.result(), other.result()


def _first_leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
