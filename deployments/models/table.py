"""Table structure: the cells of a table's image, with their spans (SLANet).

The network writes a table as a sequence of HTML tags and gives a quad for each cell that it opens.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from deployments.blocks import GridCell, TableGrid
from deployments.document import FloatArray, Image
from deployments.engines.base import Engine, list_operations
from deployments.models.batch import IsWanted, answer_each, want_all
from deployments.models.normalize import ChannelNormalizer

_EMPTY = TableGrid((), 0, 0, 0.0)
_SPAN = re.compile(r'(row|col)span="(\d+)"')
# The sequence begins and ends with a token of its own, which the alphabet does not name.
_BEGIN, _END = "sos", "eos"
_WHOLE_CELL = "<td></td>"
# Cell opened alone, cell that stands for itself, cell whose spans follow.
_CELL_TOKENS = ("<td>", _WHOLE_CELL, "<td")


class TableModel:
    """Finds the grid of a table. Not for use by two threads."""

    def __init__(self, engine: Engine, config: dict[str, Any]) -> None:
        self._engine = engine
        operations = list_operations(config)
        self._side_px = int(operations["PaddingTableImage"]["size"][0])
        normalize = operations["NormalizeImage"]
        self._normalizer = ChannelNormalizer(normalize["mean"], normalize["std"])
        # What padding is after normalisation: black.
        self._tokens = _complete_alphabet(config["PostProcess"]["character_dict"])

    def read_each(
        self, requests: Sequence[Image], is_wanted: IsWanted = want_all
    ) -> list[TableGrid | Exception]:
        """The grid of each table; a table that fails answers with its error."""

        def read_all(tables: Sequence[Image], is_wanted: IsWanted) -> list[TableGrid]:
            return [self.read(table) if is_wanted(index) else _EMPTY for index, table in enumerate(tables)]

        return answer_each(read_all, requests, is_wanted)

    def read(self, pixels: Image) -> TableGrid:
        """The grid of one table (uint8, (h, w, 3), BGR); quads in its own pixels."""
        quads, classes = self.core(self.pre(pixels))
        return self.post(quads[0], classes[0], max(pixels.shape[:2]))

    def pre(self, pixels: Image) -> FloatArray:
        """(1, 3, 488, 488) float32: the longer side resized, normalised, zero to the right and below."""
        height, width = pixels.shape[:2]
        scale = self._side_px / max(height, width)
        size = (max(1, int(width * scale)), max(1, int(height * scale)))
        batch = np.zeros((1, 3, self._side_px, self._side_px), np.float32)
        self._normalizer.fill(cv2.resize(pixels, size), batch[0])
        return batch

    def core(self, batch: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Quads (1, T, 8) in parts of the padded square, and the tags' probabilities (1, T, tokens)."""
        quads, classes = self._engine.run([batch])
        return quads, classes

    def post(self, quads: FloatArray, classes: FloatArray, long_px: int) -> TableGrid:
        """The grid from one table's sequence; ``long_px`` is the longer side of its image."""
        best = classes.argmax(axis=1)
        written = list(self._read_tokens(best.tolist()))
        if not written:
            return _EMPTY
        opened = [
            _Opened(tag, np.asarray(quads[step] * long_px, np.float32).reshape(4, 2))
            for step, tag in _join_tags(written)
        ]
        probabilities = classes.max(axis=1)
        confidence = float(np.mean([probabilities[step] for step, _ in written]))
        return _lay_out(opened, confidence)

    def warm_up(self) -> None:
        """Run the network once."""
        self.core(np.zeros((1, 3, self._side_px, self._side_px), np.float32))

    def _read_tokens(self, indices: Sequence[int]) -> Iterator[tuple[int, str]]:
        """Steps and their tokens up to the end."""
        for step, index in enumerate(indices):
            token = self._tokens[index]
            if token == _END and step:
                return
            if token not in (_BEGIN, _END):
                yield step, token


@dataclass(frozen=True, eq=False)
class _Opened:
    """A tag that opens a cell, a row or a part of the table, with its attributes and a cell's quad."""

    tag: str
    quad: FloatArray


def _complete_alphabet(characters: Sequence[str]) -> list[str]:
    # The networks were trained on tables whose plain cells are one token.
    named = [token for token in characters if token != "<td>"]
    if _WHOLE_CELL not in named:
        named.append(_WHOLE_CELL)
    return [_BEGIN, *named, _END]


def _join_tags(written: Sequence[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Each tag with its attributes, which are tokens of their own up to the closing ``>``."""
    opening: tuple[int, str] | None = None
    for step, token in written:
        if token == "<td":
            opening = (step, token)
        elif opening is not None:
            opening = (opening[0], opening[1] + token)
            if token == ">":
                yield opening
                opening = None
        else:
            yield step, token


def _lay_out(opened: Sequence[_Opened], confidence: float) -> TableGrid:
    """Cells in their rows and columns: a cell goes to the first place that no earlier one spans."""
    taken: set[tuple[int, int]] = set()
    cells: list[GridCell] = []
    row, is_header = -1, False
    for item in opened:
        if item.tag == "<tr>":
            row += 1
        elif item.tag in ("<thead>", "</thead>"):
            is_header = item.tag == "<thead>"
        elif item.tag.startswith(_CELL_TOKENS):
            row = max(row, 0)
            spans = {name: int(count) for name, count in _SPAN.findall(item.tag)}
            row_span, column_span = spans.get("row", 1), spans.get("col", 1)
            column = 0
            while (row, column) in taken:
                column += 1
            taken |= {(row + y, column + x) for y in range(row_span) for x in range(column_span)}
            cells.append(GridCell(row, column, row_span, column_span, is_header, item.quad))
    rows = max((cell.row for cell in cells), default=-1) + 1
    # A span may claim rows that the table does not have.
    cells = [
        GridCell(
            cell.row,
            cell.column,
            min(cell.row_span, rows - cell.row),
            cell.column_span,
            cell.is_header,
            cell.quad,
        )
        for cell in cells
    ]
    columns = max((cell.column + cell.column_span for cell in cells), default=0)
    return TableGrid(tuple(cells), rows, columns, confidence)
