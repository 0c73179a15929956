"""Lines of a paragraph as running text: words that a line's end divided, and scripts without spaces.

A hyphen at a line's end goes when it divided a word, and stays in a compound. Korean has spaces between
words, but its typesetting may break a line inside a word, without a hyphen: whether a space belongs between
two lines is decided from the words themselves.
"""

import re
import unicodedata
from collections.abc import Sequence

_HYPHENS = "-\u2010\u00ad"
_WORD = re.compile(r"\w+(?:[-\u2010'\u2019]\w+)*")
# First parts of compounds that are written with a hyphen.
_COMPOUNDING = re.compile(
    r"""
    all|anti|co|cross|current|ex|first|full|half|hard|high|ill|in|inter|large|long|low|mid|mini|multi|non|off|on|
    one|open|out|over|part|post|pre|pro|real|second|self|semi|short|single|so|state|sub|third|three|time|two|
    under|user|well|wide|world|year
    """,
    re.VERBOSE,
)
# Korean words end in these syllables more often than they go on after them: particles, endings, adverbs.
_ENDING = frozenset("은는을를의에와과도로만서고며면다요지게및등할한된될인일각그이가")
# What a line begins with when it goes on in the word of the line before: particles and endings.
_PARTICLES = re.compile(
    r"""
    은|는|이|가|을|를|의|에|와|과|도|로|으로|만|에서|에게|에는|에도|까지|부터|처럼|보다|마다|
    이나|라고|이라고|라는|이라는|며|이며|이고|니다|입니다|습니다|합니다|됩니다|했습니다|
    하였습니다|되었습니다|다|다고|다는|하는|하고|하며|하여|하면|해서|했다|하였다|한다|하기|하지|
    할|한|된|되는|되어|되고|되며|된다|되었다|들|들이|들은|들을|들의|적|적인|적으로
    """,
    re.VERBOSE,
)


def collect_words(texts: Sequence[str]) -> frozenset[str]:
    """The words of some lines, without the first and the last of each line, which may be parts of words."""
    return frozenset(word.casefold() for text in texts for word in _WORD.findall(text)[1:-1])


def join_lines(lines: Sequence[str], words: frozenset[str] = frozenset(), divides_words: bool = False) -> str:
    """The lines of a paragraph as running text.

    ``words`` are those of the page (see `collect_words`). ``divides_words`` says that Korean lines may end
    inside a word.
    """
    text = ""
    for line in lines:
        line = line.strip()
        if not line:
            continue
        text = _join(text, line, words, divides_words) if text else line
    return text


def _join(before: str, after: str, words: frozenset[str], divides_words: bool) -> str:
    if before[-1] in _HYPHENS and len(before) > 1 and before[-2].isalnum() and after[0].isalnum():
        return f"{before[:-1]}{after}" if _divides(before, after, words) else f"{before}{after}"
    if _is_unspaced(before[-1]) and _is_unspaced(after[0]):
        return before + after
    if _is_hangul(before[-1]) and _is_hangul(after[0]) and _goes_on(before, after, words, divides_words):
        return before + after
    return f"{before} {after}"


def _divides(before: str, after: str, words: frozenset[str]) -> bool:
    """Whether the hyphen at the end of a line divides a word, and is no part of it."""
    if before[-1] == "\u00ad":
        return True
    if not (before[-2].isalpha() and after[0].islower()):
        return False
    first, second = _WORD.findall(before[:-1])[-1].casefold(), _WORD.findall(after)[0].casefold()
    if f"{first}{second}" in words:
        return True
    if f"{first}-{second}" in words:
        return False
    # A word with a hyphen already, as in "state-of-the-", goes on with it.
    return not _COMPOUNDING.fullmatch(first) and "-" not in first


def _goes_on(before: str, after: str, words: frozenset[str], divides_words: bool) -> bool:
    """Whether a Korean word goes on in the next line."""
    first, second = before.split()[-1], after.split()[0]
    bare = second.rstrip(".,!?:;)\u2019\u201d")
    if f"{first}{bare}".casefold() in words:
        return True
    if bare in words and first in words:
        return False
    if not divides_words:
        return False
    if _PARTICLES.fullmatch(bare):
        return True
    return before[-1] not in _ENDING


def _is_hangul(character: str) -> bool:
    return "\uac00" <= character <= "\ud7a3"


def _is_unspaced(character: str) -> bool:
    """Whether the character's script has no spaces between words. Korean has them."""
    name = unicodedata.name(character, "")
    if name.startswith(("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA", "KATAKANA", "BOPOMOFO")):
        return True
    return name.startswith(("IDEOGRAPHIC", "FULLWIDTH")) and not character.isalnum()
