"""A document as ALTO 4.2 (http://www.loc.gov/standards/alto/): the place of every word, for archives."""

from collections.abc import Iterator, Sequence
from typing import get_args
from xml.etree.ElementTree import Element, SubElement

from deployments.blocks import Block, BlockKind, Box
from deployments.document import Document, FloatArray, Line, Page
from deployments.structure.words import group_lines, place_words
from serve_app.forms.markup import (
    SOFTWARE_NAME,
    bound_lines,
    bound_quad,
    clean_text,
    find_language,
    measure_angle,
    read_version,
    serialize,
)

_NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"
_SCHEMA = "http://www.loc.gov/standards/alto/v4/alto-4-2.xsd"
# Blocks that hold blocks: their own kind is the `TYPE` of a `ComposedBlock`.
_COMPOSED = ("table", "figure")


def write_alto(document: Document) -> bytes:
    """One ``Page`` a page, blocks in reading order (each names the next); a failed page is damaged.

    Positions are pixels of the upright page, confidences 0 to 1. A block's kind is a tag that it refers to;
    a table is a composed block with a block for each cell, a figure is an illustration.
    """
    root = Element(
        "alto",
        {
            "xmlns": _NAMESPACE,
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:schemaLocation": f"{_NAMESPACE} {_SCHEMA}",
            "SCHEMAVERSION": "4.2",
        },
    )
    _add_description(root, document)
    tags = SubElement(root, "Tags")
    for kind in get_args(BlockKind):
        SubElement(tags, "LayoutTag", {"ID": _tag(kind), "LABEL": kind})
    layout = SubElement(root, "Layout")
    language = find_language(document.options.lang)
    for page in document.pages:
        _add_page(layout, page, language)
    return serialize(root)


def _add_description(root: Element, document: Document) -> None:
    description = SubElement(root, "Description")
    SubElement(description, "MeasurementUnit").text = "pixel"
    processing = SubElement(description, "Processing", {"ID": "processing"})
    SubElement(processing, "processingCategory").text = "contentGeneration"
    for model in document.models:
        step = SubElement(processing, "processingStepDescription")
        step.text = clean_text(f"{model.stage}: {model.model} {model.version}")
    software = SubElement(processing, "processingSoftware")
    SubElement(software, "softwareName").text = SOFTWARE_NAME
    SubElement(software, "softwareVersion").text = read_version()


def _add_page(layout: Element, page: Page, language: str | None) -> None:
    element = SubElement(layout, "Page", {"ID": f"p{page.number}", "PHYSICAL_IMG_NR": str(page.number)})
    if page.error is not None:
        element.set("QUALITY", "Damaged")
        element.set("QUALITY_DETAIL", page.error.code)
        return
    element.set("WIDTH", str(page.width))
    element.set("HEIGHT", str(page.height))
    if page.lines:
        mean = sum(line.confidence for line in page.lines) / len(page.lines)
        element.set("PC", _write_share(mean))
    space = SubElement(element, "PrintSpace", _write_place((0.0, 0.0, page.width, page.height)))
    line_names = (f"p{page.number}_l{number}" for number in range(1, len(page.lines) + 1))
    last = len(page.blocks)
    for number, block in enumerate(page.blocks, 1):
        writer = _BlockWriter(page, f"p{page.number}_b{number}", line_names, language)
        added = writer.add_block(space, block)
        if number < last:
            added.set("IDNEXT", f"p{page.number}_b{number + 1}")


class _BlockWriter:
    """Writes one block of a page; parts of it have its name with a number behind."""

    def __init__(self, page: Page, name: str, line_names: Iterator[str], language: str | None) -> None:
        self._page = page
        self._name = name
        self._line_names = line_names
        self._language = language

    def add_block(self, parent: Element, block: Block) -> Element:
        """Add the block and all that is in it."""
        groups = group_lines(block, self._page)
        place = {"ID": self._name, "TAGREFS": _tag(block.kind), **_write_place(block.box)}
        if block.kind == "figure" and not groups:
            return SubElement(parent, "Illustration", place)
        if block.kind in _COMPOSED or len(groups) > 1:
            composed = SubElement(parent, "ComposedBlock", {**place, "TYPE": block.kind})
            if block.kind == "figure":
                inside = {"ID": f"{self._name}_image", **_write_place(block.box)}
                SubElement(composed, "Illustration", inside)
            for number, group in enumerate(groups, 1):
                box = bound_lines(group, self._page)
                self._add_text(composed, {"ID": f"{self._name}_{number}", **_write_place(box)}, group)
            return composed
        if not groups:
            return SubElement(parent, "GraphicalElement", place)
        return self._add_text(parent, place, groups[0])

    def _add_text(self, parent: Element, attributes: dict[str, str], indices: Sequence[int]) -> Element:
        element = SubElement(parent, "TextBlock", attributes)
        if self._language:
            element.set("LANG", self._language)
        for index in indices:
            self._add_line(element, self._page.lines[index])
        return element

    def _add_line(self, parent: Element, line: Line) -> None:
        name = next(self._line_names)
        place = _write_place(bound_quad(line.quad))
        element = SubElement(parent, "TextLine", {"ID": name, **place})
        if measure_angle(line.quad):
            _add_outline(element, line.quad)
        left_of: Box | None = None
        for number, placed in enumerate(place_words(line), 1):
            word = placed.word
            box = bound_quad(word.quad)
            if left_of is not None and placed.spaced:
                SubElement(element, "SP", _write_gap(left_of, box))
            attributes = {
                "ID": f"{name}_w{number}",
                "CONTENT": clean_text(word.text),
                **_write_place(box),
                "WC": _write_share(word.confidence),
            }
            SubElement(element, "String", attributes)
            left_of = box


def _add_outline(parent: Element, quad: FloatArray) -> None:
    points = " ".join(f"{_number(x)},{_number(y)}" for x, y in quad.tolist())
    SubElement(SubElement(parent, "Shape"), "Polygon", {"POINTS": points})


def _write_place(box: Box) -> dict[str, str]:
    left, top, right, bottom = box
    return {
        "HPOS": _number(left),
        "VPOS": _number(top),
        "WIDTH": _number(right - left),
        "HEIGHT": _number(bottom - top),
    }


def _write_gap(before: Box, after: Box) -> dict[str, str]:
    width = max(0.0, after[0] - before[2])
    return {"HPOS": _number(before[2]), "VPOS": _number(before[1]), "WIDTH": _number(width)}


def _write_share(share: float) -> str:
    return f"{min(1.0, max(0.0, share)):.4f}"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _tag(kind: str) -> str:
    return f"kind_{kind}"
