"""The size at which a page is looked at."""

import pytest

from deployments.models.resize import choose_detection_size, choose_padding


@pytest.mark.parametrize(
    ("size", "limit", "kind", "expected"),
    [
        ((1000, 750), 1600, "max", (992, 736)),
        ((3508, 2480), 1600, "max", (1600, 1120)),
        ((40, 400), 64, "min", (64, 640)),
        ((5000, 100), 64, "min", (4000, 64)),
        ((1, 1), 1600, "max", (32, 32)),
        ((10, 3000), 1600, "max", (32, 1600)),
    ],
)
def test_sides_are_limited_and_multiples_of_32(
    size: tuple[int, int], limit: int, kind: str, expected: tuple[int, int]
) -> None:
    """`max` shrinks, `min` enlarges, nothing exceeds 4000 pixels."""
    assert choose_detection_size(*size, limit, kind, 4000) == expected  # type: ignore[arg-type]


def test_tiny_pages_are_padded() -> None:
    """A page of a few pixels gets room around it; an ordinary one stays."""
    assert choose_padding(10, 20) == (32, 32)
    assert choose_padding(10, 60) == (10, 60)
