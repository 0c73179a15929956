"""The cells of tables, beside RapidTable's: how alike to the truth, and how long they take.

    python tests/bench/table_bench.py --eval DIR [--without-rival]

DIR holds ``images/`` with one table each and ``gt.jsonl`` (a JSON line a file: ``file``, ``html``). The crop
is the table: no layout network looks for it. Ours is the service's own code in this process (detector,
recogniser, table network and `deployments.table_reading`), the rival a process of its own; both have as many
threads as there are cores, and read each crop in turn. Prints TEDS, TEDS with white space left out of the
texts (some truths have none between words), and TEDS-S of each crop.
"""

import argparse
import asyncio
import dataclasses
import json
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import mean, median
from typing import TypeVar

import cv2

from configs.profile import AppArgs, load_profile
from configs.settings import ModelStage
from deployments.blocks import Region, TableGrid
from deployments.document import Image, Line
from deployments.flow import build_line
from deployments.models.detection import DetectionRequest
from deployments.models.loader import load_detection, load_recognition, load_table
from deployments.models.recognition import RecognitionRequest
from deployments.structure.table_views import fill_tables
from deployments.table_reading import read_tables, settle_tables
from deployments.vision.geometry import crop_lines
from deployments.vision.reading_order import order_lines
from serve_app.forms.html import write_table

from rivals import Rival, running_rival
from teds import measure_teds

StageT = TypeVar("StageT", bound=ModelStage)


class TableReader:
    """The service's models of the profile ``cpu``, in this process."""

    def __init__(self, threads: int) -> None:
        profile = load_profile(AppArgs(profile="cpu"), 0)
        self._detection = load_detection(_with_threads(profile.detection, threads)).model
        self._recognition = load_recognition(_with_threads(profile.recognition, threads)).model
        self._table = load_table(_with_threads(profile.table, threads)).model

    def read(self, path: Path) -> str:
        """The table on an image as HTML."""
        return asyncio.run(self._read(cv2.imread(str(path))))

    async def _read(self, pixels: Image) -> str:
        height, width = pixels.shape[:2]
        region = Region("table", 1.0, (0, 0, width, height))
        reading = await read_tables([region], pixels, self._read_grid)
        lines: Sequence[Line] = await self._read_lines(pixels)
        reading, lines = await settle_tables(reading, lines, pixels, self._read_grid, self._read_lines)
        tables = fill_tables(reading.regions, reading.views, reading.grids, lines)
        return write_table(tables[0][1]) if tables else ""

    async def _read_grid(self, table: Image) -> TableGrid:
        return self._table.read(table)

    async def _read_lines(self, pixels: Image) -> list[Line]:
        (found,) = self._detection.detect([DetectionRequest(pixels)])
        crops = crop_lines(pixels, found.quads[order_lines(found.quads)])
        request = RecognitionRequest(
            tuple(crop.pixels for crop in crops), tuple(not crop.upright for crop in crops), words=True
        )
        (texts,) = self._recognition.read([request]) if crops else [[]]
        return [build_line(crop, text) for crop, text in zip(crops, texts, strict=True) if text.text]


def _with_threads(stage: StageT, threads: int) -> StageT:
    return stage.model_copy(update={"run": stage.run.model_copy(update={"threads": threads})})


@dataclasses.dataclass
class Figures:
    """What one of them reached, crop by crop."""

    name: str
    teds: list[float] = dataclasses.field(default_factory=list)
    unspaced: list[float] = dataclasses.field(default_factory=list)
    structure: list[float] = dataclasses.field(default_factory=list)
    elapsed_ms: list[float] = dataclasses.field(default_factory=list)

    def add(self, html: str, truth: str, elapsed_ms: float) -> None:
        """Score one crop."""
        self.teds.append(measure_teds(html, truth))
        self.unspaced.append(measure_teds(html, truth, spaces=False))
        self.structure.append(measure_teds(html, truth, texts=False))
        self.elapsed_ms.append(elapsed_ms)

    def describe_last(self) -> str:
        """The last crop's figures."""
        return (
            f"{self.teds[-1]:.4f} {self.unspaced[-1]:.4f} {self.structure[-1]:.4f} {self.elapsed_ms[-1]:6.0f}"
        )


def read_truth(folder: Path) -> dict[str, str]:
    """The table of each file."""
    rows = map(json.loads, (folder / "gt.jsonl").read_text(encoding="utf-8").splitlines())
    return {Path(row["file"]).name: row["html"] for row in rows}


def read_with_rival(rival: Rival, path: Path) -> tuple[str, float]:
    """The rival's table, and its milliseconds."""
    answer = rival.ask(path)
    return str(answer["html"]), float(answer["seconds"]) * 1e3


def main() -> None:
    """Print a row for each crop, and the means."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--eval", type=Path, required=True)
    parser.add_argument("--without-rival", action="store_true")
    args = parser.parse_args()
    truth = read_truth(args.eval)
    ours, theirs = Figures("ours"), Figures("RapidTable")
    reader = TableReader(os.cpu_count() or 1)
    with ExitStack() as stack:
        rival = None if args.without_rival else stack.enter_context(running_rival("rapidtable"))
        paths = [args.eval / "images" / name for name in sorted(truth)]
        for path in paths[:2]:
            # Everybody is warm before anything is measured.
            reader.read(path)
            if rival:
                rival.ask(path)
        print("crop, ours, RapidTable: TEDS, TEDS without spaces, TEDS-S, ms")
        for path in paths:
            start = time.perf_counter()
            html = reader.read(path)
            ours.add(html, truth[path.name], (time.perf_counter() - start) * 1e3)
            row = f"{path.name:24} {ours.describe_last()}"
            if rival:
                html, elapsed_ms = read_with_rival(rival, path)
                theirs.add(html, truth[path.name], elapsed_ms)
                row += f"      {theirs.describe_last()}"
            print(row, flush=True)
    for figures in (ours, theirs):
        if figures.teds:
            print(
                f"{figures.name:12} mean of {len(figures.teds)} crops: TEDS {mean(figures.teds):.4f}  "
                f"without spaces {mean(figures.unspaced):.4f}  "
                f"TEDS-S {mean(figures.structure):.4f}  median {median(figures.elapsed_ms):.0f} ms  "
                f"mean {mean(figures.elapsed_ms):.0f} ms"
            )


if __name__ == "__main__":
    main()
