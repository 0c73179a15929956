"""A font without shapes: it says which characters stand where, and paints nothing.

The one glyph is half as wide as it is high; texts are stretched to the width that they need. What a code
means is said by the font's ToUnicode map alone, which is made for the characters that were used. So any
character can be searched for and copied, of any script.
"""

import unicodedata
from functools import cache
from io import BytesIO

import pikepdf
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib.tables._g_l_y_f import Glyph
from pikepdf import Dictionary, Name, Pdf

_NAME = "GlyphLess"
_UNITS_PER_EM = 1000
_ADVANCE = 500
ADVANCE_EM = _ADVANCE / _UNITS_PER_EM

_UNKNOWN = "\ufffd"
# Controls and halves of characters.
_NO_CHARACTERS = ("Cc", "Cs")
_MAX_CODES = 0xFFFF
# A CMap may hold at most so many characters in one of its lists (Adobe Technical Note 5014).
_CHARACTERS_A_LIST = 100
_FIXED_PITCH_SYMBOLIC = 0b101


class GlyphlessFont:
    """The font of one PDF; ``reference`` is the object that pages name. Call `finish` before saving."""

    def __init__(self, pdf: Pdf) -> None:
        self._pdf = pdf
        self._codes: dict[str, int] = {}
        file = pdf.make_stream(_build_font_file(), Length1=len(_build_font_file()))
        descriptor = Dictionary(
            Type=Name.FontDescriptor,
            FontName=Name(f"/{_NAME}"),
            Flags=_FIXED_PITCH_SYMBOLIC,
            FontBBox=[0, 0, _ADVANCE, _UNITS_PER_EM],
            ItalicAngle=0,
            Ascent=_UNITS_PER_EM,
            # Poppler puts a guess of its own in the place of 0.
            Descent=-1,
            CapHeight=_UNITS_PER_EM,
            StemV=_ADVANCE // 10,
            FontFile2=file,
        )
        self._descendant = pdf.make_indirect(
            Dictionary(
                Type=Name.Font,
                Subtype=Name.CIDFontType2,
                BaseFont=Name(f"/{_NAME}"),
                CIDSystemInfo=Dictionary(
                    Registry=pikepdf.String("Adobe"), Ordering=pikepdf.String("Identity"), Supplement=0
                ),
                FontDescriptor=pdf.make_indirect(descriptor),
                DW=_ADVANCE,
            )
        )
        self.reference = pdf.make_indirect(
            Dictionary(
                Type=Name.Font,
                Subtype=Name.Type0,
                BaseFont=Name(f"/{_NAME}"),
                Encoding=Name("/Identity-H"),
                DescendantFonts=[self._descendant],
            )
        )

    def encode(self, text: str) -> str:
        """The text as a PDF's hexadecimal string, one code of two bytes a character."""
        return "<" + "".join(f"{self._choose_code(character):04X}" for character in text) + ">"

    def finish(self) -> None:
        """Write down what the codes mean that were given out."""
        self.reference.ToUnicode = self._pdf.make_stream(_write_cmap(self._codes))
        # Every code shows the second glyph of the file; the first is for codes that mean nothing.
        glyphs = b"\0\0" + b"\0\1" * len(self._codes)
        self._descendant.CIDToGIDMap = self._pdf.make_stream(glyphs)

    def _choose_code(self, character: str) -> int:
        is_full = character not in self._codes and len(self._codes) >= _MAX_CODES - 1
        if is_full or unicodedata.category(character) in _NO_CHARACTERS:
            character = _UNKNOWN
        # Code 0 is left alone: some readers take it for "no glyph".
        return self._codes.setdefault(character, len(self._codes) + 1)


@cache
def _build_font_file() -> bytes:
    """A TrueType font of two glyphs; the same bytes each time."""
    builder = FontBuilder(_UNITS_PER_EM)
    glyphs = [".notdef", "blank"]
    builder.setupGlyphOrder(glyphs)
    builder.setupCharacterMap({ord(" "): "blank"})
    builder.setupGlyf({name: _draw_diagonal() for name in glyphs})
    builder.setupHorizontalMetrics({name: (_ADVANCE, 0) for name in glyphs})
    builder.setupHorizontalHeader(ascent=_UNITS_PER_EM, descent=0)
    builder.setupNameTable({"familyName": _NAME, "styleName": "Regular", "psName": _NAME})
    builder.setupOS2(sTypoAscender=_UNITS_PER_EM, usWinAscent=_UNITS_PER_EM)
    builder.setupPost(isFixedPitch=1)
    builder.font["head"].created = builder.font["head"].modified = 0
    builder.font.recalcTimestamp = False
    output = BytesIO()
    builder.save(output)
    return output.getvalue()


def _draw_diagonal() -> Glyph:
    """A glyph from corner to corner of its box that covers no area: pdfium loses glyphs that have no box."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((_ADVANCE, _UNITS_PER_EM))
    pen.closePath()
    return pen.glyph()


def _write_cmap(codes: dict[str, int]) -> bytes:
    """A ToUnicode map (ISO 32000-1, 9.10.3)."""
    entries = [f"<{code:04X}> <{text.encode('utf-16-be').hex().upper()}>" for text, code in codes.items()]
    lists = [
        entries[start : start + _CHARACTERS_A_LIST] for start in range(0, len(entries), _CHARACTERS_A_LIST)
    ]
    lines = [
        "/CIDInit /ProcSet findresource begin",
        "12 dict begin",
        "begincmap",
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
        "/CMapName /Adobe-Identity-UCS def",
        "/CMapType 2 def",
        "1 begincodespacerange",
        "<0000> <FFFF>",
        "endcodespacerange",
    ]
    for part in lists:
        lines += [f"{len(part)} beginbfchar", *part, "endbfchar"]
    lines += ["endcmap", "CMapName currentdict /CMap defineresource pop", "end", "end"]
    return "\n".join(lines).encode()
