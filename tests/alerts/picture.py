"""Draws the dashboard from what Prometheus answers to its panels, for docs/images/dashboard.svg.

Grafana is not needed: panels, expressions, legends and units are those of its file.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from tests.alerts.prometheus import DASHBOARD, Prometheus

_WIDTH, _HEIGHT, _GAP = 420, 230, 10
_LEFT, _TOP, _BELOW = 52, 34, 56  # around the lines of a panel
_COLOURS: Final = (
    "#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#b7dbab",
    "#96d98d", "#ffa6b0",
)  # fmt: skip
_POINTS: Final = 150


@dataclass(frozen=True)
class Line:
    """One series: its legend, and its values by second; None if there was none."""

    legend: str
    values: Sequence[tuple[float, float]]


async def draw(prometheus: Prometheus, begin: float, end: float) -> str:
    """Return the dashboard as SVG, as it looked from `begin` to `end`."""
    panels = []
    for panel in DASHBOARD["panels"]:
        lines = []
        for target in panel["targets"]:
            found = await prometheus.over_time(target["expr"], begin, end, (end - begin) / _POINTS)
            lines += [_line(target["legendFormat"], series) for series in found]
        place = panel["gridPos"]
        x, y = place["x"] / 8 * (_WIDTH + _GAP), place["y"] / 8 * (_HEIGHT + _GAP)
        shape = _tiles(lines) if panel["type"] == "stat" else _chart(panel, lines, begin, end)
        title = f'<text x="12" y="22" class="title">{escape(panel["title"])}</text>'
        frame = f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="4" class="panel"/>'
        body = "".join(shape)
        panels.append(f'<g transform="translate({x:.0f} {y:.0f})">{frame}{title}{body}</g>')
    width, height = 3 * (_WIDTH + _GAP) - _GAP, 4 * (_HEIGHT + _GAP) - _GAP
    style = (
        "text{font:11px sans-serif;fill:#ccccdc}.title{font-size:14px;font-weight:bold}"
        ".panel{fill:#181b1f;stroke:#2c3235}.axis{stroke:#2c3235}polyline{fill:none;stroke-width:1.5}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 -10 {width + 20} {height + 20}">'
        f'<style>{style}</style><rect x="-10" y="-10" width="{width + 20}" height="{height + 20}"'
        f' fill="#111217"/>{"".join(panels)}</svg>\n'
    )


def _line(legend: str, series: dict[str, Any]) -> Line:
    labels: dict[str, str] = series["metric"]
    shown = re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), legend)
    values = [(float(at), float(value)) for at, value in series["values"]]
    return Line(shown, [each for each in values if math.isfinite(each[1])])


def _tiles(lines: Sequence[Line]) -> Iterator[str]:
    columns, rows = 2, math.ceil(len(lines) / 2) or 1
    width, height = (_WIDTH - 20) / columns, (_HEIGHT - 44) / rows
    for number, line in enumerate(lines):
        value = line.values[-1][1] if line.values else math.nan
        x, y = 10 + number % columns * width, 34 + number // columns * height
        colour = "#37872d" if value >= 1 else "#c4162a"
        yield (
            f'<rect x="{x:.0f}" y="{y:.0f}" width="{width - 4:.0f}" height="{height - 4:.0f}"'
            f' rx="3" fill="{colour}"/><text x="{x + 8:.0f}" y="{y + height / 2 + 2:.0f}">'
            f"{escape(line.legend)}: {value:g}</text>"
        )


def _chart(panel: dict[str, Any], lines: Sequence[Line], begin: float, end: float) -> Iterator[str]:
    unit = panel["fieldConfig"]["defaults"]["unit"]
    lines = [line for line in lines if line.values]
    most = max((value for line in lines for _, value in line.values), default=0) or 1
    width, height = _WIDTH - _LEFT - 12, _HEIGHT - _TOP - _BELOW

    def point(at: float, value: float) -> str:
        x = _LEFT + (at - begin) / (end - begin) * width
        return f"{x:.0f},{_TOP + height - value / most * height:.0f}"

    for part in (0, 0.5, 1):
        y = _TOP + height - part * height
        yield f'<line x1="{_LEFT}" x2="{_LEFT + width}" y1="{y:.0f}" y2="{y:.0f}" class="axis"/>'
        yield f'<text x="6" y="{y + 4:.0f}">{_shown(most * part, unit)}</text>'
    x, y = 12.0, _HEIGHT - 36
    for line, colour in zip(lines, _COLOURS * len(lines), strict=False):
        points = " ".join(point(*each) for each in line.values)
        yield f'<polyline points="{points}" stroke="{colour}"/>'
        wide = 16 + 6.2 * len(line.legend)
        if x + wide > _WIDTH:
            x, y = 12, y + 15
        if y < _HEIGHT:
            yield f'<text x="{x:.0f}" y="{y}" style="fill:{colour}">● {escape(line.legend)}</text>'
        x += wide


def _shown(value: float, unit: str) -> str:
    if unit == "bytes":
        return f"{value / 1024**2:.0f} MiB"
    if unit == "s" and value >= 120:
        return f"{value / 60:.0f} min"
    return f"{value:.3g} {unit if unit == 's' else ''}".strip()
