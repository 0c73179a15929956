"""The forms of an answer: which of them a caller accepts, and what each is called."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

from deployments.document import ReadOptions
from serve_app.api.accept import parse_accept
from serve_app.error_codes import NotAcceptable
from serve_app.options import ResultFormat, StructureOptions

# In the order in which they are chosen where `Accept` leaves the choice.
MEDIA_TYPES: Mapping[ResultFormat, str] = MappingProxyType(
    {
        "json": "application/json",
        "markdown": "text/markdown",
        "html": "text/html",
        "text": "text/plain",
        "csv": "text/csv",
        "hocr": "text/vnd.hocr+html",
        "alto": "application/alto+xml",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pdf": "application/pdf",
        "overlay": "image/png",
    }
)
# What a browser shall save the answer as; the name of the caller's own file is never used.
FILE_NAMES: Mapping[ResultFormat, str] = MappingProxyType(
    {
        "hocr": "document.hocr",
        "alto": "document.alto.xml",
        "xlsx": "document.xlsx",
        "pdf": "document.pdf",
        "overlay": "overlay.png",
    }
)
BINARY: frozenset[ResultFormat] = frozenset({"xlsx", "pdf", "overlay"})
_WITH_WORDS: frozenset[ResultFormat] = frozenset({"hocr", "alto", "pdf"})
_WITH_PICTURES: frozenset[ResultFormat] = frozenset({"json", "markdown", "html"})


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


def needs_words(form: ResultFormat) -> bool:
    """Whether a form has places of words."""
    return form in _WITH_WORDS


def to_read_options(options: StructureOptions, form: ResultFormat) -> ReadOptions:
    """The choice of a caller who gets this form: words and pictures are made where it has them."""
    chosen = options.to_read_options()
    words = chosen.words or needs_words(form)
    return dataclasses.replace(chosen, words=words, figures=chosen.figures and form in _WITH_PICTURES)


def describe_file(form: ResultFormat) -> dict[str, str]:
    """The headers that say under which name an answer is saved; none for those that are looked at."""
    if form not in FILE_NAMES:
        return {}
    shown = "inline" if form == "overlay" else "attachment"
    return {"Content-Disposition": f'{shown}; filename="{FILE_NAMES[form]}"'}
