"""GitHub's workflows: what they name exists, what they may do is little, nobody's text is a command."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from paths import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
# Variables of the repository that are no output of Terraform.
SET_BY_HAND = {"AWS_REGION", "PADDLE_WHEEL_INDEX", "TF_VARS_DEV", "TF_VARS_PROD"}


def read(workflow: Path) -> dict[str, Any]:
    # YAML 1.1 takes the key `on` for a boolean.
    return yaml.load(workflow.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def list_steps(workflow: Path) -> list[dict[str, Any]]:
    return [step for job in read(workflow)["jobs"].values() for step in job.get("steps", [])]


def run_actionlint(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    programs = Path(sys.executable).parent
    command = [str(programs / "actionlint"), "-shellcheck", str(programs / "shellcheck"), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, cwd=ROOT)


def test_actionlint_finds_nothing() -> None:
    result = run_actionlint(*map(str, WORKFLOWS))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("needs: plan", "needs: plam"),
        ("NUMBER: ${{ github.event.pull_request.number }}", "NUMBER: ${{ github.evnt.number }}"),
        ('gh pr comment "$NUMBER"', "gh pr comment $NUMBER"),
        ('gh pr comment "$NUMBER"', 'gh pr comment "${{ github.event.pull_request.title }}"'),
    ],
    ids=["job", "context", "shell", "injection"],
)
def test_actionlint_finds_a_planted_fault(right: str, wrong: str) -> None:
    text = (GITHUB / "workflows" / "plan.yml").read_text(encoding="utf-8")
    assert right in text
    assert run_actionlint("-", stdin=text.replace(right, wrong)).returncode == 1


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_job_has_the_rights_that_it_names_and_no_others(workflow: Path) -> None:
    told = read(workflow)
    assert told["permissions"] == {}
    for name, job in told["jobs"].items():
        assert job["permissions"], name
        assert set(job["permissions"].values()) <= {"read", "write"}
        written = {right for right, kind in job["permissions"].items() if kind == "write"}
        # One job either is somebody in AWS or writes in the repository.
        assert len(written) <= 1, name
        assert written <= {"id-token", "pull-requests"}, name


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_to_commits(workflow: Path) -> None:
    for line in workflow.read_text(encoding="utf-8").splitlines():
        if match := re.search(r"uses: (\S+)(.*)", line):
            if match[1].startswith("./"):
                assert (ROOT / match[1]).is_file()
                continue
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", match[1]), line
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", match[2]), line


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_no_expression_stands_in_a_command(workflow: Path) -> None:
    for step in list_steps(workflow):
        assert "${{" not in step.get("run", ""), step


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_no_key_lives_longer_than_a_job(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    assert "secrets." not in text
    assert "aws-access-key-id" not in text
    for step in list_steps(workflow):
        if "actions/checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] == "false"


def test_what_is_called_from_outside_has_a_concurrency_group() -> None:
    for workflow in WORKFLOWS:
        told = read(workflow)
        if "workflow_call" not in told["on"]:
            assert "group" in told["concurrency"], workflow.name
    deliver = read(GITHUB / "workflows" / "deliver.yml")
    assert deliver["concurrency"]["cancel-in-progress"] == "false"


def test_commands_name_what_exists() -> None:
    commands = "\n".join(step.get("run", "") for workflow in WORKFLOWS for step in list_steps(workflow))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"\bmake ([\w-]+)", commands))
    assert {"check", "setup", "docker-build-gpu"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    paths = set(re.findall(r"(?<![\w/])((?:\.ci|\.github|cluster)/[\w./-]+)", commands))
    assert {
        ".ci/run",
        "cluster/serve-config.aws.yaml",
        ".github/push-image.sh",
    } <= paths
    for path in paths:
        assert (ROOT / path).is_file(), path


def test_variables_are_outputs_of_terraform_and_stand_in_the_docs() -> None:
    text = "\n".join(workflow.read_text(encoding="utf-8") for workflow in WORKFLOWS)
    used = set(re.findall(r"\bvars\.(\w+)", text)) | set(re.findall(r"\b(TF_\w+_(?:DEV|PROD))\b", text))
    page = (ROOT / "docs" / "delivery.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|$", page, re.MULTILINE))
    assert set(rows) == used
    for name, origin in rows.items():
        if name in SET_BY_HAND:
            continue
        folder, output = re.search(r"`(terraform/[\w/]+)`.*?`(\w+)", origin).groups()  # type: ignore[union-attr]
        assert f'output "{output}"' in (ROOT / folder / "outputs.tf").read_text(encoding="utf-8"), name


def test_roles_trust_the_workflows_that_assume_them() -> None:
    """The subjects in Terraform against where each role is assumed."""
    bootstrap = (ROOT / "terraform/bootstrap/github.tf").read_text(encoding="utf-8")
    stack = (ROOT / "terraform/modules/iam/github.tf").read_text(encoding="utf-8")
    assert re.search(r"plan += \[.*:pull_request\".*:ref:refs/heads/main\"", bootstrap)
    environment = read(GITHUB / "workflows" / "environment.yml")["jobs"]
    # Jobs of a pull request and of main plan, without an environment's name in their subject.
    assert "environment" not in environment["plan"]
    for job in ("apply", "deploy"):
        assert environment[job]["environment"] == "${{ inputs.environment }}"
    deliver = read(GITHUB / "workflows" / "deliver.yml")
    assert deliver["on"]["push"]["branches"] == ["main"]
    assert "environment" not in deliver["jobs"]["image"]
    for name in ("dev", "prod"):
        assert deliver["jobs"][name]["with"]["environment"] == name
        assert f'"apply-{name}"' in bootstrap
        assert f'github_environment = "{name}"' in (ROOT / f"terraform/envs/{name}/main.tf").read_text()
    assert "session/${var.name}-github-deploy*" in stack
    sessions = [
        step["with"]["role-session-name"]
        for step in environment["deploy"]["steps"]
        if "role-session-name" in step.get("with", {})
    ]
    assert sessions == ["ocr-${{ inputs.environment }}-github-deploy"]


def test_what_the_deployer_calls_is_what_its_role_allows() -> None:
    stack = (ROOT / "terraform/modules/iam/github.tf").read_text(encoding="utf-8")
    for action in (
        "ecs:ListTasks",
        "ecs:DescribeTasks",
        "secretsmanager:GetSecretValue",
        "kms:Decrypt",
        "ssm:StartSession",
    ):
        assert f'"{action}"' in stack


@pytest.mark.parametrize("script", sorted(GITHUB.glob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_clean_and_executable(script: Path) -> None:
    assert script.stat().st_mode & 0o111
    shellcheck = shutil.which("shellcheck", path=str(Path(sys.executable).parent))
    assert shellcheck is not None
    result = subprocess.run([shellcheck, str(script)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
