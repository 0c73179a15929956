"""Keys and limits on a real cluster with two replicas of the ingress."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import ray
from ray import serve

from serve_app.access.caller import CallerLimits
from serve_app.access.counters import Ticket
from serve_app.access.key_file import edit_key_file
from serve_app.access.keys import make_key
from serve_app.counting import ACTOR_NAME, NAMESPACE
from serve_app.run import Listen

from audit import read_audit_log
from graphs import start_graph
from paths import FIXTURES
from replicas import pids_of

pytestmark = pytest.mark.serve

LETTER = (FIXTURES / "letter.png").read_bytes()
PNG = {"content-type": "image/png"}
LIMITS = {
    "minute": CallerLimits(requests_per_minute=60),
    "single": CallerLimits(concurrent_requests=1),
    "pages": CallerLimits(pages_per_day=2),
    "orphan-False": CallerLimits(requests_per_minute=2),
    "orphan-True": CallerLimits(requests_per_minute=2),
}


@pytest.fixture(scope="module")
def keys(cluster) -> dict[str, str]:
    """A key for each kind of limit, in the file that the service reads when it starts."""
    made = {name: make_key(name, limits=limits) for name, limits in LIMITS.items()}
    edit_key_file(cluster.keys_file, lambda _: tuple(record for record, _ in made.values()))
    return {name: key for name, (_, key) in made.items()}


@pytest.fixture(scope="module", autouse=True)
def app(cluster, keys: dict[str, str]) -> Iterator[None]:
    """Two replicas that share nothing but the cluster."""
    start_graph(ingress={"replicas": {"num_replicas": 2}})
    assert len(pids_of("Ingress")) == 2
    yield
    serve.delete("ocr")


@pytest.fixture
def client(cluster) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=cluster.http_url, timeout=120) as client:
        yield client


def post(client: httpx.Client, key: str, **more: str) -> httpx.Response:
    return client.post("/ocr", content=LETTER, headers={**PNG, "x-api-key": key, **more})


def test_the_61st_request_of_a_minute_is_refused(client: httpx.Client, cluster, keys) -> None:
    """Whichever replica it meets: 80 at a time, of which both get some, and exactly 60 pass."""
    assert post(client, keys["minute"]).status_code == 200
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(client, keys["minute"]), range(79)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), statuses.count(429)) == (59, 20)
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["code"] == "rate_limited"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit-policy"] == '"requests";q=60;w=60'
    assert post(client, os.environ["API_KEY"]).status_code == 200
    served = {
        path: [line for line in lines if line["status"] in (200, 429)]
        for path, lines in read_audit_log(cluster.logs).items()
    }
    assert len([path for path, lines in served.items() if len(lines) > 5]) >= 2


def test_requests_at_a_time_are_counted_over_all_replicas(client: httpx.Client, keys) -> None:
    """The one place is held from here, as by a third replica: both refuse until it is given back."""
    key_id = keys["single"].split("_")[1]
    assert post(client, keys["single"]).status_code == 200
    actor = ray.get_actor(ACTOR_NAME, namespace=NAMESPACE)
    ticket = take_place(actor, key_id)
    assert {post(client, keys["single"]).status_code for _ in range(10)} == {429}
    ray.get(actor.settle.remote(ticket, 0, 0))
    assert post(client, keys["single"]).status_code == 200


def take_place(actor: Any, key_id: str) -> Ticket:
    """Take the place of a request; one that has just ended may hold it for a moment more."""
    ticket = Ticket(key_id, LIMITS["single"])
    for _ in range(1000):
        if ray.get(actor.take.remote(ticket, 60.0)).refused_by is None:
            return ticket
    raise AssertionError("the place is not given back")


def test_pages_are_counted_over_all_replicas(client: httpx.Client, keys) -> None:
    """The third document of a key for two pages a day is refused."""
    assert [post(client, keys["pages"]).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("for_good", [False, True])
def test_limits_come_back_when_their_counter_has_died(client: httpx.Client, keys, for_good: bool) -> None:
    """Requests pass while nobody counts them; Ray, or the ingress, starts another one, which counts anew."""
    name = f"orphan-{for_good}"
    assert post(client, keys[name]).status_code == 200
    ray.kill(ray.get_actor(ACTOR_NAME, namespace=NAMESPACE), no_restart=for_good)
    statuses = []
    while 429 not in statuses:
        statuses.append(post(client, keys[name]).status_code)
        assert len(statuses) < 2000
    assert set(statuses) == {200, 429}


@pytest.mark.parametrize(
    ("environment", "is_new"),
    [
        ({}, True),
        ({"API_KEY": "k"}, False),
        ({"API_KEYS_FILE": "keys.yaml"}, False),
        ({"AUTH_MODE": "cognito"}, False),
    ],
)
def test_a_key_is_made_only_where_nobody_could_come_in(environment: dict[str, str], is_new: bool) -> None:
    """`ocr-serve run` adds no way in that the operator does not know of."""
    listen = Listen.from_environment(environment)
    assert listen.is_new_key == is_new
    assert bool(listen.api_key) == (is_new or "API_KEY" in environment)
