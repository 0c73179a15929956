"""Callers who leave, requests that take too long, and more of them than can be served."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from ray import serve

from graphs import start_graph
from paths import FIXTURES

pytestmark = pytest.mark.serve

ONE_LINE = (FIXTURES / "one_line.png").read_bytes()
PAGE = (FIXTURES / "letter.png").read_bytes()
# A line takes a good tenth of a second and a page some seconds, on the only recogniser.
SLOW = {"replicas": {"num_replicas": 1}, "run": {"fake_delay_ms": 150}}


class Counters:
    """What the only replica of the recogniser has done."""

    def __init__(self) -> None:
        self._handle = serve.get_deployment_handle("Recognition", "ocr")

    def read(self) -> dict[str, float]:
        """Its counters now."""
        usage: dict[str, float] = self._handle.describe.remote().result(timeout_s=30).usage
        return usage

    def wait_for(self, counter: str, at_least: float) -> dict[str, float]:
        """Its counters as soon as one of them is so high; bounded."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            usage = self.read()
            if usage[counter] >= at_least:
                return usage
            time.sleep(0.02)
        raise TimeoutError(f"{counter} stayed below {at_least}")


class TestUnwantedWork:
    """One slow recogniser, whose runs are counted."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def app(cls, cluster: object) -> Iterator[None]:
        """The application under test."""
        start_graph(recognition=SLOW)
        yield
        serve.delete("ocr")

    @pytest.fixture
    def counters(self) -> Counters:
        """The recogniser's."""
        return Counters()

    @pytest.fixture
    def runs_of_a_page(self, http: httpx.Client, counters: Counters) -> int:
        """Runs of the network that the page takes when it is read to the end."""
        before = counters.read()["runs"]
        assert http.post("/ocr", files={"file": PAGE}).status_code == 200
        return int(counters.read()["runs"] - before)

    def test_a_client_who_leaves_costs_no_more_network_time(
        self, cluster, http: httpx.Client, counters: Counters, runs_of_a_page: int
    ) -> None:
        """Neither the lines of the page under way that are not read yet, nor the page in the queue."""
        assert runs_of_a_page > 15
        before = counters.read()
        first, second = (open_request(cluster.http_url), open_request(cluster.http_url))
        seen = counters.wait_for("runs", before["runs"] + 1)
        first.close()
        second.close()
        # The next page is read after whatever is left of the two.
        assert http.post("/ocr", files={"file": PAGE}).status_code == 200
        after = counters.read()
        assert after["runs"] - seen["runs"] <= runs_of_a_page + runs_of_a_page // 2
        assert after["items"] == before["items"] + 1
        assert after["dropped"] == before["dropped"] + 2

    def test_none_of_many_clients_who_leave_is_missed(
        self, cluster, http: httpx.Client, counters: Counters
    ) -> None:
        """Whether the proxy had used its connection to the service before or not."""
        for _ in range(6):
            assert http.post("/ocr", files={"file": ONE_LINE}).status_code == 200
            before = counters.read()
            leaving = [open_request(cluster.http_url) for _ in range(2)]
            counters.wait_for("runs", before["runs"] + 1)
            for connection in leaving:
                connection.close()
            # Answered after whatever is left of the two.
            assert http.post("/ocr", files={"file": ONE_LINE}).status_code == 200
            assert counters.read()["items"] == before["items"] + 1

    def test_a_deadline_that_passes_ends_the_network_time(
        self, http: httpx.Client, counters: Counters, runs_of_a_page: int
    ) -> None:
        """The caller hears of it, and the lines that are not read yet are never read."""
        before = counters.read()
        answer = http.post("/ocr?timeout_s=1", files={"file": PAGE})
        assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
        assert http.post("/ocr", files={"file": PAGE}).status_code == 200
        after = counters.read()
        assert after["runs"] - before["runs"] <= runs_of_a_page + runs_of_a_page // 2
        assert after["items"] == before["items"] + 1


def open_request(url: str) -> socket.socket:
    """A connection on which a whole request was sent and no answer is read."""
    built = httpx.Request(
        "POST", f"{url}/ocr", files={"file": PAGE}, headers={"x-api-key": "a-key-for-tests"}
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in built.headers.items())
    host, port = url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    connection.sendall(f"POST /ocr HTTP/1.1\r\n{head}\r\n".encode() + built.read())
    return connection


class TestOverload:
    """A service that lets callers queue for two seconds."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def app(cls, cluster: object) -> Iterator[None]:
        """The application under test; the page has about 1.5 million pixels as the detector sees it."""
        start_graph(recognition=SLOW, limits={"max_queue_s": 2.0, "pixels_per_s": 1_500_000.0})
        yield
        serve.delete("ocr")

    def test_too_many_callers_are_told_when_to_come_again(self, http: httpx.Client) -> None:
        """Whoever is let in has the right text, the others a 503 with a time; afterwards all is as before."""
        alone = http.post("/ocr", files={"file": PAGE}).json()["text"]
        with ThreadPoolExecutor(24) as pool:
            answers = list(pool.map(lambda _: http.post("/ocr", files={"file": PAGE}), range(24)))
        served = [answer for answer in answers if answer.status_code == 200]
        refused = [answer for answer in answers if answer.status_code != 200]
        assert served
        assert refused
        assert {answer.json()["text"] for answer in served} == {alone}
        for answer in refused:
            assert (answer.status_code, answer.json()["code"]) == (503, "busy")
            assert int(answer.headers["retry-after"]) >= 1
        assert len({answer.headers["retry-after"] for answer in refused}) > 1
        assert http.post("/ocr", files={"file": PAGE}).json()["text"] == alone
