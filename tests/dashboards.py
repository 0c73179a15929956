"""Prometheus' own checker, for tests of the dashboard and of alerts."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml
from prometheus_client.samples import Sample

from paths import ROOT

FOLDER = ROOT / "cluster" / "observability"


def find_promtool() -> str | None:
    """The one of `PROMTOOL`, of the path, or the one that `make check-alerts` has fetched."""
    fetched = ROOT / ".promtool" / "usr" / "bin" / "promtool"
    found = os.environ.get("PROMTOOL") or shutil.which("promtool")
    return found or (str(fetched) if fetched.exists() else None)


def find_empty(promtool: str, samples: Iterable[Sample], queries: Sequence[str], folder: Path) -> set[str]:
    """The queries that say nothing over series that have had these samples for ten minutes."""
    series = [{"series": _write_series(sample), "values": f"{sample.value:g}x40"} for sample in samples]
    # Expected is nothing: who says something is reported.
    checks = [{"expr": query, "eval_time": "8m", "exp_samples": []} for query in queries]
    test = {"interval": "15s", "input_series": series, "promql_expr_test": checks}
    path = folder / "scrape.yaml"
    path.write_text(yaml.safe_dump({"rule_files": [], "evaluation_interval": "15s", "tests": [test]}))
    done = subprocess.run([promtool, "test", "rules", str(path)], capture_output=True, text=True, timeout=120)
    said = re.sub(r"\\(.)", r"\1", done.stdout + done.stderr)
    return {query for query in queries if f'expr: "{query}"' not in said}


def _write_series(sample: Sample) -> str:
    labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
    return f"{sample.name}{{{labels}}}"
