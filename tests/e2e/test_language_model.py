"""A service whose environment names a language model: it is asked, checked, and done without."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from llm_server import scripted_llm
from paths import FIXTURES
from service import Service, running_service

pytestmark = [pytest.mark.e2e, pytest.mark.weights]

TOKEN = "a-token-that-nobody-may-see-0123456789"
QUESTION = "Who was here?"
INVENTED = {"fields": {}, "answers": {"q1": {"value": "nobody", "quote": "nobody", "lines": ["p1.l0"]}}}


def answer(body: dict[str, Any]) -> dict[str, Any]:
    """An invention, in the form that each engine asks for."""
    is_chatocr = body["messages"][1]["content"].startswith("你是一个信息提取助手")
    return {QUESTION: "nobody"} if is_chatocr else INVENTED


def ask(service: Service, engine: str = "auto") -> httpx.Response:
    """The fields of a receipt, and a question that it does not answer."""
    file = (FIXTURES / "receipt.png").read_bytes()
    queries = json.dumps([QUESTION])
    fields = {"file": file, "queries": (None, queries), "engine": (None, engine)}
    with service.client() as client:
        return client.post("/extraction", files=fields)


def read_logs() -> str:
    """All that the cluster has logged since it was started."""
    folder = Path(os.path.realpath("/tmp/ray/session_latest")) / "logs"
    return "".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


def run_service(url: str, result: dict[str, Any], stop_llm: "asyncio.Event", loop: Any) -> None:
    """Ask both engines while the model answers, and one when it is gone."""
    environment = {
        "CHATOCR_ENABLED": "true",
        "CHATOCR_BASE_URL": url,
        "CHATOCR_MODEL": "test",
        "CHATOCR_API_TOKEN": TOKEN,
        "CHATOCR_ATTEMPTS": "1",
    }
    with running_service("--profile", "cpu", environment=environment) as service:
        result["answered"] = ask(service)
        result["by_chatocr"] = ask(service, "pp_chatocr")
        loop.call_soon_threadsafe(stop_llm.set)
        result["stopped"].wait(30)
        result["failed"] = ask(service)
        result["logs"] = read_logs()


async def test_what_it_says_is_checked_and_its_failure_is_a_warning() -> None:
    """Nothing of the token or the document is logged."""
    import threading

    stop_llm = asyncio.Event()
    result: dict[str, Any] = {"stopped": threading.Event()}
    async with scripted_llm(answer) as server:
        running = asyncio.create_task(
            asyncio.to_thread(run_service, server.url, result, stop_llm, asyncio.get_running_loop())
        )
        await asyncio.wait({asyncio.create_task(stop_llm.wait()), running}, return_when="FIRST_COMPLETED")
    result["stopped"].set()
    await running
    answered, failed = result["answered"].json(), result["failed"].json()
    assert answered["answers"][QUESTION]["ungrounded"] is True
    by_chatocr = result["by_chatocr"].json()["answers"][QUESTION]
    assert (by_chatocr["source"], by_chatocr["ungrounded"]) == ("pp_chatocr", True)
    assert server.tokens == [f"Bearer {TOKEN}"] * 2
    assert failed["warnings"] == ["needs_llm", "llm_unavailable"]
    assert failed["fields"]["total"]["value"] == answered["fields"]["total"]["value"]
    assert "llm_unavailable" in result["logs"]
    assert TOKEN not in result["logs"]
    assert answered["fields"]["company"]["text"] not in result["logs"]
