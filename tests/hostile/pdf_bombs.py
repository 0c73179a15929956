"""PDF files that loop, nest, unpack to gigabytes, or carry what a reader must not touch."""

import zlib
from collections.abc import Callable, Mapping, Sequence

_MIB = 1024 * 1024
_CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
_PAGES = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"


def write_pdf(objects: Sequence[bytes], trailer: bytes = b"", start: int | None = None) -> bytes:
    """A PDF of these objects, the first of which is the catalog; ``start`` is where it says its table is."""
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<</Root 1 0 R/Size %d%s>>\n" % (len(objects) + 1, trailer)
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % (table if start is None else start)


def stream(body: bytes, entries: bytes = b"") -> bytes:
    """A stream object."""
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(body), body)


def page_of(
    content: bytes, resources: bytes = b"", box: bytes = b"0 0 300 200", more: Sequence[bytes] = ()
) -> bytes:
    """A PDF of one page that draws ``content``; ``more`` are the objects from number 5 on."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents 4 0 R/Resources<<%s>>>>" % (box, resources)
    return write_pdf([_CATALOG, _PAGES, page, stream(content), *more])


def with_image(body: bytes, entries: bytes) -> bytes:
    """A page that shows an image."""
    image = stream(body, b"/Type/XObject/Subtype/Image" + entries)
    return page_of(b"300 0 0 200 0 0 cm /I Do", b"/XObject<</I 5 0 R>>", more=[image])


def with_catalog(entries: bytes, *more: bytes) -> bytes:
    """An empty page in a document that says more of itself; ``more`` are the objects from number 5 on."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R>>"
    return write_pdf([_CATALOG[:-2] + entries + b">>", _PAGES, page, stream(b""), *more])


def pages_of(count: int, shared: bool) -> bytes:
    """So many pages: each an object of its own, or all of them the same."""
    if shared:
        kids = b"3 0 R " * count
        page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>"
        return write_pdf([_CATALOG, b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count), page])
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 3 + count))
    pages = [b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 30 20]>>"] * count
    return write_pdf([_CATALOG, b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count), *pages])


def lying_count(count: int) -> bytes:
    """One page, and the claim that there are many."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>"
    return write_pdf([_CATALOG, b"<</Type/Pages/Kids[3 0 R]/Count %d>>" % count, page])


def page_tree_loop() -> bytes:
    """A tree of pages whose branch is its own root."""
    return write_pdf(
        [_CATALOG, b"<</Type/Pages/Kids[3 0 R]/Count 9>>", b"<</Type/Pages/Kids[2 0 R]/Count 9>>"]
    )


def deep_page_tree(depth: int) -> bytes:
    """A branch below a branch, so often."""
    branches = [b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % (number + 1) for number in range(2, 2 + depth)]
    return write_pdf([_CATALOG, *branches, b"<</Type/Page/MediaBox[0 0 300 200]>>"])


def wide_page_tree(depth: int) -> bytes:
    """Branches of ten that share their ten branches: ten to the power of ``depth`` pages in a few bytes."""
    branches = [
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (b"%d 0 R " % (number + 1) * 10, 10 ** (depth + 2 - number))
        for number in range(2, 2 + depth)
    ]
    return write_pdf([_CATALOG, *branches, b"<</Type/Page/MediaBox[0 0 300 200]>>"])


def forms_in_forms(depth: int, fan: int) -> bytes:
    """A form that draws another ``fan`` times, and so on: ``fan`` to the power of ``depth`` in all."""
    more = []
    for number in range(depth):
        inner = b"/F%d Do " % (number + 1) * fan if number < depth - 1 else b"0 0 9 9 re f"
        resources = b"/Resources<</XObject<</F%d %d 0 R>>>>" % (number + 1, 6 + number)
        entries = b"/Type/XObject/Subtype/Form/BBox[0 0 300 200]" + (resources if number < depth - 1 else b"")
        more.append(stream(inner, entries))
    return page_of(b"/F0 Do", b"/XObject<</F0 5 0 R>>", more=more)


def form_in_itself() -> bytes:
    """A form that draws itself."""
    form = stream(
        b"/F Do /F Do", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 5 0 R>>>>"
    )
    return page_of(b"/F Do", b"/XObject<</F 5 0 R>>", more=[form])


def glyph_in_itself() -> bytes:
    """A Type 3 font whose letter is written in the same font."""
    font = (
        b"<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[.1 0 0 .1 0 0]/CharProcs<</a 6 0 R>>"
        b"/Encoding<</Type/Encoding/Differences[97/a]>>/FirstChar 97/LastChar 97/Widths[9]"
        b"/Resources<</Font<</F 5 0 R>>>>>>"
    )
    glyph = stream(b"9 0 d0 BT /F 9 Tf (aaaa) Tj ET")
    return page_of(b"BT /F 9 Tf 9 9 Td (aaaa) Tj ET", b"/Font<</F 5 0 R>>", more=[font, glyph])


def pattern_in_itself(step: bytes) -> bytes:
    """A page filled with a tile that is filled with itself, and that is as small as ``step``."""
    pattern = stream(
        b"/Pattern cs /P scn 0 0 1 1 re f",
        b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]/XStep %s/YStep %s" % (step, step)
        + b"/Resources<</Pattern<</P 5 0 R>>>>",
    )
    return page_of(b"/Pattern cs /P scn 0 0 300 200 re f", b"/Pattern<</P 5 0 R>>", more=[pattern])


def cross_references_loop() -> bytes:
    """A table that names itself as the one before it."""
    data = page_of(b"")
    at = data.rindex(b"xref\n0")
    return data.replace(b"trailer\n<<", b"trailer\n<</Prev %d" % at)


def object_stream_in_itself() -> bytes:
    """A stream of objects that holds the object that it is, by a cross-reference stream."""
    body = b"4 0 1 20 <</Type/ObjStm>> <</Type/Catalog/Pages 2 0 R>>"
    first = stream(body, b"/Type/ObjStm/N 2/First 10/Extends 4 0 R")
    rows = b"".join(
        row.to_bytes(4, "big") for row in (0x00000000, 0x02000401, 0x02000400, 0x02000400, 0x02000400)
    )
    table = stream(rows, b"/Type/XRef/W[1 2 1]/Size 5/Root 1 0 R")
    data = b"%PDF-1.7\n4 0 obj\n" + first + b"\nendobj\n"
    return data + b"5 0 obj\n" + table + b"\nendobj\nstartxref\n%d\n%%%%EOF" % len(data)


def packed(size: int, times: int = 1) -> bytes:
    """So many zeros, compressed once or several times over."""
    body = bytes(size)
    for _ in range(times):
        body = zlib.compress(body, 9)
    return body


def _flate(times: int) -> bytes:
    return b"/Filter[%s]" % (b"/FlateDecode " * times)


def jbig2_bomb(side: int) -> bytes:
    """A page of JBIG2 with a region of one colour that is as large as numbers go."""

    def segment(number: int, kind: int, body: bytes) -> bytes:
        return number.to_bytes(4, "big") + bytes([kind, 0, 1]) + len(body).to_bytes(4, "big") + body

    size = side.to_bytes(4, "big")
    info = size + size + bytes(8) + b"\0" + b"\0\0"
    region = size + size + bytes(8) + b"\0" + b"\0" + bytes.fromhex("03fffdff02fefefe") + bytes(64)
    return segment(0, 48, info) + segment(1, 38, region) + segment(2, 49, b"")


def jpx_bomb(side: int, tile: int) -> bytes:
    """A JPEG 2000 codestream that is all header: so large, in tiles of that size."""
    size = b"".join(value.to_bytes(4, "big") for value in (side, side, 0, 0, tile, tile, 0, 0))
    siz = b"\xff\x51\0\x2f\0\0" + size + b"\0\x03" + b"\x07\x01\x01" * 3
    cod = b"\xff\x52\0\x0c\0\0\0\x01\x01\x05\x04\x04\0\x01"
    qcd = b"\xff\x5c\0\x13\x40" + bytes([0x40] * 16)
    tiles = b"\xff\x90\0\x0a\0\0\0\0\0\0\0\x01\xff\x93" + bytes(64)
    return b"\xff\x4f" + siz + cod + qcd + tiles + b"\xff\xd9"


def deep_value(opening: bytes, closing: bytes, depth: int) -> bytes:
    """A value in a value in a value, in the catalog."""
    return with_catalog(b"/Deep " + opening * depth + closing * depth)


_SCRIPT = b"<</S/JavaScript/JS(while(true){app.alert('x');})>>"
PDF_BOMBS: Mapping[str, Callable[[], bytes]] = {
    "pages_100000.pdf": lambda: pages_of(100_000, shared=False),
    "same_page_100000.pdf": lambda: pages_of(100_000, shared=True),
    "lying_count.pdf": lambda: lying_count(2**31 - 1),
    "negative_count.pdf": lambda: lying_count(-5),
    "page_tree_loop.pdf": page_tree_loop,
    "page_tree_deep.pdf": lambda: deep_page_tree(20_000),
    "page_tree_wide.pdf": lambda: wide_page_tree(9),
    "huge_page.pdf": lambda: page_of(b"", box=b"0 0 1e9 1e9"),
    "long_page.pdf": lambda: page_of(b"", box=b"0 0 1 14400"),
    "allowed_page.pdf": lambda: page_of(b"0 0 9 9 re f", box=b"0 0 14400 14400"),
    "empty_page.pdf": lambda: page_of(b"", box=b"0 0 0 0"),
    "odd_page.pdf": lambda: page_of(b"", box=b"nan inf 1e39 -1e39"),
    "deep_arrays.pdf": lambda: deep_value(b"[", b"]", 200_000),
    "deep_dictionaries.pdf": lambda: deep_value(b"<</A", b">>", 100_000),
    "open_arrays.pdf": lambda: deep_value(b"[", b"", 1_000_000),
    "deep_states.pdf": lambda: page_of(b"q " * 1_000_000),
    "deep_marks.pdf": lambda: page_of(b"/A BMC " * 500_000),
    "many_operators.pdf": lambda: page_of(b"0 0 9 9 re f " * 400_000),
    "many_curves.pdf": lambda: page_of(b"0 0 m " + b"300 0 0 200 300 200 c " * 200_000 + b"S"),
    "dashes.pdf": lambda: page_of(b"[0.00001 0.00001] 0 d 9 w 0 0 m 300 200 l S"),
    "forms_in_forms.pdf": lambda: forms_in_forms(12, 10),
    "deep_forms.pdf": lambda: forms_in_forms(5_000, 1),
    "form_in_itself.pdf": form_in_itself,
    "glyph_in_itself.pdf": glyph_in_itself,
    "pattern_in_itself.pdf": lambda: pattern_in_itself(b"1"),
    "tiny_pattern.pdf": lambda: pattern_in_itself(b"0.0001"),
    "cross_references_loop.pdf": cross_references_loop,
    "object_stream_in_itself.pdf": object_stream_in_itself,
    "huge_size.pdf": lambda: write_pdf([_CATALOG, _PAGES], b"/Size 2147483647"),
    "huge_number.pdf": lambda: page_of(b"").replace(b"4 0 obj", b"2147483647 0 obj"),
    "many_objects.pdf": lambda: write_pdf([_CATALOG, _PAGES, b"<</Type/Page>>", *[b"null"] * 300_000]),
    "no_table.pdf": lambda: b"%PDF-1.7\n" + b"1 0 obj\n" * 300_000,
    "content_bomb.pdf": lambda: write_pdf(
        [
            _CATALOG,
            _PAGES,
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R>>",
            stream(packed(500 * _MIB), _flate(1)),
        ]
    ),
    "content_bomb_twice.pdf": lambda: write_pdf(
        [
            _CATALOG,
            _PAGES,
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R>>",
            stream(packed(300 * _MIB, 2), _flate(2)),
        ]
    ),
    "image_bomb.pdf": lambda: with_image(
        packed(300 * _MIB), _flate(1) + b"/Width 30000/Height 10000/ColorSpace/DeviceGray/BitsPerComponent 8"
    ),
    "lying_image.pdf": lambda: with_image(
        b"x", b"/Width 2147483647/Height 2147483647/ColorSpace/DeviceRGB/BitsPerComponent 8"
    ),
    "mask_of_itself.pdf": lambda: with_image(
        bytes(9), b"/Width 3/Height 3/ColorSpace/DeviceGray/BitsPerComponent 8/SMask 5 0 R"
    ),
    "jbig2_bomb.pdf": lambda: with_image(
        jbig2_bomb(60_000),
        b"/Width 60000/Height 60000/ColorSpace/DeviceGray/BitsPerComponent 1/Filter/JBIG2Decode",
    ),
    "jbig2_largest.pdf": lambda: with_image(
        jbig2_bomb(2**32 - 1),
        b"/Width 9/Height 9/ColorSpace/DeviceGray/BitsPerComponent 1/Filter/JBIG2Decode",
    ),
    "jpx_bomb.pdf": lambda: with_image(
        jpx_bomb(60_000, 60_000), b"/Width 60000/Height 60000/Filter/JPXDecode"
    ),
    "jpx_tiles.pdf": lambda: with_image(jpx_bomb(60_000, 1), b"/Width 9/Height 9/Filter/JPXDecode"),
    "fax_bomb.pdf": lambda: with_image(
        b"\0" * 100,
        b"/Width 60000/Height 60000/ColorSpace/DeviceGray/BitsPerComponent 1/Filter/CCITTFaxDecode"
        b"/DecodeParms<</K -1/Columns 60000/Rows 60000>>",
    ),
    "script.pdf": lambda: with_catalog(b"/OpenAction" + _SCRIPT),
    "named_script.pdf": lambda: with_catalog(b"/Names<</JavaScript<</Names[(a)" + _SCRIPT + b"]>>>>"),
    "launch.pdf": lambda: with_catalog(b"/OpenAction<</S/Launch/F(/bin/sh)/Win<</F(calc.exe)>>>>"),
    "link_home.pdf": lambda: with_catalog(b"/OpenAction<</S/URI/URI(http://127.0.0.1:9/)>>"),
    "remote_file.pdf": lambda: with_catalog(b"/OpenAction<</S/GoToR/F(/etc/passwd)/D[0/Fit]>>"),
    "embedded_file.pdf": lambda: with_catalog(
        b"/Names<</EmbeddedFiles<</Names[(a.exe)5 0 R]>>>>",
        b"<</Type/Filespec/F(../../a.exe)/EF<</F 6 0 R>>>>",
        stream(packed(200 * _MIB), b"/Type/EmbeddedFile" + _flate(1)),
    ),
    "outside_stream.pdf": lambda: with_image(
        b"", b"/F(/etc/passwd)/Width 9/Height 9/ColorSpace/DeviceGray/BitsPerComponent 8"
    ),
    "form_fields.pdf": lambda: with_catalog(
        b"/AcroForm<</Fields[5 0 R]/XFA(x)>>", b"<</FT/Tx/T(a)/Kids[5 0 R]/Parent 5 0 R>>"
    ),
    "outline_loop.pdf": lambda: with_catalog(
        b"/Outlines 5 0 R",
        b"<</Type/Outlines/First 6 0 R/Last 6 0 R>>",
        b"<</Title(a)/Next 6 0 R/Parent 5 0 R>>",
    ),
    "encrypted_badly.pdf": lambda: write_pdf(
        [_CATALOG, _PAGES, b"<</Type/Page>>", b"<</Filter/Standard/V 99/R 99/Length 2147483647/O()/U()>>"],
        b"/Encrypt 4 0 R",
    ),
}
