"""Deploying, watching and going back, against a Serve that plays a script: the real one is in tests/serve."""

from collections.abc import Iterator
from typing import Any

import pytest

from serve_app.rollout.dashboard import DashboardError
from serve_app.rollout.deployment import Outcome, Waiting, roll_out

OLD = {"name": "ocr", "import_path": "old:app"}
NEW = {"applications": [{"name": "ocr", "import_path": "new:app"}]}


def details(
    status: str, deployed_s: float, config: Any = OLD, running: int = 2, name: str = "ocr"
) -> dict[str, Any]:
    """An answer of the dashboard with one application of one deployment of two replicas."""
    state = "HEALTHY" if status == "RUNNING" else "UPDATING"
    replicas = [{"replica_id": str(number), "state": "RUNNING"} for number in range(running)]
    application = {
        "status": status,
        "message": "why it is so",
        "last_deployed_time_s": deployed_s,
        "deployed_app_config": config,
        "deployments": {"Detection": {"status": state, "target_num_replicas": 2, "replicas": replicas}},
    }
    return {"applications": {name: application}}


class ScriptedServe:
    """Answers with one line of the script after another; the last one for ever."""

    def __init__(self, *script: Any) -> None:
        self._script = iter(script)
        self._last: Any = None
        self.configs: list[Any] = []

    def fetch_details(self) -> dict[str, Any]:
        self._last = next(self._script, self._last)
        if isinstance(self._last, Exception):
            raise self._last
        return self._last

    def put_config(self, config: Any) -> None:
        self.configs.append(config)


def run(serve: ScriptedServe, before: dict[str, Any]) -> tuple[Outcome, list[str]]:
    clock = iter(range(0, 10_000, 5))
    said: list[str] = []
    waiting = Waiting(timeout_s=200, now=lambda: next(clock), sleep=lambda _: None)
    return roll_out(serve, before, NEW, waiting, said.append), said


BEFORE = details("RUNNING", 1)


def test_it_waits_until_everything_runs_in_the_new_version() -> None:
    """The old version still runs right after the config was put, and counts for nothing."""
    serve = ScriptedServe(
        BEFORE, details("DEPLOYING", 2), details("RUNNING", 2, running=1), details("RUNNING", 2)
    )
    outcome, said = run(serve, BEFORE)
    assert outcome is Outcome.RUNNING
    assert serve.configs == [NEW]
    assert [line.split("s  ")[1] for line in said[:3]] == [
        "ocr RUNNING",
        "ocr DEPLOYING (Detection 2/2)",
        "ocr RUNNING (Detection 1/2)",
    ]


def test_a_failure_brings_back_the_config_before() -> None:
    serve = ScriptedServe(
        details("DEPLOYING", 2),
        details("DEPLOY_FAILED", 2),
        details("DEPLOY_FAILED", 2),
        details("RUNNING", 3),
    )
    outcome, said = run(serve, BEFORE)
    assert outcome is Outcome.ROLLED_BACK
    assert serve.configs == [NEW, {"applications": [OLD]}]
    assert "why it is so" in "".join(said)


def test_so_does_a_version_that_never_runs() -> None:
    def script() -> Iterator[Any]:
        yield from [details("DEPLOYING", 2)] * 41
        yield details("DEPLOYING", 2)
        yield details("RUNNING", 3)

    outcome, said = run(ScriptedServe(*script()), BEFORE)
    assert outcome is Outcome.ROLLED_BACK
    assert "did not run after 200 s" in "".join(said)


def test_where_the_config_before_fails_too_somebody_must_look() -> None:
    outcome, said = run(
        ScriptedServe(details("DEPLOY_FAILED", 2), details("DEPLOY_FAILED", 2), details("DEPLOY_FAILED", 3)),
        BEFORE,
    )
    assert outcome is Outcome.BROKEN
    assert "does not run either" in said[-1]


def test_an_application_that_is_unhealthy_for_a_moment_is_no_failure() -> None:
    """A replica that dies by itself is replaced by Serve."""
    serve = ScriptedServe(details("UNHEALTHY", 2), details("UNHEALTHY", 2), details("RUNNING", 2))
    assert run(serve, BEFORE)[0] is Outcome.RUNNING


def test_one_that_stays_unhealthy_is() -> None:
    serve = ScriptedServe(*[details("UNHEALTHY", 2)] * 15, details("RUNNING", 3))
    assert run(serve, BEFORE)[0] is Outcome.ROLLED_BACK


def test_a_silent_dashboard_is_waited_for() -> None:
    """The head restarts, or the tunnel stutters."""
    serve = ScriptedServe(*[DashboardError("silence")] * 5, details("RUNNING", 2))
    assert run(serve, BEFORE)[0] is Outcome.RUNNING


def test_but_not_for_ever() -> None:
    outcome, said = run(ScriptedServe(DashboardError("silence")), BEFORE)
    assert outcome is Outcome.BROKEN
    assert "silence" in said[-1]


def test_an_application_that_the_config_drops_must_be_gone() -> None:
    both = {
        "applications": {
            **details("RUNNING", 2)["applications"],
            **details("DELETING", 1, name="x")["applications"],
        }
    }
    serve = ScriptedServe(both, details("RUNNING", 2))
    outcome, said = run(
        serve, {"applications": {**BEFORE["applications"], **details("RUNNING", 1, name="x")["applications"]}}
    )
    assert outcome is Outcome.RUNNING
    assert "x DELETING" in said[0]


def test_what_a_program_started_is_left_alone() -> None:
    program = details("RUNNING", 1, config=None, name="other")["applications"]
    after = {"applications": {**details("RUNNING", 2)["applications"], **program}}
    assert (
        run(ScriptedServe(after), {"applications": {**BEFORE["applications"], **program}})[0]
        is Outcome.RUNNING
    )


def test_a_config_that_the_dashboard_refuses_changes_nothing() -> None:
    class Refusing(ScriptedServe):
        def put_config(self, config: Any) -> None:
            raise DashboardError("400: no", 400)

    with pytest.raises(DashboardError, match="400"):
        run(Refusing(BEFORE), BEFORE)
