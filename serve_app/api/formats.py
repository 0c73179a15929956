"""The form of an answer, by what the caller accepts."""

from collections.abc import Mapping
from types import MappingProxyType

from deployments.blocks import Block
from deployments.document import Document
from serve_app.api.accept import parse_accept
from serve_app.error_codes import NotAcceptable
from serve_app.forms.delimited import write_csv
from serve_app.forms.html import write_html
from serve_app.forms.markdown import write_document
from serve_app.options import ResultFormat

MEDIA_TYPES: Mapping[ResultFormat, str] = MappingProxyType(
    {
        "json": "application/json",
        "markdown": "text/markdown",
        "html": "text/html",
        "text": "text/plain",
        "csv": "text/csv",
    }
)


def choose_format(accept: str) -> ResultFormat:
    """The form that an `Accept` header asks for; JSON where it leaves the choice.

    Raises `NotAcceptable` when it asks for nothing that there is.
    """
    for media_range in parse_accept(accept):
        for form, media_type in MEDIA_TYPES.items():
            kind = media_type.partition("/")[0]
            if media_range in (media_type, f"{kind}/*", "*/*", ""):
                return form
    raise NotAcceptable(f"The answer can be {', '.join(MEDIA_TYPES.values())}.")


def write_form(document: Document, form: ResultFormat) -> bytes:
    """The document in one of the forms that are not JSON, in UTF-8."""
    match form:
        case "markdown":
            text = write_document(document) + "\n"
        case "html":
            text = write_html(document)
        case "csv":
            text = write_csv(document)
        case _:
            text = "\n\n".join(_write_text(page.blocks) for page in document.pages if page.error is None)
    return text.encode()


def _write_text(blocks: tuple[Block, ...]) -> str:
    return "\n\n".join(block.text for block in blocks if block.text)
