"""Callers of the service: a closed loop of so many, who come again when they are told to."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from accuracy import PlacedText
from breakdown import ProcessTime
from rounds import Round
from service import Service

_MIB = 1024 * 1024


class Callers:
    """Sends pages over HTTP and keeps what was read.

    ``refused`` counts the answers 503; a page's time is that of the answer which had its text.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self.texts: dict[str, list[PlacedText]] = {}
        self.refused = 0
        self.sent = 0

    def read_all(self, paths: Sequence[Path], concurrency: int) -> Round:
        """Every page once, by so many callers at a time."""
        pages = [(str(path), path.read_bytes()) for path in paths]
        with self._service.client() as client, ThreadPoolExecutor(concurrency) as pool:

            def read(page: tuple[str, bytes]) -> float:
                name, data = page
                while True:
                    start = time.perf_counter()
                    answer = client.post("/ocr", files={"file": data})
                    elapsed_s = time.perf_counter() - start
                    if answer.status_code != 503:
                        break
                    self.refused += 1
                    time.sleep(int(answer.headers["retry-after"]))
                answer.raise_for_status()
                self.texts[name] = [
                    PlacedText(line["text"], line["quad"])
                    for page in answer.json()["pages"]
                    for line in page["lines"]
                ]
                return elapsed_s

            cpu_before_s, start = sum_cpu_s(self._service), time.perf_counter()
            page_s = list(pool.map(read, pages))
            elapsed_s = time.perf_counter() - start
        self.sent += len(pages)
        cpu_s = sum_cpu_s(self._service) - cpu_before_s
        return Round(page_s, elapsed_s, cpu_s, self._service.memory_bytes() / _MIB)


def count_cpu(service: Service) -> dict[int, ProcessTime]:
    """Processor time of each process of the service's tree so far, by process id."""
    spent = {}
    for process in [service.process, *service.process.children(recursive=True)]:
        try:
            times, command = process.cpu_times(), process.cmdline()
        except psutil.NoSuchProcess:
            continue
        title = command[0] if command else process.name()
        spent[process.pid] = ProcessTime(title, times.user + times.system)
    return spent


def sum_cpu_s(service: Service) -> float:
    """Processor seconds of the service's whole tree so far."""
    return sum(one.seconds for one in count_cpu(service).values())
