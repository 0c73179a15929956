"""What a batch owes to each of its items: an answer of its own, or an error of its own."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from deployments.errors import ServiceError, StageFailed

RequestT = TypeVar("RequestT")
AnswerT = TypeVar("AnswerT")

# Tells whether somebody still waits for the answer to item ``i`` of a batch; may be called on any thread.
IsWanted = Callable[[int], bool]
Compute = Callable[[Sequence[RequestT], IsWanted], list[AnswerT]]

logger = logging.getLogger(__name__)


def want_all(_: int) -> bool:
    """Say that every item of the batch is waited for."""
    return True


def answer_each(
    compute: Compute[RequestT, AnswerT], requests: Sequence[RequestT], is_wanted: IsWanted = want_all
) -> list[AnswerT | Exception]:
    """The answers of one batched call; when it fails, of one call an item, so that only the guilty fail."""
    try:
        return [*compute(requests, is_wanted)]
    except Exception:
        if len(requests) > 1:
            logger.exception("a batch of %d failed; its items are tried one by one", len(requests))
    answers: list[AnswerT | Exception] = []
    for index, request in enumerate(requests):
        answer = _answer_one(compute, request, index, is_wanted)
        answers.append(answer)
    return answers


def _answer_one(
    compute: Compute[RequestT, AnswerT], request: RequestT, index: int, is_wanted: IsWanted
) -> AnswerT | Exception:
    try:
        return compute([request], lambda _: is_wanted(index))[0]
    except ServiceError as error:
        return error
    except Exception:
        logger.exception("an item failed")
        return StageFailed()
