"""A command that is killed in the middle leaves nothing half-written, and the next one goes on."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from serve_app.file_reading.store import PageFile, Record, ResultStore


async def start(workplace, *options: str) -> asyncio.subprocess.Process:
    command = [str(Path(sys.executable).with_name("ocr-serve")), "read", str(workplace.documents)]
    command += ["-o", str(workplace.out), "--server", workplace.url, "--api-key", "a-key-for-tests", *options]
    return await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


async def test_killed_in_a_long_document(workplace, library, tmp_path: Path) -> None:
    """After kill -9 the pages that came are there, and only the others are read."""
    workplace.add("a.png", "a")
    workplace.add("b.pdf", "b pages=20")
    library.stuck_at = 12
    process = await start(workplace)
    while len(library.given) < 12:
        assert process.returncode is None
        await asyncio.sleep(0.05)
    # What was sent last may be on its way.
    pages = workplace.out / ".ocr-serve" / "pages"
    while not any(path.read_bytes().count(b"\n") >= 12 for path in pages.iterdir()):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    assert "b.pdf.json" not in workplace.results()
    library.stuck_at = None
    library.given.clear()
    report = tmp_path / "report.json"
    process = await start(workplace, "--report", str(report))
    printed, _ = await process.communicate()
    assert process.returncode == 0
    assert b"Files: 1 read, 1 read before, 0 failed." in printed or b"Files: 2 read" in printed
    assert [number for name, number in library.given if name.startswith("b")] == list(range(12, 21))
    result = json.loads((workplace.out / "b.pdf.json").read_text())
    assert [page["number"] for page in result["pages"]] == list(range(1, 21))
    assert json.loads(report.read_text())["totals"]["pages"] == 21


async def test_interrupted_it_says_so_and_writes_its_report(workplace, library, tmp_path: Path) -> None:
    """Ctrl-C has an exit status of its own."""
    workplace.add("b.pdf", "b pages=20")
    library.stuck_at = 3
    report = tmp_path / "report.json"
    process = await start(workplace, "--report", str(report))
    while len(library.given) < 2:
        assert process.returncode is None
        await asyncio.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = await process.communicate()
    assert process.returncode == 130
    assert b"The same command goes on." in said
    assert json.loads(report.read_text())["stopped"] == "Interrupted."


def test_a_line_that_was_cut_is_dropped(tmp_path: Path) -> None:
    """Whatever was being appended when the power went."""
    file = PageFile(tmp_path / "pages.ndjson")
    file.append(b'{"number": 1}\n')
    file.append(b'{"number": 2')
    assert file.load() == [{"number": 1}]
    file.append(b'{"number": 2}\n')
    assert file.load() == [{"number": 1}, {"number": 2}]


def test_drafts_of_an_earlier_process_go(tmp_path: Path) -> None:
    """And its records stay."""
    store = ResultStore(tmp_path)
    store.write(Record("a", "00", "11", 1, ("a.json",)), {"a.json": b"{}"})
    store.close()
    draft = tmp_path / ".ocr-serve" / "drafts" / "half"
    draft.write_bytes(b"{")
    store = ResultStore(tmp_path)
    assert not draft.exists()
    assert store.is_done("a", "00", "11", ["a.json"]) is not None
    store.close()
