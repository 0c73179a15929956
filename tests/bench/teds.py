"""How alike two tables are, by their trees (TEDS).

Tree-edit-distance-based similarity of Zhong, ShafieiBavani and Jimeno Yepes, "Image-based table recognition:
data, model, and evaluation" (ECCV 2020): 1 - the least cost to make one tree from the other, divided by the
number of nodes of the larger one. A node more or less costs 1; a node for another costs 1 where their tags or
spans differ, and the normalised edit distance of their texts where both are cells. ``thead``, ``tbody`` and
``th`` are read as their rows and ``td``: sets differ on whether they mark heads at all.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from apted import APTED, Config
from lxml import html
from rapidfuzz.distance import Levenshtein

_PARTS = ("thead", "tbody", "tfoot")
_CELLS = ("td", "th")


@dataclass(eq=False)
class Node:
    """A table, a row or a cell; ``text`` is that of a cell, normalised (NFKC, white space as one blank)."""

    tag: str
    column_span: int = 1
    row_span: int = 1
    text: str = ""
    children: list["Node"] = field(default_factory=list)

    def count(self) -> int:
        """Nodes of the tree, this one included."""
        return 1 + sum(child.count() for child in self.children)


class _Costs(Config):
    """What it costs to put one node for another; a node more or less costs 1."""

    def rename(self, node1: Node, node2: Node) -> float:
        """Between 0 and 1."""
        if (node1.tag, node1.column_span, node1.row_span) != (node2.tag, node2.column_span, node2.row_span):
            return 1.0
        return float(Levenshtein.normalized_distance(node1.text, node2.text))


def measure_teds(ours: str, truth: str, texts: bool = True, spaces: bool = True) -> float:
    """TEDS of two tables in HTML, 0 to 1; of their structure alone (TEDS-S) without ``texts``.

    Without ``spaces``, white space is dropped from both: some truths have none between words.
    """
    left, right = parse_table(ours, texts, spaces), parse_table(truth, texts, spaces)
    if left is None or right is None:
        return float(left is right)
    distance: float = APTED(left, right, _Costs()).compute_edit_distance()
    return 1 - distance / max(left.count(), right.count())


def parse_table(text: str, texts: bool = True, spaces: bool = True) -> Node | None:
    """The first table of an HTML text as a tree, None where there is none."""
    if not text.strip():
        return None
    tables = html.fromstring(f"<div>{text}</div>").xpath("//table")
    if not tables:
        return None
    table = Node("table")
    for row in _find_rows(tables[0]):
        cells = [_parse_cell(cell, texts, spaces) for cell in row if cell.tag in _CELLS]
        table.children.append(Node("tr", children=cells))
    return table


def _find_rows(element: html.HtmlElement) -> Iterator[html.HtmlElement]:
    for child in element:
        if child.tag in _PARTS:
            yield from _find_rows(child)
        elif child.tag == "tr":
            yield child


def _parse_cell(cell: html.HtmlElement, texts: bool, spaces: bool) -> Node:
    for line_break in cell.xpath(".//br"):
        line_break.tail = f"\n{line_break.tail or ''}"
    words = unicodedata.normalize("NFKC", cell.text_content()).split() if texts else []
    text = (" " if spaces else "").join(words)
    return Node("td", _read_span(cell, "colspan"), _read_span(cell, "rowspan"), text)


def _read_span(cell: html.HtmlElement, name: str) -> int:
    value = cell.get(name, "1").strip()
    return int(value) if value.isdecimal() else 1
