"""What the simulation is told: service times with their sources, node start times, prices, scenarios."""

from bisect import bisect_left
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

HERE = Path(__file__).parent


class Given(BaseModel):
    """Something that stands in a file of parameters; unknown names are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def list_assumptions(self) -> list[tuple[str, str]]:
        """Names and sources of all figures in it that nobody measured."""
        return [
            (name, figure.source.removeprefix("assumption: "))
            for name, figure in _walk(self, "")
            if figure.source.startswith("assumption")
        ]


class Figure(Given):
    """A number, and where it is from: the command that measured it, or `assumption` with the reason."""

    value: float = Field(ge=0.0)
    source: str = Field(min_length=10)


class Curve(Given):
    """Milliseconds of one run by the number of items in it, linear between the points."""

    ms_by_items: dict[int, float] = Field(min_length=1)
    source: str = Field(min_length=10)

    @model_validator(mode="after")
    def _rise(self) -> Self:
        times = [self.ms_by_items[items] for items in sorted(self.ms_by_items)]
        if min(self.ms_by_items) < 1 or times[0] <= 0.0 or sorted(times) != times:
            raise ValueError("a run of more items must not be shorter, and no run is free")
        return self

    def seconds(self, items: float) -> float:
        """How long a run takes. Beyond the last point each item costs what it costs there on average."""
        sizes = sorted(self.ms_by_items)
        if items >= sizes[-1]:
            return self.ms_by_items[sizes[-1]] * items / sizes[-1] / 1000
        if items <= sizes[0]:
            return self.ms_by_items[sizes[0]] / 1000
        above = bisect_left(sizes, items)
        low, high = sizes[above - 1], sizes[above]
        share = (items - low) / (high - low)
        return (self.ms_by_items[low] * (1 - share) + self.ms_by_items[high] * share) / 1000


class StageTimes(Given):
    """What a page, or for the recogniser a line, costs at a stage.

    ``cpu_ms`` is processor time an item, ``threads`` the cores that it keeps busy meanwhile; ``gpu`` is the
    time of the GPU for a run of several.
    """

    cpu_ms: Figure
    threads: Figure | None = None
    gpu: Curve | None = None


class PageKind(Given):
    """How pages differ: lines follow a log-normal distribution, cut off at both ends."""

    lines_mean: Figure
    lines_sigma: Figure
    lines_most: Figure
    pixels: Figure


class Node(Given):
    """A machine that runs the graph of one profile.

    ``background_ms`` is processor time a page for which nobody waits, ``idle_ms`` a wait without any.
    """

    name: str
    profile: str
    cores: int
    core_speed: Figure
    gpus: int = 0
    gpu_speed: Figure = Figure(value=1.0, source="assumption: times are those of this GPU")
    page: PageKind
    request: StageTimes
    background_ms: Figure
    idle_ms: Figure
    orientation: StageTimes
    detection: StageTimes
    recognition: StageTimes


class Start(Given):
    """What passes, in seconds, between the wish for a worker and its first page."""

    provider_s: Figure
    boot_s: Figure
    pull_s: Figure
    join_s: Figure
    warm_up_s: Figure

    @property
    def total_s(self) -> float:
        """All of it."""
        parts: list[Figure] = [getattr(self, name) for name in type(self).model_fields]
        return sum(part.value for part in parts)


class Prices(Given):
    """US dollars an hour."""

    worker_usd: Figure
    spot_share_of_price: Figure
    disk_usd: Figure
    fixed_usd: Figure
    capacity_unit_usd: Figure
    gb_per_page: Figure


class Spot(Given):
    """How spot instances are lost."""

    losses_per_node_hour: Figure
    drain_s: Figure


class Scenario(Given):
    """A day of callers and the fleet that serves them.

    ``gpu_speed`` and ``core_speed`` are beside those of the node's file; ``targets`` and the factors
    take the place of what cluster/serve-config.aws.yaml says, to try other settings.
    """

    name: str
    drawn: bool = False
    peak_pages_per_s: float = Field(gt=0.0)
    night_share: float = Field(gt=0.0, le=1.0)
    bursts: int = Field(ge=0)
    burst_factor: float = Field(ge=1.0)
    burst_s: float = Field(gt=0.0)
    pages_per_document: dict[int, float]
    min_workers: int = Field(ge=1)
    max_workers: int = Field(ge=1)
    spot_percent: int = Field(ge=0, le=100)
    gpu_speed: float = Field(default=1.0, gt=0.0)
    core_speed: float = Field(default=1.0, gt=0.0)
    mass_loss_hour: float | None = None
    mass_loss_share: float = Field(default=0.0, ge=0.0, le=1.0)
    targets: dict[str, float] = {}
    upscaling_factor: float = Field(default=1.0, gt=0.0, le=1.0)
    downscaling_factor: float = Field(default=1.0, gt=0.0, le=1.0)


class Plan(Given):
    """Everything that `make capacity` runs."""

    node: str
    start: Start
    spot: Spot
    prices: Prices
    scenarios: list[Scenario]


def load_node(name: str) -> Node:
    """A file of `nodes/`."""
    return Node.model_validate(_read(HERE / "nodes" / f"{name}.yaml"))


def load_plan(path: Path = HERE / "plan.yaml") -> Plan:
    """The scenarios and what they share."""
    raw = _read(path)
    usual = raw.pop("usual", {})
    raw["scenarios"] = [{**usual, **scenario} for scenario in raw["scenarios"]]
    return Plan.model_validate(raw)


def _read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text())
    return loaded


def _walk(given: Given, prefix: str) -> list[tuple[str, Figure | Curve]]:
    found: list[tuple[str, Figure | Curve]] = []
    for name in type(given).model_fields:
        value = getattr(given, name)
        if name not in given.model_fields_set:
            continue
        if isinstance(value, Figure | Curve):
            found.append((prefix + name, value))
        elif isinstance(value, Given):
            found += _walk(value, f"{prefix}{name}.")
    return found
