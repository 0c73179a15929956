"""`ocr-serve smoke`: small documents sent to a running service, and their results looked at.

Each check prints one line. It says what was found, or what was wrong; the exit status is 1 when anything was.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from io import BytesIO
from typing import Any

import aiohttp
from PIL import Image, ImageDraw, ImageFont

_TIMEOUT_S = 300.0
_JOB_TIMEOUT_S = 600.0
_RECEIPT = (
    "BLUE RIVER CAFE",
    "12 Harbour Street, Leeds",
    "Date: 2026-11-03  Time: 09:41",
    "Espresso            3.00",
    "Toast               7.00",
    "Subtotal           10.00",
    "Tax                 2.50",
    "TOTAL              12.50",
)
_ROWS = (("Item", "Units", "Price"), ("Paper", "12", "4.80"), ("Pencils", "30", "9.60"))


class SmokeFailed(Exception):
    """The service's answer is not what it must be; the text says how."""


Check = Callable[[aiohttp.ClientSession], Awaitable[str]]


def add_smoke_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `smoke`."""
    smoke = commands.add_parser("smoke", help="check a running service with small documents")
    smoke.add_argument("checks", nargs="+", choices=[*CHECKS, "all"], metavar="|".join([*CHECKS, "all"]))
    smoke.add_argument("--server", default=os.environ.get("URL") or "http://127.0.0.1:8000", metavar="URL")
    smoke.add_argument("--api-key", default=os.environ.get("API_KEY", ""), help="default: $API_KEY")


def run_smoke(args: argparse.Namespace) -> int:
    """Run the checks; the exit status."""
    names = list(CHECKS) if "all" in args.checks else args.checks
    return asyncio.run(_run_all(names, args.server.rstrip("/"), args.api_key))


async def _run_all(names: list[str], url: str, key: str) -> int:
    headers = {"x-api-key": key} if key else {}
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    failed = 0
    async with aiohttp.ClientSession(url, headers=headers, timeout=timeout) as session:
        for name in names:
            start_s = time.monotonic()
            try:
                found = await CHECKS[name](session)
                print(f"ok    {name:<10} {found} ({time.monotonic() - start_s:.1f} s)")
            except SmokeFailed as error:
                failed += 1
                print(f"FAIL  {name:<10} {error}")
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                failed += 1
                print(f"FAIL  {name:<10} no answer from {url}: {type(error).__name__}")
    sys.stdout.flush()
    return 1 if failed else 0


async def _check_health(session: aiohttp.ClientSession) -> str:
    health = await _send(session, "GET", "/health")
    _expect(health.get("ready") is True, "the service is not ready", health.get("status"))
    stages = sorted(health.get("stages", {}))
    _expect({"detection", "recognition"} <= set(stages), "stages are missing", stages)
    return f"ready: {', '.join(stages)}"


async def _check_ocr(session: aiohttp.ClientSession) -> str:
    result = await _send(session, "POST", "/v1/ocr", _form(draw_receipt()))
    _expect((result["pages_total"], result["pages_processed"]) == (1, 1), "pages are missing", result)
    for wanted in ("BLUE RIVER CAFE", "Harbour Street", "12.50"):
        _expect(wanted in result["text"], f"{wanted!r} was not read", result["text"])
    lines = result["pages"][0]["lines"]
    _expect(all(len(line["quad"]) == 4 for line in lines), "a line has no place", lines)
    return f"{len(lines)} lines, {result['text'].splitlines()[0]!r}"


async def _check_structure(session: aiohttp.ClientSession) -> str:
    result = await _send(session, "POST", "/v1/structure", _form(draw_table()))
    tables = result["pages"][0]["tables"]
    _expect(len(tables) == 1, "there is not one table", [table["html"] for table in tables])
    size = (tables[0]["rows"], tables[0]["columns"])
    _expect(size == (len(_ROWS), len(_ROWS[0])), "the table has another size", size)
    texts = {cell["text"] for cell in tables[0]["cells"]}
    _expect({"Pencils", "9.60"} <= texts, "cells were not read", sorted(texts))
    _expect("Pencils" in result["markdown"], "the Markdown lacks the table", result["markdown"])
    return f"a table of {size[0]} x {size[1]}"


async def _check_extraction(session: aiohttp.ClientSession) -> str:
    form = _form(draw_receipt(), document_type="receipt", engine="rules")
    result = await _send(session, "POST", "/v1/extraction", form)
    found = {name: field["value"] for name, field in result["fields"].items()}
    _expect(found.get("total") == 12.5, "the total is wrong", found.get("total"))
    _expect(found.get("date") == "2026-11-03", "the date is wrong", found.get("date"))
    _expect(bool(result["fields"]["total"]["quads"]), "the total has no place", result["fields"]["total"])
    return f"total {found['total']}, date {found['date']}"


async def _check_batch(session: aiohttp.ClientSession) -> str:
    form = _form(draw_receipt())
    form.add_field("file", draw_table(), filename="table.png", content_type="image/png")
    job = await _send(session, "POST", "/v1/jobs", form, status=202)
    path = f"/v1/jobs/{job['id']}"
    deadline_s = time.monotonic() + _JOB_TIMEOUT_S
    while job["status"] in ("queued", "running") and time.monotonic() < deadline_s:
        job = await _send(session, "GET", f"{path}?wait=30")
    _expect(job["status"] == "done", "the job is not done", job["status"])
    _expect(len(job["files"]) == 2, "it has not two files", job["files"])
    states = [file["status"] for file in job["files"]]
    _expect(states == ["done", "done"], "its files are not done", states)
    pages = (job["pages_total"], job["pages_processed"])
    _expect(pages == (2, 2), "its pages do not add up", pages)
    return f"job {job['id']}: 2 files, {pages[1]} of {pages[0]} pages"


CHECKS: Mapping[str, Check] = {
    "health": _check_health,
    "ocr": _check_ocr,
    "structure": _check_structure,
    "extraction": _check_extraction,
    "batch": _check_batch,
}


def draw_receipt() -> bytes:
    """A receipt as a PNG file."""
    image = Image.new("RGB", (900, 720), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=36)
    for place, line in enumerate(_RECEIPT):
        left, _, right = line.rpartition("  ")
        top = 50 + 80 * place
        if left.strip() and "Date" not in line:
            draw.text((60, top), left.strip(), "black", font)
            draw.text((700, top), right.strip(), "black", font)
        else:
            draw.text((60, top), " ".join(line.split()), "black", font)
    return _to_png(image)


def draw_table() -> bytes:
    """A ruled table as a PNG file."""
    image = Image.new("RGB", (1000, 620), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=34)
    draw.text((80, 60), "Orders of November", "black", font)
    for row, texts in enumerate(_ROWS):
        for column, text in enumerate(texts):
            left, top = 80 + 280 * column, 160 + 120 * row
            draw.rectangle((left, top, left + 280, top + 120), outline="black", width=3)
            draw.text((left + 40, top + 38), text, "black", font)
    return _to_png(image)


def _to_png(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _form(data: bytes, **fields: str) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, value)
    form.add_field("file", data, filename="receipt.png", content_type="image/png")
    return form


async def _send(
    session: aiohttp.ClientSession,
    method: str,
    path: str,
    form: aiohttp.FormData | None = None,
    status: int = 200,
) -> dict[str, Any]:
    async with session.request(method, path, data=form) as response:
        try:
            answer: dict[str, Any] = await response.json(content_type=None)
        except ValueError:
            raise SmokeFailed(f"{method} {path} answered {response.status} without JSON") from None
    if response.status != status:
        raise SmokeFailed(f"{method} {path} answered {response.status} {answer.get('code', '')}")
    return answer


def _expect(is_right: bool, fault: str, found: object) -> None:
    if not is_right:
        raise SmokeFailed(f"{fault}: {str(found)[:300]}")
