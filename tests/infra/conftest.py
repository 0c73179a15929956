import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.provider.bindings import find_archive, read_schemas
from infra.provider.server import reattach
from infra.provider.usage import find_types
from infra.terraform import Terraform, clean_environment, copy_configuration
from paths import ROOT


@pytest.fixture(scope="session")
def terraform_binary() -> str:
    binary = shutil.which("terraform")
    # Never skipped: a check that did not run must not look like one that passed.
    assert binary is not None, "terraform is not installed: https://developer.hashicorp.com/terraform/install"
    return binary


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A process that serves the schema of the types in use; the value is what leads Terraform there."""
    folder = tmp_path_factory.mktemp("provider")
    schemas, socket = folder / "schemas.json", folder / "s"
    schemas.write_text(json.dumps(read_schemas(find_archive(), find_types(ROOT / "terraform"))))
    server = Path(__file__).parent / "provider" / "server.py"
    command = [sys.executable, str(server), str(schemas), str(socket)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready"), "the schema server did not start"
        yield reattach(process.pid, socket)
        process.terminate()


@pytest.fixture(scope="session")
def terraform(provider: str, terraform_binary: str, tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """Terraform in a copy of the configuration that the tests share and do not change."""
    return make_terraform(terraform_binary, provider, tmp_path_factory.mktemp("configuration"))


@pytest.fixture
def own_terraform(terraform_binary: str, provider: str, tmp_path: Path) -> Terraform:
    """Terraform in a copy that a test may break."""
    return make_terraform(terraform_binary, provider, tmp_path)


def make_terraform(binary: str, provider: str, root: Path) -> Terraform:
    copy_configuration(root)
    return Terraform(binary, root, clean_environment(TF_REATTACH_PROVIDERS=provider))


@pytest.fixture(scope="session", params=["dev", "prod"])
def resources(request: pytest.FixtureRequest, terraform: Terraform) -> dict[str, dict[str, Any]]:
    """Every resource of an environment with its arguments, by address."""
    return terraform.apply_mocked(f"envs/{request.param}", "stack.tftest.hcl")
