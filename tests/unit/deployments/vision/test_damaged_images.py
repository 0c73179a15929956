"""Image files that are cut or altered: read whole, or refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.input_errors import InputError, MalformedImage
from deployments.vision.images import ImageDocument

from image_samples import MAX_PIXELS, SAMPLES, encode_frames


def read_all(data: bytes) -> list[np.ndarray]:
    """All pages of an image file."""
    document = ImageDocument(data, MAX_PIXELS)
    return [document.read_page(number + 1).pixels for number in range(document.page_count)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SAMPLES)
def test_a_truncated_file_never_gives_a_page_with_a_part_missing(name: str) -> None:
    """Cut anywhere, it is refused; where only an end marker is missing, the pages may be the whole ones."""
    data = SAMPLES[name]
    whole = read_all(data)
    for length in {*range(1, len(data), max(1, len(data) // 150)), *range(len(data) - 20, len(data))}:
        try:
            pages = read_all(data[:length])
        except InputError:
            continue
        assert len(pages) == len(whole)
        for page, expected in zip(pages, whole, strict=True):
            np.testing.assert_array_equal(page, expected)
    with pytest.raises(MalformedImage):
        read_all(data[: len(data) * 3 // 4])


def test_a_page_after_a_damaged_one_can_still_be_read() -> None:
    """A decoder that failed is not used again."""
    data = bytearray(encode_frames("TIFF", [(64, 64)] * 3, compression="tiff_adobe_deflate"))
    streams = [index for index in range(len(data)) if data[index : index + 2] == b"\x78\x9c"]
    data[streams[1]] = 0
    document = ImageDocument(bytes(data), MAX_PIXELS)
    with pytest.raises(MalformedImage, match="Page 2 of the image"):
        document.read_page(2)
    assert (document.read_page(3).pixels == 150).all()
    assert (document.read_page(1).pixels == 50).all()


def test_a_message_says_nothing_of_what_is_inside() -> None:
    """It names the page; what the library said stays with the cause."""
    with pytest.raises(MalformedImage) as caught:
        ImageDocument(SAMPLES["JPEG"][:-40], MAX_PIXELS).read_page(1)
    assert caught.value.message == "Page 1 of the image cannot be decoded."
    assert caught.value.__cause__ is not None


@st.composite
def mutated_files(draw: st.DrawFn) -> bytes:
    """A valid file in which some bytes are replaced, and which may be cut."""
    data = bytearray(draw(st.sampled_from(list(SAMPLES.values()))))
    positions = st.one_of(st.integers(0, min(200, len(data) - 1)), st.integers(0, len(data) - 1))
    for position, value in draw(st.lists(st.tuples(positions, st.integers(0, 255)), max_size=8)):
        data[position] = value
    return bytes(data[: draw(st.one_of(st.just(len(data)), st.integers(0, len(data))))])


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=200, deadline=None)
@given(mutated_files())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(data: bytes) -> None:
    """Whatever happens inside, what comes out is pages or an error for the caller."""
    try:
        pages = read_all(data)
    except InputError:
        return
    assert all(page.ndim == 3 and page.dtype == np.uint8 and page.size for page in pages)
