"""What a rollout does, as data: one record a deployment, an application, and all of them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from serve_app.rollout.options import Effect

# From least to most: what stands for several changes is the one that does most.
_ORDER = tuple(Effect)


@dataclass(frozen=True)
class Reason:
    """A value that changes, and what that does; None stands for a value that is not there."""

    path: str
    old: Any
    new: Any
    effect: Effect


@dataclass(frozen=True)
class DeploymentChange:
    """What happens to the replicas of a deployment; counts are None where only the code knows them.

    ``at_a_time`` replicas stop at once, or ``surge`` successors start before any stops.
    """

    name: str
    effect: Effect
    before: int | None
    after: int | None
    kept: int | None
    stopped: int | None
    started: int | None
    at_a_time: int = 0
    surge: int = 0
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ApplicationChange:
    """What happens to an application. ``reasons`` are its own; those of its deployments stand with them."""

    name: str
    effect: Effect
    reasons: tuple[Reason, ...]
    deployments: tuple[DeploymentChange, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rollout:
    """What happens to everything; ``notes`` are about Serve itself."""

    applications: tuple[ApplicationChange, ...]
    notes: tuple[str, ...] = ()

    @property
    def effect(self) -> Effect:
        """What the greatest of the changes does."""
        return strongest(application.effect for application in self.applications)

    def as_json(self) -> dict[str, Any]:
        """Plain data, the form of `ocr-serve diff --json`."""
        return {"effect": str(self.effect), **asdict(self)}


def strongest(effects: Any) -> Effect:
    """Of several effects the one that does most; nothing of none."""
    return max(effects, key=_ORDER.index, default=Effect.NOTHING)


@dataclass(frozen=True)
class LiveReplicas:
    """How many replicas a running cluster has of each deployment, by application.

    ``free`` is what is left on the cluster by Ray's bookkeeping (`num_cpus`, `num_gpus`), None where unknown.
    """

    counts: Mapping[str, Mapping[str, int]]
    free: Mapping[str, float] | None = None

    def count(self, application: str, deployment: str) -> int | None:
        """None for a deployment that does not run."""
        return self.counts.get(application, {}).get(deployment)

    def names(self, application: str) -> frozenset[str]:
        """The deployments that run."""
        return frozenset(self.counts.get(application, {}))
