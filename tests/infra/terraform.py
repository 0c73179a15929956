"""Terraform in a copy of the configuration, with the provider's schema served on this machine."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paths import ROOT

MODULES = sorted(
    str(file.parent.relative_to(ROOT / "terraform")) for file in (ROOT / "terraform").rglob("versions.tf")
)


@dataclass(frozen=True)
class Terraform:
    """The binary, the copy it works in, and the environment that leads it to the served schema."""

    binary: str
    root: Path
    environment: dict[str, str]

    def run(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a module of the copy."""
        return subprocess.run(
            [self.binary, f"-chdir={self.root / 'terraform' / module}", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def prepare(self, module: str) -> None:
        """`terraform init` without a backend; raises `AssertionError` with what Terraform said."""
        result = self.run(module, "init", "-backend=false", "-input=false", "-no-color")
        assert result.returncode == 0, result.stdout + result.stderr

    def test(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`terraform test` of a module."""
        self.prepare(module)
        return self.run(module, "test", "-no-color", *arguments)

    def apply_mocked(self, module: str, test_file: str) -> dict[str, dict[str, Any]]:
        """All resources that a test file's last run leaves, by address, as Terraform would keep them.

        Values that AWS would choose are made up; all others are what AWS would be told.
        """
        self.prepare(module)
        result = self.run(module, "test", "-json", "-verbose", f"-filter=tests/{test_file}")
        states = [
            message["test_state"]
            for message in map(json.loads, result.stdout.splitlines())
            if message["type"] == "test_state"
        ]
        assert result.returncode == 0, result.stdout[-4000:] + result.stderr
        assert states, "Terraform printed no state"
        return {resource["address"]: resource for resource in _walk(states[-1]["root_module"])}


def copy_configuration(target: Path) -> None:
    """Copy what Terraform reads, without what it left there."""
    ignored = shutil.ignore_patterns(".terraform", "*.tfstate*", "*.tfvars", "backend.hcl", "__pycache__")
    for folder in ("terraform", "cluster"):
        shutil.copytree(ROOT / folder, target / folder, ignore=ignored)


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without what the person at the keyboard set for Terraform and AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "AWS_"))}
    return {**kept, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", **more}


def _walk(module: dict[str, Any]) -> list[dict[str, Any]]:
    found = list(module.get("resources", []))
    for child in module.get("child_modules", []):
        found += _walk(child)
    return found
