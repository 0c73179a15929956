"""The edge as strangers, browsers and readers of logs meet it: a real cluster, HAProxy and all."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from ray import serve

from serve_app.access.caller import CallerLimits
from serve_app.access.key_file import edit_key_file
from serve_app.access.keys import make_key

from audit import wait_for_requests
from file_server import serving_files
from graphs import start_graph
from paths import FIXTURES
from replicas import pids_of

pytestmark = pytest.mark.serve

LETTER = (FIXTURES / "letter.png").read_bytes()
PNG = {"content-type": "image/png"}
PAGE = Path(__file__).with_name("browser_page.html")
MAX_BYTES = 1_000_000
QUERY = "X-Amz-Signature=Hexenkessel"


@pytest.fixture(scope="module")
def limited_key(cluster) -> str:
    """For one request a minute."""
    record, key = make_key("browser", limits=CallerLimits(requests_per_minute=1))
    edit_key_file(cluster.keys_file, lambda _: (record,))
    return key


@pytest.fixture(scope="module", autouse=True)
def app(cluster, limited_key: str) -> Iterator[None]:
    """A service that takes small documents only."""
    start_graph(limits={"max_bytes": MAX_BYTES})
    yield
    serve.delete("ocr")


@pytest.fixture
def client(cluster) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=cluster.http_url, timeout=120) as client:
        yield client


def post(client: httpx.Client, key: str, **more: str) -> httpx.Response:
    return client.post("/ocr", content=LETTER, headers={**PNG, "x-api-key": key, **more})


def test_a_browser_may_read_every_refusal(client: httpx.Client, cluster, limited_key: str) -> None:
    """Through proxy and all: preflights, and refusals as a page of an allowed origin gets them."""
    origin = {"Origin": "https://app.example.com"}
    sent = "content-type,idempotency-key,x-api-key"
    for method in ("POST", "DELETE"):
        asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": sent}
        preflight = client.options("/ocr", headers=origin | asked)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == origin["Origin"]
    post(client, limited_key)
    key = os.environ["API_KEY"]
    refusals = {
        401: post(client, "wrong", **origin).headers,
        403: client.post("/ocr", json={"url": "https://a.b/"}, headers=origin | {"x-api-key": key}).headers,
        404: client.get("/nothing", headers=origin).headers,
        405: client.get("/ocr", headers=origin).headers,
        413: announce_too_much(cluster.http_url, key, origin["Origin"]),
        415: client.post("/ocr", content=b"x", headers=origin | PNG | {"x-api-key": key}).headers,
        429: post(client, limited_key, **origin).headers,
    }
    for status, headers in refusals.items():
        assert headers["access-control-allow-origin"] == origin["Origin"], status
        assert "Retry-After" in headers["access-control-expose-headers"], status
        assert headers["x-content-type-options"] == "nosniff", status
    assert "retry-after" in refusals[429]
    strange = post(client, "wrong", Origin="https://evil.example")
    assert "access-control-allow-origin" not in strange.headers


def announce_too_much(url: str, key: str, origin: str) -> HTTPMessage:
    """The headers of the 413 that comes before the body was sent."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=60)
    connection.putrequest("POST", "/ocr")
    announced = {"Content-Length": "999999999", "x-api-key": key, "Origin": origin, **PNG}
    for name, value in announced.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    connection.close()
    return answer.headers


@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no Chromium here")
def test_a_page_in_a_real_browser_reads_results_and_refusals(cluster, tmp_path: Path) -> None:
    """Status, code and id of each, also where the service refuses an upload before it has all of it."""
    port = int(cluster.files_url.rpartition(":")[2])
    files = {"/page.html": ("text/html", PAGE.read_bytes()), "/letter.png": ("image/png", LETTER)}
    # What stands behind the # is not sent to any server.
    told = quote(f"{cluster.http_url} {os.environ['API_KEY']}")
    command = ["chromium", "--headless", "--no-sandbox", "--disable-background-networking"]
    command += [f"--user-data-dir={tmp_path}"]
    with serving_files(port, files) as server:
        page = f"http://localhost:{port}/page.html#{told}"
        browser = subprocess.Popen([*command, page], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert server.has_post.wait(120), server.asked
        finally:
            browser.kill()
            browser.wait()
    assert json.loads(server.posted[0]) == {
        "read": [200, "", True],
        "json": [400, "malformed_request", True],
        "stranger": [401, "unauthorized", True],
        "large": [413, "too_many_bytes", True],
        "huge": [413, "too_many_bytes", True],
        "cancel": [404, "not_found", True],
    }


@pytest.mark.parametrize("sent", [["two words"], ["<script>"], ["x" * 200], ["a", "b"]])
def test_an_id_that_is_not_plain_is_not_repeated(cluster, sent: list[str]) -> None:
    """Serve itself would; the answer has one id, which is in the audit log too."""
    connection = HTTPConnection(cluster.http_url.removeprefix("http://"), timeout=60)
    connection.putrequest("GET", "/nothing")
    for value in sent:
        connection.putheader("X-Request-Id", value)
    connection.endheaders()
    answer = connection.getresponse()
    answer.read()
    connection.close()
    (request_id,) = answer.headers.get_all("x-request-id")
    assert request_id not in sent
    assert re.fullmatch(r"[0-9a-f-]{32,36}", request_id)
    wait_for_requests(cluster.logs, request_id)


def test_a_document_is_fetched_where_that_is_allowed(client: httpx.Client, cluster) -> None:
    """And read as one that was sent; another port of the same machine is not even asked."""
    key = {"x-api-key": os.environ["API_KEY"]}
    sent = post(client, os.environ["API_KEY"]).json()["pages"][0]["lines"]
    port = int(cluster.files_url.rpartition(":")[2])
    with serving_files(port, {"/letter.png": ("image/png", LETTER)}) as server:
        url = f"{cluster.files_url}/letter.png?{QUERY}"
        in_json = client.post("/ocr", json={"url": url}, headers=key)
        in_form = client.post("/ocr", files={"url": (None, url)}, headers=key)
        missing = client.post("/ocr", json={"url": url.replace("letter", "other")}, headers=key)
    assert [in_json.json()["pages"][0]["lines"], in_form.json()["pages"][0]["lines"]] == [sent, sent]
    assert (missing.status_code, missing.json()["code"]) == (422, "reference_unreachable")
    assert server.asked == [f"/{name}.png?{QUERY}" for name in ("letter", "letter", "other")]
    for url in (cluster.dashboard_url, cluster.http_url, "http://169.254.169.254/latest/meta-data/"):
        answer = client.post("/ocr", json={"url": f"{url}?{QUERY}"}, headers=key)
        assert (answer.status_code, answer.json()["code"]) == (403, "reference_not_allowed")


def test_neither_keys_nor_text_are_in_any_log(client: httpx.Client, cluster, limited_key: str) -> None:
    """Of no process of the cluster; the audit log has a line for each request all the same."""
    record, key = make_key("nobody")
    answer = post(client, os.environ["API_KEY"], **{"x-request-id": "my-request-1"})
    refused = post(client, key, **{"x-request-id": "my-request-2"})
    broken = client.post("/ocr", content=b"Zaubertrank", headers={**PNG, "x-api-key": os.environ["API_KEY"]})
    token = client.post("/ocr", content=LETTER, headers={**PNG, "Authorization": "Bearer Zauberwort"})
    assert [one.status_code for one in (answer, refused, broken, token)] == [200, 401, 415, 401]
    survived = crash_while_reading(client)
    lines = wait_for_requests(cluster.logs, "my-request-1", "my-request-2")
    assert lines["my-request-1"]["pages"] == 1
    assert lines["my-request-1"]["key_id"].startswith("env-")
    assert (lines["my-request-2"]["status"], lines["my-request-2"]["key_id"]) == (401, None)
    secrets = [os.environ["API_KEY"], key, record.sha256, limited_key]
    secrets += ["Zaubertrank", "Zauberwort", "Hexenkessel"]
    # The fake recogniser reads eight hexadecimal digits a line: as a word, or long ids would have them too.
    texts = [rf"\b{line['text']}\b" for line in answer.json()["pages"][0]["lines"]]
    assert texts
    assert survived[0]["pages"][0]["text"] == answer.json()["pages"][0]["text"]
    unwanted = re.compile("|".join([*map(re.escape, secrets), *texts]))
    for path in cluster.logs.rglob("*"):
        if path.is_file() and path.suffix in (".log", ".err", ".out"):
            assert not unwanted.search(path.read_text(errors="replace")), path


def crash_while_reading(client: httpx.Client) -> list[dict[str, Any]]:
    """Kill the detector's process while it reads; the results of those who were answered all the same."""
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(post, client, os.environ["API_KEY"]) for _ in range(24)]
        answers[2].result()
        os.kill(pids_of("Detection")[0], signal.SIGKILL)
        results = [answer.result() for answer in answers]
    assert {result.status_code for result in results} <= {200, 503}
    return [result.json() for result in results if result.status_code == 200]
