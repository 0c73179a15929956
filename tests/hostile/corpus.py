"""The corpus of hostile files: bombs of every kind, files that are two things at once, and damaged files.

All of it is made from a seed, so that a file can be made again by its name.
"""

import io
import itertools
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from random import Random

from PIL import Image

from fixtures.formats import (
    make_bmp,
    make_exif_jpeg,
    make_gif,
    make_grey_alpha_png,
    make_jpeg,
    make_palette_png,
    make_pdf,
    make_png,
    make_text_pdf,
    make_tiff,
    make_webp,
)
from fixtures.hostile import make_zip_file
from hostile.image_bombs import IMAGE_BOMBS
from hostile.mutations import BLIND, INFORMED
from hostile.pdf_bombs import PDF_BOMBS
from paths import FIXTURES

FILE_NAMES = (
    "page.pdf",
    "../../../../etc/passwd",
    "C:\\Windows\\system32\\config",
    "a\u202egpj.exe",
    "name\x01\x1b[31m\x7f.png",
    "null\0.png",
    "x" * 8000,
    '"; DROP TABLE pages; --',
    "<script>alert(1)</script>.jpg",
    "%2e%2e%2f%00",
    "한국어 문서.tiff",
    "",
)
_INFORMED_SHARE = 0.65


@dataclass(frozen=True)
class HostileFile:
    """A file to be sent, with the name that it has in reports and the name that it is sent under."""

    name: str
    data: bytes
    file_name: str


def make_seeds() -> dict[str, list[bytes]]:
    """Small good files of every format: what is damaged."""
    with Image.open(FIXTURES / "receipt.png") as page:
        image = page.convert("RGB").crop((0, 0, 360, 160))
    other = image.rotate(180)
    return {
        "png": [make_png(image), make_palette_png(image), make_grey_alpha_png(image)],
        "jpeg": [make_jpeg(image), make_exif_jpeg(image), _make_progressive(image)],
        "tiff": [
            make_tiff([image]),
            make_tiff([image, other]),
            _compress(image, "jpeg"),
            _compress(image, "tiff_lzw"),
        ],
        "webp": [make_webp(image), _make_lossless(image)],
        "gif": [make_gif(image)],
        "bmp": [make_bmp(image)],
        "pdf": [make_pdf([image]), make_text_pdf([["A line of text", "and another"]] * 2)],
    }


def damage(seed: int, count: int) -> Iterator[HostileFile]:
    """So many damaged files, no two alike; the same for the same seed, however many are asked for."""
    seeds = make_seeds()
    formats = sorted(seeds)
    seen = {sha256(data).digest() for files in seeds.values() for data in files}
    for number in itertools.count():
        chance = Random(f"{seed}-{number}")
        kind = formats[number % len(formats)]
        data = chance.choice(seeds[kind])
        informed = chance.random() < _INFORMED_SHARE
        mutations = [INFORMED[kind]] if informed else [chance.choice(BLIND)]
        if chance.random() < 0.25:
            mutations.append(chance.choice(BLIND))
        for mutate in mutations:
            data = mutate(data, chance)
        if (digest := sha256(data).digest()) in seen:
            continue
        if (count := count - 1) < 0:
            return
        seen.add(digest)
        name = f"{seed}-{number}-{'-'.join(mutate.__name__ for mutate in mutations)}.{kind}"
        yield HostileFile(name, data, chance.choice(FILE_NAMES))


def make_polyglots() -> dict[str, bytes]:
    """Files that are of two kinds, or of another than they say."""
    with Image.open(FIXTURES / "one_line.png") as page:
        image = page.convert("RGB")
    pdf, jpeg, png, gif = make_pdf([image]), make_jpeg(image), make_png(image), make_gif(image)
    archive = make_zip_file(image)
    html = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    entity = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
    office = io.BytesIO()
    with zipfile.ZipFile(office, "w") as file:
        file.writestr(zipfile.ZipInfo("[Content_Types].xml"), "<Types/>")
    return {
        "zip.pdf": archive,
        "html.pdf": html,
        "pdf_in_html.pdf": html + pdf,
        "pdf_after_kilobyte.pdf": bytes(1100) + pdf,
        "jpeg_and_pdf.jpeg": jpeg + pdf,
        "pdf_in_jpeg.pdf": jpeg[:2]
        + b"\xff\xfe"
        + (2 + len(pdf[:900])).to_bytes(2, "big")
        + pdf[:900]
        + jpeg[2:],
        "pdf_and_zip.pdf": pdf + archive,
        "gifar.gif": gif + archive,
        "png_and_html.png": png + html,
        "png_and_png.png": png + png,
        "picture.svg": svg,
        "entity.xml": entity,
        "office.docx": office.getvalue(),
        "elf.png": b"\x7fELF" + bytes(200),
        "postscript.pdf": b"%!PS-Adobe-3.0\n(/etc/passwd) (r) file\n",
        "only_magic.png": b"\x89PNG\r\n\x1a\n",
        "only_magic.jpeg": b"\xff\xd8\xff",
        "only_magic.tiff": b"II*\0",
        "only_magic.webp": b"RIFF\0\0\0\0WEBP",
        "only_magic.gif": b"GIF89a;",
        "only_magic.bmp": b"BM" + bytes(12) + b"\x28\0\0\0",
        "only_magic.pdf": b"%PDF-",
        "one_byte": b"\0",
        "zeros": bytes(100_000),
    }


def bombs() -> Mapping[str, Callable[[], bytes]]:
    """Builders of all files that are not damaged but made, by name; a bomb takes seconds to make."""
    polyglots = make_polyglots()
    made = {name: (lambda data=data: data) for name, data in polyglots.items()}
    return {**made, **PDF_BOMBS, **IMAGE_BOMBS}


def _make_progressive(image: Image.Image) -> bytes:
    return _save(image, "JPEG", progressive=True)


def _make_lossless(image: Image.Image) -> bytes:
    return _save(image, "WEBP", lossless=True)


def _compress(image: Image.Image, compression: str) -> bytes:
    return _save(image, "TIFF", compression=compression)


def _save(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
