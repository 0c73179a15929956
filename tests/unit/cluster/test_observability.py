"""Alerts, dashboard and the page of metrics fit the metrics that there are."""

import json
import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from deployments.metric_docs import TARGET, describe_metrics
from deployments.metric_table import METRICS
from serve_app.error_codes import ERROR_CODES

import make_dashboard
from dashboards import FOLDER, find_promtool

RULES = [
    rule for group in yaml.safe_load((FOLDER / "rules.yaml").read_text())["groups"] for rule in group["rules"]
]
# Ray's own, which `/metrics` shows beside those of the table; tests/serve reads them from a real cluster.
FOREIGN = {
    "ray_serve_deployment_queued_queries",
    "ray_serve_replica_processing_queries",
    "ray_serve_deployment_status",
    "ray_node_gpus_utilization",
}


def series_of(name: str) -> set[str]:
    """The names of the series of a metric of the table."""
    spec = METRICS[name]
    if spec.kind == "histogram":
        return {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
    return {spec.shown_name}


KNOWN = FOREIGN | {series for name in METRICS for series in series_of(name)}


def test_the_page_of_metrics_is_that_of_the_table() -> None:
    """`make docs` writes it."""
    assert TARGET.read_text() == describe_metrics()


def test_the_dashboard_is_what_its_script_makes() -> None:
    """`make docs` writes it."""
    assert json.loads((FOLDER / "dashboard.json").read_text()) == make_dashboard.make_dashboard()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_alerts_ask_for_metrics_that_there_are(rule: dict) -> None:
    """A misspelt name would be silent for ever."""
    names = make_dashboard.find_metrics(rule["expr"])
    assert names <= KNOWN
    assert names or "up{" in rule["expr"]
    assert rule["labels"]["severity"] in ("critical", "warning", "info")


def test_alerts_ask_for_codes_that_there_are() -> None:
    """Every code is one of docs/api.md, and one of the service's own faults."""
    expressions = " ".join(rule["expr"] for rule in RULES)
    codes = set("|".join(re.findall(r'code=~"([^"]+)"', expressions)).split("|"))
    assert codes
    assert {ERROR_CODES[code].status // 100 for code in codes} == {5}


def test_the_dashboard_asks_for_metrics_that_there_are() -> None:
    """And for labels that they have."""
    queries = make_dashboard.list_queries()
    assert len(queries) > 25
    for query in queries:
        assert make_dashboard.find_metrics(query) <= KNOWN, query
    shown = {name for query in queries for name in make_dashboard.find_metrics(query)}
    unseen = {
        name
        for name in METRICS
        if not series_of(name) & shown and name not in ("ocr_nodes_gone", "ocr_stage_runs")
    }
    assert unseen <= {"ocr_limits_unchecked", "ocr_llm_tokens", "ocr_stage_batch_items"}


def test_every_alert_has_a_history_that_fires_and_one_that_does_not() -> None:
    """What promtool then evaluates."""
    kinds: dict[str, set[bool]] = defaultdict(set)
    for test in yaml.safe_load((FOLDER / "rules_test.yaml").read_text())["tests"]:
        for alert in test["alert_rule_test"]:
            kinds[alert["alertname"]].add(bool(alert["exp_alerts"]))
    assert kinds == {rule["alert"]: {True, False} for rule in RULES}


NEEDS_PROMTOOL = pytest.mark.skipif(
    find_promtool() is None, reason="promtool is not installed: `make check-alerts` fetches it"
)


@NEEDS_PROMTOOL
def test_promtool_agrees(tmp_path: Path) -> None:
    """Rules are valid; each fires in the one history and is silent in the other; every query is valid."""
    promtool = find_promtool()
    assert promtool is not None
    queries = make_dashboard.list_queries()
    group = {"name": "dashboard", "rules": [{"record": f"q{i}", "expr": q} for i, q in enumerate(queries)]}
    (tmp_path / "queries.yaml").write_text(yaml.safe_dump({"groups": [group]}))
    for command in (
        ["check", "rules", str(FOLDER / "rules.yaml"), str(tmp_path / "queries.yaml")],
        ["test", "rules", str(FOLDER / "rules_test.yaml")],
    ):
        done = subprocess.run([promtool, *command], capture_output=True, text=True, timeout=120, cwd=FOLDER)
        assert done.returncode == 0, done.stdout + done.stderr


@NEEDS_PROMTOOL
def test_a_broken_rule_does_not_pass(tmp_path: Path) -> None:
    """The check can fail: an alert with another threshold fails its history."""
    promtool = find_promtool()
    assert promtool is not None
    broken = re.sub(r"ocr_node_up == 0", "ocr_node_up == 7", (FOLDER / "rules.yaml").read_text())
    (tmp_path / "rules.yaml").write_text(broken)
    shutil.copy(FOLDER / "rules_test.yaml", tmp_path)
    done = subprocess.run(
        [promtool, "test", "rules", "rules_test.yaml"],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
    )
    assert done.returncode != 0
    assert "OcrNodeSilent fires" in done.stdout + done.stderr
