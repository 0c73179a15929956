"""Searchable copies of PDF files."""

import io

import numpy as np
import pikepdf
import pypdfium2
import pytest
from hypothesis import given, settings
from pikepdf import Dictionary, Name

from deployments.input_errors import EncryptedPdf, InputError, MalformedPdf
from deployments.searchable.text import TextPage
from deployments.searchable.writer import open_writer
from deployments.vision.geometry import turn_clockwise
from deployments.vision.pdf import PdfDocument

from .conftest import MAX_PIXELS, make_run, write_pdf
from fixtures.formats import make_text_pdf, save_pdf
from pdf_building import damaged_files
from pdf_reading import copy_text, draw_page, find_words, measure_overlap

DPI = 144
# A black bar, where a word shall be found.
BAR = b"0 g 60 150 80 20 re f"


def make_pdf(*contents: bytes, media: tuple[float, ...] = (0, 0, 300, 200), **keys: object) -> bytes:
    """A PDF with a page for each content."""
    pdf = pikepdf.new()
    for content in contents:
        page = pdf.add_blank_page(page_size=(300, 200))
        page.obj.MediaBox = list(media)
        page.Contents = pdf.make_stream(content)
        for key, value in keys.items():
            page.obj[f"/{key}"] = value
    return save_pdf(pdf)


def render(data: bytes, number: int = 1) -> np.ndarray:
    with PdfDocument(data) as document:
        return document.render_page(number, DPI, MAX_PIXELS).pixels


def find_bar(pixels: np.ndarray) -> tuple[float, float, float, float]:
    rows, columns = np.nonzero(pixels[:, :, 0] < 128)
    return float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)


def read_bar(data: bytes, rotation: int, text: str = "word", number: int = 1) -> TextPage:
    """A page as if a reader had turned it so, and had read one word on its bar."""
    pixels = turn_clockwise(render(data, number), rotation)
    height, width = pixels.shape[:2]
    return TextPage.pack(number, width, height, rotation, (make_run(text, *find_bar(pixels)),))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize(
    ("media", "keys"),
    [
        ((0, 0, 300, 200), {}),
        ((0, 0, 300, 200), {"Rotate": 90}),
        ((0, 0, 300, 200), {"Rotate": 180}),
        ((0, 0, 300, 200), {"Rotate": -90}),
        ((-100, 50, 250, 300), {"Rotate": 270}),
        ((0, 0, 300, 200), {"CropBox": [20, 60, 280, 190]}),
        ((0, 0, 300, 200), {"CropBox": [20, 60, 400, 190], "Rotate": 90}),
        ((0, 0, 300, 200), {"UserUnit": 2}),
    ],
)
def test_a_word_lies_over_what_was_read(rotation: int, media: tuple[float, ...], keys: dict) -> None:
    """However the page is turned and cropped, by itself or by the service."""
    data = make_pdf(BAR, media=media, **keys)
    page = read_bar(data, rotation)
    pdf = write_pdf(data, page)
    # The page is shown as the service turned it, and nothing on it has changed.
    assert np.array_equal(render(pdf), turn_clockwise(render(data), rotation))
    ((text, box),) = find_words(pdf, page.width, page.height)
    assert text == "word"
    assert measure_overlap(box, find_bar(render(pdf))) > 0.95


@pytest.mark.parametrize("content", [BAR + b" 3 0 0 3 7 7 cm q q", b"q Q Q Q " + BAR, b"q BT 2 Tr " + BAR])
def test_what_a_page_leaves_behind_moves_no_word(content: bytes) -> None:
    """States that are never restored, or restored too often."""
    data = make_pdf(content)
    page = read_bar(data, 0)
    pdf = write_pdf(data, page)
    assert np.array_equal(render(pdf), render(data))
    ((_, box),) = find_words(pdf, page.width, page.height)
    assert measure_overlap(box, find_bar(render(data))) > 0.95


def test_text_that_a_page_has_is_not_there_twice() -> None:
    """A word in a picture is added, the page's own are left alone."""
    data = make_text_pdf([["Printed words here"]])
    width, height = 1190, 1684
    own = find_words(data, width, height)
    runs = []
    for text, box in own:
        runs += [make_run(text, *box), make_run(" ", box[2], box[1], box[2] + 8, box[3])]
    picture = (100, 1200, 300, 1240)
    page = TextPage.pack(1, width, height, 0, (*runs, make_run("Logo", *picture)))
    pdf = write_pdf(data, page)
    assert sorted(copy_text(pdf)) == ["Logo", "Printed", "here", "words"]
    assert measure_overlap(dict(find_words(pdf, width, height))["Logo"], picture) > 0.95


def test_a_watermark_under_a_word_hides_it_from_no_search() -> None:
    """One large letter in a word's place is not the word."""
    data = make_text_pdf([["D"]])
    ((_, (left, top, right, bottom)),) = find_words(data, 1190, 1684)
    page = TextPage.pack(
        1, 1190, 1684, 0, (make_run("Contract", left - 50, top - 5, right + 50, bottom + 5),)
    )
    assert sorted(copy_text(write_pdf(data, page))) == ["Contract", "D"]


def write_by_hand() -> bytes:
    """A PDF of two pages that inherit size and resources, with a font under the name that ours would have.

    By hand, because libraries give every page a copy of what it inherits.
    """
    content = BAR + b" BT /OcrText 20 Tf 20 20 Td (own) Tj ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 /MediaBox [0 0 300 200]"
        b" /Resources << /Font << /OcrText 6 0 R >> >> >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 5 0 R >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 5 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    data, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(data))
    return data + head + table + trailer


def test_pages_that_share_their_resources_stay_apart() -> None:
    """Each keeps what it inherits, and knows our font besides."""
    data = write_by_hand()
    bars = [TextPage.pack(n, 600, 400, 0, (make_run(f"w{n}", 120, 60, 280, 100),)) for n in (1, 2)]
    written = write_pdf(data, *bars)
    for number in (1, 2):
        assert np.array_equal(render(written, number), render(data, number))
        assert sorted(copy_text(written, number)) == ["own", f"w{number}"]


def test_pages_that_were_not_asked_for_are_gone() -> None:
    """Nothing of them is left in the file, though a chosen page links to one of them."""
    pdf = pikepdf.open(io.BytesIO(make_pdf(BAR, BAR, BAR, BAR)))
    for number, page in enumerate(pdf.pages, 1):
        page.obj.Marker = pikepdf.String(f"marker-{number}")
    link = Dictionary(
        Type=Name.Annot,
        Subtype=Name.Link,
        Rect=[0, 0, 9, 9],
        Dest=pikepdf.Array([pdf.pages[0].obj, Name.Fit]),
    )
    pdf.pages[1].obj.Annots = pikepdf.Array([pdf.make_indirect(link)])
    data = save_pdf(pdf)
    written = write_pdf(data, read_bar(data, 0, "two", 2), TextPage.pack(4, 0, 0, 0, ()))
    with pikepdf.open(io.BytesIO(written)) as opened:
        assert [str(page.obj.Marker) for page in opened.pages] == ["marker-2", "marker-4"]
        opened.save(plain := io.BytesIO(), object_stream_mode=pikepdf.ObjectStreamMode.disable)
    assert b"marker-2" in plain.getvalue()
    assert b"marker-1" not in plain.getvalue()
    assert b"marker-3" not in plain.getvalue()
    assert copy_text(written, 1) == ["two"]
    assert copy_text(written, 2) == []


def test_a_whole_file_keeps_its_outline_and_its_title() -> None:
    """Only pages were touched."""
    pdf = pikepdf.open(io.BytesIO(make_pdf(BAR)))
    with pdf.open_outline() as outline:
        outline.root.append(pikepdf.OutlineItem("Chapter", 0))
    pdf.docinfo["/Title"] = "A title"
    data = save_pdf(pdf)
    with pikepdf.open(io.BytesIO(write_pdf(data, read_bar(data, 0)))) as opened:
        assert opened.docinfo["/Title"] == "A title"
        with opened.open_outline() as outline:
            assert [item.title for item in outline.root] == ["Chapter"]


@pytest.mark.parametrize("pages", [(1, 2), (2,)])
def test_what_an_owner_forbade_stays_forbidden(pages: tuple[int, ...]) -> None:
    """For the whole file and for a part of it."""
    output = io.BytesIO()
    with pikepdf.open(io.BytesIO(make_pdf(BAR, BAR))) as pdf:
        allow = pikepdf.Permissions(extract=False, modify_other=False)
        pdf.save(output, encryption=pikepdf.Encryption(owner="boss", user="", allow=allow))
    data = output.getvalue()
    written = write_pdf(data, *(read_bar(data, 0, f"w{number}", number) for number in pages))
    with pikepdf.open(io.BytesIO(written)) as opened:
        assert opened.is_encrypted
        assert not opened.allow.extract
        assert not opened.allow.modify_other
        assert opened.allow.print_lowres
    assert copy_text(written) == [f"w{pages[0]}"]


@pytest.mark.parametrize("text", ["한국어", "𠮷野家", "😀", "e\u0301", "مرحبا", "a\x00b", "\ud800x"])
def test_any_character_can_be_copied(text: str) -> None:
    """Of every plane; but what no text can hold becomes a replacement character."""
    data = make_pdf(BAR)
    pdf = write_pdf(data, read_bar(data, 0, text))
    document = pypdfium2.PdfDocument(pdf)
    copied = document[0].get_textpage().get_text_range()
    document.close()
    if text == "مرحبا":
        # PDFium shows right-to-left text in the order in which it is seen.
        assert sorted(copied) == sorted(text)
    else:
        assert copied == text.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")


def test_more_characters_than_a_map_holds_in_one_list() -> None:
    """A hundred stand in each."""
    data = make_pdf(BAR)
    text = "".join(map(chr, range(0xAC00, 0xAC00 + 950)))
    assert copy_text(write_pdf(data, read_bar(data, 0, text))) == [text]


def test_a_run_without_area_is_left_out() -> None:
    """Nobody can select it."""
    data = make_pdf(BAR)
    page = TextPage.pack(1, 600, 400, 0, (make_run("thin", 10, 10, 10, 30), make_run("flat", 10, 10, 40, 10)))
    assert copy_text(write_pdf(data, page)) == []


def test_a_file_that_needs_a_password_is_told_apart() -> None:
    """As when it is read."""
    output = io.BytesIO()
    with pikepdf.open(io.BytesIO(make_pdf(BAR))) as pdf:
        pdf.save(output, encryption=pikepdf.Encryption(owner="boss", user="secret"))
    with pytest.raises(EncryptedPdf):
        open_writer(output.getvalue(), MAX_PIXELS)


def test_a_file_that_cannot_be_written_anew_is_malformed() -> None:
    """PDFium repairs what another library does not understand."""
    data = make_pdf(BAR)
    writer = open_writer(data, MAX_PIXELS)
    try:
        with pytest.raises(MalformedPdf, match="not written anew"):
            writer.add_page(TextPage.pack(2, 10, 10, 90, ()))
    finally:
        writer.close()
    with pytest.raises(MalformedPdf):
        open_writer(b"%PDF-1.7 and nothing else", MAX_PIXELS)


def test_a_page_drawn_after_writing_is_the_page_drawn_before() -> None:
    """Text, pictures and all, to the pixel."""
    data = make_text_pdf([["Some words", "more words"], ["second page"]])
    pages = [TextPage.pack(n, 1190, 1684, 0, (make_run("added", 100, 1500, 300, 1540),)) for n in (1, 2)]
    written = write_pdf(data, *pages)
    for number in (1, 2):
        assert np.array_equal(draw_page(written, 595, 842, number), draw_page(data, 595, 842, number))


SAMPLES = [
    make_pdf(BAR, BAR),
    make_text_pdf([["Some words"]]),
    make_pdf(BAR, Rotate=90, CropBox=[9, 9, 99, 99]),
]


@settings(max_examples=200, deadline=None)
@given(damaged_files(SAMPLES))
def test_a_damaged_file_is_written_or_refused_and_nothing_else(data: bytes) -> None:
    """Whatever happens inside, what comes out is a file that opens, or an error for the caller."""
    try:
        written = write_pdf(data, TextPage.pack(1, 600, 400, 90, (make_run("word", 100, 100, 200, 130),)))
    except InputError:
        return
    with PdfDocument(written) as document:
        assert document.page_count == 1
