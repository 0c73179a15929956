"""Lines of a page, whole or divided at the gaps between their words, in the cells of a table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deployments.blocks import Box, GridCell
from deployments.document import Line
from deployments.vision.geometry import bound_quad

# A line that touches no cell belongs to the nearest one, so many of its heights away at most.
_MAX_DISTANCE = 3.0
# A line reaches into a cell when it does by this, in its heights.
_MIN_REACH = 0.5

# Boxes as an array, left, top, right and bottom in each row, or of one box.
Bounds = NDArray[np.float64]


@dataclass(frozen=True)
class Piece:
    """A line of the page, or some words of it, in a cell; the box is in pixels of the table."""

    line: int
    text: str
    box: Box


@dataclass(frozen=True)
class FilledCell:
    """A cell of a grid with what stands in it; the box is in pixels of the table."""

    cell: GridCell
    pieces: tuple[Piece, ...]
    box: Box

    def bound_text(self) -> Box:
        """The box around its pieces, of which there is one at least."""
        lefts, tops, rights, bottoms = zip(*(piece.box for piece in self.pieces), strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)


def cover_cells(box: Bounds, cells: Bounds) -> Bounds:
    """The area of a box in each cell."""
    shared = np.minimum(cells[:, 2:], box[2:]) - np.maximum(cells[:, :2], box[:2])
    return np.clip(shared, 0, None).prod(axis=1)


def choose_cell(box: Bounds, cells: Bounds) -> int | None:
    """The cell that covers most of a box, else the nearest one unless it is far."""
    covered = cover_cells(box, cells)
    if covered.max() > 0:
        return int(covered.argmax())
    gaps = np.maximum(np.maximum(cells[:, :2] - box[2:], box[:2] - cells[:, 2:]), 0)
    distance = np.hypot(gaps[:, 0], gaps[:, 1])
    nearest = int(distance.argmin())
    return nearest if distance[nearest] <= _MAX_DISTANCE * (box[3] - box[1]) else None


def find_touched(box: Bounds, cells: Bounds, best: int) -> list[int]:
    """The best cell of a line and those beside it that the line reaches into, from the left."""
    middle = (box[1] + box[3]) / 2
    beside = (cells[:, 1] < middle) & (cells[:, 3] > middle)
    reach = np.minimum(cells[:, 2], box[2]) - np.maximum(cells[:, 0], box[0])
    touched = {best, *np.flatnonzero(beside & (reach > _MIN_REACH * (box[3] - box[1]))).tolist()}
    return sorted(touched, key=lambda cell: float(cells[cell, 0]))


def divide_line(
    index: int,
    line: Line,
    cells: Sequence[int],
    boxes: Bounds,
    members: list[list[Piece]],
    min_gap: float,
) -> None:
    """Put a line's words into the cells in which they stand, whole stretches between gaps together."""
    bounds = np.array(bound_quad(line.quad))
    if len(cells) == 1 or not line.words:
        best = max(cells, key=lambda cell: float(cover_cells(bounds, boxes[[cell]])[0]))
        members[best].append(Piece(index, line.text, bound_quad(line.quad)))
        return
    stretches: list[list[int]] = []
    word_boxes = [bound_quad(word.quad) for word in line.words]
    for number, box in enumerate(word_boxes):
        if number and box[0] - word_boxes[number - 1][2] < min_gap * (bounds[3] - bounds[1]):
            stretches[-1].append(number)
        else:
            stretches.append([number])
    chosen: list[int] = []
    for stretch in stretches:
        middle = (word_boxes[stretch[0]][0] + word_boxes[stretch[-1]][2]) / 2
        chosen.append(min(cells, key=lambda cell: max(boxes[cell, 0] - middle, middle - boxes[cell, 2], 0.0)))
    for cell in dict.fromkeys(chosen):
        words = [
            number for stretch, of in zip(stretches, chosen, strict=True) if of == cell for number in stretch
        ]
        text = " ".join(line.words[number].text for number in words)
        box = (word_boxes[words[0]][0], float(bounds[1]), word_boxes[words[-1]][2], float(bounds[3]))
        members[cell].append(Piece(index, line.text if len(words) == len(word_boxes) else text, box))
