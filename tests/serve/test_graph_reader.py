"""What the ingress makes of stages that are slow to answer for the first time, as after a rollout."""

import asyncio
from collections.abc import Awaitable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from configs.settings import DetectionStage, Limits
from deployments.document import ReadOptions, StageInfo
from deployments.errors import NotReady
from deployments.handles import RemoteStages
from deployments.metric_table import NoRecorder
from serve_app import graph_reader
from serve_app.graph_reader import GraphReader

pytestmark = pytest.mark.serve

DETECTION, RECOGNITION = (
    StageInfo(stage, "model", "1", "0" * 64, "fake", "1", "cpu", "fp32")
    for stage in ("detection", "recognition")
)


class Stage:
    """A handle of a stage that says what it is when its replica comes to it."""

    deployment_name = "Stage"

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer: asyncio.Future[StageInfo] = asyncio.get_running_loop().create_future()
        self.describe = SimpleNamespace(remote=self._describe)

    def _describe(self) -> Awaitable[StageInfo]:
        self.asked.set()
        return _Response(self.answer)


class _Response(asyncio.Future[StageInfo]):
    """What a call by a handle gives: who waits for it no longer takes only this call back."""

    def __init__(self, answer: asyncio.Future[StageInfo]) -> None:
        super().__init__()
        answer.add_done_callback(lambda done: self.done() or self.set_result(done.result()))


def make_reader(detection: Any, recognition: Any) -> GraphReader:
    """A reader over these two stages."""
    stages = RemoteStages(
        cast(Any, None), cast(Any, None), detection, {"model": recognition}, {}, {"model": ("en",)}, 10**6, 1
    )
    described = {"detection": detection, "model": recognition}
    settings = DetectionStage(model="model"), Limits()
    return GraphReader(stages, described, ("en",), *settings, cast(Any, None), None, {}, NoRecorder())


async def test_a_document_waits_for_a_stage_that_is_slow_to_answer_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(graph_reader, "_DESCRIBE_TIMEOUT_S", 0.01)
    detection, recognition = Stage(), Stage()
    recognition.answer.set_result(RECOGNITION)
    reader = make_reader(detection, recognition)
    waiting = asyncio.create_task(reader.choose_models(ReadOptions(orientation=False)))
    await detection.asked.wait()
    with pytest.raises(NotReady):
        await reader.describe()
    assert not waiting.done()
    detection.answer.set_result(DETECTION)
    assert await waiting == (DETECTION, RECOGNITION)


async def test_a_document_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_reader, "_LEARN_TIMEOUT_S", 0.01)
    with pytest.raises(NotReady):
        await make_reader(Stage(), Stage()).choose_models(ReadOptions(orientation=False))
