"""The graph on the fake engine: placing, rollouts, the typed handle."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import ray
import yaml
from ray import serve
from ray.serve.handle import DeploymentHandle

from configs.profile import AppArgs
from serve_app.app import build
from serve_app.client import OcrClient
from serve_app.schemas import OcrResult

from graphs import start_graph
from paths import FIXTURES, ROOT
from replicas import pids_of_replicas

pytestmark = pytest.mark.serve

LETTER = FIXTURES / "letter.png"


class TestGpuProfile:
    """The profile for T4 nodes, on a machine whose cluster only believes that it has a GPU."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def app(cls, cluster: object) -> Iterator[None]:
        """The application under test."""
        serve.run(build(AppArgs(profile="gpu-t4", engine="fake")), name="ocr", route_prefix="/")
        yield
        serve.delete("ocr")

    def test_fractions_of_one_gpu_are_placed(self) -> None:
        """Orientation, detection and two recognisers share one GPU, and every replica runs."""
        status = serve.status().applications["ocr"]
        assert status.status == "RUNNING"
        running = {name: item.replica_states for name, item in status.deployments.items()}
        assert running["Recognition"] == {"RUNNING": 2}
        assert ray.available_resources().get("GPU", 0.0) == pytest.approx(0.0, abs=0.01)

    def test_auto_chooses_the_gpu_profile_where_the_cluster_has_a_gpu(self) -> None:
        """`profile: auto` asks the cluster, not the machine."""
        from configs.profile import load_profile

        profile = load_profile(AppArgs(), ray.cluster_resources()["GPU"])
        assert profile.detection.run.device == "gpu"

    def test_a_gpu_that_is_not_there_is_found_out(self, http: httpx.Client) -> None:
        """By the smoke test of the GPU image, which says what is missing and exits with 1."""
        command = [sys.executable, str(ROOT / "cluster" / "verify_gpu.py"), str(http.base_url)]
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
        assert result.returncode == 1, result.stderr
        assert "NO   Paddle is built with CUDA" in result.stdout
        assert "NO   Paddle passes its own check" in result.stdout


class TestRollout:
    """`serve deploy` of the repository's own configuration, on the fake engine."""

    @staticmethod
    def deploy(config: dict[str, object], path: Path, dashboard_url: str) -> None:
        path.write_text(yaml.safe_dump(config))
        command = [str(Path(sys.executable).with_name("serve")), "deploy", str(path), "-a", dashboard_url]
        subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=ROOT)

    @staticmethod
    def wait_until_running(http: httpx.Client, knobs: dict[str, float]) -> None:
        """Poll until the rollout is done and the knobs are in force; bounded, or a hang would last."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            application = serve.status().applications.get("ocr")
            if application is not None and application.status == "RUNNING":
                shown = http.get("/health").json()["stages"]["recognition"]["knobs"]
                if all(shown[key] == value for key, value in knobs.items()):
                    return
            time.sleep(0.5)
        raise TimeoutError("the rollout did not finish")

    def test_changing_a_batch_knob_restarts_no_replica(
        self, cluster, http: httpx.Client, tmp_path: Path
    ) -> None:
        """New knobs are in force, and every process is the one that it was."""
        config = yaml.safe_load((ROOT / "serve_config.yaml").read_text())
        application = config["applications"][0]
        application["args"] = {
            "profile": "cpu",
            "engine": "fake",
            "overrides": {"recognition": {"replicas": {"num_replicas": 2}}},
        }
        self.deploy(config, tmp_path / "first.yaml", cluster.dashboard_url)
        self.wait_until_running(http, {})
        before = pids_of_replicas()
        knobs = {"max_batch_size": 48, "batch_wait_timeout_s": 0.02}
        application["deployments"] = [{"name": "Recognition", "user_config": knobs}]
        self.deploy(config, tmp_path / "second.yaml", cluster.dashboard_url)
        self.wait_until_running(http, knobs)
        assert pids_of_replicas() == before
        serve.delete("ocr")


@serve.deployment
class Archive:
    """Another application on the cluster, which reads documents through the typed client."""

    def __init__(self) -> None:
        self._ocr: OcrClient | None = None

    async def index(self, data: bytes) -> OcrResult:
        self._ocr = self._ocr or OcrClient.from_app("ocr")
        return await self._ocr.read(data, words=True)


class TestHandle:
    """The Python client."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def app(cls, cluster: object) -> Iterator[None]:
        """The application under test."""
        start_graph("layout", "table", recognition={"replicas": {"num_replicas": 2}})
        yield
        serve.delete("ocr")

    def test_another_deployment_reads_through_the_typed_client(self) -> None:
        """A deployment of another application gets the same typed result as a script does."""
        archive: DeploymentHandle = serve.run(Archive.bind(), name="archive", route_prefix=None)
        try:
            result = archive.index.remote(LETTER.read_bytes()).result(timeout_s=60)
        finally:
            serve.delete("archive")
        assert isinstance(result, OcrResult)
        assert result.pages_processed == 1
        assert result.pages[0].lines[0].words
        here = OcrClient.from_app("ocr").read_sync(LETTER.read_bytes(), words=True)
        assert here.text == result.text

    def test_a_bad_document_raises_the_services_own_error(self) -> None:
        """Errors cross the cluster as the classes that they are, with no remote traceback in them."""
        from deployments.input_errors import UnsupportedMedia

        with pytest.raises(UnsupportedMedia) as caught:
            OcrClient.from_app("ocr").read_sync(b"just text")
        assert type(caught.value) is UnsupportedMedia
        assert "Traceback" not in str(caught.value)

    def test_http_and_handle_agree(self, http: httpx.Client) -> None:
        """One graph answers both."""
        answer = http.post("/ocr", files={"file": LETTER.read_bytes()})
        assert answer.status_code == 200, answer.text
        assert answer.json()["text"] == OcrClient.from_app("ocr").read_sync(LETTER.read_bytes()).text


class TestSmallGraph:
    """A profile without the stages for structure: for text alone, and less memory."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def app(cls, cluster: object) -> Iterator[None]:
        """Neither layout nor tables."""
        start_graph()
        yield
        serve.delete("ocr")

    def test_text_is_read_and_structure_is_refused(self, http: httpx.Client) -> None:
        """The refusal says what is missing; the service does not pretend, and is ready all the same."""
        page = (FIXTURES / "letter.png").read_bytes()
        assert http.get("/health").json()["ready"] is True
        assert http.get("/health").json()["stages"].keys().isdisjoint({"layout", "table"})
        assert http.post("/ocr", files={"file": page}).status_code == 200
        answer = http.post("/structure", files={"file": page})
        assert (answer.status_code, answer.json()["code"]) == (422, "stage_not_installed")
        assert "layout" in answer.json()["detail"]
        assert http.post("/ocr", files={"file": page}).status_code == 200

    def test_stages_that_the_graph_has_not_are_refused_by_name(self, http: httpx.Client) -> None:
        """Not ignored: a caller would take the page for one without formulas."""
        page = (FIXTURES / "letter.png").read_bytes()
        answer = http.post("/structure?use_formula_recognition=true", files={"file": page})
        assert (answer.status_code, answer.json()["code"]) == (422, "stage_not_installed")
        assert "formula" in answer.json()["detail"]


class TestStagesOfTheCatalogue:
    """A profile that names models for formulas, seals and flat pages: a line of YAML each."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def app(cls, cluster: object) -> Iterator[None]:
        """All stages that there are."""
        names = {"unwarping": "UVDoc", "formula": "PP-FormulaNet_plus-S", "seal": "PP-OCRv4_mobile_seal_det"}
        stages = {name: {"model": model, "run": {"engine": "fake"}} for name, model in names.items()}
        start_graph("layout", "table", **stages)
        yield
        serve.delete("ocr")

    def test_they_are_ready_and_take_part(self, http: httpx.Client) -> None:
        """In the health, in the models of the answer, and in its times."""
        page = (FIXTURES / "letter.png").read_bytes()
        wanted = {"unwarping", "formula", "seal"}
        assert http.get("/health").json()["stages"].keys() >= wanted
        answer = http.post("/structure?unwarp=true&formulas=true&seals=true", files={"file": page})
        assert answer.status_code == 200
        assert {model["stage"] for model in answer.json()["models"]} >= wanted
        assert answer.json()["timings_ms"].keys() >= wanted
        plain = http.post("/structure", files={"file": page}).json()
        assert answer.json()["text"] == plain["text"]
        assert {model["stage"] for model in plain["models"]}.isdisjoint(wanted)
