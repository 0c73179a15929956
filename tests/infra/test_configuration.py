import subprocess

import pytest

from infra.terraform import MODULES, Terraform
from paths import ROOT


def test_the_configuration_is_formatted(terraform_binary: str) -> None:
    result = subprocess.run(
        [terraform_binary, "fmt", "-check", "-diff", "-recursive", str(ROOT / "terraform")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


def test_every_module_that_the_design_names_is_there() -> None:
    named = ("network", "ecr", "iam", "ecs_cluster", "ray_service", "alb", "data", "observability", "auth")
    expected = {"bootstrap", "envs/dev", "envs/prod", *(f"modules/{name}" for name in named)}
    assert expected <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_valid(terraform: Terraform, module: str) -> None:
    terraform.prepare(module)
    result = terraform.run(module, "validate", "-no-color")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("module", MODULES)
def test_a_modules_own_tests_pass(terraform: Terraform, module: str) -> None:
    result = terraform.test(module)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Success! 0 passed" not in result.stdout
