"""What a replica logs: JSON with the request's id, and, where it is switched on, a line for each stage call.

`LOG_FORMAT` is `json` (the default) or `text`; `STAGE_LOG` is `off` (the default), `stderr` or a file. Only
what the service says itself is in the lines of stages: times and names, no text of documents.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from deployments.call_context import CallContext, current_call, within_call
from deployments.errors import ServiceError
from deployments.tracing import start_tracing, trace_span

stage_log = logging.getLogger("ocr_serve.stages")
# Until a replica has read its settings.
stage_log.disabled = True
_HANDLER_NAME = "ocr_serve"
_SERVE_LOGGER = "ray.serve"


class JsonFormatter(logging.Formatter):
    """One JSON object a line; ``names`` are those of the deployment and the replica."""

    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__()
        self._names = dict(names)

    def format(self, record: logging.LogRecord) -> str:
        """The record with the id of the request that the task works for."""
        call = current_call()
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            **self._names,
            "request_id": call.request_id if call else None,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def is_no_refusal(record: logging.LogRecord) -> bool:
    """Whether the record tells of something else than a document that was refused, its sender's own fault.

    Serve logs whatever a call raises as an error, with its stack: who posts damaged files would fill the log.
    The request's line and the metrics have the code.
    """
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, ServiceError) and 400 <= error.status < 500)


def start_observing(deployment: str, replica: str, environment: Mapping[str, str] = os.environ) -> None:
    """Set up this process's logs and traces, as the environment says. Raises `ValueError`."""
    names = {"deployment": deployment, "replica": replica}
    _start_logs(names, environment.get("LOG_FORMAT") or "json")
    logging.getLogger(_SERVE_LOGGER).addFilter(is_no_refusal)
    start_line_log(stage_log, environment.get("STAGE_LOG") or "off")
    _stage_names.update(names)
    start_tracing(deployment, environment)


_stage_names: dict[str, str] = {}


def _start_logs(names: Mapping[str, str], form: str) -> None:
    """Warnings and errors of all modules, where nobody else has said how to write them."""
    if form not in ("json", "text"):
        raise ValueError(f"LOG_FORMAT must be json or text, not {form!r}.")
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if handler.name == _HANDLER_NAME]:
        root.removeHandler(old)
    if form == "text":
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.name = _HANDLER_NAME
    handler.setLevel(logging.WARNING)
    handler.setFormatter(JsonFormatter(names))
    root.addHandler(handler)


def start_line_log(logger: logging.Logger, destination: str) -> None:
    """Write a logger's lines as they are to ``stderr``, to a file, or nowhere (``off``)."""
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = False
    logger.disabled = destination == "off"
    if logger.disabled:
        return
    logger.setLevel(logging.INFO)
    # Several replicas may append to one file: each line is one write.
    handler = (
        logging.StreamHandler(sys.stderr) if destination == "stderr" else logging.FileHandler(destination)
    )
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)


@contextmanager
def observe_call(stage: str, method: str, call: CallContext | None) -> Iterator[None]:
    """Work for a caller's request inside the block: its span, and its line where the stage log is on."""
    if call is None:
        yield
        return
    start_s, outcome = time.perf_counter(), "ok"
    try:
        with within_call(call), trace_span(f"{stage}.{method}", serves=True, **_stage_names):
            yield
    except BaseException as error:
        outcome = getattr(error, "code", None) or type(error).__name__
        raise
    finally:
        if not stage_log.disabled:
            elapsed_ms = (time.perf_counter() - start_s) * 1e3
            stage_log.info("%s", _write_line(stage, method, call, outcome, elapsed_ms))


def _write_line(stage: str, method: str, call: CallContext, outcome: str, elapsed_ms: float) -> str:
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "event": "stage",
        "request_id": call.request_id,
        "stage": stage,
        "method": method,
        **_stage_names,
        "outcome": outcome,
        "ms": round(elapsed_ms, 1),
    }
    return json.dumps(line)
