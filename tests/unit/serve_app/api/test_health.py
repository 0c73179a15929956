"""The service's health."""

import platform
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from deployments.document import StageInfo
from deployments.errors import NotReady, StageUnavailable
from serve_app.api.health import HealthProbe, find_versions, name_stages

STAGE = StageInfo(
    "recognition", "first", "5", "ab" * 32, "fake", "1", "CPU", "f32", ("en",), knobs={"max_batch_size": 4}
)


@pytest.mark.parametrize("path", ["/health", "/v1/health"])
async def test_a_ready_service_says_what_it_runs(stranger: httpx.AsyncClient, path: str) -> None:
    """Without a key."""
    answer = await stranger.get(path)
    body = answer.json()
    assert answer.status_code == 200
    assert (body["status"], body["ready"], body["languages"]) == ("ok", True, ["ch", "en"])
    assert body["stages"]["detection"]["model"] == "PP-OCRv5_mobile_det"
    assert body["stages"]["detection"]["ready"] is True
    assert body["on_demand"] == ["layout"]
    version = body["version"]
    assert (version["service"], version["python"]) == ("1.2.3", platform.python_version())
    assert version.keys() >= {"paddleocr", "paddlex", "paddle", "ray", "compiled_with_cuda", "cuda"}


@pytest.mark.parametrize("error", [NotReady("Starting.", 5), StageUnavailable("Replaced.", 5)])
async def test_a_starting_service_says_when_to_ask_again(stranger: httpx.AsyncClient, reader, error) -> None:
    """With the same kind of body, not a problem, for load balancers and dashboards."""
    reader.describe_error = error
    answer = await stranger.get("/health")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert (answer.json()["status"], answer.json()["ready"]) == ("starting", False)
    assert answer.json()["version"]["service"] == "1.2.3"


class TestCache:
    """How often the stages are asked."""

    @pytest.fixture
    def now_s(self) -> list[float]:
        """Hold the time that the probe's clock shows."""
        return [100.0]

    @pytest.fixture
    def probe(self, reader, now_s: list[float]) -> HealthProbe:
        """Make a probe with a clock that the test sets."""
        return HealthProbe(reader, "1.2.3", lambda: now_s[0])

    async def test_a_good_answer_holds_for_two_seconds(
        self, probe: HealthProbe, reader, now_s: list[float]
    ) -> None:
        """Then the stages are asked again."""
        await probe.check()
        now_s[0] += 1.9
        await probe.check()
        assert reader.describe_calls == 1
        now_s[0] += 0.2
        await probe.check()
        assert reader.describe_calls == 2

    async def test_a_bad_answer_is_not_remembered(self, probe: HealthProbe, reader) -> None:
        """A service that has just become ready says so at once."""
        reader.describe_error = NotReady()
        with pytest.raises(NotReady):
            await probe.check()
        reader.describe_error = None
        assert (await probe.check()).ready

    async def test_a_service_that_has_lost_a_stage_is_not_ready(
        self, probe, reader, now_s: list[float]
    ) -> None:
        """An old good answer does not hide it."""
        await probe.check()
        now_s[0] += 3
        reader.describe_error = NotReady()
        with pytest.raises(NotReady):
            await probe.check()

    async def test_a_stage_that_uses_cuda_shows(self, probe: HealthProbe, reader) -> None:
        """Even where PaddlePaddle runs on another machine than the edge."""
        reader.stages = (replace(STAGE, compiled_with_cuda=True),)
        assert (await probe.check()).version.compiled_with_cuda


def test_a_second_recogniser_has_its_own_name() -> None:
    """The first one keeps the plain name of its stage."""
    named = name_stages((STAGE, replace(STAGE, model="second")))
    assert {name: stage.model for name, stage in named.items()} == {
        "recognition": "first",
        "recognition-second": "second",
    }
    assert named["recognition"].knobs == {"max_batch_size": 4}


def test_versions_come_from_installed_distributions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution's metadata is enough; PaddlePaddle for GPUs means CUDA."""
    for name, version in {"paddlepaddle-gpu": "3.2.2", "nvidia-cuda-runtime-cu12": "12.6.77"}.items():
        folder = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    versions = find_versions("1.2.3")
    assert (versions.paddle, versions.cuda, versions.compiled_with_cuda) == ("3.2.2", "12.6.77", True)
