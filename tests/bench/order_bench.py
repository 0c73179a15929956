"""The order in which the service reads the blocks of pages, beside the truth; see `reading_score`.

    python tests/bench/order_bench.py --eval DIR [--rounds 2]

DIR holds ``images/`` and ``gt.jsonl`` (a JSON line a file: ``file``, ``regions`` with ``label``, ``box``,
``text`` and ``order``, None for what stands in the margins). The service runs as a user starts it, and one
caller sends each page to `/structure`, first for the score and then once a round for the rate.
"""

import argparse
import json
import time
from pathlib import Path
from statistics import mean, median
from typing import Any

import httpx

from reading_score import read_true_blocks, score_page
from service import running_service


def read_page(client: httpx.Client, path: Path) -> dict[str, Any]:
    """The one page of an image's answer."""
    answer = client.post("/structure", files={"file": (path.name, path.read_bytes())})
    answer.raise_for_status()
    page: dict[str, Any] = answer.json()["pages"][0]
    return page


def main() -> None:
    """Print a row for each page, and the means."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--eval", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    rows = list(map(json.loads, (args.eval / "gt.jsonl").read_text(encoding="utf-8").splitlines()))
    with running_service("--profile", "cpu") as service, service.client() as client:
        languages = {*client.get("/health").json()["languages"], "mixed"}
        unread = [row["file"] for row in rows if row.get("lang", "mixed") not in languages]
        if unread:
            print(f"left out, since no running model reads their language: {', '.join(unread)}")
        rows = [row for row in rows if row["file"] not in unread]
        paths = [args.eval / row["file"] for row in rows]
        scores = []
        print("page: blocks in the truth, found, order distance, text distance (less is better)")
        for row, path in zip(rows, paths, strict=True):
            score = score_page(read_true_blocks(row), read_page(client, path))
            scores.append(score)
            text = "-" if score.text_distance is None else f"{score.text_distance:.3f}"
            print(f"{path.name[-40:]:40} {score.blocks:4} {score.found:4} {score.order_distance:.3f} {text}")
        rates = []
        for _ in range(args.rounds):
            start = time.perf_counter()
            for path in paths:
                read_page(client, path)
            rates.append(len(paths) / (time.perf_counter() - start))
    texts = [score.text_distance for score in scores if score.text_distance is not None]
    print(
        f"mean of {len(scores)} pages: order distance {mean(score.order_distance for score in scores):.4f}, "
        f"text distance {mean(texts):.4f}; {median(rates):.2f} pages/s, one caller"
    )


if __name__ == "__main__":
    main()
