"""Jobs as a user has them read: the real command, a real database, one HTTP request after the other."""

import time
from pathlib import Path

import pytest

from paths import FIXTURES
from service import running_service

pytestmark = pytest.mark.e2e


def test_thin(tmp_path: Path) -> None:
    with (
        running_service(
            "--profile", "cpu", "--engine", "fake", environment={"OCR_DATA_DIR": str(tmp_path)}
        ) as service,
        service.client() as client,
    ):
        page = (FIXTURES / "letter.png").read_bytes()
        direct = client.post("/ocr", files={"file": page}).json()
        answer = client.post("/batch", files={"file": ("letter.png", page)})
        assert answer.status_code == 202, answer.text
        print(answer.json())
        location = answer.headers["location"]
        start = time.monotonic()
        job = client.get(location, params={"wait": 60}).json()
        print(job, time.monotonic() - start)
        result = client.get(job["files"][0]["results"]["json"])
        print(result.headers, result.text[:300])
        assert result.json()["text"] == direct["text"]
        print(client.get(location + "/results").content[:100])
        print(client.get("/v1/jobs").json())
        print(client.delete(location).status_code, client.get(location).text)
