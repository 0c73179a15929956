"""Hostile files and requests on the real graph: a sample of what `make hostile` sends."""

from collections.abc import Callable, Iterator

import httpx
import psutil
import pytest
import schemathesis
from ray import serve

from deployments.input_errors import InputError
from serve_app.error_codes import ERROR_CODES

from graphs import start_graph
from hostile.attack import Attack
from hostile.broken_requests import attacks
from hostile.corpus import HostileFile, bombs, damage
from hostile.fuzzing import Fuzzer, list_operations
from paths import FIXTURES
from replicas import pids_of

pytestmark = pytest.mark.serve

API_KEY = "a-key-for-tests"
SEED = 2
DAMAGED = 100
FUZZED = 200
# One of each kind of attack; the others take seconds to make, or the full time that a page may have.
BOMBS = (
    "zip.pdf",
    "html.pdf",
    "jpeg_and_pdf.jpeg",
    "gifar.gif",
    "gigapixel.png",
    "few_frames.apng",
    "many_parts.png",
    "exif_loop.jpeg",
    "stretched.jpeg",
    "loop.tiff",
    "huge_count.tiff",
    "tiles.tiff",
    "largest_screen.gif",
    "huge.bmp",
    "lying_count.pdf",
    "page_tree_loop.pdf",
    "huge_page.pdf",
    "long_page.pdf",
    "deep_arrays.pdf",
    "glyph_in_itself.pdf",
    "cross_references_loop.pdf",
    "object_stream_in_itself.pdf",
    "lying_image.pdf",
    "jbig2_bomb.pdf",
    "jpx_bomb.pdf",
    "script.pdf",
    "launch.pdf",
    "encrypted_badly.pdf",
)


@pytest.fixture(scope="module", autouse=True)
def app(cluster: object) -> Iterator[None]:
    """The graph without networks: what comes before them is what is attacked."""
    start_graph("layout", "table", "documents", "extraction", "jobs", renderer={"page_timeout_s": 10})
    yield
    serve.delete("ocr")


@pytest.fixture(scope="module")
def replicas(app: None) -> dict[str, list[int]]:
    return {name: pids_of(name) for name in ("Ingress", "Renderer")}


def make_sample() -> Iterator[Callable[[], HostileFile]]:
    """The chosen bombs and some damaged files."""
    known = bombs()
    for name in BOMBS:
        yield lambda name=name: HostileFile(name, known[name](), name)
    for file in damage(SEED, DAMAGED):
        yield lambda file=file: file


def test_hostile_files_are_answered_as_documented(http: httpx.Client, replicas: dict[str, list[int]]) -> None:
    """No server error, each good page between them read as before, and no replica lost."""
    attack = Attack(http)
    attack.send_all(make_sample())
    assert attack.findings.faults == []
    assert attack.findings.sent == len(BOMBS) + DAMAGED
    assert {name: pids_of(name) for name in replicas} == replicas


def test_broken_requests_are_answered_or_closed(cluster, http: httpx.Client, replicas) -> None:
    """Slow ones, lying ones, ten thousand parts; a good page is read after each."""
    attack = Attack(http)
    for number, (name, send) in enumerate(attacks(cluster.http_url, API_KEY, _load_page())):
        status = send()
        # 501 is HAProxy's answer to a transfer encoding that it does not know.
        assert status is None or status < 500 or status == 501, name
        attack.send_good(number)
    assert attack.findings.faults == []
    assert {name: pids_of(name) for name in replicas} == replicas


@pytest.mark.parametrize(
    "file_name", ["../../etc/passwd", "a\0.png", "a\x1b[31m\r\nX-Evil: 1", "\u202egnp.exe", "x" * 9000, ""]
)
def test_the_name_of_a_file_means_nothing(http: httpx.Client, file_name: str) -> None:
    """It is neither opened, nor repeated in headers or in the answer."""
    answer = http.post("/ocr", files={"file": (file_name, _load_page())})
    assert answer.status_code in (200, 400)
    assert "x-evil" not in answer.headers
    assert not file_name or file_name not in answer.text


def test_a_decoder_that_is_killed_costs_no_request(http: httpx.Client) -> None:
    """Its process is replaced by the replica, which lives on."""
    (renderer,) = pids_of("Renderer")
    pdf = bombs()["script.pdf"]()
    for _ in range(3):
        for worker in _find_decoders(renderer):
            worker.kill()
        answer = http.post("/ocr", files={"file": pdf})
        assert answer.status_code == 200, answer.text
    assert pids_of("Renderer") == [renderer]


def test_a_decoder_that_hangs_is_the_fault_of_its_page(http: httpx.Client) -> None:
    """After the time that a page may take; the next document is read."""
    (renderer,) = pids_of("Renderer")
    pdf = bombs()["script.pdf"]()
    for worker in _find_decoders(renderer):
        worker.suspend()
    answer = http.post("/ocr", files={"file": pdf})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_pdf")
    assert issubclass(ERROR_CODES[answer.json()["code"]], InputError)
    for worker in _find_decoders(renderer):
        worker.resume()
    assert http.post("/ocr", files={"file": pdf}).status_code == 200


def _find_decoders(renderer: int) -> list[psutil.Process]:
    return [child for zygote in psutil.Process(renderer).children() for child in zygote.children()]


def _load_page() -> bytes:
    return (FIXTURES / "one_line.png").read_bytes()


def test_the_real_service_answers_as_its_document_says(cluster) -> None:
    """Requests made from the OpenAPI document, through the proxy; many more are sent to the API alone."""
    document = schemathesis.openapi.from_url(f"{cluster.http_url}/openapi.json")
    # Paddle's own check takes a minute or two each time.
    operations = [operation for operation in list_operations(document) if "/debug/" not in operation.path]
    fuzzer = Fuzzer(API_KEY, {}, repeatable=True, timeout_s=60)
    fuzzer.send(operations, FUZZED)
    assert fuzzer.sent.total() >= FUZZED
