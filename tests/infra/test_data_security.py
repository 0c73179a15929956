"""How what is kept is guarded, in both environments, whatever module it comes from."""

from typing import Any

from infra.resources import Resources, list_statements, select


def test_volumes_stores_logs_and_secrets_are_encrypted(resources: Resources) -> None:
    for template in select(resources, "aws_launch_template").values():
        for mapping in template["block_device_mappings"]:
            assert [disk["encrypted"] for disk in mapping["ebs"]] == ["true"]
    (key,) = (values["arn"] for values in select(resources, "aws_kms_key").values())
    for group in select(resources, "aws_cloudwatch_log_group").values():
        assert group["kms_key_id"] == key
    for secret in select(resources, "aws_secretsmanager_secret").values():
        assert secret["kms_key_id"] == key
    for database in select(resources, "aws_db_instance").values():
        assert database["storage_encrypted"] is True
        assert database["kms_key_id"] == key
        assert database["publicly_accessible"] is False
        assert database["manage_master_user_password"] is True
    for store in select(resources, "aws_elasticache_replication_group").values():
        assert store["at_rest_encryption_enabled"] == "true"
        assert store["kms_key_id"] == key
        assert store["transit_encryption_enabled"] is True
        assert store["transit_encryption_mode"] == "required"
        assert store["auth_token"]
    for topic in select(resources, "aws_sns_topic").values():
        assert topic["kms_master_key_id"] == key
    for repository in select(resources, "aws_ecr_repository").values():
        assert [kind["encryption_type"] for kind in repository["encryption_configuration"]] == ["KMS"]


def test_keys_turn_over_and_can_be_managed_by_the_account_alone(resources: Resources) -> None:
    for key in select(resources, "aws_kms_key").values():
        assert key["enable_key_rotation"] is True
        for statement in list_statements(key["policy"]):
            if "AWS" in statement["Principal"]:
                assert statement["Principal"]["AWS"].endswith(":123456789012:root")
            else:
                assert "Condition" in statement


def test_buckets_are_private_versioned_encrypted_and_refuse_plain_http(resources: Resources) -> None:
    buckets = {values["id"] for values in select(resources, "aws_s3_bucket").values()}
    assert len(buckets) == 3

    def list_guarded(kind: str) -> dict[str, dict[str, Any]]:
        return {values["bucket"]: values for values in select(resources, kind).values()}

    blocks = list_guarded("aws_s3_bucket_public_access_block")
    versions = list_guarded("aws_s3_bucket_versioning")
    encryption = list_guarded("aws_s3_bucket_server_side_encryption_configuration")
    policies = list_guarded("aws_s3_bucket_policy")
    assert buckets == set(blocks) == set(versions) == set(encryption) == set(policies)
    for bucket in buckets:
        switches = (
            "block_public_acls",
            "block_public_policy",
            "ignore_public_acls",
            "restrict_public_buckets",
        )
        assert all(blocks[bucket][switch] is True for switch in switches)
        assert versions[bucket]["versioning_configuration"][0]["status"] == "Enabled"
        denied = [s for s in list_statements(policies[bucket]["policy"]) if s["Effect"] == "Deny"]
        assert any(
            statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            and statement["Principal"] == "*"
            and statement["Action"] == "s3:*"
            for statement in denied
        )


def test_databases_refuse_connections_without_tls(resources: Resources) -> None:
    for group in select(resources, "aws_db_parameter_group").values():
        assert {"name": "rds.force_ssl", "value": "1"} in [
            {"name": parameter["name"], "value": parameter["value"]} for parameter in group["parameter"]
        ]


def test_tags_of_images_never_move_and_images_are_scanned(resources: Resources) -> None:
    for repository in select(resources, "aws_ecr_repository").values():
        assert repository["image_tag_mutability"] == "IMMUTABLE"
        assert repository["image_scanning_configuration"][0]["scan_on_push"] is True
