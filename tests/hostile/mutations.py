"""Damage to files of every accepted format: blind, and by who knows how the format is built.

A mutation takes a file and a source of chance, and gives the damaged file.
"""

import re
import struct
import zlib
from collections.abc import Callable, Mapping
from random import Random

Mutation = Callable[[bytes, Random], bytes]

_ODD_NUMBERS = (0, 1, 2, 3, 7, 8, 255, 256, 32767, 32768, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
_MAGICS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0",
    b"II*\0\x08\0\0\0",
    b"MM\0*\0\0\0\x08",
    b"II+\0\x08\0\0\0",
    b"RIFF\0\0\0\0WEBPVP8L",
    b"GIF89a",
    b"BM",
    b"%PDF-1.7\n",
)


def flip_bits(data: bytes, chance: Random) -> bytes:
    """Flip 1 to 64 bits, half of the time near the beginning, where the headers are."""
    out = bytearray(data)
    reach = len(out) if chance.random() < 0.5 else min(len(out), 512)
    for _ in range(2 ** chance.randrange(7)):
        out[chance.randrange(reach)] ^= 1 << chance.randrange(8)
    return bytes(out)


def cut_off(data: bytes, chance: Random) -> bytes:
    """Leave out the end."""
    return data[: chance.randrange(1, len(data))]


def cut_out(data: bytes, chance: Random) -> bytes:
    """Leave out a piece in the middle."""
    start = chance.randrange(len(data))
    return data[:start] + data[start + chance.randrange(1, 4096) :]


def repeat(data: bytes, chance: Random) -> bytes:
    """Say a piece several times."""
    start = chance.randrange(len(data))
    piece = data[start : start + chance.randrange(1, 2048)]
    return data[:start] + piece * chance.randrange(2, 50) + data[start:]


def splice(data: bytes, chance: Random) -> bytes:
    """Put a piece of the file, or noise, over another place of it."""
    length = chance.randrange(1, 1024)
    source = chance.randrange(len(data))
    piece = data[source : source + length] if chance.random() < 0.5 else chance.randbytes(length)
    target = chance.randrange(len(data))
    return data[:target] + piece + data[target + len(piece) :]


def set_number(data: bytes, chance: Random) -> bytes:
    """Write a number that programs forget over one in the headers."""
    width, order = chance.choice((1, 2, 4)), chance.choice(("little", "big"))
    number = chance.choice(_ODD_NUMBERS) % 256**width
    at = chance.randrange(min(len(data), 256))
    return data[:at] + number.to_bytes(width, order) + data[at + width :]  # type: ignore[arg-type]


def swap_magic(data: bytes, chance: Random) -> bytes:
    """Begin like a file of another format."""
    magic = chance.choice(_MAGICS)
    return magic + data[len(magic) if chance.random() < 0.5 else 0 :]


BLIND: tuple[Mutation, ...] = (flip_bits, cut_off, cut_out, repeat, splice, set_number, swap_magic)


def change_png(data: bytes, chance: Random) -> bytes:
    """Change a chunk, or the order of chunks; checksums are right, so that decoders go on."""
    chunks, at = [], 8
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], bytearray(data[at + 8 : at + 8 + length])))
        at += 12 + length
    kind = chance.randrange(6)
    place = chance.randrange(len(chunks))
    if kind == 0:
        struct.pack_into(">I", chunks[0][1], chance.choice((0, 4)), chance.choice(_ODD_NUMBERS))
    elif kind == 1:
        chunks[0][1][8:13] = bytes(chance.choice((0, 1, 2, 3, 4, 6, 8, 16, 255)) for _ in range(5))
    elif kind == 2:
        chunks.insert(place, chance.choice(chunks))
    elif kind == 3:
        del chunks[place]
    elif kind == 4 and chunks[place][1]:
        chunks[place][1][chance.randrange(len(chunks[place][1]))] ^= 255
    else:
        name = chance.choice(
            (b"tRNS", b"PLTE", b"acTL", b"fcTL", b"fdAT", b"eXIf", b"iCCP", b"zTXt", b"pHYs")
        )
        chunks.insert(place, (name, bytearray(chance.randbytes(chance.randrange(40)))))
    out = [data[:8]]
    for name, body in chunks:
        length = chance.choice(_ODD_NUMBERS) if chance.random() < 0.05 else len(body)
        out.append(struct.pack(">I", length) + name + body + struct.pack(">I", zlib.crc32(name + body)))
    return b"".join(out)


def change_jpeg(data: bytes, chance: Random) -> bytes:
    """Change the length or the content of a segment, or say segments again."""
    segments, at = [], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        length = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        segments.append(bytearray(data[at : at + length]))
        at += length
    place, kind = chance.randrange(len(segments)), chance.randrange(5)
    segment = segments[place]
    if kind == 0:
        struct.pack_into(">H", segment, 2, chance.choice(_ODD_NUMBERS) % 65536)
    elif kind == 1 and len(segment) > 4:
        for _ in range(chance.randrange(1, 8)):
            segment[chance.randrange(4, len(segment))] = chance.choice((0, 1, 0x11, 0x44, 0x7F, 0xFF))
    elif kind == 2:
        segments[place:place] = [segment] * chance.randrange(1, 100)
    elif kind == 3:
        del segments[place]
    else:
        frame = next((item for item in segments if 0xC0 <= item[1] <= 0xC2), segment)
        if chance.random() < 0.5 and len(frame) > 9:
            struct.pack_into(">H", frame, chance.choice((5, 7)), chance.choice(_ODD_NUMBERS) % 65536)
        else:
            frame[1] = chance.choice((0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA, 0xF7))
    tail = data[at:] * chance.choice((1, 1, 1, 3))
    return data[:2] + b"".join(map(bytes, segments)) + tail


def change_tiff(data: bytes, chance: Random) -> bytes:
    """Change an entry of the first directory, or where the next one lies."""
    out = bytearray(data)
    order = "<" if data[:2] == b"II" else ">"
    start = struct.unpack_from(order + "I", data, 4)[0]
    count = struct.unpack_from(order + "H", data, start)[0]
    if chance.random() < 0.2:
        target = chance.choice((start, 8, 0, len(data) - 2, 2**31))
        struct.pack_into(order + "I", out, start + 2 + 12 * count, target)
        return bytes(out)
    for _ in range(chance.randrange(1, 4)):
        entry = start + 2 + 12 * chance.randrange(count)
        match chance.randrange(4):
            case 0:
                struct.pack_into(
                    order + "H", out, entry, chance.choice((256, 257, 258, 259, 262, 277, 278, 322))
                )
            case 1:
                struct.pack_into(order + "H", out, entry + 2, chance.randrange(20))
            case 2:
                struct.pack_into(order + "I", out, entry + 4, chance.choice(_ODD_NUMBERS))
            case _:
                struct.pack_into(
                    order + "I", out, entry + 8, chance.choice((*_ODD_NUMBERS, start, len(data)))
                )
    return bytes(out)


def change_webp(data: bytes, chance: Random) -> bytes:
    """Change the size or the name of a chunk, or what a lossy frame says of its size."""
    out = bytearray(data)
    match chance.randrange(4):
        case 0:
            struct.pack_into("<I", out, chance.choice((4, 16)), chance.choice(_ODD_NUMBERS))
        case 1:
            out[12:16] = chance.choice((b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"ICCP"))
        case 2:
            struct.pack_into("<H", out, chance.randrange(20, 30), chance.choice(_ODD_NUMBERS) % 65536)
        case _:
            extended = bytes([chance.randrange(256), 0, 0, 0]) + chance.randbytes(6)
            out[12:12] = b"VP8X" + struct.pack("<I", 10) + extended
    return bytes(out)


def change_gif(data: bytes, chance: Random) -> bytes:
    """Change the screen, the place of a frame, the size of codes, or the length of a block."""
    out = bytearray(data)
    frame = data.find(b",", 13)
    match chance.randrange(4):
        case 0:
            struct.pack_into("<H", out, chance.choice((6, 8)), chance.choice(_ODD_NUMBERS) % 65536)
        case 1:
            struct.pack_into(
                "<H", out, frame + 1 + 2 * chance.randrange(4), chance.choice(_ODD_NUMBERS) % 65536
            )
        case 2:
            out[min(frame + 10, len(out) - 1)] = chance.randrange(256)
        case _:
            out[10] = chance.randrange(256)
    return bytes(out)


def change_bmp(data: bytes, chance: Random) -> bytes:
    """Change a field of the header."""
    out = bytearray(data)
    at, width = chance.choice(
        ((10, 4), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2), (30, 4), (34, 4), (46, 4))
    )
    number = chance.choice((*_ODD_NUMBERS, 2**32 - 40))
    out[at : at + width] = (number % 256**width).to_bytes(width, "little")
    return bytes(out)


_PDF_NAMES = (
    b"FlateDecode",
    b"DCTDecode",
    b"LZWDecode",
    b"JBIG2Decode",
    b"JPXDecode",
    b"CCITTFaxDecode",
    b"Pages",
)
_PDF_NUMBERS = (
    b"0",
    b"-1",
    b"1",
    b"99999999",
    b"2147483648",
    b"1e38",
    b"0.00001",
    b"(text)",
    b"null",
    b"[0 0]",
)


def change_pdf(data: bytes, chance: Random) -> bytes:
    """Change a number, a reference or a name; what remains is still a PDF to a reader that repairs."""
    match chance.randrange(4):
        case 0:
            pattern, choices = rb"(?<=[ \[])\d+(?=[ \]/>\n])", _PDF_NUMBERS
        case 1:
            pattern, choices = rb"\d+ 0 R", tuple(b"%d 0 R" % number for number in (*range(1, 12), 0, 99999))
        case 2:
            pattern, choices = rb"(?<=/)(FlateDecode|DCTDecode|Page|Pages|XObject|Catalog)", _PDF_NAMES
        case _:
            pattern, choices = rb"(?<=\n)\d{10} \d{5} n", (b"0000000000 00000 n", b"9999999999 65535 n")
    found = list(re.finditer(pattern, data))
    if not found:
        return flip_bits(data, chance)
    for match in sorted(
        chance.sample(found, min(len(found), chance.randrange(1, 4))), key=lambda m: -m.start()
    ):
        data = data[: match.start()] + chance.choice(choices) + data[match.end() :]
    return data


INFORMED: Mapping[str, Mutation] = {
    "png": change_png,
    "jpeg": change_jpeg,
    "tiff": change_tiff,
    "webp": change_webp,
    "gif": change_gif,
    "bmp": change_bmp,
    "pdf": change_pdf,
}
