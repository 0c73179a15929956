"""Rings of text laid flat: the strip that was bent comes back, whichever way it was bent."""

import cv2
import numpy as np
import pytest

from deployments.vision.bands import Bow, fit_bow, lay_bow_flat

CENTRE = (210.0, 190.0)
INNER, OUTER = 110.0, 150.0


def draw_strip(span: float) -> np.ndarray:
    """Text in black on white, as long as the middle of a ring of that span."""
    width = round(span * (INNER + OUTER) / 2)
    strip = np.full((round(OUTER - INNER), width, 3), 255, np.uint8)
    cv2.putText(
        strip, "OFFICIAL 42 SEAL"[: width // 16], (6, 29), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2
    )
    return strip


def bend(
    strip: np.ndarray, start: float, span: float, heads_out: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """The strip around the centre, from ``start`` on, and a mask of where it is."""
    y, x = np.mgrid[0:400, 0:420].astype(np.float64)
    radius = np.hypot(x - CENTRE[0], y - CENTRE[1])
    along = np.mod(np.arctan2(y - CENTRE[1], x - CENTRE[0]) - start, 2 * np.pi) / span
    across = (OUTER - radius) / (OUTER - INNER)
    inside = (along <= 1) & (across >= 0) & (across <= 1)
    if not heads_out:
        along, across = 1 - along, 1 - across
    height, width = strip.shape[:2]
    page = cv2.remap(
        strip, (along * width).astype(np.float32), (across * height).astype(np.float32), cv2.INTER_LINEAR
    )
    page[~inside] = 255
    return page, inside


@pytest.mark.parametrize(
    ("start", "span", "heads_out"),
    [
        pytest.param(-2.8, 2.4, True, id="above the centre"),
        pytest.param(2.6, 4.2, True, id="nearly all around"),
        pytest.param(0.5, 2.1, False, id="below the centre, heads inwards"),
        pytest.param(-0.9, 1.8, True, id="at the right"),
    ],
)
def test_a_bent_strip_comes_back(start: float, span: float, heads_out: bool) -> None:
    """Letters stand and follow each other as on the strip; correlation of the pixels says so."""
    strip = draw_strip(span)
    page, inside = bend(strip, start, span, heads_out)
    rows, columns = np.nonzero(inside)
    bow = fit_bow(np.column_stack([columns, rows]).astype(float))
    assert bow is not None
    assert (bow.x, bow.y) == pytest.approx(CENTRE, abs=1.5)
    assert (bow.inner, bow.outer) == pytest.approx((INNER, OUTER), abs=2.5)
    flat = lay_bow_flat(page, bow)
    found = cv2.matchTemplate(flat, strip[4:-4, 8:-8], cv2.TM_CCOEFF_NORMED).max()
    assert found > 0.7


@pytest.mark.parametrize(
    "points",
    [
        pytest.param([(x, y) for x in range(200) for y in range(20)], id="a straight line"),
        pytest.param([(x, y) for x in range(60) for y in range(50)], id="a heap"),
        pytest.param([(5, 5)] * 40, id="one place"),
        pytest.param([(x, x) for x in range(40)], id="a hair"),
        pytest.param([(1, 2), (3, 4)], id="hardly anything"),
    ],
)
def test_what_is_straight_is_no_bow(points: list[tuple[int, int]]) -> None:
    """Then a box around it does better."""
    assert fit_bow(np.array(points, float)) is None


def test_a_full_ring_does_not_reach_over_its_own_end() -> None:
    """Its margins stop where it began."""
    bow = Bow(200.0, 200.0, 80.0, 110.0, -np.pi, 2 * np.pi - 0.02)
    flat = lay_bow_flat(np.zeros((400, 400, 3), np.uint8), bow)
    assert flat.shape[1] <= round(2 * np.pi * 95)
