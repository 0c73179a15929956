"""Which images are decoded where they arrive, and which by a process that can die."""

import pytest
from PIL import Image

from deployments.vision.images import open_plain_image

from fixtures.formats import (
    make_bmp,
    make_exif_jpeg,
    make_gif,
    make_grey_alpha_png,
    make_jpeg,
    make_palette_png,
    make_png,
    make_tiff,
    make_webp,
)
from hostile.image_bombs import apng, jpeg_of_many_scans

PLAIN = {
    "png": make_png,
    "palette": make_palette_png,
    "alpha": make_grey_alpha_png,
    "jpeg": make_jpeg,
    "exif": make_exif_jpeg,
}


@pytest.mark.parametrize("kind", sorted(PLAIN))
def test_ordinary_pictures_are_plain(kind: str) -> None:
    """They are decoded where they arrive."""
    document = open_plain_image(PLAIN[kind](Image.new("RGB", (40, 20), "white")), 10**8)
    assert document is not None
    assert document.page_count == 1


def test_what_may_take_long_to_decode_is_not_plain() -> None:
    """Other formats, several frames, many pixels, many scans."""
    page = Image.new("L", (40, 20))
    scans = jpeg_of_many_scans(64, 64, 40)
    large = make_png(Image.new("1", (5000, 4000)))
    for data in (make_tiff([page]), make_gif(page), make_webp(page), make_bmp(page), apng(3), large, scans):
        assert open_plain_image(data, 10**8) is None
    assert open_plain_image(jpeg_of_many_scans(64, 64, 10), 10**8) is not None
