"""The check of Paddle's installation ends in time, and says in one sentence what is wrong."""

import os
import sys
from pathlib import Path

import pytest

from deployments.engines.paddle_check import OUTPUT_LIMIT_BYTES, PROBE_COMMAND, check_paddle, trim_output

# Without site-packages, the probe meets a Python that has no Paddle, whatever is installed here.
PROBE_WITHOUT_PACKAGES = (sys.executable, "-S", "-E", *PROBE_COMMAND[1:])


def test_a_python_without_paddle_is_told_how_to_get_it() -> None:
    """Nothing is installed, nothing is known, and the reason names the requirements file."""
    check = check_paddle(command=PROBE_WITHOUT_PACKAGES)

    assert not check.ok
    assert not check.installed
    assert (check.version, check.compiled_with_cuda, check.device_count) == (None, None, None)
    assert check.reason is not None
    assert "requirements/paddle-cpu.txt" in check.reason


def test_the_probe_finds_paddle_and_not_the_engine_of_the_same_name(tmp_path: Path) -> None:
    """A package called `paddle` on the path is what is checked; its facts and its output come back."""
    package = tmp_path / "paddle"
    package.mkdir()
    (package / "__init__.py").write_text("__version__ = '0.0'\nis_compiled_with_cuda = lambda: False\n")
    (package / "utils.py").write_text("def run_check(): print('fine')\n")
    load = "import runpy, sys; sys.path.append(sys.argv[1]); runpy.run_path(sys.argv[2], run_name='__main__')"
    command = (sys.executable, "-S", "-P", "-c", load, str(tmp_path), PROBE_COMMAND[-1])

    check = check_paddle(command=command)

    assert (check.ok, check.installed, check.version, check.reason) == (True, True, "0.0", None)
    assert (check.compiled_with_cuda, check.device_count, check.output) == (False, 0, "fine")


def test_a_check_that_hangs_is_killed_with_the_processes_it_started(tmp_path: Path) -> None:
    """After the time-out nobody holds the pipe any more, although a grandchild had it open as well."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    script = 'exec 3>"$1"; echo started >&3; echo printed; tail -f /dev/null & tail -f /dev/null'

    check = check_paddle(timeout_s=1.0, command=("sh", "-c", script, "sh", str(pipe)))

    os.set_blocking(reader, True)
    with os.fdopen(reader) as held:
        # Ends at the end of the pipe, which comes when its last holder is gone.
        assert held.read() == "started\n"
    assert not check.ok
    assert check.output == "printed"
    assert check.reason == "Paddle's check did not end within 1 s."


def test_a_check_that_fails_gives_its_exit_code_and_its_last_words() -> None:
    """What the process printed comes back, whichever stream it went to."""
    check = check_paddle(command=("sh", "-c", "echo out; echo err >&2; exit 3"))

    assert not check.ok
    assert check.output == "out\nerr"
    assert check.reason is not None
    assert "exit code 3" in check.reason


@pytest.mark.parametrize(
    ("printed", "kept"),
    [
        ('File "/srv/app/lib/check.py", line 3, on CPU/GPU', 'File "check.py", line 3, on CPU/GPU'),
        ("LIBRARIES=/usr/lib:/opt/cuda/lib64/libcudart.so", "LIBRARIES=libcudart.so"),
        ("see https://example.org/a/b for 3/4 of it", "see https://example.org/a/b for 3/4 of it"),
        ("file:///etc/host and (/a/b.cc:12)", "host and (b.cc:12)"),
    ],
)
def test_an_output_keeps_the_names_of_files_and_loses_their_folders(printed: str, kept: str) -> None:
    """Folders say how a machine is laid out; the name of a file says where a check failed."""
    assert trim_output(printed) == kept


def test_a_long_output_keeps_its_end() -> None:
    """The error stands at the end, and a letter cut in two is left out."""
    trimmed = trim_output("é" * OUTPUT_LIMIT_BYTES + "x the error")

    assert len(trimmed.encode()) <= OUTPUT_LIMIT_BYTES
    assert trimmed.endswith("é" + "x the error")
    assert trimmed.startswith("é")
