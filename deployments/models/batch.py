"""What a batch owes to each of its items: an answer of its own, or an error of its own."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from deployments.errors import ServiceError, StageFailed

RequestT = TypeVar("RequestT")
AnswerT = TypeVar("AnswerT")

logger = logging.getLogger(__name__)


def answer_each(
    compute: Callable[[Sequence[RequestT]], list[AnswerT]], requests: Sequence[RequestT]
) -> list[AnswerT | Exception]:
    """The answers of one batched call; when it fails, of one call an item, so that only the guilty fail."""
    try:
        return [*compute(requests)]
    except Exception:
        if len(requests) > 1:
            logger.exception("a batch of %d failed; its items are tried one by one", len(requests))
    answers: list[AnswerT | Exception] = []
    for request in requests:
        answer = _answer_one(compute, request)
        answers.append(answer)
    return answers


def _answer_one(
    compute: Callable[[Sequence[RequestT]], list[AnswerT]], request: RequestT
) -> AnswerT | Exception:
    try:
        return compute([request])[0]
    except ServiceError as error:
        return error
    except Exception:
        logger.exception("an item failed")
        return StageFailed()
