"""The way from a document that was read to its fields: by rules, and by a language model where one is given.

Nothing here knows Ray. What the model does not say, or says without any line to show for it, is left to the
rules; when it does not answer at all, so is everything, and a warning says so.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from configs.llm import LlmSettings
from configs.rulebook import RuleBook
from deployments.document import Page
from deployments.extraction.extractor import AUTO, extract_fields
from deployments.extraction.fields import ExtractedFields, FieldValue
from deployments.extraction.habits import make_sheet, recognise_type
from deployments.extraction.wanted import ExtractionRequest, WantedField
from deployments.extraction.wanted_rules import describe_fields, find_wanted, read_question
from deployments.input_errors import NoText, StageNotInstalled, UnknownDocumentType
from deployments.llm.chatocr import ChatOcrExtractor, is_installed
from deployments.llm.client import LlmError
from deployments.llm.extraction import LlmExtractor
from deployments.metric_table import Recorder

# How much surer two ways that agree are than the surer of them.
_AGREEMENT = 0.5
_DOUBT_OF_SILENCE = 0.7


@dataclass(frozen=True)
class Extractors:
    """What fields are found with; ``llm`` and ``chatocr`` are None where no model is set up."""

    rules: RuleBook
    llm: LlmExtractor | None
    recorder: Recorder
    chatocr: ChatOcrExtractor | None = None

    @classmethod
    def from_environment(cls, rules: RuleBook, recorder: Recorder) -> "Extractors":
        """Rules, and the language model that ``CHATOCR_*`` names. Raises ValueError, without any secret."""
        settings = LlmSettings.from_environment()
        if settings is None:
            return cls(rules, None, recorder)
        llm = LlmExtractor(settings, rules, recorder)
        return cls(rules, llm, recorder, ChatOcrExtractor(settings, rules, recorder, llm.client))


def check_request(request: ExtractionRequest, rules: RuleBook, has_llm: bool) -> None:
    """Raise `UnknownDocumentType`, or `StageNotInstalled` for a model that there is not."""
    if request.document_type != AUTO and request.document_type not in rules.types:
        names = ", ".join([AUTO, *sorted(rules.types)])
        raise UnknownDocumentType(f"The document type is not one of {names}.")
    if request.engine in ("llm", "pp_chatocr") and not has_llm:
        raise StageNotInstalled("No language model is set up here: CHATOCR_ENABLED is not true.")
    if request.engine == "pp_chatocr" and not is_installed():
        raise StageNotInstalled("PP-ChatOCRv4 is not installed here: there is no paddlex.")


async def extract(
    pages: Sequence[Page], request: ExtractionRequest, extractors: Extractors, deadline_s: float
) -> ExtractedFields:
    """The fields that a request wants of pages without errors.

    Raises `NoText` when they have none, and what `check_request` raises.
    """
    check_request(request, extractors.rules, extractors.llm is not None)
    if not any(line.text.strip() for page in pages for line in page.lines):
        raise NoText("The pages have no text in which fields could be found.")
    by_rules = await asyncio.to_thread(_extract_by_rules, pages, request, extractors.rules)
    wanted = _list_wanted(by_rules.document_type, request, extractors.rules)
    llm = _choose_model(request, extractors)
    if llm is None or not (wanted or request.queries):
        extractors.recorder.add("ocr_extractions", engine="rules")
        return by_rules
    try:
        said = await llm.find(pages, wanted, request.queries, deadline_s)
    except LlmError as error:
        extractors.recorder.add("ocr_llm_requests", outcome=error.code)
        extractors.recorder.add("ocr_extractions", engine="rules")
        return replace(by_rules, warnings=(*by_rules.warnings, error.code))
    extractors.recorder.add("ocr_llm_requests", outcome="answered")
    extractors.recorder.add(
        "ocr_extractions", engine="pp_chatocr" if request.engine == "pp_chatocr" else "llm"
    )
    warnings = [code for code in by_rules.warnings if code != "needs_llm"]
    return replace(
        by_rules,
        fields=_merge_all(by_rules.fields, said.fields),
        answers=_merge_all(by_rules.answers, said.answers),
        warnings=(*warnings, *(["llm_cut"] if said.is_cut else [])),
    )


def _choose_model(
    request: ExtractionRequest, extractors: Extractors
) -> LlmExtractor | ChatOcrExtractor | None:
    if request.engine == "rules":
        return None
    return extractors.chatocr if request.engine == "pp_chatocr" else extractors.llm


def _extract_by_rules(pages: Sequence[Page], request: ExtractionRequest, rules: RuleBook) -> ExtractedFields:
    if request.wanted is None:
        found = extract_fields(pages, request.document_type, rules)
        document_type, fields = found.document_type, found.fields
    else:
        document_type = request.document_type
        if document_type == AUTO:
            document_type = recognise_type(make_sheet(pages, rules), rules)
        fields = find_wanted(pages, request.wanted, document_type, rules)
    questions = [read_question(query, rules) for query in request.queries]
    answers = find_wanted(pages, questions, document_type, rules) if questions else {}
    is_short = any(answer.value is None for answer in answers.values())
    return ExtractedFields(document_type, fields, ("needs_llm",) if is_short else (), answers)


def _list_wanted(document_type: str, request: ExtractionRequest, rules: RuleBook) -> tuple[WantedField, ...]:
    """What a model is asked for: the caller's schema, else the fields of the document's type."""
    return describe_fields(rules.types[document_type]) if request.wanted is None else request.wanted


def _merge_all(by_rules: Mapping[str, FieldValue], by_llm: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
    return {name: _merge(value, by_llm.get(name)) for name, value in by_rules.items()}


def _merge(by_rules: FieldValue, by_llm: FieldValue | None) -> FieldValue:
    """One value of two: what both found is surer, and what has no line to show for it comes last."""
    has_rules = by_rules.value is not None or bool(by_rules.items)
    if by_llm is None or (by_llm.value is None and not by_llm.items):
        # The model looked, and saw nothing.
        is_doubtful = by_llm is not None and has_rules
        return (
            replace(by_rules, confidence=round(_DOUBT_OF_SILENCE * by_rules.confidence, 4))
            if is_doubtful
            else by_rules
        )
    if not has_rules:
        return by_llm
    if by_llm.ungrounded:
        return by_rules
    if by_llm.items or not (by_llm.value == by_rules.value or _is_verbatim(by_llm, by_rules)):
        return by_llm
    surest = max(by_rules.confidence, by_llm.confidence)
    return replace(by_rules, confidence=round(surest + _AGREEMENT * (1 - surest), 4))


def _is_verbatim(by_llm: FieldValue, by_rules: FieldValue) -> bool:
    """Whether PP-ChatOCRv4, which knows no normal forms, has the words that the rules read."""
    return by_llm.source == "pp_chatocr" and (by_llm.page, by_llm.line_ids, by_llm.text) == (
        by_rules.page,
        by_rules.line_ids,
        by_rules.text,
    )
