"""Who issued a document, and where they are: companies and addresses at the head of a page."""

import re
from collections.abc import Collection, Iterator, Sequence

from configs.rulebook import Vocabulary
from deployments.extraction.candidates import Candidate
from deployments.extraction.dates import find_dates
from deployments.extraction.identifiers import find_phones
from deployments.extraction.labels import has_word
from deployments.extraction.numbers import find_money
from deployments.extraction.sheet import Run, Sheet

# A registration number behind a name, with or without brackets, and what follows it.
_REGISTRATION = re.compile(
    r"[\s(\[{]*(?:co\.?\s*(?:reg)?\.?\s*(?:no)?\.?\s*:?\s*)?[(\[{]?\s*(?:[A-Z]{0,3}\d{5,}[\dA-Za-z]*\s*-?\s*[A-Za-z]{0,2}|\d{10,})\b.*$",
    re.IGNORECASE,
)
_CONTACT = re.compile(r"www\.|https?:|@\w+\.|\.com\b", re.IGNORECASE)
_POST_CODE = re.compile(r"(?<!\d)\d{5,6}(?!\d)|\b[A-Z]{1,2}\d{1,2}[A-Z]?\s?\d[A-Z]{2}\b")
_HOUSE = re.compile(r"^\W*(?:no\.?|lot|\d+[A-Z]?)\s?[\d\w,.\-/]*[,\s]", re.IGNORECASE)
_KOREAN_STREET = re.compile(r"[가-힣\d]+(?:로|길|동|읍|면|리)\s?\d+")
_HEAD_SHARE = 0.45
_HEAD_RUNS = 14
_ADDRESS_LINES = 7
# A line of an address with nothing of an address in it, a name of a place, is short.
_PLAIN_WORDS = 5


def strip_registration(text: str) -> str:
    """A company's name without the registration number behind it."""
    found = _REGISTRATION.search(text)
    return text[: found.start()].rstrip(" ([{-,:") if found and found.start() > 3 else text.strip()


def is_about_something_else(run: Run, words: Vocabulary, region: str | None) -> bool:
    """Whether a line at the head holds a phone, tax or document number, a date or the like."""
    text = run.text
    letters = sum(character.isalpha() for character in text)
    return (
        letters < 2
        or has_word(text, words.not_header)
        or bool(_CONTACT.search(text))
        or any(True for _ in find_dates(text, "DMY"))
        or any(True for _ in find_phones(text, region, False))
        or any(hit.quality >= 0.8 and hit.sign for hit in find_money(text, (), 2))
    )


def is_registration(text: str) -> bool:
    """Whether a line is a registration number and nothing else."""
    plain = re.sub(r"[^\w]", "", text)
    digits = sum(character.isdigit() for character in plain)
    return digits >= 5 and digits >= 0.5 * len(plain)


def rate_address(text: str, words: Vocabulary) -> float:
    """How much a line looks like a part of an address, 0 to 1."""
    rate = 0.0
    if has_word(text, words.address):
        rate += 0.5
    if _POST_CODE.search(text):
        rate += 0.35
    if _KOREAN_STREET.search(text):
        rate += 0.4
    if _HOUSE.match(text):
        rate += 0.3
    if text.rstrip().endswith(",") or text.count(",") >= 2:
        rate += 0.15
    return min(rate, 1.0)


def _head(sheet: Sheet) -> list[Run]:
    """The first runs of the first page from the top."""
    if not sheet.runs:
        return []
    first = sheet.runs[0].page
    runs = sorted((run for run in sheet.runs if run.page == first), key=lambda run: (run.top, run.left))
    bottom = runs[0].top + _HEAD_SHARE * max(sheet.pages[first].height, runs[-1].bottom - runs[0].top)
    return [run for run in runs if run.top <= bottom][:_HEAD_RUNS]


def find_companies(sheet: Sheet, words: Vocabulary, labelled: Collection[int] = ()) -> Iterator[Candidate]:
    """Lines at the head that may be the issuer's name, those over an address or registration number first.

    A name that goes on in the next line is taken whole. Lines of the numbers ``labelled`` are left out.
    """
    head = _head(sheet)
    region = sheet.country.region if sheet.country else None
    heights = [run.height for run in head]
    for place, run in enumerate(head):
        if is_about_something_else(run, words, region) and not _names_company(run.text, words):
            continue
        if is_registration(run.text) or run.line in labelled:
            continue
        name = strip_registration(run.text)
        if _is_address(name, words):
            continue
        runs = [(run, name)]
        following = head[place + 1 : place + 4]
        if following and _goes_on(run, following[0], words, region):
            runs.append((following[0], strip_registration(following[0].text)))
            following = following[1:]
        score = 0.45 - 0.04 * place
        score += 0.3 if any(_names_company(part, words) for _, part in runs) else 0.0
        near = [follower.text for follower in following]
        score += 0.12 if any(is_registration(text) for text in near[:2]) or name != run.text.strip() else 0.0
        score += 0.1 if any(rate_address(text, words) >= 0.3 for text in near) else 0.0
        score += 0.06 if run.height >= max(heights) * 0.9 else 0.0
        score += 0.05 if name.upper() == name else 0.0
        score *= 0.7 + 0.3 * run.confidence
        spans = tuple(part.span(0, part.text.find(text) + len(text)) for part, text in runs)
        value = " ".join(" ".join(text.split()) for _, text in runs)
        yield Candidate(value, spans, min(max(score, 0.01), 0.99), "position", run.top, run.left, run.height)


def _is_address(text: str, words: Vocabulary) -> bool:
    """Whether a line is of an address, even if a word of companies ("Station Road") is in it."""
    sure = rate_address(text, words) >= 0.6
    return sure and (not _names_company(text, words) or bool(_HOUSE.match(text) or _POST_CODE.search(text)))


def _names_company(text: str, words: Vocabulary) -> bool:
    return has_word(text, words.company)


_LEGAL_FORM = re.compile(
    r"^\W*(?:sdn\.?\s*bhd|s/b|bhd|ltd|limited|llc|inc|co\.|gmbh|enterprise|\(m\))\b", re.IGNORECASE
)


def _goes_on(run: Run, following: Run, words: Vocabulary, region: str | None) -> bool:
    """Whether a name is continued by the next line: by its legal form, or after an "&" or the like."""
    if following.top - run.bottom > 1.0 * run.height:
        return False
    if _LEGAL_FORM.match(following.text) and len(following.text) < 30:
        return True
    open_end = run.text.rstrip().endswith(("&", " AND", "-", ","))
    return open_end and not is_about_something_else(following, words, region)


def find_addresses(sheet: Sheet, words: Vocabulary, after: Candidate | None) -> Iterator[Candidate]:
    """Blocks of lines at the head that read like an address, under the company's name where that is known."""
    head = _head(sheet)
    region = sheet.country.region if sheet.country else None
    name_lines = {span.line for span in after.spans} if after else set()
    starts = [run.line not in name_lines and _may_start(run, words, region) for run in head]
    for place, run in enumerate(head):
        if not starts[place] or (place and starts[place - 1] and _continues(head[place - 1], run)):
            continue
        runs = [run, *_follow_address(head[place:], words, region, name_lines)]
        rates = [rate_address(part.text, words) for part in runs]
        score = 0.3 + 0.3 * min(sum(rates), 1.5) / 1.5 + 0.05 * min(len(runs), 4)
        score += 0.1 if after and after.top <= run.top else 0.0
        spans = tuple(part.span() for part in runs)
        value = " ".join(" ".join(part.text.split()) for part in runs)
        sure = 0.7 + 0.3 * sheet.confidence_of(spans)
        yield Candidate(value, spans, min(score * sure, 0.99), "position", run.top, run.left, run.height)


def _may_start(run: Run, words: Vocabulary, region: str | None) -> bool:
    rate = rate_address(run.text, words)
    if rate < 0.3 or is_registration(run.text):
        return False
    return rate >= 0.8 or not is_about_something_else(run, words, region)


def _continues(above: Run, below: Run) -> bool:
    return 0 < below.middle - above.middle < 2.2 * max(above.height, below.height)


def _follow_address(
    runs: Sequence[Run], words: Vocabulary, region: str | None, name_lines: set[int]
) -> Iterator[Run]:
    last = runs[0]
    for run in runs[1:_ADDRESS_LINES]:
        if not _continues(last, run) or run.line in name_lines:
            return
        if is_registration(run.text) or is_about_something_else(run, words, region):
            return
        if run.text.strip().startswith(("(", "[", "-")) and rate_address(run.text, words) < 0.3:
            return
        if rate_address(run.text, words) < 0.15 and len(run.text.split()) > _PLAIN_WORDS:
            return
        yield run
        last = run
