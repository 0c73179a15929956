"""Rivals as processes of their own, each in its own environment; see `peers/worker.py`."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from configs.catalogue import load_catalogue
from deployments.models.store import ModelStore

from accuracy import PlacedText
from paths import ROOT
from rounds import Round

_WORKER = Path(__file__).parent / "peers" / "worker.py"
# PaddleOCR runs in the project's own environment, which locks the same release for its tests.
ENVIRONMENTS = {
    "paddleocr": Path(sys.executable),
    "rapidocr-openvino": ROOT / ".venv-bench-rapidocr/bin/python",
    "rapidtable": ROOT / ".venv-bench-rapidocr/bin/python",
    "faster-paddle": ROOT / ".venv-bench-faster-paddle/bin/python",
}
# Those that read pages; RapidTable reads tables, for `table_bench.py`.
PAGE_READERS = ("paddleocr", "rapidocr-openvino", "faster-paddle")


class Rival:
    """A loaded rival that reads pages one by one, with as many threads as there are cores."""

    def __init__(self, name: str, process: "subprocess.Popen[str]") -> None:
        self.name = name
        self.texts: dict[str, list[PlacedText]] = {}
        self._process = process

    def read_all(self, paths: Sequence[Path]) -> Round:
        """Every page once."""
        seconds, cpu_s, peak_mib = [], 0.0, 0.0
        start = time.perf_counter()
        for path in paths:
            answer = self.ask(path)
            seconds.append(answer["seconds"])
            cpu_s += answer["cpu_s"]
            peak_mib = max(peak_mib, answer["peak_mib"])
            self.texts[str(path)] = [PlacedText(line["text"], line["box"]) for line in answer["lines"]]
        return Round(seconds, time.perf_counter() - start, cpu_s, peak_mib)

    def ask(self, path: Path) -> dict[str, Any]:
        """What the rival finds in one file; see `peers/worker.py`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{path.resolve()}\n")
        self._process.stdin.flush()
        row = self._process.stdout.readline()
        if not row:
            raise RuntimeError(f"{self.name} ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(row)
        return answer


@contextmanager
def running_rival(name: str) -> Iterator[Rival]:
    """A rival, loaded; ended with the block."""
    store = ModelStore.from_environment(load_catalogue())
    directories = [
        store.resolve(model, "onnx").directory for model in ("PP-OCRv6_small_det", "PP-OCRv6_small_rec")
    ]
    command = [str(ENVIRONMENTS[name]), str(_WORKER), name, "--models", str(directories[0].parents[1])]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if not process.stdout.readline():
            raise RuntimeError(f"{name} does not start: is its environment there? (`make bench` makes it)")
        yield Rival(name, process)
    finally:
        process.stdin.close()
        process.wait(30)
