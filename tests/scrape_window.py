"""Scrapes of a service under made-up load, in the form of Ray's own export: known figures, known charts."""

import random

from serve_app.report.scrapes import format_scrape

START_S = 1_795_826_700.0
EVERY_S = 5.0
BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
STAGES = {"detection": (0.02, 0.08), "recognition": (0.05, 0.22), "orientation": (0.004, 0.01)}


def make_window(scrapes: int = 25, seed: int = 7, restart_at: int | None = None) -> str:
    """Two replicas of the ingress; the second starts anew, its counters at 0, at scrape ``restart_at``."""
    chance = random.Random(seed)
    replicas = [_Replica(chance), _Replica(chance)]
    texts = []
    for number in range(scrapes):
        if number == restart_at:
            replicas[1] = _Replica(chance)
        for replica in replicas:
            replica.work(number)
        text = "\n".join(
            line
            for index, replica in enumerate(replicas)
            for line in replica.export(f"replica{index}", index)
        )
        texts.append(format_scrape(START_S + number * EVERY_S, _group(text)))
    return "".join(texts)


def _group(text: str) -> str:
    """Samples of one metric stand together in an export."""
    return "\n".join(sorted(text.splitlines(), key=lambda line: line.partition("{")[0].partition(" ")[0]))


class _Replica:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._counts: dict[str, float] = {}
        self._in_flight = 0
        self._stages = dict(STAGES)

    def work(self, number: int) -> None:
        """Five seconds of requests; the load rises and falls."""
        requests = 20 + 10 * (number % 12) // 2
        self._in_flight = requests // 6
        for _ in range(requests):
            failed = self._chance.random() < (0.12 if 12 <= number < 15 else 0.004)
            status = "503" if failed else "200"
            route = "/ocr" if self._chance.random() < 0.8 else "/structure"
            self._add(f'ocr_requests_total{{METHOD,route="{route}",status="{status}"}}')
            seconds = self._chance.lognormvariate(-0.9 + 0.03 * (number % 12), 0.5)
            for bound in (*map(str, BOUNDS), "+Inf"):
                self._add(
                    f'ocr_request_seconds_bucket{{route="{route}",le="{bound}"}}',
                    float(seconds <= float(bound)),
                )
            if failed:
                self._add(f'ocr_errors_total{{route="{route}",code="busy"}}')
                self._add("ocr_admission_refusals_total")
                continue
            self._add('ocr_pages_total{outcome="read"}')
            self._add("ocr_lines_total", self._chance.randint(10, 60))
            self._work_stages()

    def _work_stages(self) -> None:
        for stage, (queue_s, network_s) in self._stages.items():
            label = f'stage="{stage}"'
            self._add(f"ocr_stage_items_total{{{label}}}")
            self._add(f"ocr_stage_batches_total{{{label}}}", 0.5)
            self._add(f"ocr_stage_runs_total{{{label}}}", 3)
            self._add(f"ocr_stage_network_cpu_seconds_total{{{label}}}", network_s)
            parts = {
                "queue": queue_s,
                "batch_wait": 0.002,
                "pre": network_s / 10,
                "network": network_s,
                "post": network_s / 20,
            }
            for part, seconds in parts.items():
                self._add(f'ocr_stage_seconds_total{{{label},part="{part}"}}', seconds)
        for kind, pixels in (("content", 900_000), ("padding", 100_000)):
            self._add(f'ocr_stage_pixels_total{{stage="recognition",kind="{kind}"}}', pixels)

    def export(self, replica: str, index: int) -> list[str]:
        """The text that Ray's agent would show of it."""
        lines = [
            f"ocr_requests_in_flight {self._in_flight}",
            f"ocr_admission_wait_seconds {self._in_flight / 20}",
        ]
        memory = {stage: 300 + 80 * number + index * 15 for number, stage in enumerate(self._stages)}
        lines += [
            f'ocr_replica_memory_bytes{{stage="{stage}",kind="private"}} {mib * 2**20}'
            for stage, mib in memory.items()
        ]
        lines += [f"{name} {value}" for name, value in self._counts.items()]
        return [_label(line, replica) for line in lines]

    def _add(self, name: str, amount: float = 1.0) -> None:
        self._counts[name] = self._counts.get(name, 0.0) + amount


def _label(line: str, replica: str) -> str:
    own = f'WorkerId="{replica}"'
    line = line.replace("METHOD", 'method="POST"')
    name, brace, rest = line.partition("{")
    if brace:
        return f"ray_{name}{{{own},{rest}"
    name, _, value = line.partition(" ")
    return f"ray_{name}{{{own}}} {value}"
