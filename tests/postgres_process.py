"""A real PostgreSQL for tests: a cluster of its own in a folder, ended and removed at the end.

The programs are looked for on PATH and where Debian's packages put them. Without them a test fails, unless
OCR_SKIP_POSTGRES is set: that it did not run must be somebody's decision.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob
from pathlib import Path

import psycopg
import pytest

from service import find_free_port

_START_TIMEOUT_S = 60.0


@contextmanager
def running_postgres() -> Iterator[str]:
    """The address of an empty database of a fresh server."""
    initdb, postgres = _find("initdb"), _find("postgres")
    # It refuses to run as root.
    user = _find_user() if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="ocr-pg-"))
    port = find_free_port()
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    data = folder / "data"
    log = (folder / "log").open("wb")
    try:
        subprocess.run(
            [initdb, "-D", data, "-U", "ocr", "-A", "trust", "--no-sync", "-E", "UTF8"],
            check=True,
            stdout=log,
            stderr=log,
            **_as(user),
        )
        command = [postgres, "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", str(folder)]
        process = subprocess.Popen(command, stdout=log, stderr=log, **_as(user))
        try:
            url = f"postgresql://ocr@127.0.0.1:{port}/postgres"
            _wait(url, process)
            yield url
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
    finally:
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _find(name: str) -> str:
    places = [shutil.which(name), *sorted(glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)]
    found = next((place for place in places if place), None)
    if found is None:
        if os.environ.get("OCR_SKIP_POSTGRES"):
            pytest.skip("OCR_SKIP_POSTGRES is set, and PostgreSQL is not installed")
        pytest.fail(f"{name} is not installed (Debian: apt-get install postgresql); or set OCR_SKIP_POSTGRES")
    return os.path.realpath(found)


def _find_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise LookupError("there is no user postgres or nobody to run PostgreSQL as")


def _as(user: pwd.struct_passwd | None) -> dict[str, object]:
    options: dict[str, object] = {"cwd": "/"}
    if user is not None:
        options |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return options


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while True:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(url, connect_timeout=2).close()
            return
        assert process.poll() is None, "postgres ended"
        assert time.monotonic() < deadline, "postgres does not answer"
        time.sleep(0.1)
