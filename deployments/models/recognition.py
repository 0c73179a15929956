"""The text recogniser: line crops in, texts out (PP-OCR's CTC network)."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import cv2
import numpy as np

from configs.settings import RecognitionStage
from deployments.document import DirectionMode, FloatArray, Image, LineText
from deployments.engines.base import Engine, StepClasses, StepEngine, list_operations
from deployments.models.batch import IsWanted, answer_each, want_all
from deployments.models.ctc import CtcDecoder, DecodedText, classify_steps, place_characters, split_words
from deployments.models.direction import DirectionModel
from deployments.models.normalize import ChannelNormalizer
from deployments.usage import Usage

_HALF = (0.5, 0.5, 0.5)
_CROP_HEIGHT_PX = 48
_ORDINARY_WIDTH_PX = 320
# PP-OCR recognisers halve the width three times.
_CTC_STRIDE_PX = 8
_NOTHING_READ = DecodedText("", 0.0, (), ())
# Text upside down reads as nothing, or as what the network itself hardly believes.
_DOUBTFUL_CONFIDENCE = 0.6
# Up to this width, a line of sixty letters or so, buckets are fine; longer lines are rare, and each further
# shape costs a compilation, and 3 MB for good.
_ORDINARY_LINE_PX = 1280
_LONG_LINE_BUCKET_PX = 320


@dataclass(frozen=True, eq=False)
class RecognitionRequest:
    """The crops of one page (uint8, (h, w, 3), BGR) and what is wanted of them.

    ``sideways[i]`` says that crop ``i`` was turned from standing to lying, so its direction is unknown.
    """

    crops: tuple[Image, ...]
    sideways: tuple[bool, ...]
    direction: DirectionMode = "auto"
    words: bool = False


def cost_of_request(request: RecognitionRequest) -> int:
    """What a page costs, in lines of 48 x 320 pixels, the width of an ordinary one."""
    width_px = sum(_width_at_height(crop) for crop in request.crops)
    return max(1, math.ceil(width_px / _ORDINARY_WIDTH_PX))


def _width_at_height(crop: Image) -> int:
    height, width = crop.shape[:2]
    return math.ceil(_CROP_HEIGHT_PX * width / height)


class RecognitionModel:
    """Reads line crops. A crop's text depends on the crop alone, never on what shares its batch.

    Every crop is padded to its own width bucket, and only crops of one bucket share a run of the network.
    PaddleX pads to 320 pixels at least, which costs 1.5 times the work for the same text.
    Not for use by two threads: its engine is not.
    """

    def __init__(
        self,
        engine: Engine,
        config: dict[str, Any],
        stage: RecognitionStage,
        direction: DirectionModel,
        usage: Usage | None = None,
    ) -> None:
        self._usage = usage or Usage()
        self._engine = engine
        self._direction = direction
        self._stage = stage
        self._max_crops_per_run = stage.knobs.max_items_per_run
        operations = list_operations(config)
        self._height_px = int(operations["RecResizeImg"]["image_shape"][1])
        self._normalizer = ChannelNormalizer(_HALF, _HALF)
        self._decoder = CtcDecoder(config["PostProcess"]["character_dict"])

    def set_max_crops_per_run(self, crops: int) -> None:
        """Change how many crops one run of the network may hold."""
        self._max_crops_per_run = crops

    def read_each(
        self, requests: Sequence[RecognitionRequest], is_wanted: IsWanted = want_all
    ) -> list[list[LineText] | Exception]:
        """As `read`, but a page that fails answers with its error and spoils nobody else's."""
        return answer_each(self.read, requests, is_wanted)

    def read(
        self, requests: Sequence[RecognitionRequest], is_wanted: IsWanted = want_all
    ) -> list[list[LineText]]:
        """Texts for the crops of each request, in their order; empty ones where nobody waits any more."""
        lines = [
            _Line(crop, request.direction, sideways, request.words, partial(is_wanted, page))
            for page, request in enumerate(requests)
            for crop, sideways in zip(request.crops, request.sideways, strict=True)
        ]
        self._turn_upright([line for line in lines if line.must_be_asked])
        self._read_lines(lines)
        self._try_upside_down([line for line in lines if line.is_doubtful])
        ordered = iter(lines)
        return [[self._finish(next(ordered)) for _ in request.crops] for request in requests]

    def pre(self, crops: Sequence[Image], width: int) -> FloatArray:
        """(N, 3, 48, width) float32 in [-1, 1], zero to the right of each crop."""
        batch = np.zeros((len(crops), 3, self._height_px, width), np.float32)
        for crop, out in zip(crops, batch, strict=True):
            resized_width = self._resized_width(crop)
            self._normalizer.fill(cv2.resize(crop, (resized_width, self._height_px)), out)
            self._usage.content_px += resized_width * self._height_px
            self._usage.padding_px += (width - resized_width) * self._height_px
        return batch

    def core(self, batches: Iterable[FloatArray]) -> list[StepClasses]:
        """The likeliest class of each of T = width / 8 steps of each batch; each has a run of its own."""
        # An engine that can say this itself need not make probabilities of 18,000 classes for each step.
        if getattr(self._engine, "classifies_steps", False):
            engine = cast(StepEngine, self._engine)
            return engine.classify_steps([engine.encode_steps(batch) for batch in batches])
        return [classify_steps(self._engine.run([batch])[0]) for batch in batches]

    def post(self, steps: StepClasses) -> list[DecodedText]:
        """Greedy CTC texts."""
        return self._decoder.decode(steps)

    def choose_width(self, crop: Image) -> int:
        """The width bucket of a crop in pixels: the narrowest one that holds it."""
        return self._choose_bucket(self._resized_width(crop))

    def _choose_bucket(self, width: int) -> int:
        fine = self._stage.width_bucket_px
        bucket = fine if width <= _ORDINARY_LINE_PX else max(fine, _LONG_LINE_BUCKET_PX)
        return math.ceil(width / bucket) * bucket

    def warm_up(self) -> None:
        """Run the network once for each width bucket, the widest first: memory then grows no further."""
        step, widest = self._stage.width_bucket_px, self._stage.max_width_px
        buckets = {self._choose_bucket(width) for width in (*range(step, widest, step), widest)}
        for width in sorted(buckets, reverse=True):
            self.core([np.zeros((1, 3, self._height_px, width), np.float32)])
        self._direction.warm_up()

    def _resized_width(self, crop: Image) -> int:
        height, width = crop.shape[:2]
        return max(1, min(math.ceil(self._height_px * width / height), self._stage.max_width_px))

    def _turn_upright(self, lines: Sequence["_Line"]) -> None:
        """Turn the lines that the classifier finds upside down."""
        for line, is_flipped in zip(lines, self._find_flipped(lines), strict=True):
            if is_flipped:
                line.flip()

    def _try_upside_down(self, lines: Sequence["_Line"]) -> None:
        """Read lines that made no sense the other way up, where the classifier agrees; keep the better."""
        found = self._find_flipped(lines)
        before = [(line, line.decoded) for line, is_flipped in zip(lines, found, strict=True) if is_flipped]
        for line, _ in before:
            line.flip()
        self._read_lines([line for line, _ in before])
        for line, first in before:
            if line.decoded.confidence < first.confidence:
                line.flip()
                line.decoded = first

    def _find_flipped(self, lines: Sequence["_Line"]) -> list[bool]:
        return [line.is_wanted() and self._direction.is_flipped(line.crop) for line in lines]

    def _read_lines(self, lines: Sequence["_Line"]) -> None:
        runs: list[Sequence[_Line]] = []
        classes = self.core(self._batches(lines, runs))
        for run, steps in zip(runs, classes, strict=True):
            for line, text in zip(run, self.post(steps), strict=True):
                line.decoded = text

    def _batches(self, lines: Sequence["_Line"], runs: list[Sequence["_Line"]]) -> Iterator[FloatArray]:
        """What goes into each run of the network; its lines are added to ``runs``."""
        for width, run in self._runs(lines):
            # Asked before every run: who left in the middle of a page costs no more than one run.
            wanted = [line for line in run if line.is_wanted()]
            if wanted:
                runs.append(wanted)
                yield self.pre([line.crop for line in wanted], width)

    def _runs(self, lines: Sequence["_Line"]) -> Iterator[tuple[int, list["_Line"]]]:
        """Width and lines of each run of the network."""
        by_width: dict[int, list[_Line]] = defaultdict(list)
        for line in lines:
            by_width[self.choose_width(line.crop)].append(line)
        for width, same_width in sorted(by_width.items()):
            for start in range(0, len(same_width), self._max_crops_per_run):
                yield width, same_width[start : start + self._max_crops_per_run]

    def _finish(self, line: "_Line") -> LineText:
        decoded = line.decoded
        step_share = _CTC_STRIDE_PX / self._resized_width(line.crop)
        words = split_words(decoded, step_share) if line.words else None
        middles = place_characters(decoded, step_share)
        return LineText(decoded.text, decoded.confidence, line.flipped, words, middles=middles)


@dataclass(eq=False)
class _Line:
    """A crop on its way through the recogniser."""

    crop: Image
    direction: DirectionMode
    sideways: bool
    words: bool
    is_wanted: Callable[[], bool]
    flipped: bool = False
    decoded: DecodedText = _NOTHING_READ

    @property
    def must_be_asked(self) -> bool:
        """Whether the direction is to be found before reading."""
        return self.direction == "on" or (self.direction == "auto" and self.sideways)

    @property
    def is_doubtful(self) -> bool:
        """Whether what was read suggests that the crop may be upside down."""
        return (
            self.direction == "auto" and not self.sideways and self.decoded.confidence < _DOUBTFUL_CONFIDENCE
        )

    def flip(self) -> None:
        """Turn the crop by 180 degrees."""
        self.crop = cv2.rotate(self.crop, cv2.ROTATE_180)
        self.flipped = not self.flipped
