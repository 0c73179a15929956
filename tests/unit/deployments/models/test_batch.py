"""Every item of a batch gets its own answer or its own error."""

from collections.abc import Sequence

from deployments.errors import StageFailed
from deployments.input_errors import MalformedImage
from deployments.models.batch import IsWanted, answer_each


def test_a_failing_item_spoils_nobody_elses_answer() -> None:
    """The batch is tried again item by item, and only the guilty one answers with an error."""

    def halve(numbers: Sequence[int], _: IsWanted) -> list[int]:
        if any(number % 2 for number in numbers):
            raise MalformedImage("odd")
        return [number // 2 for number in numbers]

    answers = answer_each(halve, [2, 3, 4])
    assert answers[0] == 1
    assert isinstance(answers[1], MalformedImage)
    assert answers[2] == 2


def test_an_unforeseen_error_keeps_its_words_to_itself() -> None:
    """What the caller gets is a plain failure of the stage."""

    def fail(_: Sequence[int], __: IsWanted) -> list[int]:
        raise ValueError("secret text of a document")

    answer = answer_each(fail, [1])[0]
    assert isinstance(answer, StageFailed)
    assert "secret" not in answer.message
