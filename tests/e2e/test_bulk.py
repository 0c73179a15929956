"""`ocr-serve bulk` as its user runs it: on this machine, killed in the middle, and run again."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml

from paths import FIXTURES, ROOT
from service import shell_environment

pytestmark = pytest.mark.e2e

FILES, SHARD = 24, 4
_TIMEOUT_S = 150


def start(tmp_path: Path) -> "subprocess.Popen[bytes]":
    command = [str(Path(sys.executable).with_name("ocr-serve")), "bulk", str(tmp_path / "in")]
    command += [str(tmp_path / "out"), "--shard", str(SHARD), "--profile", str(tmp_path / "slow.yaml")]
    return subprocess.Popen(
        command, env=shell_environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def list_markers(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "out" / "_bulk").glob("*/done/*.jsonl"))


@pytest.mark.timeout(400)
def test_killed_in_the_middle_it_goes_on(tmp_path: Path) -> None:
    """No file of a shard that was done is read again, and in the end each has its result."""
    (tmp_path / "in").mkdir()
    for number in range(FILES):
        (tmp_path / "in" / f"{number:02}.png").write_bytes((FIXTURES / "one_line.png").read_bytes())
    (tmp_path / "in" / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    profile = yaml.safe_load((ROOT / "configs" / "profiles" / "cpu.yaml").read_text())
    for stage in ("orientation", "detection", "recognition", "layout", "table"):
        profile[stage]["run"] = {"engine": "fake", "fake_delay_ms": 150 if stage == "detection" else 0}
    (tmp_path / "slow.yaml").write_text(yaml.safe_dump(profile))

    process = start(tmp_path)
    deadline = time.monotonic() + _TIMEOUT_S
    while not list_markers(tmp_path):
        assert process.poll() is None
        assert time.monotonic() < deadline, "no shard was done in time"
        time.sleep(0.05)
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    psutil.wait_procs(family, timeout=30)
    done = [
        json.loads(line)["report"]
        for path in list_markers(tmp_path)
        for line in path.read_text().splitlines()
    ]
    assert len(done) < FILES + 1
    written = {name: (tmp_path / "out" / name).stat().st_mtime_ns for row in done for name in row["outputs"]}

    process = start(tmp_path)
    printed, _ = process.communicate(timeout=_TIMEOUT_S)
    assert process.returncode == 1, printed
    assert len(list((tmp_path / "out").glob("*.png.json"))) == FILES
    for name, mtime_ns in written.items():
        assert (tmp_path / "out" / name).stat().st_mtime_ns == mtime_ns, name
    report = json.loads((tmp_path / "out" / "_bulk" / "report.json").read_text())
    assert report["totals"]["read"] + report["totals"]["kept"] == FILES
    assert report["totals"]["kept"] + report["totals"]["failed"] >= len(done)
    assert report["totals"]["codes"] == {"malformed_pdf": 1}
