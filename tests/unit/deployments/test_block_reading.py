"""Formulas and seals of a page, by readers that stand in for the networks."""

from collections.abc import Sequence

import numpy as np

from deployments.block_reading import read_formulas, read_seals
from deployments.blocks import Block
from deployments.document import Image, LineCrop, LineText

PAGE = np.full((200, 300, 3), 255, np.uint8)
QUAD = np.zeros((4, 2), np.float32)
BLOCKS = (
    Block("text", (10, 10, 90, 30), "prose"),
    Block("formula", (10, 100, 110, 120), "E me"),
    Block("seal", (200.5, 100.2, 280, 180), "OFF"),
    Block("formula", (400, 400, 500, 500), "beside the page"),
)


async def test_a_formula_becomes_its_latex() -> None:
    """The reader sees the formula with a narrow margin; what is no formula stays."""
    seen: list[tuple[int, ...]] = []

    async def read(pixels: Image) -> str:
        seen.append(pixels.shape)
        return "E=mc^{2}"

    text, formula, seal, beside = await read_formulas(BLOCKS, PAGE, read)
    assert seen == [(22, 102, 3)]
    assert (formula.text, formula.latex) == ("E=mc^{2}", "E=mc^{2}")
    assert (text, seal, beside) == (BLOCKS[0], BLOCKS[2], BLOCKS[3])


async def test_a_formula_in_which_nothing_is_read_keeps_its_text() -> None:
    """Rather what the recogniser saw than nothing."""

    async def read(pixels: Image) -> str:
        return ""

    assert (await read_formulas(BLOCKS, PAGE, read)) == BLOCKS


async def test_a_seal_becomes_the_text_of_its_lines() -> None:
    """Rings and lines below each other; empty ones are left out."""

    async def find_lines(pixels: Image) -> Sequence[LineCrop]:
        assert pixels.shape == (80, 80, 3)
        return [LineCrop(pixels, QUAD)] * 3

    async def recognize(crops: Sequence[LineCrop]) -> list[LineText]:
        return [LineText(text, 0.9) for text in ("SEOUL OFFICE", "", "2026")][: len(crops)]

    blocks = await read_seals(BLOCKS, PAGE, find_lines, recognize)
    assert [block.text for block in blocks] == ["prose", "E me", "SEOUL OFFICE\n2026", "beside the page"]


async def test_a_seal_without_lines_keeps_its_text() -> None:
    """And the recogniser is not asked."""

    async def find_lines(pixels: Image) -> Sequence[LineCrop]:
        return ()

    async def recognize(crops: Sequence[LineCrop]) -> list[LineText]:
        raise AssertionError("there is nothing to recognise")

    assert (await read_seals(BLOCKS, PAGE, find_lines, recognize)) == BLOCKS
