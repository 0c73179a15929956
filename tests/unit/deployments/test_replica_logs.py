"""JSON logs and the log of stage calls."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.call_context import CallContext, within_call
from deployments.errors import StageFailed, StageUnavailable
from deployments.input_errors import MalformedPdf
from deployments.replica_logs import observe_call, start_observing


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    yield
    start_observing("", "", {"LOG_FORMAT": "text"})


def test_a_stage_call_is_a_line_with_the_requests_id(tmp_path: Path) -> None:
    """What was done for whom, how long it took and how it ended; off unless it is asked for."""
    path = tmp_path / "stages.log"
    start_observing("Detection", "abc", {"STAGE_LOG": str(path), "LOG_FORMAT": "text"})
    with observe_call("detection", "submit", CallContext("r1")):
        pass
    with pytest.raises(StageUnavailable), observe_call("detection", "submit", CallContext("r2")):
        raise StageUnavailable("text of the document", 5)
    with observe_call("detection", "submit", None):
        pass
    first, second = map(json.loads, path.read_text().splitlines())
    assert (first["event"], first["request_id"], first["stage"]) == ("stage", "r1", "detection")
    assert (first["deployment"], first["replica"], first["outcome"]) == ("Detection", "abc", "ok")
    assert first["ms"] >= 0
    assert (second["request_id"], second["outcome"]) == ("r2", "stage_unavailable")
    assert "text of the document" not in path.read_text()
    start_observing("Detection", "abc", {"LOG_FORMAT": "text"})
    with observe_call("detection", "submit", CallContext("r3")):
        pass
    assert "r3" not in path.read_text()


def test_warnings_are_json_with_the_requests_id(capsys: pytest.CaptureFixture[str]) -> None:
    """Of whatever module, tracebacks inside; one handler however often a replica is set up."""
    for _ in range(2):
        start_observing("Detection", "abc", {})
    with within_call(CallContext("r1")):
        logging.getLogger("deployments.flow").warning("page %d failed", 3)
        try:
            raise ValueError("wrong")
        except ValueError:
            logging.getLogger("deployments.flow").exception("worse")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["message"] for line in lines] == ["page 3 failed", "worse"]
    assert {line["request_id"] for line in lines} == {"r1"}
    assert lines[0]["level"] == "WARNING"
    assert lines[0]["deployment"] == "Detection"
    assert "ValueError" in lines[1]["error"]


def test_a_misspelt_format_is_refused() -> None:
    """At the start, with the names that there are."""
    with pytest.raises(ValueError, match="json or text"):
        start_observing("Detection", "abc", {"LOG_FORMAT": "xml"})


def test_a_refused_document_leaves_no_stack_in_serves_log(caplog: pytest.LogCaptureFixture) -> None:
    """What is our fault, or nobody's, is logged as before."""
    start_observing("Renderer", "abc", {"LOG_FORMAT": "text"})
    for error in (MalformedPdf(), StageUnavailable(), StageFailed(), ValueError("wrong")):
        try:
            raise error
        except Exception:
            logging.getLogger("ray.serve").exception("Request failed.")
    logged = [record.exc_info[0] for record in caplog.records if record.exc_info]
    assert logged == [StageUnavailable, StageFailed, ValueError]
