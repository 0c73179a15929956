"""Which stages and which recogniser a request needs, wherever they run."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from configs.settings import DetectionStage
from deployments.document import LineCrop, ReadOptions
from deployments.input_errors import LanguageNotInstalled, StageNotInstalled
from deployments.models.recognition import RecognitionRequest

_HOW_TO_INSTALL = {
    "layout": "Its profile has to name a model under `layout`.",
    "table": "Its profile has to name a model under `table`; `tables=false` does without.",
    "formula": "Its profile has to name a model under `formula`; `formulas=false` does without.",
    "seal": "Its profile has to name a model under `seal`; `seals=false` does without.",
    "unwarping": "Its profile has to name a model under `unwarping`; `unwarp=false` does without.",
}


def list_optional_stages(options: ReadOptions) -> list[str]:
    """Those of the stages that not every graph has which a request needs."""
    wanted = {
        "layout": options.structure,
        "table": options.structure and options.tables,
        "unwarping": options.unwarp,
        "formula": options.formulas,
        "seal": options.seals,
    }
    return [stage for stage, is_wanted in wanted.items() if is_wanted]


def list_stages(options: ReadOptions, recognizer: str) -> list[str]:
    """All stages that take part in a request, with the recogniser by its name."""
    first = ["orientation"] if options.orientation else []
    return [*first, "detection", recognizer, *list_optional_stages(options)]


def check_stages(options: ReadOptions, installed: Collection[str]) -> None:
    """Raise `StageNotInstalled` when a stage is asked for that there is not."""
    missing = [stage for stage in list_optional_stages(options) if stage not in installed]
    if missing:
        raise StageNotInstalled(
            f"This service runs no stage for: {', '.join(missing)}. {_HOW_TO_INSTALL[missing[0]]}"
        )


def choose_recognizer(
    lang: str | None, running: Sequence[str], languages: Mapping[str, Sequence[str]]
) -> str:
    """Name of the recogniser for a language; the first of those that run when none is asked for.

    Raises `LanguageNotInstalled` with the command that installs a model for it.
    """
    if lang is None:
        return running[0]
    for name in running:
        if lang in languages.get(name, ()):
            return name
    able = [name for name, codes in languages.items() if lang in codes]
    if not able:
        raise LanguageNotInstalled(f"No model of the catalogue reads the language {lang!r}.")
    raise LanguageNotInstalled(
        f"No running model reads the language {lang!r}: install one with "
        f"`ocr-serve models pull {able[0]}`, then start the service with PRELOAD_MODELS={able[0]}."
    )


def ask_recognizer(crops: Sequence[LineCrop], options: ReadOptions) -> RecognitionRequest:
    """The crops of a page as a recogniser takes them."""
    return RecognitionRequest(
        tuple(crop.pixels for crop in crops),
        tuple(not crop.upright for crop in crops),
        options.direction,
        options.words,
    )


def fill_options(options: ReadOptions, stage: DetectionStage) -> ReadOptions:
    """The options in force: what the caller left open has the profile's value."""
    defaults: dict[str, Any] = {
        "det_thresh": stage.thresh,
        "det_box_thresh": stage.box_thresh,
        "det_unclip_ratio": stage.unclip_ratio,
        "det_limit_side_len": stage.limit_side_len,
        "det_limit_type": stage.limit_type,
    }
    left_open = {name: value for name, value in defaults.items() if getattr(options, name) is None}
    return dataclasses.replace(options, **left_open)
