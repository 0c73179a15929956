"""The same file and options give the same result by `/ocr` and its kin, by command line, job, and in bulk."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import pytest
from ray import serve

from configs.profile import AppArgs, load_profile
from serve_app.app import build
from serve_app.bulk.pipeline import BulkJob, run_bulk_job
from serve_app.bulk.places import Place
from serve_app.cli import main
from serve_app.reading_task import make_task

from fixtures.formats import make_text_pdf
from fixtures.tables import draw_table, place_on_page
from paths import FIXTURES

pytestmark = [pytest.mark.serve, pytest.mark.weights]

ARGS = AppArgs(profile="cpu", overrides={"recognition": {"replicas": {"num_replicas": 1}, "warm_up": False}})
ROWS = [["Quarter", "Pieces", "Price"], ["First", "120", "3.50"], ["Second", "95", "4.20"]]
# What is another for each request.
OWN = ("request_id", "document_id", "timings_ms")
TASKS = {
    "ocr": {"words": "true"},
    "structure": {"figures": "true"},
    "extraction": {"document_type": "receipt"},
}


@pytest.fixture(scope="module", autouse=True)
def app(cluster: object) -> Iterator[None]:
    """The whole graph on the CPU profile."""
    serve.run(build(ARGS), name="ocr", route_prefix="/")
    yield
    serve.delete("ocr")


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A receipt, a page with a table, a PDF of two pages with text of its own, and a file that is none."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "deep").mkdir()
    (folder / "receipt.png").write_bytes((FIXTURES / "receipt.png").read_bytes())
    (folder / "deep" / "table.png").write_bytes(
        cv2.imencode(".png", place_on_page(draw_table(ROWS)))[1].tobytes()
    )
    pages = [["Annual report", "The first page of two."], ["Annual report", "The second page of two."]]
    (folder / "deep" / "report.pdf").write_bytes(make_text_pdf(pages))
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    return folder


def strip(result: dict[str, Any]) -> dict[str, Any]:
    """A result without what belongs to its request."""
    kept = {name: value for name, value in result.items() if name not in OWN}
    kept["pages"] = [{name: v for name, v in page.items() if name not in OWN} for page in result["pages"]]
    return kept


def load(folder: Path) -> dict[str, dict[str, Any]]:
    """The results below a folder by their source."""
    return {
        path.relative_to(folder).as_posix().removesuffix(".json"): strip(json.loads(path.read_text()))
        for path in folder.rglob("*.json")
        if not path.relative_to(folder).parts[0].startswith((".", "_"))
    }


def read_by_job(
    http: httpx.Client, documents: Path, task: str
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Results and codes of a job with all files, which are known by their names alone."""
    paths = sorted(path for path in documents.rglob("*") if path.is_file())
    files = [("file", (path.name, path.read_bytes())) for path in paths]
    answer = http.post("/v1/jobs", files=files, data={"task": task, **TASKS[task]})
    assert answer.status_code == 202, answer.text
    job = answer.json()
    deadline = time.monotonic() + 240
    while job["status"] in ("queued", "running") and time.monotonic() < deadline:
        job = http.get(f"/v1/jobs/{job['id']}?wait=30").json()
    assert job["status"] == "partial", job
    results, codes = {}, {}
    for file, path in zip(job["files"], paths, strict=True):
        name = path.relative_to(documents).as_posix()
        if file["status"] == "done":
            address = f"/v1/jobs/{job['id']}/files/{file['index']}/result?format=json"
            results[name] = strip(http.get(address).json())
        else:
            codes[name] = file["error"]["code"]
    return results, codes


@pytest.mark.timeout(600)
@pytest.mark.parametrize("task", TASKS)
def test_four_ways_give_one_result(http: httpx.Client, documents: Path, tmp_path: Path, task: str) -> None:
    """Down to the last place of the last word; what cannot be read has one code."""
    direct: dict[str, Any] = {}
    codes = {}
    for path in sorted(path for path in documents.rglob("*") if path.is_file()):
        name = path.relative_to(documents).as_posix()
        answer = http.post(f"/v1/{task}", files={"file": path.read_bytes()}, data=TASKS[task])
        if answer.status_code == 200:
            direct[name] = strip(answer.json())
        else:
            codes[name] = answer.json()["code"]
    assert sorted(direct) == ["deep/report.pdf", "deep/table.png", "receipt.png"]

    report = tmp_path / "report.json"
    out = tmp_path / "by_command"
    command = ["read", str(documents), "-o", str(out), "--task", task, "--report", str(report), "--quiet"]
    command += ["--server", str(http.base_url), "--api-key", http.headers["x-api-key"]]
    command += [f"--option={name}={value}" for name, value in TASKS[task].items()]
    assert main(command) == 1
    assert load(out) == direct
    files = json.loads(report.read_text())["files"]
    assert {one["source"]: one["code"] for one in files if "code" in one} == codes

    by_job, job_codes = read_by_job(http, documents, task)
    assert by_job == direct
    assert job_codes == codes

    bulk_out = tmp_path / "in_bulk"
    made = make_task(task, "json", TASKS[task])
    places = Place.parse(str(documents)), Place.parse(str(bulk_out))
    job = BulkJob(*places, made, load_profile(ARGS, 0), ARGS, 10, False)
    reports = [one for shard in run_bulk_job(job) for one in shard]
    assert load(bulk_out) == direct
    assert {one.source: one.code for one in reports if one.code} == codes
    assert list(run_bulk_job(job)) == []
