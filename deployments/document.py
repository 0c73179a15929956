"""The vocabulary of a document: what the stages hand to each other, and what comes out at the end.

Coordinates are pixels of the page as it is returned (after turning it upright), origin top left, x to the
right, y down. A quad is a float32 array of shape (4, 2), clockwise from the text's own top left corner.
Images are uint8 arrays of shape (height, width, 3) in BGR order, as OpenCV and PaddleOCR hold them.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from deployments.blocks import Block, Table

Image = NDArray[np.uint8]
Quad = NDArray[np.float32]
FloatArray = NDArray[np.float32]

Angle = Literal[0, 90, 180, 270]
DirectionMode = Literal["auto", "on", "off"]
LimitType = Literal["min", "max"]
TextLayerMode = Literal["ignore", "auto", "prefer"]
# Whose work a stage does first: that of people who wait, or that of jobs.
Lane = Literal["interactive", "background"]


@dataclass(frozen=True, eq=False)
class TextLayer:
    """What a PDF page says of its own text: a character for each box.

    ``boxes`` is float32 of shape (n, 4): left, top, right, bottom in pixels of the page's picture, zeros for
    a character without a place. ``hidden`` is bool of shape (n,): drawn, but invisibly.
    """

    text: str
    boxes: FloatArray
    hidden: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PageImage:
    """One page as pixels. ``number`` counts from 1; ``dpi`` is known only for rendered pages.

    ``layer`` is there for pages of a PDF, where it was asked for.
    ``density`` is what an image file states: dots an inch across and down.
    """

    number: int
    pixels: Image
    dpi: float | None = None
    layer: TextLayer | None = None
    density: tuple[float, float] | None = None


@dataclass(frozen=True)
class ReadOptions:
    """What a caller may choose for one document; ``None`` means the profile's own value.

    ``pages`` are 1-based page numbers in rising order, ``None`` for all of them. ``structure`` asks for
    blocks, ``tables`` for the cells of those that are tables, and ``figures`` for the pictures of figures.
    ``formulas``, ``seals`` and ``unwarp`` need stages that not every graph has.
    """

    lang: str | None = None
    orientation: bool = True
    direction: DirectionMode = "auto"
    words: bool = False
    pages: tuple[int, ...] | None = None
    dpi: int = 200
    det_thresh: float | None = None
    det_box_thresh: float | None = None
    det_unclip_ratio: float | None = None
    det_limit_side_len: int | None = None
    det_limit_type: LimitType | None = None
    rec_score_thresh: float = 0.0
    structure: bool = False
    tables: bool = True
    text_layer: TextLayerMode = "auto"
    figures: bool = False
    formulas: bool = False
    seals: bool = False
    unwarp: bool = False


@dataclass(frozen=True)
class DetectionOptions:
    """How a page is looked at; ``None`` means the detector's own value (see PaddleOCR's `text_det_*`)."""

    thresh: float | None = None
    box_thresh: float | None = None
    unclip_ratio: float | None = None
    limit_side_len: int | None = None
    limit_type: LimitType | None = None


@dataclass(frozen=True)
class DetectedLines:
    """Where a page has text: ``quads`` is float32 of shape (N, 4, 2), ``scores`` float32 of shape (N,)."""

    quads: FloatArray
    scores: FloatArray


@dataclass(frozen=True, eq=False)
class LineCrop:
    """One line cut out of a page and laid flat.

    ``quad`` lies on the page, clockwise from the corner that is the crop's top left. ``upright`` is false
    for a crop that was turned because it stood on its side, so that nobody knows yet which end is up.
    """

    pixels: Image
    quad: Quad
    upright: bool = True


@dataclass(frozen=True)
class WordSpan:
    """A word inside a line: ``start`` and ``end`` are shares (0 to 1) of the crop's width."""

    text: str
    confidence: float
    start: float
    end: float


@dataclass(frozen=True)
class LineText:
    """What a recogniser reads in one crop; ``flipped`` when the crop had to be turned by 180 degrees.

    Or what a PDF states, ``from_layer``. ``middles`` are those of the characters, as shares (0 to 1) of the
    crop's width.
    """

    text: str
    confidence: float
    flipped: bool = False
    words: tuple[WordSpan, ...] | None = None
    from_layer: bool = False
    middles: tuple[float, ...] = ()


@dataclass(frozen=True)
class Word:
    """A word of a line, with the mean confidence of its characters."""

    text: str
    confidence: float
    quad: Quad


@dataclass(frozen=True)
class Line:
    """A line of text where it stands on the page; ``from_layer``: as the PDF states it, not read.

    ``middles`` are those of the characters, as shares (0 to 1) of the quad's length, where they are known.
    """

    text: str
    confidence: float
    quad: Quad
    words: tuple[Word, ...] | None = None
    from_layer: bool = False
    middles: tuple[float, ...] = ()


@dataclass(frozen=True)
class PageError:
    """Why one page of a document has no text."""

    code: str
    message: str


@dataclass(frozen=True)
class Page:
    """One page: its lines in reading order, or the error that stopped it.

    ``rotation`` is how far the page was turned clockwise, in degrees, to stand upright; ``width`` and
    ``height`` are those of the upright page in pixels. ``stage_ms`` maps a stage to its wall time. ``blocks``
    in reading order and ``tables`` are there when the structure was asked for.
    """

    number: int
    width: int = 0
    height: int = 0
    rotation: Angle = 0
    lines: tuple[Line, ...] = ()
    error: PageError | None = None
    stage_ms: dict[str, float] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    tables: tuple[Table, ...] = ()

    @property
    def text(self) -> str:
        """The page's lines, one below the other."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True)
class StageInfo:
    """What a running stage says of itself; ``usage`` are the counters of the one replica that was asked."""

    stage: str
    model: str
    version: str
    sha256: str
    engine: str
    engine_version: str
    device: str
    precision: str
    languages: tuple[str, ...] = ()
    compiled_with_cuda: bool = False
    knobs: dict[str, float] = field(default_factory=dict)
    usage: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Document:
    """The pages that were asked for, in order; ``pages_total`` counts all pages of the file.

    ``models`` are those that took part, and ``options`` those in force, the profile's own filled in.
    """

    pages: tuple[Page, ...]
    pages_total: int
    models: tuple[StageInfo, ...] = ()
    stage_ms: dict[str, float] = field(default_factory=dict)
    options: ReadOptions = field(default_factory=ReadOptions)

    @property
    def pages_processed(self) -> int:
        """How many pages were read without an error."""
        return sum(1 for page in self.pages if page.error is None)

    @property
    def text(self) -> str:
        """The text of all pages, with an empty line between two pages."""
        return "\n\n".join(page.text for page in self.pages if page.error is None)
