"""What a PDF page says of its own text, in pixels of its picture."""

import numpy as np
import pikepdf
import pytest
from PIL import Image

from deployments.document import TextLayer
from deployments.vision.pdf import PdfDocument

from fixtures.formats import make_pdf, make_text_pdf, save_pdf
from fixtures.layers import make_layered_pdf

DPI = 144


def read_layer(pdf: bytes, dpi: int = DPI) -> tuple[TextLayer, np.ndarray]:
    """The layer of the first page, and its picture."""
    with PdfDocument(pdf) as document:
        page = document.render_page(1, dpi, 10**8, with_layer=True)
    assert page.layer is not None
    return page.layer, page.pixels


def find_ink(pixels: np.ndarray) -> list[int]:
    """Left, top, right and bottom of what is dark."""
    ys, xs = np.nonzero(pixels.min(axis=2) < 128)
    return [int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1]


def surround(layer: TextLayer) -> list[float]:
    """Left, top, right and bottom of the characters that have a place and are no spaces."""
    boxes = layer.boxes[[i for i, character in enumerate(layer.text) if not character.isspace()]]
    return [*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()]


def change(pdf: bytes, **entries: object) -> bytes:
    """The same file with other entries of its first page."""
    with pikepdf.open(__import__("io").BytesIO(pdf)) as opened:
        for name, value in entries.items():
            opened.pages[0][f"/{name}"] = value
        return save_pdf(opened)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_characters_lie_over_their_ink(rotate: int) -> None:
    """However the page says that it is turned."""
    layer, pixels = read_layer(change(make_text_pdf([["HELLO WORLD"]]), Rotate=rotate))
    assert layer.text.replace("\r\n", "") == "HELLO WORLD"
    ink, box = find_ink(pixels), surround(layer)
    height = 14 / 72 * DPI
    for inner, outer in zip(ink[:2], box[:2], strict=True):
        assert outer - 2 <= inner <= outer + height
    for inner, outer in zip(ink[2:], box[2:], strict=True):
        assert outer - height <= inner <= outer + 2


def test_a_cropped_page_has_its_own_origin() -> None:
    """The picture begins at the crop box, and so do the boxes."""
    whole, _ = read_layer(make_text_pdf([["HELLO"]]))
    cropped, pixels = read_layer(change(make_text_pdf([["HELLO"]]), CropBox=[36, 600, 595, 842]))
    assert pixels.shape[1] == (595 - 36) * 2
    assert surround(cropped)[0] == pytest.approx(surround(whole)[0] - 72, abs=1)


def test_invisible_text_is_told_apart() -> None:
    """A scanner's text is drawn invisibly; so is what somebody wants to smuggle in."""
    image = Image.new("L", (600, 200), 255)
    line = {"text": "secret", "box": [[50, 50], [350, 50], [350, 90], [50, 90]]}
    hidden, _ = read_layer(make_layered_pdf(image, [line]))
    shown, _ = read_layer(make_layered_pdf(image, [line], mode=0))
    assert hidden.text == shown.text == "secret"
    assert hidden.hidden.all()
    assert not shown.hidden.any()


def test_a_page_without_text_has_an_empty_layer() -> None:
    """Not none: it was looked for."""
    layer, _ = read_layer(make_pdf([Image.new("L", (40, 20), 255)]))
    assert layer.text == ""
    assert layer.boxes.shape == (0, 4)


def test_no_layer_unless_it_is_asked_for() -> None:
    """It costs time."""
    with PdfDocument(make_text_pdf([["HELLO"]])) as document:
        assert document.render_page(1, DPI, 10**8).layer is None
