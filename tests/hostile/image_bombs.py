"""Image files that are small, and ask for much: pixels, frames, scans, tables, text."""

import io
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping

from PIL import Image, ImageDraw

from fixtures.formats import make_gif, make_jpeg, make_png, make_tiff
from fixtures.hostile import make_huge_png

SMALL = Image.new("L", (64, 48), 255)
_MIB = 1024 * 1024


def pack_png(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A PNG of these chunks, with their lengths and checksums."""
    packed = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def _header(width: int, height: int, depth: int = 8, colours: int = 0, interlaced: bool = False) -> bytes:
    return struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, int(interlaced))


def _pixels(width: int = 64, height: int = 48) -> bytes:
    return zlib.compress(bytes((1 + width) * height), 9)


def png_with(kind: bytes, body: bytes) -> bytes:
    """A small picture with one more chunk before its pixels."""
    return pack_png([(b"IHDR", _header(64, 48)), (kind, body), (b"IDAT", _pixels()), (b"IEND", b"")])


def png_stretched(
    width: int, height: int, depth: int = 8, colours: int = 2, interlaced: bool = False
) -> bytes:
    """A black picture of this size, which is allowed or not."""
    row = bytes(1 + (width * depth * {0: 1, 2: 3, 6: 4}[colours] + 7) // 8)
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = _header(width, height, depth, colours, interlaced)
    return pack_png([(b"IHDR", header), (b"IDAT", body), (b"IEND", b"")])


def png_with_endless_data() -> bytes:
    """A small picture whose compressed data go on for 200 MiB."""
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(bytes(_MIB)) for _ in range(200)) + packer.flush()
    return pack_png([(b"IHDR", _header(64, 48)), (b"IDAT", body), (b"IEND", b"")])


def png_of_many_parts() -> bytes:
    """A small picture in 200,000 empty pieces."""
    pieces = [(b"IDAT", b"")] * 200_000
    return pack_png([(b"IHDR", _header(64, 48)), *pieces, (b"IDAT", _pixels()), (b"IEND", b"")])


def apng(frames: int, width: int = 64, height: int = 48) -> bytes:
    """An animation that says so many frames, and has two."""
    control = struct.pack(">IIIIIHHBB", 0, width, height, 0, 0, 1, 1, 0, 0)
    chunks = [
        (b"IHDR", _header(width, height)),
        (b"acTL", struct.pack(">II", frames, 0)),
        (b"fcTL", control),
        (b"IDAT", _pixels(width, height)),
        (b"fcTL", struct.pack(">I", 1) + control[4:]),
        (b"fdAT", struct.pack(">I", 2) + _pixels(width, height)),
        (b"IEND", b""),
    ]
    return pack_png(chunks)


def jpeg_stretched(width: int, height: int) -> bytes:
    """A small JPEG that says another size."""
    data = bytearray(make_jpeg(SMALL))
    frame = data.index(b"\xff\xc0")
    struct.pack_into(">HH", data, frame + 5, height, width)
    return bytes(data)


def jpeg_of_many_scans(width: int, height: int, scans: int) -> bytes:
    """A progressive JPEG whose last scan is said again and again: each is a pass over the page."""
    buffer = io.BytesIO()
    Image.new("L", (width, height), 200).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * scans + b"\xff\xd9"


def jpeg_with_thumbnail_bomb() -> bytes:
    """EXIF data whose directory says a billion entries and points at itself."""
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<HHHII", 65535, 0x0112, 3, 2**30, 8) + b"\x08\0\0\0" * 50
    segment = b"\xff\xe1" + struct.pack(">H", 2 + len(exif)) + exif
    data = make_jpeg(SMALL)
    return data[:2] + segment + data[2:]


def tiff_of(entries: Mapping[int, tuple[int, int, int]], following: int = 0, tail: bytes = b"") -> bytes:
    """A TIFF of one directory: tag to type, count and value; ``following`` is where the next one lies."""
    packed = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(entries.items()))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + packed + struct.pack("<I", following) + tail


def _grey(width: int, height: int, **more: tuple[int, int, int]) -> dict[int, tuple[int, int, int]]:
    strip = 8 + 2 + 12 * 9 + 4
    return {
        256: (4, 1, width),
        257: (4, 1, height),
        258: (3, 1, 8),
        259: (3, 1, 1),
        262: (3, 1, 1),
        273: (4, 1, strip),
        277: (3, 1, 1),
        278: (4, 1, height),
        279: (4, 1, width * height % 2**32),
    }


def tiff_of_many_frames(count: int) -> bytes:
    """So many directories of one pixel each."""
    size = 2 + 12 * 9 + 4
    out = bytearray(b"II*\0\x08\0\0\0")
    for number in range(count):
        following = 0 if number == count - 1 else 8 + size * (number + 1)
        directory = tiff_of({**_grey(1, 1), 273: (4, 1, 0)}, following)
        out += directory[8:]
    return bytes(out)


def gif_of_many_frames(count: int, side: int) -> bytes:
    """A screen of this size with so many frames of one pixel: each is a whole page."""
    screen = b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02D\x01\0"
    return screen + frame * count + b";"


def webp_of_many_frames(count: int, side: int) -> bytes:
    """An animation with so many frames, nearly all of them alike."""
    frames = []
    for number in range(count):
        frame = Image.new("L", (side, side), 255)
        ImageDraw.Draw(frame).point((number % side, number // side), 0)
        frames.append(frame.convert("RGB"))
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], lossless=True, method=0)
    return buffer.getvalue()


def webp_stretched(side: int) -> bytes:
    """A lossless WebP of one colour: a few bytes for millions of pixels."""
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), "white").save(buffer, "WEBP", lossless=True, method=0)
    return buffer.getvalue()


def tiff_compressed(side: int, mode: str, compression: str) -> bytes:
    """A TIFF of one colour, compressed."""
    buffer = io.BytesIO()
    Image.new(mode, (side, side)).save(buffer, "TIFF", compression=compression)
    return buffer.getvalue()


def bmp_of(width: int, height: int, bits: int = 24, compression: int = 0, colours: int = 0) -> bytes:
    """A BMP that says so much, with hardly any pixels."""
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, colours, 0)
    return b"BM" + struct.pack("<IHHI", 200, 0, 0, 54) + header + bytes(146)


IMAGE_BOMBS: Mapping[str, Callable[[], bytes]] = {
    "gigapixel.png": make_huge_png,
    "largest_allowed.png": lambda: png_stretched(10_000, 10_000),
    "largest_allowed_alpha.png": lambda: png_stretched(10_000, 10_000, colours=6),
    "largest_allowed_interlaced.png": lambda: png_stretched(8000, 8000, interlaced=True),
    "largest_allowed_16_bit.png": lambda: png_stretched(7000, 7000, depth=16),
    "one_row.png": lambda: png_stretched(90_000_000, 1, colours=0),
    "one_column.png": lambda: png_stretched(1, 2_000_000, colours=0),
    "zero_width.png": lambda: pack_png([(b"IHDR", _header(0, 48)), (b"IDAT", _pixels()), (b"IEND", b"")]),
    "endless_data.png": png_with_endless_data,
    "many_parts.png": png_of_many_parts,
    "profile_bomb.png": lambda: png_with(b"iCCP", b"icc\0\0" + zlib.compress(bytes(100 * _MIB), 9)),
    "text_bomb.png": lambda: png_with(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100 * _MIB), 9)),
    "itxt_bomb.png": lambda: png_with(b"iTXt", b"A\0\1\0\0\0" + zlib.compress(bytes(100 * _MIB), 9)),
    "many_texts.png": lambda: pack_png(
        [
            (b"IHDR", _header(64, 48)),
            *[(b"zTXt", b"k%d\0\0" % n + zlib.compress(bytes(900_000), 9)) for n in range(300)],
            (b"IDAT", _pixels()),
            (b"IEND", b""),
        ]
    ),
    "lying_frames.apng": lambda: apng(2**31 - 1),
    "few_frames.apng": lambda: apng(10_000),
    "stretched.jpeg": lambda: jpeg_stretched(65_500, 65_500),
    "largest_allowed.jpeg": lambda: jpeg_stretched(10_000, 10_000),
    "scans_on_a_page.jpeg": lambda: jpeg_of_many_scans(4000, 4000, 490),
    "scans_on_a_large_page.jpeg": lambda: jpeg_of_many_scans(9900, 9900, 480),
    "too_many_scans.jpeg": lambda: jpeg_of_many_scans(2000, 2000, 5000),
    "exif_loop.jpeg": jpeg_with_thumbnail_bomb,
    "wide_tiff.tiff": lambda: tiff_of(_grey(2**31, 2**31)),
    "loop.tiff": lambda: tiff_of(_grey(4, 4), 8, bytes(16)),
    "long_loop.tiff": lambda: tiff_of_many_frames(3)[:-4] + b"\x08\0\0\0",
    "many_frames.tiff": lambda: tiff_of_many_frames(60_000),
    "allowed_frames.tiff": lambda: tiff_of_many_frames(9_000),
    "huge_count.tiff": lambda: tiff_of({**_grey(64, 48), 273: (4, 2**31, 8), 279: (4, 2**31, 8)}),
    "huge_tag.tiff": lambda: tiff_of({**_grey(64, 48), 700: (1, 2**32 - 1, 8)}, tail=bytes(4000)),
    "tiles.tiff": lambda: tiff_of({**_grey(64, 48), 322: (4, 1, 2**20), 323: (4, 1, 2**20)}),
    "largest_allowed.tiff": lambda: tiff_compressed(10_000, "RGB", "tiff_lzw"),
    "largest_allowed_alpha.tiff": lambda: tiff_compressed(10_000, "RGBA", "tiff_adobe_deflate"),
    "largest_allowed_floats.tiff": lambda: tiff_compressed(9_900, "F", "tiff_lzw"),
    "largest_allowed_cmyk.tiff": lambda: tiff_compressed(9_900, "CMYK", "tiff_lzw"),
    "frames_on_a_large_screen.gif": lambda: gif_of_many_frames(300, 9_000),
    "allowed_frames.gif": lambda: gif_of_many_frames(400, 400),
    "many_frames.gif": lambda: gif_of_many_frames(60_000, 100),
    "largest_screen.gif": lambda: gif_of_many_frames(2, 65_535),
    "no_end.gif": lambda: make_gif(SMALL)[:-1],
    "frames.webp": lambda: webp_of_many_frames(600, 100),
    "large.webp": lambda: webp_stretched(9_900),
    "too_large.webp": lambda: webp_stretched(16_000),
    "huge.bmp": lambda: bmp_of(2**31 - 1, -(2**31)),
    "runs.bmp": lambda: bmp_of(9_000, 9_000, 8, 1, 256),
    "palette.bmp": lambda: bmp_of(64, 48, 8, 0, 2**31),
    "sixteen_bits.bmp": lambda: bmp_of(9_999, 9_999, 16, 3),
    "many_pages.tiff": lambda: make_tiff([SMALL] * 600),
    "page_of_noise.png": lambda: make_png(Image.effect_noise((1200, 1200), 120)),
}
