"""One real Ray cluster for all tests of the graph; starting one takes as long as most of the tests."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from serve_app.haproxy import local_proxy

from service import find_free_port

API_KEY = "a-key-for-tests"
# Here and not in the fixture: Ray reads these when a test module imports it.
_PROXY = ExitStack()
os.environ.update(_PROXY.enter_context(local_proxy()))


@dataclass(frozen=True)
class Cluster:
    """Where the tests' cluster listens; ``keys_file`` is where its services look for keys.

    At ``files_url`` nobody listens until a test does; the services may fetch documents from there.
    """

    http_url: str
    dashboard_url: str
    keys_file: Path
    files_url: str
    logs: Path


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A local cluster that believes it has eight cores and one GPU, with Serve's proxy on a free port."""
    keys_file = tmp_path_factory.mktemp("keys") / "keys.yaml"
    keys_file.write_text("keys: []")
    files_port = find_free_port()
    files_url = f"http://127.0.0.1:{files_port}"
    os.environ.update(
        {
            "API_KEY": API_KEY,
            "API_KEYS_FILE": str(keys_file),
            "OCR_DATA_DIR": str(tmp_path_factory.mktemp("data")),
            "INPUT_HOSTS": f"{files_url}@private",
            "ALLOWED_ORIGINS": f"https://app.example.com,http://localhost:{files_port}",
            "RAY_AUTH_MODE": "disabled",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_DEDUP_LOGS": "0",
        }
    )
    import ray
    from ray import serve

    port = find_free_port()
    context = ray.init(
        address="local",
        num_cpus=8,
        num_gpus=1,
        include_dashboard=True,
        logging_level="warning",
        log_to_driver=False,
    )
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    yield Cluster(
        f"http://127.0.0.1:{port}",
        f"http://{context.dashboard_url}",
        keys_file,
        files_url,
        Path(context.address_info["session_dir"]) / "logs",
    )
    serve.shutdown()
    ray.shutdown()
    _PROXY.close()


@pytest.fixture
def http(cluster: Cluster) -> Iterator[httpx.Client]:
    """A client with the right key."""
    with httpx.Client(base_url=cluster.http_url, headers={"x-api-key": API_KEY}, timeout=120) as client:
        yield client
