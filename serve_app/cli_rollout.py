"""`ocr-serve diff` and `ocr-serve deploy`: what a new config would do to a cluster, and doing it."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from serve_app.rollout.aws_head import AwsFault, Environment
from serve_app.rollout.changes import LiveReplicas, Rollout
from serve_app.rollout.compare import compare_plans
from serve_app.rollout.dashboard import DEFAULT_ADDRESS, Dashboard, DashboardError, read_token
from serve_app.rollout.deployment import Outcome, Waiting, roll_out
from serve_app.rollout.live import count_live, list_programs, plan_live, read_progress, without_programs
from serve_app.rollout.options import Effect
from serve_app.rollout.plan import ClusterSize, Plan, plan_config
from serve_app.rollout.reading import Config, ConfigFault, read_config
from serve_app.rollout.text import describe_rollout
from serve_app.rollout.tunnel import open_tunnel

_FAULTS = (ConfigFault, DashboardError, AwsFault)


def add_rollout_parsers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands `diff` and `deploy`."""
    comparing = commands.add_parser(
        "diff",
        help="what a change of the Serve config does to each deployment",
        description="Exit status: 0 nothing changes, 1 something does, 2 a config is wrong or out of reach.",
    )
    for name in ("old", "new"):
        comparing.add_argument(name, help="a YAML file, `live`, or http://HOST:8265 for what runs there")
    comparing.add_argument("--json", action="store_true", help="one JSON document instead of text")
    comparing.add_argument(
        "--cpus", type=int, help="size of the cluster; default: as live, else this machine"
    )
    comparing.add_argument("--gpus", type=float, help="the same for GPUs")
    deploying = commands.add_parser(
        "deploy",
        help="show the difference, deploy, wait until it runs or go back",
        description="Exit status: 0 it runs, 1 it failed and the config before runs again, 2 nothing was "
        "done: wrong config or no cluster, 3 nothing was done: a rollout is under way or nobody agreed, "
        "4 it failed and the config before does not run (yet) either.",
    )
    deploying.add_argument("config", type=Path, help="the YAML file")
    deploying.add_argument("--yes", action="store_true", help="do not ask")
    deploying.add_argument("--force", action="store_true", help="even while another rollout is under way")
    deploying.add_argument(
        "--timeout", type=float, default=900.0, metavar="S", help="how long it may take to run (default: 900)"
    )
    for parser in (comparing, deploying):
        where = parser.add_mutually_exclusive_group()
        where.add_argument(
            "--address",
            metavar="URL",
            default=os.environ.get("RAY_DASHBOARD_ADDRESS", DEFAULT_ADDRESS),
            help="Ray's dashboard (default: RAY_DASHBOARD_ADDRESS or %(default)s)",
        )
        where.add_argument("--env", metavar="NAME", help="an environment of terraform/, through a tunnel")
        parser.add_argument("--project", default="ocr", help="project_name of that environment")
        parser.add_argument(
            "--region",
            default=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "ap-northeast-2",
            help="its region (default: AWS_REGION or ap-northeast-2)",
        )


def run_diff(args: argparse.Namespace) -> int:
    """Print what changes; the exit status."""
    with ExitStack() as stack:
        try:
            old, new = (_Side(name, args, stack) for name in (args.old, args.new))
            size = _choose_size(args, old, new)
            plans = old.plan(size), new.plan(size)
            # What a program started stays, whatever a config says, unless it takes the name.
            rollout = compare_plans(
                without_programs(plans[0], old.programs(), frozenset(plans[1].applications)),
                without_programs(plans[1], new.programs(), frozenset(plans[0].applications)),
                old.live(),
            )
        except (*_FAULTS, OSError) as error:
            return _complain(error)
    if args.json:
        print(json.dumps(rollout.as_json(), indent=1))
    else:
        print(describe_rollout(rollout))
    return int(rollout.effect is not Effect.NOTHING)


def run_deploy(args: argparse.Namespace) -> int:
    """Compare, ask, deploy, wait; the exit status."""
    try:
        config = _read_valid(args.config)
        with ExitStack() as stack:
            dashboard = _open_dashboard(args, stack)
            return int(_deploy(dashboard, config, args))
    except (*_FAULTS, OSError) as error:
        return _complain(error)


def _deploy(dashboard: Dashboard, config: Config, args: argparse.Namespace) -> Outcome:
    details = dashboard.fetch_details()
    progress = read_progress(details)
    for one in progress:
        if one.is_busy and not args.force:
            _say(f"A rollout is under way: {one.name} is {one.status}. Wait for it, or use --force.")
            return Outcome.REFUSED
    size = dashboard.fetch_size()
    rollout = _compare_live(details, config, size, str(args.config))
    print(describe_rollout(rollout), flush=True)
    unwell = [one for one in progress if one.has_failed]
    if rollout.effect is Effect.NOTHING and not unwell:
        _say("There is nothing to do.")
        return Outcome.RUNNING
    for one in unwell:
        _say(f"Note: {one.name} is {one.status} now; going back would lead there again.")
    if not args.yes and not _agrees(dashboard.address):
        _say("Nothing was done.")
        return Outcome.REFUSED
    try:
        return roll_out(dashboard, details, config, Waiting(args.timeout), _say)
    except KeyboardInterrupt:
        _say("\nServe goes on without us: `ocr-serve diff live FILE` shows how far it is.")
        return Outcome.REFUSED


def _compare_live(details: dict[str, Any], config: Config, size: ClusterSize, source: str) -> Rollout:
    new = plan_config(config, size, source)
    old = without_programs(plan_live(details, size), list_programs(details), frozenset(new.applications))
    return compare_plans(old, new, count_live(details, size))


class _Side:
    """One of the two configs: a file, or what runs at an address."""

    def __init__(self, name: str, args: argparse.Namespace, stack: ExitStack) -> None:
        self._name = name
        self._details: dict[str, Any] | None = None
        self.size: ClusterSize | None = None
        if name == "live" or name.startswith(("http://", "https://")):
            dashboard = _open_dashboard(args, stack) if name == "live" else Dashboard(name, read_token())
            self._details = dashboard.fetch_details()
            self.size = dashboard.fetch_size()
        else:
            self._config = _read_valid(Path(name))

    def plan(self, size: ClusterSize) -> Plan:
        """What it stands for on a cluster of this size."""
        if self._details is not None:
            return plan_live(self._details, size)
        return plan_config(self._config, size, self._name)

    def programs(self) -> frozenset[str]:
        """Applications there that no config has started."""
        return frozenset() if self._details is None else list_programs(self._details)

    def live(self) -> LiveReplicas:
        """The replicas that run, where it is a cluster."""
        return LiveReplicas({}) if self._details is None else count_live(self._details, self.size)


def _choose_size(args: argparse.Namespace, *sides: _Side) -> ClusterSize:
    found = next((side.size for side in sides if side.size), ClusterSize(os.cpu_count() or 1))
    return ClusterSize(
        found.cpus if args.cpus is None else args.cpus, found.gpus if args.gpus is None else args.gpus
    )


def _read_valid(path: Path) -> Config:
    """A config without unknown keys that Ray's own schema takes as well."""
    config = read_config(path)
    # Late: Ray takes seconds to import.
    from pydantic import ValidationError
    from ray.serve.schema import ServeDeploySchema

    try:
        # A copy: the schema's validators write into what they are given.
        ServeDeploySchema.model_validate(json.loads(json.dumps(config)))
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_url=False)
        ]
        raise ConfigFault(str(path), faults) from None
    except TypeError as error:
        raise ConfigFault(str(path), [f"this is not plain data: {error}"]) from None
    return config


def _open_dashboard(args: argparse.Namespace, stack: ExitStack) -> Dashboard:
    if args.env is None:
        return Dashboard(args.address, read_token())
    return stack.enter_context(_tunnelled(args))


@contextmanager
def _tunnelled(args: argparse.Namespace) -> Iterator[Dashboard]:
    environment = Environment.of(args.env, args.project, args.region)
    head, token = environment.find_head(), environment.fetch_token()
    _say(f"Opening a session to the head of {environment.name} ...")
    with open_tunnel(head) as address:
        yield Dashboard(address, token)


def _agrees(address: str) -> bool:
    if not sys.stdin.isatty():
        _say("Nobody is there to agree: use --yes.")
        return False
    return input(f"Deploy this to {address}? [y/N] ").strip().lower() in ("y", "yes")


def _complain(error: Exception) -> int:
    print(error, file=sys.stderr)
    return int(Outcome.WRONG)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
