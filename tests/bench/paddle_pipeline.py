"""PaddleOCR's own pipeline over a folder of images: `python paddle_pipeline.py IMAGES OUT.jsonl`.

The same weights as the service (its own model store hands them over), PaddleOCR's defaults otherwise.
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
from paddleocr import PaddleOCR

from configs.catalogue import load_catalogue
from deployments.models.store import ModelStore


def main(images: Path, out: Path) -> None:
    """Write one JSON line a file: its name and its lines with text and box."""
    store = ModelStore.from_environment(load_catalogue())
    pipeline = PaddleOCR(
        device="cpu",
        engine="onnxruntime",
        engine_config={"intra_op_num_threads": 2, "log_severity_level": 3},
        text_detection_model_name="PP-OCRv6_small_det",
        text_detection_model_dir=str(store.resolve("PP-OCRv6_small_det", "onnx").directory),
        text_recognition_model_name="PP-OCRv6_small_rec",
        text_recognition_model_dir=str(store.resolve("PP-OCRv6_small_rec", "onnx").directory),
        use_doc_orientation_classify=False,
        use_doc_unwarping=False,
        use_textline_orientation=False,
    )
    with out.open("w", encoding="utf-8") as file:
        for path in sorted(images.iterdir()):
            result = pipeline.predict(cv2.imread(str(path)))[0]
            lines = [
                {"text": text, "box": np.asarray(quad).tolist()}
                for text, quad in zip(result["rec_texts"], result["rec_polys"], strict=True)
            ]
            file.write(json.dumps({"file": path.name, "lines": lines}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
