"""A report as one HTML page that needs nothing else: no network, no script, charts inline."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_STYLE = """
:root{--ink:#1c2733;--soft:#5d6b7a;--line:#dfe5ea;--paper:#f5f7f9;--card:#fff;
--c0:#0b6e99;--c1:#e08e0b;--c2:#2e9e6b;--c3:#c2476b;--c4:#7a5cc0;--c5:#8a8f98;--c6:#4db3d9;--c7:#b06a2c}
@media (prefers-color-scheme:dark){:root{--ink:#e6ebf0;--soft:#9aa7b4;--line:#2d3843;--paper:#12181e;
--card:#1a222a;
--c0:#4db3e0;--c1:#f2b13c;--c2:#58c792;--c3:#ec7a9b;--c4:#a78ce8;--c5:#a9b0b8;--c6:#8fd4f0;--c7:#d99a5e}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,sans-serif}
main{max-width:1180px;margin:0 auto;padding:32px 20px 56px}
h1{font-size:26px;margin:0 0 2px;letter-spacing:-.01em}
h2{font-size:16px;margin:0 0 2px}
p.under,p.note{color:var(--soft);margin:0 0 12px}
p.note{font-size:13px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(128px,1fr));gap:12px;margin:22px 0}
.tile,.card{background:var(--card);border:1px solid var(--line);border-radius:10px}
.tile{padding:12px 16px}
.tile b{display:block;font-size:24px;font-weight:600;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:13px}
.tile.bad b{color:var(--c3)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(540px,100%),1fr));gap:14px}
.card{padding:16px 18px;min-width:0}.card.wide{grid-column:1/-1}
svg{display:block;width:100%;max-width:640px;height:auto}
.grid{stroke:var(--line);stroke-width:1}
.tick,.label{fill:var(--soft);font-size:12px;font-variant-numeric:tabular-nums}
.label{fill:var(--ink);font-size:13px}
.end{text-anchor:end}.middle{text-anchor:middle}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;list-style:none;margin:8px 0 0;padding:0;font-size:13px;
color:var(--soft)}
.key{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px;vertical-align:-1px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:14px}
.scroll{overflow-x:auto}
th{text-align:right;color:var(--soft);font-weight:500;font-size:13px}
td{text-align:right}th:first-child,td:first-child{text-align:left}
th,td{padding:6px 10px;border-bottom:1px solid var(--line)}
tr:last-child td{border-bottom:0}
.none{color:var(--soft);font-style:italic;margin:18px 0}
footer{color:var(--soft);font-size:13px;margin-top:22px}
""" + "".join(
    f".line.c{n}{{stroke:var(--c{n})}}.dot.c{n},.bar.c{n}{{fill:var(--c{n})}}.key.c{n}{{background:var(--c{n})}}"
    for n in range(8)
)


@dataclass(frozen=True)
class Tile:
    """One figure at the top; ``is_bad`` draws the eye to it."""

    value: str
    meaning: str
    is_bad: bool = False


@dataclass(frozen=True)
class Card:
    """One chart or table, under a heading; ``content`` is HTML. A wide one has a row to itself."""

    heading: str
    content: str
    note: str = ""
    is_wide: bool = False


@dataclass(frozen=True)
class Report:
    """What a page says."""

    title: str
    under_title: str
    tiles: Sequence[Tile]
    cards: Sequence[Card]
    footer: str


def draw_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of texts; the first column is names, the others are figures."""
    if not rows:
        return '<p class="none">nothing was measured</p>'
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def render_page(report: Report) -> str:
    """The whole document."""
    tiles = "".join(
        f'<div class="tile{" bad" if tile.is_bad else ""}"><b>{escape(tile.value)}</b>'
        f"<span>{escape(tile.meaning)}</span></div>"
        for tile in report.tiles
    )
    cards = "".join(
        f'<section class="card{" wide" if card.is_wide else ""}"><h2>{escape(card.heading)}</h2>'
        f'<p class="note">{escape(card.note)}</p>{card.content}</section>'
        for card in report.cards
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(report.title)}</title><style>{_STYLE}</style></head><body><main>"
        f'<h1>{escape(report.title)}</h1><p class="under">{escape(report.under_title)}</p>'
        f'<div class="tiles">{tiles}</div><div class="cards">{cards}</div>'
        f"<footer>{escape(report.footer)}</footer></main></body></html>\n"
    )
