"""Our pre- and post-processing beside PaddleX's own operators: the same numbers, not similar ones."""

import cv2
import numpy as np
import pytest

from deployments.models.ctc import CtcDecoder, classify_steps
from deployments.models.db_boxes import BoxOptions, find_boxes
from deployments.models.normalize import ChannelNormalizer
from deployments.models.resize import choose_detection_size
from deployments.vision.geometry import crop_lines

pytestmark = pytest.mark.weights

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def draw_probability(seed: int) -> np.ndarray:
    """A map with slanted bars of uneven certainty, as a detector makes them."""
    rng = np.random.default_rng(seed)
    page = np.zeros((480, 640), np.float32)
    for _ in range(25):
        centre = tuple(float(value) for value in rng.uniform((30, 30), (610, 450)))
        size = tuple(float(value) for value in rng.uniform((4, 3), (180, 26)))
        corners = cv2.boxPoints((centre, size, float(rng.uniform(-90, 90)))).astype(np.int32)
        cv2.fillPoly(page, [corners], float(rng.uniform(0.3, 1.0)))
    return cv2.GaussianBlur(page, (5, 5), 0)


@pytest.mark.parametrize("seed", range(20))
def test_boxes_are_those_of_dbpostprocess(seed: int) -> None:
    """Every quad and every score, on a page whose size differs from the map's."""
    from paddlex.inference.models.text_detection.processors import DBPostProcess

    probability = draw_probability(seed)
    options = BoxOptions(thresh=0.3, box_thresh=0.6, unclip_ratio=1.5)
    theirs, their_scores = DBPostProcess(0.3, 0.6, 3000, 1.5)(
        [probability[None, None]], [np.array([1003, 1311, 480 / 1003, 640 / 1311])]
    )
    ours = find_boxes(probability, 1003, 1311, options)
    np.testing.assert_array_equal(ours.quads, np.asarray(theirs[0], np.float32).reshape(-1, 4, 2))
    np.testing.assert_allclose(ours.scores, their_scores[0], rtol=1e-6)


@pytest.mark.parametrize("size", [(1000, 750), (3508, 2480), (20, 30), (33, 900), (64, 64), (5000, 120)])
@pytest.mark.parametrize(("limit", "kind"), [(64, "min"), (1600, "max"), (960, "max")])
def test_sizes_are_those_of_detresizefortest(size: tuple[int, int], limit: int, kind: str) -> None:
    """The network sees a page at the size at which PaddleOCR shows it."""
    from paddlex.inference.models.text_detection.processors import DetResizeForTest

    from deployments.models.resize import choose_padding

    resized, _ = DetResizeForTest(limit_side_len=limit, limit_type=kind)([np.zeros((*size, 3), np.uint8)])
    assert choose_detection_size(*choose_padding(*size), limit, kind, 4000) == resized[0].shape[:2]  # type: ignore[arg-type]


def test_normalised_pixels_are_those_of_normalizeimage() -> None:
    """Bit for bit."""
    from paddlex.inference.models.text_detection.processors import NormalizeImage

    pixels = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    out = np.empty((3, 64, 96), np.float32)
    ChannelNormalizer(MEAN, STD).fill(pixels, out)
    theirs = NormalizeImage(mean=MEAN, std=STD, scale="1./255.", order="hwc")([pixels])[0]
    np.testing.assert_array_equal(out, theirs.transpose(2, 0, 1))


@pytest.mark.parametrize("seed", range(5))
def test_crops_are_those_of_cropbypolys(seed: int) -> None:
    """Slanted quads and standing ones, pixel by pixel."""
    from paddlex.inference.pipelines.components import CropByPolys

    page = np.random.default_rng(seed).integers(0, 256, (1003, 1311, 3), dtype=np.uint8)
    quads = find_boxes(draw_probability(seed), 1003, 1311, BoxOptions(box_thresh=0.3)).quads
    theirs = CropByPolys()(page, quads.astype(np.int16))
    ours = crop_lines(page, quads)
    assert len(ours) == len(theirs) > 2
    for crop, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(crop.pixels, other)


def test_texts_are_those_of_ctclabeldecode() -> None:
    """Texts and confidences over random probabilities."""
    from paddlex.inference.models.text_recognition.processors import CTCLabelDecode

    characters = list("0123456789가나다라")
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet(np.full(len(characters) + 2, 0.1), size=(30, 40)).astype(np.float32)
    texts, scores = CTCLabelDecode(characters)([probabilities])
    ours = CtcDecoder(characters).decode(classify_steps(probabilities))
    assert [decoded.text for decoded in ours] == texts
    np.testing.assert_allclose([decoded.confidence for decoded in ours], scores, rtol=1e-5)


@pytest.mark.parametrize("input_count", [2, 3])
def test_layout_inputs_are_those_of_paddlexs_detectors(input_count: int) -> None:
    """Size, page and scale, as its predictor hands them to PP-DocLayout."""
    from paddlex.inference.models.object_detection.processors import Normalize, Resize, ToBatch, ToCHWImage

    from deployments.models.decoded_layout import DecodedLayoutModel

    class Network:
        def __init__(self) -> None:
            self.input_count = input_count

    page = np.random.default_rng(7).integers(0, 256, (700, 1000, 3)).astype(np.uint8)
    data = [{"img": page[:, :, ::-1], "ori_img": page, "img_size": [1000, 700]}]
    for step in (
        Resize(target_size=(800, 640), keep_ratio=False, interp="BICUBIC"),
        Normalize(scale=1 / 255, mean=MEAN, std=STD),
        ToCHWImage(),
    ):
        data = step(data)
    names = ("img_size", "img", "scale_factors")[-input_count:]
    theirs = ToBatch(ordered_required_keys=names)(data)
    steps = [
        {"type": "Resize", "target_size": [640, 800], "keep_ratio": False, "interp": 2},
        {"type": "NormalizeImage", "mean": MEAN, "std": STD, "is_scale": True},
        {"type": "Permute"},
    ]
    config = {"Preprocess": steps, "label_list": ["text"]}
    ours = DecodedLayoutModel(Network(), config, 0.5, 0.5).pre(page)  # type: ignore[arg-type]
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, np.asarray(other), atol=1e-5)


def test_flat_pages_are_those_of_doctrpostprocess() -> None:
    """UVDoc's answer as pixels; PaddleX turns the channels around, and its pipeline turns them back."""
    from paddlex.inference.models.image_unwarping.processors import DocTrPostProcess

    from deployments.models.unwarping import UnwarpingModel

    answer = np.random.default_rng(3).uniform(0, 1, (1, 3, 20, 30)).astype(np.float32)
    (theirs,) = DocTrPostProcess()([answer.copy()])
    np.testing.assert_array_equal(UnwarpingModel.post(None, answer[0]), theirs[:, :, ::-1])  # type: ignore[arg-type]
