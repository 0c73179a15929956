"""Bands of text that need not be straight, laid flat: the rings of seals."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from deployments.document import Image

Points = NDArray[np.float64]

# A band is a bow, not a straight line, when it goes round its centre by this angle at least (radians) ...
_MIN_SPAN = np.pi / 3
# ... is thinner than its radius, in parts of it, and this much thinner than the box around it.
_MAX_THICKNESS = 0.7
_MIN_SAVING = 1.35
# A network marks the core of text: both ends and both sides are this share of the thickness further out.
_MARGIN = 0.3
_MIN_POINTS = 16
# What lies this share of points further out than the others is noise.
_OUTLIERS = 0.02
# A centre that lies so many times further away than the points reach is that of a line.
_FAR = 20.0
_MAX_STEPS = 30
# A middle so near to the height of the centre, in parts of the radius, is beside it: rounding must not
# decide.
_BESIDE = 0.05
_TINY_PX = 1e-3


@dataclass(frozen=True)
class Bow:
    """A part of a ring, in pixels and radians; angles grow clockwise, as y grows downwards."""

    x: float
    y: float
    inner: float
    outer: float
    start: float
    span: float

    @property
    def is_below(self) -> bool:
        """Whether its middle is clearly below the centre and it does not reach the upper half by much."""
        return bool(np.sin(self.start + self.span / 2) > _BESIDE and self.span < np.pi * 1.1)


def fit_bow(points: Points) -> Bow | None:
    """The part of a ring that ``points`` (N, 2), x and y, fill; None for what is rather a straight line."""
    if len(points) < _MIN_POINTS:
        return None
    centre = _find_centre(points)
    if centre is None:
        return None
    x, y = centre
    apart = points - (x, y)
    radii = np.hypot(apart[:, 0], apart[:, 1])
    inner, outer = np.quantile(radii, (_OUTLIERS, 1 - _OUTLIERS))
    start, span = _find_span(np.arctan2(apart[:, 1], apart[:, 0]))
    short_side = min(cv2.minAreaRect(points.astype(np.float32))[1])
    is_bow = (
        span >= _MIN_SPAN
        and outer - inner <= _MAX_THICKNESS * (outer + inner) / 2
        and short_side >= _MIN_SAVING * (outer - inner)
    )
    return Bow(float(x), float(y), float(inner), float(outer), start, span) if is_bow else None


def _find_centre(points: Points) -> Points | None:
    """The centre of the circle that is nearest to the points, by least squares.

    Begins at that of the algebraic circle (Kasa, "A circle fitting procedure and its error analysis", IEEE
    Trans. Instrum. Meas. 25, 1976), which lies too near to a thick band, and goes on by Gauss and Newton.
    None for points on a line.
    """
    middle = points.mean(axis=0)
    shifted = points - middle
    system = np.column_stack([2 * shifted, np.ones(len(shifted))])
    solution, _, rank, _ = np.linalg.lstsq(system, (shifted**2).sum(axis=1), rcond=None)
    if rank < system.shape[1]:
        return None
    centre = solution[:2]
    reach = float(np.abs(shifted).max())
    for _ in range(_MAX_STEPS):
        apart = shifted - centre
        radii = np.maximum(np.hypot(apart[:, 0], apart[:, 1]), _TINY_PX)
        slopes = np.column_stack([apart / radii[:, None], np.ones(len(radii))])
        step = np.linalg.lstsq(slopes, radii, rcond=None)[0][:2]
        centre = centre + step
        if not np.abs(centre).max() < _FAR * reach:
            return None
        if np.abs(step).max() < _TINY_PX:
            break
    return centre + middle


def _find_span(angles: Points) -> tuple[float, float]:
    """Where the angles begin and how far they reach, beside the widest gap between two of them."""
    ordered = np.sort(angles)
    gaps = np.diff(np.append(ordered, ordered[0] + 2 * np.pi))
    widest = int(gaps.argmax())
    return float(ordered[(widest + 1) % len(ordered)]), float(2 * np.pi - gaps[widest])


def lay_bow_flat(pixels: Image, bow: Bow) -> Image:
    """The text of a bow as a straight line (uint8, (h, w, 3)).

    Letters stand with their heads outwards, and with their heads inwards below the centre.
    """
    margin = _MARGIN * (bow.outer - bow.inner)
    inner, outer = max(0.0, bow.inner - margin), bow.outer + margin
    radius = (bow.inner + bow.outer) / 2
    # Both ends reach further out, but never over each other.
    room = (2 * np.pi - bow.span) / 2
    more = min(margin / radius, room)
    height = max(1, round(outer - inner))
    width = max(1, round((bow.span + 2 * more) * radius))
    angles = bow.start - more + (np.arange(width) + 0.5) / width * (bow.span + 2 * more)
    radii = outer - (np.arange(height) + 0.5) / height * (outer - inner)
    if bow.is_below:
        angles, radii = angles[::-1], radii[::-1]
    x = bow.x + radii[:, None] * np.cos(angles)[None, :]
    y = bow.y + radii[:, None] * np.sin(angles)[None, :]
    return cv2.remap(
        pixels, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
