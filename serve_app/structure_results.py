"""The structure of a document as the service answers it, the same over HTTP and over a Python handle."""

from base64 import b64encode
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from deployments.blocks import Block, BlockKind, Box, Picture, Table, TableCell
from deployments.document import Angle, Document, Page
from serve_app.forms.html import write_table
from serve_app.forms.markdown import write_document, write_page
from serve_app.options import StructureOptions
from serve_app.results import OcrPage, OcrResult

_BOX_EXAMPLE = [120.0, 80.5, 980.25, 310.0]
_Box = Annotated[list[float], Field(min_length=4, max_length=4)]
_BOX_DESCRIPTION = "Left, top, right and bottom in pixels of the upright page."


class StructureCell(BaseModel):
    """A cell of a table."""

    row: int = Field(description="Its first row, from 0.", examples=[0])
    column: int = Field(description="Its first column, from 0.", examples=[2])
    row_span: int = Field(description="How many rows it spans.", examples=[1])
    column_span: int = Field(description="How many columns it spans.", examples=[2])
    is_header: bool = Field(description="Whether it stands in the table's head.", examples=[True])
    text: str = Field(description="Its text, lines divided by newlines.", examples=["Amount"])
    box: _Box = Field(description=_BOX_DESCRIPTION, examples=[_BOX_EXAMPLE])
    lines: list[int] = Field(description="Its lines, as places in the page's `lines`.", examples=[[4]])

    @classmethod
    def from_cell(cls, cell: TableCell) -> "StructureCell":
        """Put a cell into the answer's form."""
        return cls(
            row=cell.row,
            column=cell.column,
            row_span=cell.row_span,
            column_span=cell.column_span,
            is_header=cell.is_header,
            text=cell.text,
            box=_round_box(cell.box),
            lines=list(cell.lines),
        )


class StructureTable(BaseModel):
    """A table as cells and as HTML."""

    rows: int = Field(description="Number of rows.", examples=[3])
    columns: int = Field(description="Number of columns.", examples=[4])
    box: _Box = Field(description=_BOX_DESCRIPTION, examples=[_BOX_EXAMPLE])
    confidence: float = Field(description="How sure the network is of the grid, 0 to 1.", examples=[0.9631])
    rotation: Angle = Field(
        0,
        description="How far it must be turned clockwise on its page to stand upright, in degrees.",
        examples=[0],
    )
    continues_previous: bool = Field(
        False,
        description="Whether it began on the page before. Streams of pages do not say.",
        examples=[False],
    )
    continues_next: bool = Field(
        False,
        description="Whether it goes on on the next page. Streams of pages do not say.",
        examples=[True],
    )
    cells: list[StructureCell] = Field(
        description="The cells, row by row; a cell that spans others stands once.", examples=[[]]
    )
    html: str = Field(
        description="The same table as HTML.", examples=["<table><tr><td>Amount</td></tr></table>"]
    )

    @classmethod
    def from_table(cls, table: Table) -> "StructureTable":
        """Put a table into the answer's form."""
        return cls(
            rows=table.rows,
            columns=table.columns,
            box=_round_box(table.box),
            confidence=round(table.confidence, 4),
            rotation=table.rotation,
            continues_previous=table.continues_previous,
            continues_next=table.continues_next,
            cells=[StructureCell.from_cell(cell) for cell in table.cells],
            html=write_table(table),
        )


class StructurePicture(BaseModel):
    """A figure or a formula as it stands on the page."""

    media_type: Literal["image/png", "image/jpeg"] = Field(
        description="Format of the picture; JPEG for photographs.", examples=["image/png"]
    )
    data: str = Field(description="The image file in base64.", examples=["iVBORw0KGgo="])
    width: int = Field(description="Width in pixels.", examples=[640])
    height: int = Field(description="Height in pixels.", examples=[480])

    @classmethod
    def from_picture(cls, picture: Picture) -> "StructurePicture":
        """Put a picture into the answer's form."""
        return cls(
            media_type=picture.media_type,
            data=b64encode(picture.data).decode(),
            width=picture.width,
            height=picture.height,
        )


class StructureBlock(BaseModel):
    """A part of a page in its place in the reading order."""

    kind: BlockKind = Field(description="What it is.", examples=["heading"])
    box: _Box = Field(description=_BOX_DESCRIPTION, examples=[_BOX_EXAMPLE])
    confidence: float | None = Field(
        None, description="How sure the network is; absent where no network found it.", examples=[0.8712]
    )
    text: str = Field(
        description="Its text: a paragraph's lines joined, the items of a list on lines of their own.",
        examples=["Introduction"],
    )
    lines: list[int] = Field(description="Its lines, as places in the page's `lines`.", examples=[[0, 1]])
    level: int | None = Field(
        None, description="Level of a heading, 1 for the title; else absent.", examples=[2]
    )
    table: int | None = Field(
        None, description="Place in the page's `tables`; absent for other blocks.", examples=[0]
    )
    latex: str | None = Field(
        None,
        description="A formula as LaTeX, without delimiters; present when `formulas` was asked for.",
        examples=["E = mc^{2}"],
    )
    image: StructurePicture | None = Field(
        None,
        description="The pixels of a figure, a formula or a seal; present when `figures` was asked for.",
        examples=[{"media_type": "image/png", "data": "iVBORw0KGgo=", "width": 640, "height": 480}],
    )

    @classmethod
    def from_block(cls, block: Block) -> "StructureBlock":
        """Put a block into the answer's form."""
        return cls(
            kind=block.kind,
            box=_round_box(block.box),
            confidence=None if block.confidence is None else round(block.confidence, 4),
            text=block.text,
            lines=list(block.lines),
            level=block.level,
            table=block.table,
            latex=block.latex,
            image=None if block.picture is None else StructurePicture.from_picture(block.picture),
        )


class StructurePage(OcrPage):
    """One page: its blocks in reading order beside its lines."""

    blocks: list[StructureBlock] = Field(description="The blocks in reading order.", examples=[[]])
    tables: list[StructureTable] = Field(description="The tables of the page.", examples=[[]])
    markdown: str = Field(description="The page as Markdown.", examples=["# Invoice No. 42"])

    @classmethod
    def from_page(cls, page: Page) -> "StructurePage":
        """Put a page into the answer's form."""
        return cls(
            **dict(OcrPage.from_page(page)),
            blocks=[StructureBlock.from_block(block) for block in page.blocks],
            tables=[StructureTable.from_table(table) for table in page.tables],
            markdown=write_page(page, pictures=False),
        )


class StructureResult(OcrResult):
    """The structure of a document, and all that is needed to get the same one again."""

    pages: list[StructurePage] = Field(  # type: ignore[assignment]
        description="The pages that were asked for, in order.", examples=[[]]
    )
    markdown: str = Field(description="All pages as Markdown.", examples=["# Invoice No. 42"])
    options: StructureOptions = Field(
        description="The options in force; one that is left out has the value of the server's profile.",
        examples=[{"orientation": True, "tables": True, "dpi": 200}],
    )

    @classmethod
    def from_document(  # type: ignore[override]
        cls,
        document: Document,
        options: StructureOptions,
        request_id: str,
        total_ms: float | None = None,
        document_id: str | None = None,
    ) -> "StructureResult":
        """Build the answer for a document; ``total_ms`` replaces the document's own total where given."""
        return cls(
            **OcrResult.describe_document(document, request_id, total_ms),
            pages=[StructurePage.from_page(page) for page in document.pages],
            # The blocks carry their pictures: an answer need not hold each of them three times.
            markdown=write_document(document, pictures=False),
            options=options.filled_from(document.options),
            document_id=document_id,
        )


def without_words(document: Document) -> Document:
    """The document for a caller who has not asked for words."""
    pages = (
        replace(page, lines=tuple(replace(line, words=None) for line in page.lines))
        for page in document.pages
    )
    return replace(document, pages=tuple(pages))


def _round_box(box: Box) -> list[float]:
    return [round(edge, 2) for edge in box]
