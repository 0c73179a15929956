"""A rival that stays loaded: `python worker.py NAME [--threads N] [--models DIR]`, a page a line.

Runs in the rival's own environment, so it imports nothing of the project. Each line on standard input is a
path; each line on standard output is a JSON object with ``lines`` (``text``, ``box``) or the ``html`` of a
table, ``seconds`` from the file's bytes to the text, ``cpu_s`` and ``peak_mib``. The first line says that the
rival is loaded.
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# What is read in a file: ``lines`` or ``html``.
Found = dict[str, Any]
Read = Callable[[bytes], Found]


def load_rapidocr(threads: int, _: Path | None) -> Read:
    """RapidOCR on OpenVINO, its direction classifier off as in the others."""
    engine = _start_rapidocr(threads)

    def read(data: bytes) -> Found:
        result = engine(data, use_cls=False)
        if result.boxes is None:
            return {"lines": []}
        return {
            "lines": [{"text": text, "box": box.tolist()} for text, box in zip(result.txts, result.boxes)]  # noqa: B905
        }

    return read


def load_rapidtable(threads: int, _: Path | None) -> Read:
    """RapidTable with SLANet_plus, its own default, on the lines of RapidOCR; a file is a table's image."""
    import cv2
    import numpy as np
    from rapid_table import RapidTable

    reader, table = _start_rapidocr(threads), RapidTable()

    def read(data: bytes) -> Found:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        result = reader(pixels, use_cls=False)
        if result.boxes is None:
            return {"html": ""}
        lines = [[box, text, score] for box, text, score in zip(result.boxes, result.txts, result.scores)]  # noqa: B905
        return {"html": table(pixels, lines)[0]}

    return read


def _start_rapidocr(threads: int) -> Any:
    from rapidocr import EngineType, RapidOCR

    stages = ("Det", "Cls", "Rec")
    return RapidOCR(
        params={
            "Global.log_level": "error",
            "EngineConfig.openvino.inference_num_threads": threads,
            **{f"{stage}.engine_type": EngineType.OPENVINO for stage in stages},
        }
    )


def load_faster_paddle(_: int, __: Path | None) -> Read:
    """The Rust port; it takes as many threads as there are cores."""
    from faster_paddle import OcrEngine

    engine = OcrEngine(model_size="small")

    def read(data: bytes) -> Found:
        found = engine.ocr(data)["bounds"].values()
        return {"lines": [{"text": item["text"], "box": _corners(item)} for item in found]}

    return read


def _corners(item: dict[str, Any]) -> list[list[float]]:
    (left, top), (right, bottom) = item["topLeftCoord"], item["bottomRightCoord"]
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def load_paddleocr(threads: int, models: Path | None) -> Read:
    """PaddleOCR's pipeline on ONNX Runtime with model directories, its defaults otherwise, no turning."""
    import cv2
    import numpy as np
    from paddleocr import PaddleOCR

    if models is None:
        raise SystemExit("--models is needed")
    engine = PaddleOCR(
        device="cpu",
        engine="onnxruntime",
        engine_config={"intra_op_num_threads": threads, "log_severity_level": 3},
        text_detection_model_name="PP-OCRv6_small_det",
        text_detection_model_dir=str(models / "PP-OCRv6_small_det" / "onnx"),
        text_recognition_model_name="PP-OCRv6_small_rec",
        text_recognition_model_dir=str(models / "PP-OCRv6_small_rec" / "onnx"),
        use_doc_orientation_classify=False,
        use_doc_unwarping=False,
        use_textline_orientation=False,
    )

    def read(data: bytes) -> Found:
        result = engine.predict(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))[0]
        pairs = zip(result["rec_texts"], result["rec_polys"], strict=True)
        return {"lines": [{"text": text, "box": np.asarray(quad).tolist()} for text, quad in pairs]}

    return read


RIVALS = {
    "rapidocr-openvino": load_rapidocr,
    "rapidtable": load_rapidtable,
    "faster-paddle": load_faster_paddle,
    "paddleocr": load_paddleocr,
}


def main() -> None:
    """Answer page after page until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=RIVALS)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--models", type=Path)
    args = parser.parse_args()
    # Libraries print what they like: only this program writes to the real standard output.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    read = RIVALS[args.name](args.threads, args.models)
    print(json.dumps({"loaded": args.name}), file=out, flush=True)
    for row in sys.stdin:
        data = Path(row.strip()).read_bytes()
        cpu_start, start = time.process_time(), time.perf_counter()
        found = read(data)
        answer = {
            "seconds": time.perf_counter() - start,
            "cpu_s": time.process_time() - cpu_start,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            **found,
        }
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    main()
