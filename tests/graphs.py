"""The graph on the tests' cluster, no larger than a test needs: each replica takes seconds to start."""

from typing import Any

from ray import serve

from configs.profile import OPTIONAL_STAGES, AppArgs
from serve_app.app import build

# Stages that the CPU profile has and that a graph can do without.
_OPTIONAL = (*OPTIONAL_STAGES, "documents", "extraction", "jobs")
_ONE = {"replicas": {"num_replicas": 1}}


def make_args(*stages: str, engine: str | None = "fake", **overrides: Any) -> AppArgs:
    """The CPU profile with one recogniser, and of its optional ``stages`` those that are named."""
    left_out = {name: None for name in _OPTIONAL if name not in stages}
    return AppArgs(profile="cpu", engine=engine, overrides={"recognition": _ONE, **left_out, **overrides})


def start_graph(*stages: str, engine: str | None = "fake", **overrides: Any) -> None:
    """Run it as application ``ocr`` at the root until each replica is there."""
    args = make_args(*stages, engine=engine, **overrides)
    serve.run(build(args), name="ocr", route_prefix="/")
