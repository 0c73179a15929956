"""An OpenAI-compatible endpoint on this machine that answers what a test says, over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Answer = web.Response | Mapping[str, Any] | None


@dataclass
class ScriptedLlm:
    """Where it listens, what it was asked, and what it answers: the next entry of ``script``, or its last.

    An entry is a response, a JSON object that becomes the model's message, or None for no answer at all.
    """

    url: str = ""
    script: list[Answer | Callable[[dict[str, Any]], Answer]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one call."""
        body = await request.json()
        self.requests.append(body)
        self.tokens.append(request.headers.get("Authorization", ""))
        entry = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        said = entry(body) if callable(entry) else entry
        if isinstance(said, web.Response):
            return said
        if said is None:
            await self.closing.wait()
            return web.Response(status=500)
        message = {"role": "assistant", "content": json.dumps(said)}
        usage = {"prompt_tokens": 100, "completion_tokens": 20}
        return web.json_response({"choices": [{"message": message}], "usage": usage})


@asynccontextmanager
async def scripted_llm(*script: Answer | Callable[[dict[str, Any]], Answer]) -> AsyncIterator[ScriptedLlm]:
    """Run the endpoint on a free port."""
    llm = ScriptedLlm(script=list(script))
    app = web.Application()
    app.router.add_post("/v1/chat/completions", llm.answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    llm.url = f"http://{host}:{port}/v1"
    try:
        yield llm
    finally:
        llm.closing.set()
        await runner.cleanup()
