"""A deployment from beginning to end: put the config, wait until everything runs, or go back."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

from serve_app.rollout.dashboard import DashboardError
from serve_app.rollout.live import Progress, list_programs, read_config_of, read_progress
from serve_app.rollout.reading import Config

_POLL_S = 1.0
# A replica that dies by itself meanwhile makes its application unhealthy until Serve has replaced it.
_UNHEALTHY_PATIENCE_S = 60.0
# The head may restart, a tunnel may hang for a moment.
_SILENCE_PATIENCE_S = 60.0
_MAX_MESSAGE = 1500

Say = Callable[[str], None]


class Outcome(IntEnum):
    """How a deployment ended; the exit status of `ocr-serve deploy`."""

    RUNNING = 0
    ROLLED_BACK = 1
    # Nothing was changed: the config or the cluster is wrong (2), or somebody must agree first (3).
    WRONG = 2
    REFUSED = 3
    # The previous config is asked for again, but it does not run (yet): somebody must look.
    BROKEN = 4


class ServeApi(Protocol):
    """What is needed of `Dashboard`."""

    def fetch_details(self) -> dict[str, Any]:
        """What Serve does now."""
        ...

    def put_config(self, config: Config) -> None:
        """Have Serve work towards this config."""
        ...


@dataclass(frozen=True)
class Waiting:
    """How long to wait for a version to run, and how to read the clock."""

    timeout_s: float
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def roll_out(api: ServeApi, before: Mapping[str, Any], config: Config, waiting: Waiting, say: Say) -> Outcome:
    """Deploy ``config`` where Serve's details were ``before``; go back where it does not come to run.

    Raises `DashboardError` when the config is refused at once: then nothing has changed.
    """
    previous = read_config_of(before)
    fault = _deploy(api, before, config, waiting, say)
    if fault is None:
        say("Everything runs.")
        return Outcome.RUNNING
    say(f"It does not come to run: {fault}")
    say("Going back to the config before ...")
    try:
        fault = _deploy(api, api.fetch_details(), previous, waiting, say)
    except DashboardError as error:
        fault = str(error)
    if fault is not None:
        say(f"The config before does not run either: {fault}")
        return Outcome.BROKEN
    say("The config before runs again.")
    return Outcome.ROLLED_BACK


def _deploy(
    api: ServeApi, before: Mapping[str, Any], config: Config, waiting: Waiting, say: Say
) -> str | None:
    """None when it runs, else why it does not."""
    api.put_config(config)
    watch = _Watch(api, before, config, waiting, say)
    return watch.wait()


class _Watch:
    """Looks at Serve until it has arrived, has failed or has had its time."""

    def __init__(
        self, api: ServeApi, before: Mapping[str, Any], config: Config, waiting: Waiting, say: Say
    ) -> None:
        self._api, self._config, self._waiting, self._say = api, config, waiting, say
        applications = before.get("applications", {})
        self._deployed_s = {name: one.get("last_deployed_time_s", 0) for name, one in applications.items()}
        self._programs = list_programs(before)
        self._start = waiting.now()
        self._heard = self._start
        self._unhealthy_since: float | None = None
        self._said = ""

    def wait(self) -> str | None:
        """None when everything runs, else why not."""
        names = {application.get("name", "default") for application in self._config["applications"]}
        while True:
            now = self._waiting.now()
            try:
                details = self._api.fetch_details()
                self._heard = now
            except DashboardError as error:
                if now - self._heard > _SILENCE_PATIENCE_S:
                    return str(error)
            else:
                progress = [one for one in read_progress(details) if self._counts(one, names)]
                self._report(progress, now)
                if fault := self._find_fault(progress, now):
                    return fault
                if self._has_arrived(details, progress, names):
                    return None
            if now - self._start > self._waiting.timeout_s:
                return f"it did not run after {self._waiting.timeout_s:.0f} s"
            self._waiting.sleep(_POLL_S)

    def _counts(self, progress: Progress, names: set[str]) -> bool:
        # What other programs run is none of our business, unless we take its place.
        return progress.name in names or progress.name not in self._programs

    def _has_arrived(self, details: Mapping[str, Any], progress: list[Progress], names: set[str]) -> bool:
        applications = details["applications"]
        is_new = all(
            applications[one.name].get("last_deployed_time_s", 0) != self._deployed_s.get(one.name)
            for one in progress
        )
        return is_new and {one.name for one in progress} == names and all(one.is_running for one in progress)

    def _find_fault(self, progress: list[Progress], now: float) -> str | None:
        failed = [one for one in progress if one.has_failed]
        final = [one for one in failed if one.status == "DEPLOY_FAILED"]
        if not failed:
            self._unhealthy_since = None
        elif self._unhealthy_since is None:
            self._unhealthy_since = now
        if final or (failed and now - (self._unhealthy_since or now) > _UNHEALTHY_PATIENCE_S):
            return "\n".join(f"{one.name}: {one.status}: {_cut(one.message)}" for one in final or failed)
        return None

    def _report(self, progress: list[Progress], now: float) -> None:
        text = "; ".join(
            f"{one.name} {one.status}" + (f" ({', '.join(one.waiting)})" if one.waiting else "")
            for one in progress
        )
        if text != self._said:
            self._said = text
            self._say(f"{now - self._start:5.0f} s  {text}")


def _cut(message: str) -> str:
    message = message.strip()
    return message if len(message) <= _MAX_MESSAGE else f"... {message[-_MAX_MESSAGE:]}"
