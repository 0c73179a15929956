"""Write dashboard.json for Grafana from `dashboard_panels`: `make docs`."""

import json
import re
from pathlib import Path
from typing import Any

from dashboard_panels import ROWS, Panel

TARGET = Path(__file__).with_name("dashboard.json")
_DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def list_queries() -> list[str]:
    """Every query of the dashboard, with an interval where Grafana would put one."""
    return [
        query.replace("$__rate_interval", "5m")
        for _, panels in ROWS
        for panel in panels
        for query, _ in panel.queries
    ]


def find_metrics(query: str) -> set[str]:
    """The names of the series that a query asks for."""
    return set(re.findall(r"\b(?:ocr|ray)_[a-z0-9_]+\b", query))


def make_dashboard() -> dict[str, Any]:
    """The dashboard as Grafana imports it."""
    panels: list[dict[str, Any]] = []
    y = 0
    for title, charts in ROWS:
        panels.append(
            {
                "id": len(panels) + 1,
                "type": "row",
                "title": title,
                "collapsed": False,
                "gridPos": {"x": 0, "y": y, "w": 24, "h": 1},
                "panels": [],
            }
        )
        y += 1
        for index, chart in enumerate(charts):
            place = {"x": 8 * (index % 3), "y": y + 8 * (index // 3), "w": 8, "h": 8}
            panels.append(_make_panel(chart, len(panels) + 1, place))
        y += 8 * -(-len(charts) // 3)
    return {
        "title": "OCR service",
        "uid": "ocr-serve",
        "tags": ["ocr-serve"],
        "schemaVersion": 39,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {
            "list": [
                {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
            ]
        },
        "panels": panels,
    }


def _make_panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.about,
        "datasource": _DATA_SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _DATA_SOURCE,
                "expr": query,
                "legendFormat": legend,
            }
            for index, (query, legend) in enumerate(panel.queries)
        ],
    }


if __name__ == "__main__":
    TARGET.write_text(json.dumps(make_dashboard(), indent=1) + "\n", encoding="utf-8")
