"""Blocks of a page that need a reader of their own: formulas and seals.

Nothing here knows Ray (see `deployments.flow`).
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from deployments.blocks import Block, Box
from deployments.document import Image, LineCrop, LineText
from deployments.gathering import gather_in_order

ReadFormula = Callable[[Image], Awaitable[str]]
FindSealLines = Callable[[Image], Awaitable[Sequence[LineCrop]]]
Recognize = Callable[[Sequence[LineCrop]], Awaitable[list[LineText]]]

# Around a formula, in parts of its height: accents and indices stand out of its box.
_MARGIN = 0.05


async def read_formulas(blocks: Sequence[Block], pixels: Image, read: ReadFormula) -> tuple[Block, ...]:
    """The blocks of a page (uint8, (h, w, 3), BGR), formulas with their LaTeX, which is their text too.

    A formula in which the network reads nothing keeps the text of its lines.
    """

    async def read_one(block: Block) -> Block:
        cut = _cut(block.box, pixels, _MARGIN * (block.box[3] - block.box[1]))
        latex = await read(cut) if block.kind == "formula" and cut.size else ""
        return replace(block, text=latex, latex=latex) if latex else block

    return tuple(await gather_in_order([read_one(block) for block in blocks]))


async def read_seals(
    blocks: Sequence[Block], pixels: Image, find_lines: FindSealLines, recognize: Recognize
) -> tuple[Block, ...]:
    """The blocks of a page, seals with the text of their rings and lines, one below the other.

    A seal in which nothing is found keeps the text of its lines.
    """

    async def read_one(block: Block) -> Block:
        cut = _cut(block.box, pixels, 0.0)
        crops = await find_lines(cut) if block.kind == "seal" and cut.size else ()
        texts = await recognize(crops) if crops else []
        text = "\n".join(line.text for line in texts if line.text)
        return replace(block, text=text) if text else block

    return tuple(await gather_in_order([read_one(block) for block in blocks]))


def _cut(box: Box, pixels: Image, margin: float) -> Image:
    left, top = (max(0, math.floor(edge - margin)) for edge in box[:2])
    right, bottom = (max(0, math.ceil(edge + margin)) for edge in box[2:])
    return pixels[top:bottom, left:right]
