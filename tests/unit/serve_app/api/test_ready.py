"""Whether the process lives, and whether every stage answers."""

import asyncio

import httpx

from serve_app.api.ready import CACHE_S, ReadinessProbe


async def test_every_stage_answers(stranger: httpx.AsyncClient) -> None:
    """No key is needed, and each stage is named."""
    assert (await stranger.get("/livez")).json() == {"status": "alive"}
    answer = await stranger.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "stages": {"detection": "ok", "recognition": "ok"}}


async def test_the_stage_that_does_not_answer_is_named(stranger: httpx.AsyncClient, reader) -> None:
    """Not ready, with a time to come again; the process lives all the same."""
    reader.stage_states = {"detection": "ok", "recognition": "no answer"}
    answer = await stranger.get("/v1/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "stages": {"detection": "ok", "recognition": "no answer"}}
    assert int(answer.headers["retry-after"]) > 0
    assert (await stranger.get("/livez")).status_code == 200


async def test_a_stage_that_starts_on_demand_is_not_waited_for(stranger: httpx.AsyncClient, reader) -> None:
    """It is named as such."""
    reader.stage_states = {"detection": "ok", "layout": "on demand"}
    answer = await stranger.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "stages": reader.stage_states})


async def test_stages_are_asked_once_for_many(reader) -> None:
    """Whoever asks within two seconds shares the answer, at the same moment or after it."""
    now_s = 0.0
    probe = ReadinessProbe(reader, lambda: now_s)
    await asyncio.gather(*(probe.check() for _ in range(10)))
    assert reader.probe_calls == 1
    now_s = CACHE_S
    reader.stage_states = {"detection": "stage_unavailable"}
    assert (await probe.check()).ready is False
    assert reader.probe_calls == 2
