"""The registry of codes."""

import re

from deployments.errors import ServiceError
from deployments.input_errors import MalformedPdf
from serve_app.error_codes import ERROR_CODES, rebuild_error

from paths import ROOT


def test_the_registry_holds_the_tree_and_what_only_http_knows() -> None:
    """Each code has one class, whose status it keeps."""
    statuses = {code: kind.status for code, kind in ERROR_CODES.items()}
    assert statuses["too_many_bytes"] == 413
    assert statuses["busy"] == 503
    assert statuses["deadline_exceeded"] == 504
    http_only = {
        name: statuses[name]
        for name in ("not_found", "method_not_allowed", "request_timeout", "internal_error")
    }
    assert http_only == {
        "not_found": 404,
        "method_not_allowed": 405,
        "request_timeout": 408,
        "internal_error": 500,
    }


def test_a_pages_error_becomes_an_error_again() -> None:
    """By its code; one that nobody knows is the service's own fault."""
    error = rebuild_error("malformed_pdf", "Page 1 cannot be drawn.")
    assert type(error) is MalformedPdf
    assert error.message == "Page 1 cannot be drawn."
    assert type(rebuild_error("no such code", "x")) is ServiceError


def test_every_code_stands_in_the_documentation_with_its_status() -> None:
    """docs/api.md lists all of them, and no other."""
    text = (ROOT / "docs" / "api.md").read_text()
    rows = re.findall(r"^\| `([a-z_]+)` \| ([45]\d\d) \|", text, re.MULTILINE)
    assert {code: int(status) for code, status in rows} == {
        code: kind.status for code, kind in ERROR_CODES.items()
    }
