"""What is to be done with each of many files: a task, its options, and the forms of its results."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from pydantic import ValidationError

from serve_app.extraction_options import ExtractionOptions
from serve_app.options import OPTION_ALIASES, OcrOptions, ResultFormat, StructureOptions

TaskName = Literal["ocr", "structure", "extraction"]

# How the file of a form ends, behind the whole name of its source: `a.pdf` and `a.png` lie side by side.
SUFFIXES: Mapping[ResultFormat, str] = MappingProxyType(
    {
        "json": ".json",
        "markdown": ".md",
        "html": ".html",
        "text": ".txt",
        "csv": ".csv",
        "xlsx": ".xlsx",
        "hocr": ".hocr",
        "alto": ".alto.xml",
        "pdf": ".pdf",
        "overlay": ".overlay.png",
    }
)
_SHORT_NAMES: Mapping[str, ResultFormat] = MappingProxyType({"md": "markdown", "txt": "text"})
_FORMS: Mapping[TaskName, tuple[ResultFormat, ...]] = MappingProxyType(
    {"ocr": ("json", "text"), "structure": tuple(SUFFIXES), "extraction": ("json",)}
)
_KINDS: Mapping[TaskName, type[OcrOptions]] = MappingProxyType(
    {"ocr": OcrOptions, "structure": StructureOptions, "extraction": ExtractionOptions}
)
# Chosen by other means: the forms, and a document that is kept on a server.
_NOT_HERE = ("format", "document_id")


@dataclass(frozen=True)
class ReadingTask:
    """A task with its options: ``fields`` as a form sends them, ``options`` as they are understood."""

    name: TaskName
    fields: Mapping[str, str | Sequence[str]]
    options: OcrOptions
    forms: tuple[ResultFormat, ...]

    def fingerprint(self) -> str:
        """A hash of what decides the result of a file, besides the file and the models."""
        chosen = {"task": self.name, "options": self.options.model_dump(mode="json")}
        return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:32]

    def output_names(self, source: str) -> dict[ResultFormat, str]:
        """Where each form of a source's result goes."""
        return {form: source + SUFFIXES[form] for form in self.forms}


def make_task(name: TaskName | None, formats: str, fields: Mapping[str, str | Sequence[str]]) -> ReadingTask:
    """A task from what a user has typed; without a name, the least that makes the forms.

    ``formats`` are names of forms divided by commas. Raises `ValueError`, with a text for that user.
    """
    forms = _parse_formats(formats)
    if name is None:
        name = "ocr" if set(forms) <= set(_FORMS["ocr"]) else "structure"
    wrong = [form for form in forms if form not in _FORMS[name]]
    if wrong:
        raise ValueError(f"The task {name} has no {', '.join(wrong)}: it gives {', '.join(_FORMS[name])}.")
    own = {OPTION_ALIASES.get(option, option): value for option, value in fields.items()}
    for option in _NOT_HERE:
        if option in own:
            raise ValueError(f"The option {option} means nothing here.")
    try:
        options = _KINDS[name].model_validate(own)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'options'}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_input=False)
        )
        raise ValueError(f"The task {name} cannot be done so: {faults}") from None
    return ReadingTask(name, own, options, forms)


def _parse_formats(text: str) -> tuple[ResultFormat, ...]:
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    forms = [_SHORT_NAMES.get(name, name) for name in names]
    unknown = [form for form in forms if form not in SUFFIXES]
    if unknown or not forms:
        known = ", ".join([*_SHORT_NAMES, *SUFFIXES])
        raise ValueError(f"There is no format {', '.join(unknown) or '(none named)'}; choose from {known}.")
    return tuple(dict.fromkeys(forms))  # type: ignore[arg-type]
