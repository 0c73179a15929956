"""Line and bar charts as inline SVG: no script, no network, colours from the page's own style sheet."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 540, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 18, 12, 30
_BAR_HEIGHT, _BAR_GAP, _BAR_LABEL = 20, 10, 150
_MAX_LINES = 8

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Unit:
    """How values are written; ``scale`` multiplies them first."""

    name: str = ""
    scale: float = 1.0

    def show(self, value: float) -> str:
        """A value with its unit, with three digits that count."""
        return f"{show_number(value * self.scale)} {self.name}".strip()


def show_number(value: float) -> str:
    """Three digits that count, never an exponent for what people meet."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size < 0.001:
        return f"{value:.1e}"
    digits = max(0, 2 - math.floor(math.log10(size)))
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def draw_lines(lines: Mapping[str, Points], unit: Unit, title: str) -> str:
    """One line a name over the seconds of the window; the greatest ones where there are many."""
    shown = sorted(lines.items(), key=lambda item: -max((y for _, y in item[1]), default=0))[:_MAX_LINES]
    shown = [(name, points) for name, points in shown if points]
    if not shown:
        return '<p class="none">nothing was measured</p>'
    last_s = max(x for _, points in shown for x, _ in points) or 1.0
    top = max(y for _, points in shown for _, y in points) * unit.scale
    ticks = choose_ticks(top)
    across, down = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        return _LEFT + across * x / last_s, _TOP + down * (1 - y * unit.scale / ticks[-1])

    parts = [_open_svg(_HEIGHT, title)]
    for tick in ticks:
        y = _TOP + down * (1 - tick / ticks[-1])
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick end" x="{_LEFT - 8}" y="{y + 4:.1f}">{show_number(tick)}</text>')
    for second in choose_ticks(last_s, whole=True):
        if second <= last_s:
            x = _LEFT + across * second / last_s
            parts.append(
                f'<text class="tick middle" x="{x:.1f}" y="{_HEIGHT - 10}">{_show_time(second)}</text>'
            )
    for number, (name, points) in enumerate(shown):
        places = [place(x, y) for x, y in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline class="line c{number}" points="{path}"/>')
        for (x, y), (second, value) in zip(places, points, strict=True):
            hint = escape(f"{name}: {unit.show(value)} after {second:.0f} s")
            dot = f'<circle class="dot c{number}" cx="{x:.1f}" cy="{y:.1f}" r="2.6">'
            parts.append(f"{dot}<title>{hint}</title></circle>")
    return "".join([*parts, "</svg>", _draw_legend([name for name, _ in shown])])


def draw_bars(bars: Mapping[str, Mapping[str, float]], unit: Unit, title: str) -> str:
    """A horizontal bar a name, made of parts; one part of one name is a plain bar."""
    bars = {name: parts for name, parts in bars.items() if sum(parts.values()) > 0}
    if not bars:
        return '<p class="none">nothing was measured</p>'
    names = list(dict.fromkeys(part for parts in bars.values() for part in parts))
    top = max(sum(parts.values()) for parts in bars.values())
    height = len(bars) * (_BAR_HEIGHT + _BAR_GAP) + _BAR_GAP
    room = _WIDTH - _BAR_LABEL - 80
    svg = [_open_svg(height, title)]
    for row, (name, parts) in enumerate(bars.items()):
        y = _BAR_GAP + row * (_BAR_HEIGHT + _BAR_GAP)
        middle = y + _BAR_HEIGHT / 2 + 4
        svg.append(f'<text class="label end" x="{_BAR_LABEL - 10}" y="{middle:.1f}">{escape(name)}</text>')
        x = float(_BAR_LABEL)
        for part, value in parts.items():
            if not value:
                continue
            width = room * value / top
            hint = escape(f"{name}{', ' + part if part else ''}: {unit.show(value)}")
            svg.append(
                f'<rect class="bar c{names.index(part) % _MAX_LINES}" x="{x:.1f}" y="{y}" '
                f'width="{width:.1f}" height="{_BAR_HEIGHT}"><title>{hint}</title></rect>'
            )
            x += width
        total = escape(unit.show(sum(parts.values())))
        svg.append(f'<text class="label" x="{x + 8:.1f}" y="{middle:.1f}">{total}</text>')
    return "".join([*svg, "</svg>", _draw_legend([name for name in names if name])])


def choose_ticks(top: float, *, whole: bool = False) -> list[float]:
    """From 0 to the first round number that is not less than ``top``, in three to six steps."""
    if top <= 0:
        return [0.0, 1.0]
    raw = top / 4
    power = 10 ** math.floor(math.log10(raw))
    steps = (1, 2, 3, 6, 10) if whole and power >= 10 else (1, 2, 2.5, 5, 10)
    step = next(factor * power for factor in steps if factor * power >= raw * 0.999)
    return [step * count for count in range(math.ceil(top / step * 0.999) + 1)]


def _open_svg(height: int, title: str) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title)}">'


def _draw_legend(names: list[str]) -> str:
    if not names:
        return ""
    items = [f'<li><i class="key c{number}"></i>{escape(name)}</li>' for number, name in enumerate(names)]
    return f'<ul class="legend">{"".join(items)}</ul>'


def _show_time(second: float) -> str:
    return f"{second:g} s" if second < 120 else f"{second / 60:g} min"
