"""How nodes follow the load: Serve's replicas, the workers that they need, and what AWS does about it.

The same rules as in the cluster: `autoscaling_config` of cluster/serve-config.aws.yaml, `count_workers` of
cluster/report_capacity.py, and target tracking at 100 % as terraform/modules/ray_service/scaling.tf sets it.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from configs.profile import AppArgs, load_profile

from report_capacity import Replica, count_workers

CLUSTER = Path(__file__).parent.parent
# Ray counts resources in ten-thousandths.
_UNITS = 10_000
# How often replicas tell Serve of their calls, and over how long it averages (Ray's defaults).
REPORT_S, LOOK_BACK_S = 10, 30
# Application Auto Scaling makes its alarms of these many minutes over the target, or under nine tenths of it.
_MINUTES_OVER, _MINUTES_UNDER, _UNDER = 3, 15, 0.9


@dataclass
class ReplicaScaler:
    """Serve's rule for one deployment: as many replicas as calls under way, divided by the target, want.

    The factors are Serve's `upscaling_factor` and `downscaling_factor`: the part of the way gone at once.
    """

    target: float
    least: int
    most: int
    up_after_s: float
    down_after_s: float
    up_factor: float = 1.0
    down_factor: float = 1.0
    wanted: int = 0
    _since_s: float = 0.0
    _direction: int = 0
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=LOOK_BACK_S // REPORT_S))

    def __post_init__(self) -> None:
        self.wanted = self.least

    def observe(self, ongoing: float, now_s: float) -> None:
        """Take one report. A change is made when it has been wanted without a break for long enough."""
        self._recent.append(ongoing)
        mean = sum(self._recent) / len(self._recent)
        desired = mean / self.target
        factor = self.up_factor if desired > self.wanted else self.down_factor
        desired = self.wanted + (desired - self.wanted) * factor
        desired = max(self.least, min(self.most, math.ceil(desired)))
        direction = (desired > self.wanted) - (desired < self.wanted)
        if direction != self._direction:
            self._direction, self._since_s = direction, now_s
        delay_s = self.up_after_s if direction > 0 else self.down_after_s
        if direction and now_s - self._since_s >= delay_s:
            self.wanted, self._direction = desired, 0


@dataclass
class TargetTracking:
    """Application Auto Scaling: holds wanted / asked-for workers at 100 %."""

    least: int
    most: int
    out_cooldown_s: float
    in_cooldown_s: float
    asked: int = 0
    _ratios: deque[float] = field(default_factory=lambda: deque(maxlen=_MINUTES_UNDER))
    _changed_s: float = -math.inf

    def __post_init__(self) -> None:
        self.asked = self.least

    def observe(self, wanted: int, now_s: float) -> None:
        """Take one minute's figure."""
        self._ratios.append(wanted / self.asked)
        last = list(self._ratios)[-_MINUTES_OVER:]
        since_s = now_s - self._changed_s
        is_over = len(last) == _MINUTES_OVER and min(last) > 1.0
        is_under = len(self._ratios) == _MINUTES_UNDER and max(self._ratios) < _UNDER
        if (is_over and since_s >= self.out_cooldown_s) or (is_under and since_s >= self.in_cooldown_s):
            asked = max(self.least, min(self.most, math.ceil(self.asked * last[-1])))
            if asked != self.asked:
                self.asked, self._changed_s = asked, now_s
                self._ratios.clear()


@dataclass(frozen=True)
class Deployment:
    """What one deployment takes, and how it scales; one without ``autoscaling`` stays as it is."""

    name: str
    replicas: int
    cpus: float
    gpus: float
    max_per_node: int | None = None
    autoscaling: Mapping[str, Any] | None = None


def read_deployments(profile: str) -> list[Deployment]:
    """The graph of a profile as cluster/serve-config.aws.yaml deploys it."""
    config = yaml.safe_load((CLUSTER / "serve-config.aws.yaml").read_text())
    told = {entry["name"]: entry for entry in config["applications"][0]["deployments"]}
    loaded = load_profile(AppArgs(profile=profile), cluster_gpus=1.0, environment={})
    found = []
    for name in type(loaded).model_fields:
        options = getattr(getattr(loaded, name), "replicas", None)
        if options is None:
            continue
        entry = told.get(name.capitalize(), {})
        count = options.num_replicas if isinstance(options.num_replicas, int) else 1
        found.append(
            Deployment(
                name,
                count,
                options.num_cpus,
                options.num_gpus,
                entry.get("max_replicas_per_node"),
                entry.get("autoscaling_config"),
            )
        )
    return found


class WorkerCount:
    """How many workers wanted replicas need, with the answer kept for counts seen before."""

    def __init__(self, deployments: list[Deployment], cpus: float, gpus: float) -> None:
        self._deployments = deployments

        @lru_cache(maxsize=10_000)
        def count(counts: tuple[int, ...]) -> int:
            replicas = [
                Replica(part.name, round(part.cpus * _UNITS), round(part.gpus * _UNITS), part.max_per_node)
                for part, number in zip(deployments, counts, strict=True)
                for _ in range(number)
            ]
            return count_workers(replicas, cpus, gpus)

        self._count = count

    def __call__(self, wanted: Mapping[str, int]) -> int:
        """Workers for so many replicas of each deployment; those not named stay as the profile has them."""
        return self._count(tuple(wanted.get(part.name, part.replicas) for part in self._deployments))
