"""Where the processor time of a page goes, from the service's own counters and the times of its processes."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

_STAGES = ("orientation", "detection", "recognition")
_REPLICAS = ("Orientation", "Detection", "Recognition")


@dataclass(frozen=True)
class Counters:
    """Sums over all replicas and stages since they started."""

    pages: float
    network_cpu_s: float
    worker_cpu_s: float


@dataclass(frozen=True)
class ProcessTime:
    """Processor seconds of a process since it started; Ray changes the titles of its own."""

    title: str
    seconds: float


@dataclass(frozen=True)
class Breakdown:
    """Processor seconds a page, by what they were spent on."""

    networks: float
    pre_and_post: float
    replicas: float
    ingress: float
    ray: float

    @property
    def outside_networks(self) -> float:
        """The part of the time that is not spent in networks, 0..1."""
        total = self.networks + self.pre_and_post + self.replicas + self.ingress + self.ray
        return 1 - self.networks / total if total else 0.0


def parse_counters(text: str) -> Counters:
    """Counters out of a page of metrics in Prometheus's text format."""
    sums: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = sample.name.removeprefix("ray_").removesuffix("_total")
            if name.startswith("ocr_stage_") and sample.labels.get("stage") in _STAGES:
                key = (name.removeprefix("ocr_stage_"), sample.labels["stage"])
                sums[key] = sums.get(key, 0.0) + sample.value
    return Counters(
        sums.get(("items", "detection"), 0.0),
        sum(sums.get(("network_cpu_seconds", stage), 0.0) for stage in _STAGES),
        sum(sums.get(("worker_cpu_seconds", stage), 0.0) for stage in _STAGES),
    )


def wait_for_counters(url: str, pages: float, timeout_s: float = 60.0) -> Counters:
    """Counters once that many pages are in them: Ray publishes every few seconds. Raises `TimeoutError`."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        counters = parse_counters(httpx.get(url, timeout=10).text)
        if counters.pages >= pages:
            # One period more, for those that belong to the last page.
            time.sleep(6)
            return parse_counters(httpx.get(url, timeout=10).text)
        time.sleep(1)
    raise TimeoutError(f"{url} does not count {pages} pages")


def break_down(
    before: Counters,
    after: Counters,
    cpu_before: Mapping[int, ProcessTime],
    cpu_after: Mapping[int, ProcessTime],
) -> Breakdown:
    """Processor seconds a page between two moments; processes are told apart by their ids."""
    pages = after.pages - before.pages
    nothing = ProcessTime("", 0.0)
    spent = [
        (one.title, one.seconds - cpu_before.get(number, nothing).seconds)
        for number, one in cpu_after.items()
    ]
    replicas = sum(s for title, s in spent if any(f":{name}" in title for name in _REPLICAS))
    ingress = sum(s for title, s in spent if ":Ingress" in title or ":Renderer" in title)
    networks = after.network_cpu_s - before.network_cpu_s
    workers = after.worker_cpu_s - before.worker_cpu_s
    return Breakdown(
        networks / pages,
        (workers - networks) / pages,
        (replicas - workers) / pages,
        ingress / pages,
        (sum(seconds for _, seconds in spent) - replicas - ingress) / pages,
    )
