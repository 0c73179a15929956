"""Processes in which strangers' files are decoded."""

import os
import signal
from collections.abc import AsyncIterator

import numpy as np
import psutil
import pytest
from PIL import Image

from configs.settings import RendererStage
from deployments.document import Page
from deployments.input_errors import EncryptedPdf, MalformedImage, MalformedPdf, TooManyPixels
from deployments.sandbox.files import SandboxedFiles
from deployments.sandbox.pool import ProcessDied, Sandbox
from deployments.searchable.text import lay_out_page
from deployments.vision.images import ImageDocument
from deployments.vision.pdf import PdfDocument

from fixtures.formats import make_pdf, make_tiff
from fixtures.hostile import make_encrypted_pdf

MAX_PIXELS = 100_000_000
PAGE = Image.linear_gradient("L").convert("RGB")


def as_array(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.uint8)


PDF = as_array(make_pdf([PAGE] * 3))


@pytest.fixture
async def files() -> AsyncIterator[SandboxedFiles]:
    sandboxed = SandboxedFiles(RendererStage(processes=1, process_memory_mib=256))
    yield sandboxed
    sandboxed.sandbox.close()


def find_workers() -> list[psutil.Process]:
    """The processes that were forked: those whose parent is a zygote."""
    return [child for zygote in find_zygotes() for child in zygote.children()]


def find_zygotes() -> list[psutil.Process]:
    """Those of this process; other tests' children are none."""
    return [
        child for child in psutil.Process().children() if any("zygote" in word for word in child.cmdline())
    ]


async def test_pages_are_those_that_are_drawn_without_a_sandbox(files: SandboxedFiles) -> None:
    """Pixels, resolution and text of PDF pages; frames of images; and how many there are."""
    with PdfDocument(PDF.tobytes()) as document:
        drawn = document.render_page(2, 100, MAX_PIXELS, with_layer=True)
        assert await files.measure_pdf("a", PDF, 100) == (3, document.count_pixels(1, 100))
    page = await files.render_page("a", PDF, 2, 100, True)
    assert (page.number, page.dpi, page.layer.text) == (2, drawn.dpi, drawn.layer.text)
    assert np.array_equal(page.pixels, drawn.pixels)
    tiff = make_tiff([PAGE, PAGE.rotate(90)])
    frame = ImageDocument(tiff, MAX_PIXELS).read_page(2)
    assert await files.measure_image("b", as_array(tiff), MAX_PIXELS) == (2, 256 * 256)
    read = await files.read_frame("b", as_array(tiff), 2, MAX_PIXELS)
    assert np.array_equal(read.pixels, frame.pixels)


async def test_a_faulty_file_has_its_own_error(files: SandboxedFiles) -> None:
    """The same as without a sandbox; the process lives on."""
    with pytest.raises(EncryptedPdf):
        await files.measure_pdf("a", as_array(make_encrypted_pdf([PAGE])), 100)
    before = find_workers()
    with pytest.raises(MalformedPdf):
        await files.measure_pdf("b", as_array(b"%PDF-1.7 and no more"), 100)
    assert find_workers() == before


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGKILL", "SIGTRAP"])
async def test_a_process_that_died_is_replaced_and_the_task_is_done(files: SandboxedFiles, name: str) -> None:
    """Also for a file that the dead process had open."""
    await files.measure_pdf("a", PDF, 100)
    (worker,) = find_workers()
    os.kill(worker.pid, signal.Signals[name])
    assert (await files.render_page("a", PDF, 1, 50, False)).number == 1
    assert [process.pid for process in find_workers()] != [worker.pid]


async def test_a_zygote_that_died_is_replaced_with_its_processes(files: SandboxedFiles) -> None:
    """And none of the old processes stays behind."""
    await files.measure_pdf("a", PDF, 100)
    (worker,) = find_workers()
    worker.parent().kill()
    worker.wait(10)
    assert (await files.render_page("a", PDF, 1, 50, False)).number == 1


async def test_a_page_that_takes_too_long_is_at_fault() -> None:
    """Its process is ended at once, whatever it does."""
    files = SandboxedFiles(RendererStage(processes=1, page_timeout_s=30))
    await files.measure_pdf("a", PDF, 100)
    (worker,) = find_workers()
    # Stopped, a process is as stuck as one can be.
    worker.suspend()
    files.sandbox._timeout_s = 0.1
    with pytest.raises(MalformedPdf, match="limits of time"):
        await files.render_page("a", PDF, 1, 100, False)
    assert not worker.is_running()
    files.sandbox._timeout_s = 30
    assert (await files.render_page("a", PDF, 1, 50, False)).number == 1
    files.sandbox.close()


async def test_a_file_that_takes_too_much_memory_is_too_large(files: SandboxedFiles) -> None:
    """Its pixels are within their limit, but a process has only so much memory."""
    large = Image.new("RGB", (8000, 8000)).convert("CMYK")
    tiff = as_array(make_tiff([large]))
    with pytest.raises(TooManyPixels, match="memory"):
        await files.read_frame("a", tiff, 1, MAX_PIXELS)
    assert (await files.render_page("b", PDF, 1, 50, False)).number == 1


async def test_a_file_without_end_of_frames_is_refused_in_the_process(files: SandboxedFiles) -> None:
    """A directory of a TIFF that points at itself is found by the decoder's own bound."""
    tiff = bytearray(make_tiff([PAGE]))
    with pytest.raises(MalformedImage):
        await files.measure_image("a", as_array(bytes(tiff[:100])), MAX_PIXELS)


async def test_pdf_files_are_written_page_by_page(files: SandboxedFiles) -> None:
    """And written anew from the beginning when the process dies on the way."""
    pages = tuple(lay_out_page(Page(number, 100, 100)) for number in (1, 2, 3))
    written = await files.write_pdf("a", PDF, pages, MAX_PIXELS)
    with PdfDocument(written) as document:
        assert document.page_count == 3
    await files.sandbox.run("b", PDF, "open_writer", MAX_PIXELS)
    find_workers()[0].kill()
    with pytest.raises(ProcessDied):
        await files.sandbox.run_step("b", "write_page", pages[0])
    assert await files.write_pdf("b", PDF, pages, MAX_PIXELS)


async def test_processes_know_no_secret_of_the_service(
    files: SandboxedFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither keys nor credentials are in the environment of a process that opens strangers' files."""
    monkeypatch.setenv("API_KEY", "a secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    await files.measure_pdf("a", PDF, 100)
    (worker,) = find_workers()
    assert "a secret" not in worker.environ().values()


async def test_processes_end_with_their_sandbox() -> None:
    """Those that wait, and the zygote."""
    sandbox = Sandbox(2, 512, 30)
    sandbox.start()
    workers, zygotes = find_workers(), find_zygotes()
    assert len(workers) == 2
    sandbox.close()
    psutil.wait_procs([*workers, *zygotes], timeout=10)
    assert not any(process.is_running() for process in [*workers, *zygotes])
