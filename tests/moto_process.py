"""AWS as far as moto plays it, a real server process; or AWS itself, with OCR_TEST_AWS=real."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from service import find_free_port

# With `real`, endpoints, credentials and the region are those that AWS's own tools would find.
IS_REAL = os.environ.get("OCR_TEST_AWS", "moto") == "real"
REGION = (boto3.session.Session().region_name or "eu-west-1") if IS_REAL else "eu-west-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}
# For what AWS itself does not let a test do: sign with its keys, or take it down.
needs_moto = pytest.mark.skipif(
    IS_REAL, reason="needs moto: AWS signs with its own keys and cannot be stopped"
)
_START_TIMEOUT_S = 60.0


@contextmanager
def running_moto(port: int | None = None) -> Iterator[str]:
    """The address of a fresh `moto_server`, which is ended at the end."""
    port = port or find_free_port()
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(
        command, env=os.environ | CREDENTIALS, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{url}/moto-api/data.json", timeout=5)
                break
            assert process.poll() is None, "moto_server ended"
            assert time.monotonic() < deadline, "moto_server does not answer"
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def make_client(service: str, url: str) -> Any:
    """A boto3 client of this server; of AWS itself where the address is empty."""
    if not url:
        return boto3.client(service, region_name=REGION)
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


def aws_environment(url: str) -> dict[str, str]:
    """Variables that lead AWS's tools and libraries to this server, or to AWS where the address is empty."""
    if not url:
        return {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
    # `AWS_ALLOW_HTTP`: obstore refuses an address without TLS otherwise.
    return CREDENTIALS | {"AWS_ENDPOINT_URL": url, "AWS_REGION": REGION, "AWS_ALLOW_HTTP": "true"}
