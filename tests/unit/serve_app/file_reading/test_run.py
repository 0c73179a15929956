"""Many files through a service, over real HTTP."""

import json

import pytest

from deployments.document import StageInfo

from service import find_free_port


async def test_results_lie_as_the_files_lie_and_a_broken_file_stops_nobody(workplace) -> None:
    """Each file with its outcome, the broken one with the service's own code."""
    workplace.add("a.png", "a")
    workplace.add("deep/er/b.pdf", "b pages=3")
    workplace.add("deep/broken.png", "broken")
    workplace.add("notes.txt", "no document")
    run = await workplace.run("json,txt")
    assert workplace.results() == ["a.png.json", "a.png.txt", "deep/er/b.pdf.json", "deep/er/b.pdf.txt"]
    failed = next(report for report in run.reports if report.outcome == "failed")
    assert (failed.source, failed.code) == ("deep/broken.png", "malformed_image")
    assert (run.totals.read, run.totals.failed, run.totals.pages) == (2, 1, 4)
    assert run.totals.exit_status() == 1
    result = json.loads((workplace.out / "deep/er/b.pdf.json").read_text())
    assert [page["number"] for page in result["pages"]] == [1, 2, 3]
    assert result["pages_processed"] == 3
    assert (workplace.out / "deep/er/b.pdf.txt").read_text() == result["text"]


async def test_what_is_done_is_not_read_again(workplace, library) -> None:
    """Until the file or the options are others; a failed file is tried each time."""
    workplace.add("a.png", "a")
    workplace.add("b.png", "b")
    workplace.add("broken.png", "broken")
    await workplace.run()
    second = await workplace.run()
    assert (second.totals.read, second.totals.kept, second.totals.failed) == (0, 2, 1)
    assert second.totals.exit_status() == 1
    workplace.add("b.png", "b pages=2")
    third = await workplace.run()
    assert (third.totals.read, third.totals.kept) == (1, 1)
    fourth = await workplace.run(words="true")
    assert fourth.totals.read == 2
    (workplace.out / "a.png.json").unlink()
    fifth = await workplace.run(words="true")
    assert [report.source for report in fifth.reports if report.outcome == "read"] == ["a.png"]
    assert (await workplace.run(words="true", again=True)).totals.read == 2


async def test_a_file_with_a_failed_page_is_told_and_tried_again(workplace) -> None:
    """Its other pages are there."""
    workplace.add("a.pdf", "a pages=3 bad=2")
    run = await workplace.run()
    assert run.reports[0].failed_pages == {2: "stage_failed"}
    assert (run.totals.pages, run.totals.pages_failed, run.totals.exit_status()) == (2, 1, 1)
    assert (await workplace.run()).totals.read == 1


async def test_a_file_whose_only_page_fails_has_that_error(workplace) -> None:
    """As the whole answer has it."""
    workplace.add("a.png", "a bad=1")
    run = await workplace.run()
    assert run.reports[0].code == "stage_failed"
    assert run.totals.exit_status() == 3


async def test_a_server_without_room_is_asked_again_when_it_says(workplace, library) -> None:
    """Nothing fails of it."""
    library.refusals = 2
    for name in "abcd":
        workplace.add(f"{name}.png", name)
    assert (await workplace.run()).totals.read == 4


async def test_a_stream_that_breaks_goes_on_behind_its_last_page(workplace, library) -> None:
    """Pages that came are not read twice."""
    library.breaks_after = 2
    workplace.add("a.pdf", "a pages=5")
    run = await workplace.run()
    assert run.totals.pages == 5
    assert [number for _, number in library.given] == [1, 2, 3, 4, 5]
    assert [after for _, after in library.starts] == [0, 2]


async def test_pages_of_other_models_are_not_mixed(workplace, library) -> None:
    """A document that was begun before a rollout is begun anew."""
    workplace.add("a.pdf", "a pages=4")
    library.breaks_after = 2
    first = await workplace.run(patience_s=0)
    assert first.reports[0].code == "busy"
    library.model = StageInfo("detection", "large_det", "5", "cd" * 32, "fake", "1", "CPU", "f32")
    assert (await workplace.run()).totals.pages == 4
    result = json.loads((workplace.out / "a.pdf.json").read_text())
    assert result["models"][0]["model"] == "large_det"
    assert [page["number"] for page in result["pages"]] == [1, 2, 3, 4]


async def test_more_pages_than_one_request_may_have_come_in_parts(workplace, library) -> None:
    """The result is one."""
    library.max_pages = 100
    workplace.add("a.pdf", "a pages=230")
    run = await workplace.run()
    assert run.totals.pages == 230
    result = json.loads((workplace.out / "a.pdf.json").read_text())
    assert [page["number"] for page in result["pages"]] == list(range(1, 231))
    assert result["pages_total"] == 230
    assert "pages" not in result["options"]
    assert sorted(number for _, number in library.given) == list(range(1, 231))


@pytest.mark.parametrize("fault", ["key", "address"])
async def test_a_server_that_cannot_be_used_stops_the_run(workplace, fault: str) -> None:
    """Its trouble is no fault of the files."""
    workplace.add("a.png", "a")
    if fault == "address":
        workplace.url = f"http://127.0.0.1:{find_free_port()}"
    run = await workplace.run(key="another" if fault == "key" else "", patience_s=0.2)
    assert run.stopped is not None
    assert run.reports == []


async def test_structure_is_written_in_several_forms_from_one_reading(workplace, library) -> None:
    """Markdown and hOCR beside the JSON."""
    workplace.add("a.pdf", "a pages=2")
    run = await workplace.run("json,md,hocr")
    assert run.totals.exit_status() == 0
    assert len(library.starts) == 1
    assert workplace.results() == ["a.pdf.hocr", "a.pdf.json", "a.pdf.md"]
    line = json.loads((workplace.out / "a.pdf.json").read_text())["pages"][0]["lines"][0]
    assert "words" not in line
