"""What a job is to do with each of its files: the options of a single route, and the forms of its results."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from deployments.document import ReadOptions
from deployments.input_errors import InvalidOption
from deployments.jobs.states import JobTask, Order
from serve_app.options import ResultFormat
from serve_app.schemas import ExtractionOptions, OcrOptions, StructureOptions

TASK_OPTIONS: Mapping[JobTask, type[OcrOptions]] = MappingProxyType(
    {"ocr": OcrOptions, "structure": StructureOptions, "extraction": ExtractionOptions}
)
# In the order in which they are listed; JSON is written in any case.
TASK_FORMS: Mapping[JobTask, tuple[ResultFormat, ...]] = MappingProxyType(
    {
        "ocr": ("json", "markdown", "text", "pdf"),
        "structure": ("json", "markdown", "html", "text", "csv", "xlsx", "hocr", "alto", "pdf"),
        "extraction": ("json",),
    }
)
_DEFAULT_FORMS: Mapping[JobTask, str] = MappingProxyType(
    {"ocr": "json,text", "structure": "json,markdown", "extraction": "json"}
)
_WITH_WORDS = frozenset({"hocr", "alto", "pdf"})
# Options of the routes that mean something else, or nothing, where nobody waits for the answer.
_NOT_FOR_JOBS: Mapping[str, str] = MappingProxyType(
    {
        "format": "A job takes `formats`, several of them with commas",
        "timeout_s": "A job has no time limit",
        "document_id": "A job takes files",
    }
)


def make_order(task: str, forms: str | None, values: Mapping[str, str | list[str]], request_id: str) -> Order:
    """The order that these texts of a form stand for.

    Raises `RequestValidationError` for an option that the task's own route would refuse.
    """
    kind = next((kind for name, kind in TASK_OPTIONS.items() if name == task), None)
    if kind is None:
        raise _fault("task", f"One of {', '.join(TASK_OPTIONS)}")
    chosen_task = cast(JobTask, task)
    for name, reason in _NOT_FOR_JOBS.items():
        if name in values:
            raise _fault(name, reason)
    try:
        options = kind.model_validate(values)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_input=False)) from error
    chosen = _choose_forms(chosen_task, _DEFAULT_FORMS[chosen_task] if forms is None else forms)
    if options.to_read_options().unwarp and "pdf" in chosen:
        raise InvalidOption("The format pdf shows the pages of the file: it cannot be had with `unwarp`.")
    stated = options.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return Order(chosen_task, stated, chosen, request_id)


def read_options(order: Order) -> OcrOptions:
    """The options of an order as its task's own route has them."""
    return TASK_OPTIONS[order.task].model_validate(order.options)


def choose_reading(order: Order) -> ReadOptions:
    """How the stages read a document of an order: all that one of its forms needs is read."""
    chosen = read_options(order).to_read_options()
    return dataclasses.replace(chosen, words=chosen.words or bool(_WITH_WORDS & set(order.formats)))


def _choose_forms(task: JobTask, text: str) -> tuple[str, ...]:
    asked = {part.strip().lower() for part in text.split(",") if part.strip()}
    unknown = asked - set(TASK_FORMS[task])
    if unknown:
        raise _fault("formats", f"One or more of {', '.join(TASK_FORMS[task])}")
    return tuple(form for form in TASK_FORMS[task] if form in asked or form == "json")


def _fault(name: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"loc": (name,), "type": "job_option", "msg": message}])
