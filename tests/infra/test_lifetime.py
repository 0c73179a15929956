"""A development stack is gone without a trace when it is destroyed; production refuses to go."""

from typing import Any

from infra.terraform import Terraform


def read_guards(terraform: Terraform, environment: str) -> dict[str, set[Any]]:
    """What decides whether things can be deleted, by kind and argument."""
    arguments = {
        "aws_lb": "enable_deletion_protection",
        "aws_db_instance": "deletion_protection",
        "aws_cognito_user_pool": "deletion_protection",
        "aws_secretsmanager_secret": "recovery_window_in_days",
        "aws_s3_bucket": "force_destroy",
        "aws_ecr_repository": "force_delete",
        "aws_autoscaling_group": "force_delete",
    }
    resources = terraform.apply_mocked(f"envs/{environment}", "stack.tftest.hcl").values()
    return {
        kind: {resource["values"][argument] for resource in resources if resource["type"] == kind}
        for kind, argument in arguments.items()
    }


def test_everything_in_development_can_be_deleted(terraform: Terraform) -> None:
    assert read_guards(terraform, "dev") == {
        "aws_lb": {False},
        "aws_db_instance": {False},
        "aws_cognito_user_pool": {"INACTIVE"},
        "aws_secretsmanager_secret": {0},
        "aws_s3_bucket": {True},
        "aws_ecr_repository": {True},
        "aws_autoscaling_group": {True},
    }


def test_nothing_in_production_is_deleted_by_a_slip(terraform: Terraform) -> None:
    assert read_guards(terraform, "prod") == {
        "aws_lb": {True},
        "aws_db_instance": {True},
        "aws_cognito_user_pool": {"ACTIVE"},
        "aws_secretsmanager_secret": {7},
        "aws_s3_bucket": {False},
        "aws_ecr_repository": {False},
        "aws_autoscaling_group": {False},
    }
