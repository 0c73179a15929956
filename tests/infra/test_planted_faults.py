"""The checks themselves are checked: each planted fault must be found."""

import re

import pytest

from infra.terraform import Terraform


def plant(terraform: Terraform, file: str, old: str, new: str) -> None:
    path = terraform.root / "terraform" / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{file} has changed: plant the fault elsewhere"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("modules/ecr/main.tf", "image_tag_mutability", "image_tag_mutabillity", "Unsupported argument"),
        (
            "modules/network/main.tf",
            "cidr_block           = var.vpc_cidr",
            'cidr_block = ["10.0.0.0/16"]',
            "Incorrect attribute value type",
        ),
        (
            "modules/data/postgres.tf",
            "  instance_class                      = var.postgres_instance_class\n",
            "",
            "Missing required argument",
        ),
        (
            "modules/ray_service/worker.tf",
            "placement_constraints {",
            "placement_constraint {",
            "Unsupported block type",
        ),
        ("modules/kms/outputs.tf", "aws_kms_key.this.arn", "aws_kms_key.this.arm", "Unsupported attribute"),
    ],
)
def test_a_wrong_argument_is_found(
    own_terraform: Terraform, file: str, old: str, new: str, complaint: str
) -> None:
    module = file.rpartition("/")[0]
    plant(own_terraform, file, old, new)
    own_terraform.prepare(module)
    result = own_terraform.run(module, "validate", "-no-color")
    assert result.returncode != 0
    assert complaint in result.stderr


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"allowed_cidrs": "[]"}, "allowed_cidrs must list IPv4 ranges"),
        ({"allowed_cidrs": '["all"]'}, "allowed_cidrs must list IPv4 ranges"),
        ({"gpu_instance_types": '["g4dn.12xlarge"]'}, "gpu_instance_types must be"),
        ({"head_instance_type": '"g4dn.xlarge"'}, "head_instance_type must not have a GPU"),
        ({"spot_percent": "101"}, "spot_percent must be 0 to 100"),
        ({"min_workers": "0"}, "min_workers must be at least 1"),
        ({"min_workers": "3", "max_workers": "2"}, "max_workers must be at least min_workers"),
        ({"auth_mode": '"none"'}, "auth_mode must be api-key, cognito or both"),
        ({"image_tag": "null"}, "Give ecr_image, or image_tag"),
        ({"ecr_image": '"example.com/ocr"'}, "ecr_image must end with a tag or a digest"),
        ({"domain_name": "null", "zone_id": "null"}, "Give certificate_arn, or domain_name with zone_id"),
        ({"aws_region": '"Seoul"'}, "aws_region must look like"),
        ({"project_name": '"OCR_Service"'}, "project_name must be"),
        ({"alarm_email": '"operator"'}, "alarm_email must be an e-mail address"),
        ({"allowed_origins": '["*"]'}, "allowed_origins must list origins"),
        ({"github_repository": '"ocr"'}, "github_repository must look like owner/name"),
    ],
)
def test_a_wrong_value_is_refused_with_a_sentence(
    own_terraform: Terraform, variables: dict[str, str], complaint: str
) -> None:
    file = own_terraform.root / "terraform/envs/dev/tests/stack.tftest.hcl"
    text = file.read_text(encoding="utf-8")
    for name, value in variables.items():
        text = re.sub(rf"^  {name} +=.*\n", "", text, flags=re.MULTILINE)
        text = text.replace("variables {\n", f"variables {{\n  {name} = {value}\n", 1)
    file.write_text(text, encoding="utf-8")
    result = own_terraform.test("envs/dev")
    assert result.returncode != 0
    assert complaint in " ".join(re.sub(r"[│╷╵]", " ", result.stdout + result.stderr).split())
