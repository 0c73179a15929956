"""An API with jobs as its callers see it, and what they pack and unpack."""

import io
import json
import zipfile
from dataclasses import dataclass

import httpx
from job_process import Bench

from configs.jobs import ArchiveLimits, JobsStage

KEY, OTHER = "a-key-for-tests", "another-key"
STAGE = JobsStage(max_files=20, max_file_bytes=1000, archive=ArchiveLimits(max_entries=10))


@dataclass
class Office:
    """An API with jobs, called with one key; ``reader`` is the bench that reads for it."""

    client: httpx.AsyncClient
    bench: Bench

    async def post(self, *texts: str, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
        """Hand in files with these texts."""
        files = [("file", (f"{place}.png", text.encode())) for place, text in enumerate(texts)]
        return await self.client.post("/v1/jobs", files=files, data=fields, headers=headers)

    async def finish(self, *texts: str, **fields: str) -> str:
        """Hand in files, wait for the job's end; its path."""
        path = (await self.post(*texts, **fields)).headers["location"]
        assert (await self.client.get(path, params={"wait": 30})).json()["ended"]
        return path


def pack(files: dict[str, bytes]) -> bytes:
    """A ZIP of these files."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()


def read_events(text: str) -> list[dict[str, object]]:
    """The events of a stream."""
    events = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            events.append({**lines, "data": json.loads(lines["data"])})
    return events
