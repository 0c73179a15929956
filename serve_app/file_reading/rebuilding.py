"""Pages of an answer as the document that they were, so that the same code writes it in every form."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deployments.blocks import Block, Picture, Table, TableCell
from deployments.document import Document, Line, Page, PageError, Quad, Word
from deployments.structure.marks import mark_document


def rebuild_document(pages: Sequence[Mapping[str, Any]], pages_total: int) -> Document:
    """The document of pages that came one by one, with what only the whole of them shows."""
    return Document(mark_document([_rebuild_page(page) for page in pages]), pages_total)


def _rebuild_page(page: Mapping[str, Any]) -> Page:
    error = page.get("error")
    return Page(
        number=page["number"],
        width=page["width"],
        height=page["height"],
        rotation=page["rotation"],
        lines=tuple(map(_rebuild_line, page["lines"])),
        error=None if error is None else PageError(error["code"], error["message"]),
        stage_ms=dict(page["timings_ms"]),
        blocks=tuple(map(_rebuild_block, page.get("blocks", ()))),
        tables=tuple(map(_rebuild_table, page.get("tables", ()))),
    )


def _rebuild_line(line: Mapping[str, Any]) -> Line:
    words = line.get("words")
    return Line(
        line["text"],
        line["confidence"],
        _quad(line["quad"]),
        None
        if words is None
        else tuple(Word(word["text"], word["confidence"], _quad(word["quad"])) for word in words),
        line.get("source") == "layer",
    )


def _rebuild_block(block: Mapping[str, Any]) -> Block:
    picture = block.get("image")
    return Block(
        kind=block["kind"],
        box=_box(block["box"]),
        text=block["text"],
        lines=tuple(block["lines"]),
        confidence=block.get("confidence"),
        level=block.get("level"),
        table=block.get("table"),
        picture=None if picture is None else Picture(**{**picture, "data": b64decode(picture["data"])}),
        latex=block.get("latex"),
    )


def _rebuild_table(table: Mapping[str, Any]) -> Table:
    return Table(
        rows=table["rows"],
        columns=table["columns"],
        cells=tuple(
            TableCell(**{**cell, "box": _box(cell["box"]), "lines": tuple(cell["lines"])})
            for cell in table["cells"]
        ),
        box=_box(table["box"]),
        confidence=table["confidence"],
        rotation=table["rotation"],
    )


def _quad(corners: Sequence[Sequence[float]]) -> Quad:
    return np.array(corners, np.float32)


def _box(edges: Sequence[float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = edges
    return left, top, right, bottom
