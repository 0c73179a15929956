"""From the lines of a block to its text: words that a line's end divided, languages without spaces, lists."""

import re
import unicodedata
from collections.abc import Sequence

_HYPHENS = "-\u2010\u00ad"
# What may stand before an item of a list: a bullet, or a number or letter with its mark.
_ITEM = re.compile(
    r"\s*(?:[\u2022\u25cf\u25cb\u25aa\u25a0\u25e6\u00b7\u2023\u2043\u2219\u25b6\u27a2\u2714\u203b*]|[-\u2013\u2014](?=\s)|\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5}|[가-하])[.)](?=\s|\D))"
)


def join_lines(lines: Sequence[str]) -> str:
    """The lines of a paragraph as running text."""
    text = ""
    for line in lines:
        line = line.strip()
        if not line:
            continue
        text = _join(text, line) if text else line
    return text


def _join(before: str, after: str) -> str:
    if before[-1] in _HYPHENS and len(before) > 1 and before[-2].isalpha() and after[0].islower():
        return before[:-1] + after
    if _is_unspaced(before[-1]) and _is_unspaced(after[0]):
        return before + after
    return f"{before} {after}"


def _is_unspaced(character: str) -> bool:
    """Whether the character's script has no spaces between words. Korean has them."""
    name = unicodedata.name(character, "")
    if name.startswith(("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA", "KATAKANA", "BOPOMOFO")):
        return True
    return name.startswith(("IDEOGRAPHIC", "FULLWIDTH")) and not character.isalnum()


def starts_item(line: str) -> bool:
    """Whether a line begins an item of a list."""
    return _ITEM.match(line) is not None


def split_items(lines: Sequence[str]) -> list[list[int]]:
    """Indices of the lines of each item; lines that begin none belong to the one before."""
    items: list[list[int]] = []
    for index, line in enumerate(lines):
        if starts_item(line) or not items:
            items.append([])
        items[-1].append(index)
    return items


def is_list(lines: Sequence[str]) -> bool:
    """Whether lines are a list: the first begins an item, and so does another one."""
    starts = [starts_item(line) for line in lines]
    return len(lines) > 1 and starts[0] and sum(starts) > 1
