"""The scripts of the workflows, with stand-ins for the programs that would talk to AWS."""

import os
import subprocess
from pathlib import Path

import pytest

from paths import ROOT

PLAN = """
case $1 in
  init) grep -q 'bucket = "state"' backend.hcl && grep -q 'zones = \\["a"\\]' terraform.tfvars ;;
  plan) echo "$@" >> "$CALLS"; touch plan.bin ;;
  show) cat "$SHOWN" ;;
esac
"""
AWS = """
echo "aws $*" >> "$CALLS"
case "$*" in
  *describe-images*) [ -n "${THERE:-}" ] ;;
  *get-login-password*) echo secret ;;
  *describe-image-scan-findings*) echo "${CRITICAL:-None}" ;;
esac
"""
DOCKER = 'echo "docker $*" >> "$CALLS"; [ "$1" != login ] || grep -q secret\n'


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    """A copy of the scripts beside an empty environment, with the stand-ins first on the path."""
    (tmp_path / "bin").mkdir()
    for name, text in (("terraform", PLAN), ("aws", AWS), ("docker", DOCKER)):
        program = tmp_path / "bin" / name
        program.write_text("#!/usr/bin/env bash\n" + text)
        program.chmod(0o755)
    (tmp_path / ".github").mkdir()
    for script in (ROOT / ".github").glob("*.sh"):
        copy = tmp_path / ".github" / script.name
        copy.write_text(script.read_text())
        copy.chmod(0o755)
    (tmp_path / "terraform/envs/dev").mkdir(parents=True)
    (tmp_path / "shown").write_text("Plan: 1 to add\n")
    return tmp_path


def run(stage: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    told = {
        **os.environ,
        "PATH": f"{stage / 'bin'}:{os.environ['PATH']}",
        "CALLS": str(stage / "calls"),
        "SHOWN": str(stage / "shown"),
        "GITHUB_OUTPUT": str(stage / "output"),
        "GITHUB_STEP_SUMMARY": str(stage / "summary"),
        "ENVIRONMENT": "dev",
        "IMAGE_TAG": "0123456789ab",
        "BACKEND": 'bucket = "state"',
        "VALUES": 'zones = ["a"]',
        **environment,
    }
    return subprocess.run(
        [str(stage / ".github" / command[0]), *command[1:]],
        env=told,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_plan_is_of_the_image_and_leaves_its_digest(stage: Path) -> None:
    result = run(stage, "plan.sh", "-lock=false")
    assert result.returncode == 0, result.stderr
    call = (stage / "calls").read_text()
    assert "-var image_tag=0123456789ab" in call
    assert "-lock=false" in call
    assert (stage / "output").read_text().startswith("digest=")
    assert "Plan: 1 to add" in (stage / "summary").read_text()
    # It holds secrets, and so does what stands beside it.
    for name in ("plan.txt", "terraform.tfvars"):
        assert (stage / "terraform/envs/dev" / name).stat().st_mode & 0o077 == 0


def test_the_same_plan_may_be_applied_and_another_may_not(stage: Path) -> None:
    assert run(stage, "plan.sh").returncode == 0
    agreed = (stage / "output").read_text().strip().removeprefix("digest=")
    assert run(stage, "plan.sh", AGREED=agreed).returncode == 0
    (stage / "shown").write_text("Plan: 1 to add, 1 to destroy\n")
    result = run(stage, "plan.sh", AGREED=agreed)
    assert result.returncode == 1
    assert "changed" in result.stderr


def test_an_image_is_pushed_once_and_scanned(stage: Path) -> None:
    url = "1.dkr.ecr.ap-northeast-2.amazonaws.com/ocr-dev"
    result = run(stage, "push-image.sh", "built", url, "abc")
    assert result.returncode == 0, result.stderr
    calls = (stage / "calls").read_text()
    assert f"docker push {url}:abc" in calls
    assert "wait image-scan-complete --repository-name ocr-dev" in calls
    (stage / "calls").unlink()
    assert run(stage, "push-image.sh", "built", url, "abc", THERE="1").returncode == 0
    assert "docker push" not in (stage / "calls").read_text()


def test_a_critical_finding_ends_the_delivery(stage: Path) -> None:
    result = run(stage, "push-image.sh", "built", "registry/ocr-dev", "abc", CRITICAL="2")
    assert result.returncode == 1
    assert "2 critical" in result.stderr
