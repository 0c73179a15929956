"""A document as hOCR 1.2 (http://kba.github.io/hocr-spec/1.2/): XHTML with the place of every word."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from xml.etree.ElementTree import Element, SubElement

from deployments.blocks import Block, BlockKind, Box
from deployments.document import Document, Line, Page
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

_DOCTYPE = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"'
    ' "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
)
_CLASSES: Mapping[BlockKind, str] = MappingProxyType(
    {
        "table": "ocr_table",
        "figure": "ocr_image",
        "caption": "ocr_caption",
        "header": "ocr_header",
        "footer": "ocr_footer",
        "formula": "ocr_display",
        "seal": "ocr_image",
    }
)
_TEXT_CLASS = "ocr_carea"
_CAPABILITIES = ("ocr_page", _TEXT_CLASS, *_CLASSES.values(), "ocr_par", "ocr_line", "ocrx_word")


def write_hocr(document: Document) -> bytes:
    """One ``ocr_page`` a page, blocks in reading order; a page that failed is empty and says why.

    Boxes are whole pixels of the upright page. Confidences (`x_wconf`) are 0 to 100.
    """
    language = find_language(document.options.lang)
    html = Element("html", {"xmlns": "http://www.w3.org/1999/xhtml"})
    capabilities = list(_CAPABILITIES)
    if language:
        html.set("lang", language)
        html.set("xml:lang", language)
        capabilities.append("ocrp_lang")
    head = SubElement(html, "head")
    SubElement(head, "title").text = "Document"
    SubElement(head, "meta", {"http-equiv": "Content-Type", "content": "text/html; charset=utf-8"})
    described = {
        "ocr-system": f"{SOFTWARE_NAME} {read_version()}",
        "ocr-capabilities": " ".join(capabilities),
        "ocr-number-of-pages": str(len(document.pages)),
        **({"ocr-langs": language} if language else {}),
    }
    for name, content in described.items():
        SubElement(head, "meta", {"name": name, "content": content})
    body = SubElement(html, "body")
    for page in document.pages:
        _add_page(body, page)
    return serialize(html, _DOCTYPE)


def _add_page(body: Element, page: Page) -> None:
    title = f"bbox 0 0 {page.width} {page.height}; ppageno {page.number - 1}"
    element = _add(body, "div", "ocr_page", f"page_{page.number}", title)
    if page.error is not None:
        element.set("data-error", page.error.code)
    line_numbers = iter(range(1, len(page.lines) + 1))
    for number, block in enumerate(page.blocks, 1):
        _add_block(element, block, page, f"{page.number}_{number}", line_numbers)


def _add_block(parent: Element, block: Block, page: Page, name: str, line_numbers: Iterator[int]) -> None:
    class_name = _CLASSES.get(block.kind, _TEXT_CLASS)
    element = _add(parent, "div", class_name, f"block_{name}", _write_box(block.box))
    for number, group in enumerate(group_lines(block, page), 1):
        box = _write_box(bound_lines(group, page))
        paragraph = _add(element, "p", "ocr_par", f"par_{name}_{number}", box)
        for index in group:
            _add_line(paragraph, page.lines[index], f"{page.number}_{next(line_numbers)}")


def _add_line(parent: Element, line: Line, name: str) -> None:
    angle = measure_angle(line.quad)
    title = _write_box(bound_quad(line.quad)) + (f"; textangle {angle:g}" if angle else "")
    element = _add(parent, "span", "ocr_line", f"line_{name}", title)
    before: Element | None = None
    for number, placed in enumerate(place_words(line), 1):
        if before is not None:
            before.tail = " " if placed.spaced else None
        word = placed.word
        title = f"{_write_box(bound_quad(word.quad))}; x_wconf {round(100 * word.confidence)}"
        before = _add(element, "span", "ocrx_word", f"word_{name}_{number}", title)
        before.text = clean_text(word.text)
    element.tail = "\n"


def _add(parent: Element, tag: str, class_name: str, name: str, title: str) -> Element:
    return SubElement(parent, tag, {"class": class_name, "id": name, "title": title})


def _write_box(box: Box) -> str:
    return "bbox " + " ".join(str(max(0, round(edge))) for edge in box)
