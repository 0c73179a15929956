"""What a document as a whole tells: its country, its currency, its type."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from configs.rulebook import Country, RuleBook
from deployments.document import Page
from deployments.extraction.candidates import Candidate
from deployments.extraction.dates import tell_order
from deployments.extraction.labels import compact
from deployments.extraction.numbers import find_money, repair_digits
from deployments.extraction.sheet import Sheet, split_runs

_HANGUL = re.compile(r"[가-힣]")
_HANGUL_SHARE = 0.15
_SIGN_WEIGHT = 0.7
_LEAST_TYPE_WORDS = 2
_FALLBACK = "form"


def make_sheet(pages: Sequence[Page], rules: RuleBook) -> Sheet:
    """The runs of the pages, with the country whose words and signs the text has."""
    runs = split_runs(pages)
    text = " \n ".join(run.text for run in runs)
    country = find_country(text, rules.common.countries)
    order = tell_order((run.text for run in runs), country.date_order if country else "DMY")
    return Sheet(pages, country, order, runs)


def find_country(text: str, countries: Mapping[str, Country]) -> Country | None:
    """The country that most words and signs of a text speak for; None if none does."""
    letters = sum(character.isalpha() for character in text) or 1
    votes: dict[str, float] = {}
    for name, country in countries.items():
        votes[name] = sum(word_in_text(text, word) for word in country.words)
        if any(count_sign(text, sign) for sign in country.signs):
            votes[name] += _SIGN_WEIGHT + (1 if country.region == "KR" and len(_HANGUL.findall(text)) else 0)
        if country.region == "KR" and len(_HANGUL.findall(text)) > _HANGUL_SHARE * letters:
            votes[name] += 3
    if not votes:
        return None
    name, count = max(votes.items(), key=lambda item: item[1])
    return countries[name] if count > 0 else None


def word_in_text(text: str, word: str) -> bool:
    """Whether a word, or several in a row, stands in a text as it is, apart from case and punctuation."""
    needle = compact(word).text
    if not needle.isascii():
        return needle in re.sub(r"\s", "", text)
    pattern = r"[\W_]{0,3}".join(re.escape(part) for part in re.findall(r"\w+", word.casefold()))
    return re.search(rf"(?<![^\W\d_]){pattern}(?![^\W\d_])", text.casefold()) is not None


def count_sign(text: str, sign: str) -> int:
    """How often a sign of a currency stands at a number (or, if of letters, alone)."""
    mark = re.escape(sign)
    if sign.isascii() and sign.isalpha():
        return len(re.findall(rf"(?<![A-Za-z]){mark}(?![A-Za-z])", text))
    return len(re.findall(rf"{mark}\s?\d|\d\s?{mark}", repair_digits(text)))


def recognise_type(sheet: Sheet, rules: RuleBook) -> str:
    """The type whose words the document has most of; `form` where hardly any is found."""
    text = " \n ".join(run.text for run in sheet.runs)
    counts = {
        name: sum(word_in_text(text, word) for word in kind.recognised_by)
        for name, kind in rules.types.items()
    }
    name, count = max(counts.items(), key=lambda item: item[1], default=(_FALLBACK, 0))
    if count < _LEAST_TYPE_WORDS and _FALLBACK in rules.types:
        return _FALLBACK
    return name


def find_currency(sheet: Sheet, countries: Mapping[str, Country]) -> list[Candidate]:
    """The currency of the commonest sign, with its first place; without a sign that of the country."""
    own = sheet.country
    ordered = [own, *countries.values()] if own else list(countries.values())
    found: list[Candidate] = []
    counts: Counter[str] = Counter()
    first: dict[str, Candidate] = {}
    for run in sheet.runs:
        for country in ordered:
            for sign in country.signs:
                place = _find_sign(run.text, sign)
                if place is None or (sign == "$" and own is not None and country is not own):
                    continue
                spans = (run.span(place, place + len(sign)),)
                score = 0.8 if country is own or not sign.isascii() else 0.65
                made = Candidate(country.currency, spans, score, "pattern", run.top, run.left, run.height)
                counts[country.currency] += 1
                first.setdefault(country.currency, made)
    for currency, _ in counts.most_common():
        found.append(first[currency])
    if not found and own is not None and _has_prices(sheet, own):
        found.append(Candidate(own.currency, (), 0.5, "computed"))
    return found


def _has_prices(sheet: Sheet, country: Country) -> bool:
    return any(True for run in sheet.runs for _ in find_money(run.text, country.signs, country.decimals))


def _find_sign(text: str, sign: str) -> int | None:
    mark = re.escape(sign)
    if sign.isascii() and sign.isalpha():
        found = re.search(rf"(?<![A-Za-z]){mark}(?![A-Za-z])", text)
        return found.start() if found else None
    found = re.search(rf"{mark}(?=\s?\d)|(?<=\d){mark}|(?<=\d\s){mark}", text)
    return found.start() if found else None
