"""What can be checked of the images without an engine that builds them."""

import fnmatch
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from paths import ROOT

CLUSTER = ROOT / "cluster"
IMAGES = ["Dockerfile", "Dockerfile.gpu"]


def read_instructions(name: str) -> list[tuple[str, str]]:
    """Each instruction with its arguments, continued lines joined, comments left out."""
    lines = [line for line in (CLUSTER / name).read_text().splitlines() if not line.lstrip().startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    return [(line.split()[0], line.split(None, 1)[1]) for line in text.splitlines() if line.strip()]


def list_sources(name: str) -> list[str]:
    """What the image copies, relative to the repository's root."""
    sources = []
    for instruction, arguments in read_instructions(name):
        if instruction == "COPY":
            sources += arguments.split()[:-1]
    return sources


def is_sent(path: str) -> bool:
    """Whether .dockerignore lets the file through: the last pattern that fits it or its folder decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.lstrip("!")
        heads = ["/".join(path.split("/")[:count]) for count in range(1, path.count("/") + 2)]
        if pattern.startswith("**/"):
            fits = any(fnmatch.fnmatch(part, pattern[3:]) for part in path.split("/"))
        else:
            # As in Docker, `*` stays within one folder.
            fits = any(
                head.count("/") == pattern.count("/") and fnmatch.fnmatch(head, pattern) for head in heads
            )
        if fits:
            sent = line.startswith("!")
    return sent


def list_tracked() -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("name", IMAGES)
def test_hadolint_finds_nothing(name: str) -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    result = subprocess.run([hadolint, CLUSTER / name], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_hadolint_finds_a_planted_fault(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text((CLUSTER / "Dockerfile").read_text().replace("python:3.11-slim-bookworm", "python:latest"))
    hadolint = Path(sys.executable).parent / "hadolint"
    result = subprocess.run([hadolint, bad], capture_output=True, text=True, check=False)
    assert "DL3007" in result.stdout
    assert result.returncode != 0


@pytest.mark.parametrize("name", IMAGES)
def test_what_an_image_copies_is_there_and_reaches_the_builder(name: str) -> None:
    for source in list_sources(name):
        found = [path for path in ROOT.glob(source) if path.exists()]
        assert found, source
        for path in found:
            relative = path.relative_to(ROOT).as_posix()
            assert is_sent(f"{relative}/__init__.py" if path.is_dir() else relative), relative


def test_nothing_reaches_the_builder_that_no_image_copies() -> None:
    """Above all no history, no state of Terraform and no secrets."""
    copied = {path for name in IMAGES for source in list_sources(name) for path in ROOT.glob(source)}
    for file in list_tracked():
        path = ROOT / file
        if is_sent(file) and path.exists():
            is_copied = any(path == source or source in path.parents for source in copied)
            assert is_copied or fnmatch.fnmatch(file, "requirements/*.txt"), file
    for file in (".git/config", ".env", "terraform/envs/dev/backend.hcl", "terraform/x.tfstate", ".venv/x"):
        assert not is_sent(file), file


@pytest.mark.parametrize("name", IMAGES)
def test_what_runs_in_the_image_is_in_the_image(name: str) -> None:
    """The health check, and the entry points that task definitions and other files call."""
    copied = {
        path.relative_to(ROOT).as_posix() for source in list_sources(name) for path in ROOT.glob(source)
    }
    text = "".join(
        file.read_text()
        for file in [CLUSTER / name, *CLUSTER.glob("*.yaml"), *(ROOT / "terraform").rglob("*.tf")]
    )
    programs = set(re.findall(r"/srv/ocr/(cluster/[\w.-]+\.(?:sh|py))", text))
    assert "cluster/check-health.sh" in programs
    assert programs <= copied
    assert all(os.access(ROOT / program, os.X_OK) for program in programs)


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_runs_without_root_and_looks_after_itself(name: str) -> None:
    instructions = read_instructions(name)
    users = [arguments for instruction, arguments in instructions if instruction == "USER"]
    assert users == ["10001"]
    checks = [arguments for instruction, arguments in instructions if instruction == "HEALTHCHECK"]
    assert len(checks) == 1
    assert "check-health.sh" in checks[0]


@pytest.mark.parametrize("name", IMAGES)
def test_all_that_is_installed_from_an_index_is_locked(name: str) -> None:
    """By hashes; Paddle's own wheel, whose index the builder chooses, by its version."""
    for instruction, arguments in read_instructions(name):
        for command in arguments.split("&&") if instruction == "RUN" else []:
            if "pip install" in command and "--no-build-isolation" not in command:
                is_paddle = '"paddlepaddle-gpu==$PADDLE_VERSION"' in command
                assert is_paddle or "--require-hashes" in command, command


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("docker-build", ["-f cluster/Dockerfile ", "ocr-serve:cpu"]),
        ("docker-run", ["--shm-size", "ocr-serve:cpu", "127.0.0.1:8000:8000"]),
        (
            "docker-build-gpu",
            ["-f cluster/Dockerfile.gpu", "--build-arg PADDLE_WHEEL_INDEX=https://wheels.example/"],
        ),
        ("docker-run-gpu", ["--gpus all", "ocr-serve:gpu"]),
    ],
)
def test_make_calls_docker(target: str, words: list[str]) -> None:
    command = ["make", "--dry-run", target, "PADDLE_WHEEL_INDEX=https://wheels.example/"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert all(word in printed for word in words), printed


def test_the_gpu_image_is_not_built_without_an_index() -> None:
    result = subprocess.run(
        ["make", "docker-build-gpu"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if name != "PADDLE_WHEEL_INDEX"},
    )
    assert result.returncode != 0
    assert "PADDLE_WHEEL_INDEX" in result.stdout + result.stderr
