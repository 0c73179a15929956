"""What must hold of every resource of both environments, whatever module it comes from."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

Resources = dict[str, dict[str, Any]]

# AWS lets these actions name no resources: what bounds them is a condition, or nothing.
_ACTIONS_WITHOUT_RESOURCES = {
    "ecr:GetAuthorizationToken",
    "cloudwatch:PutMetricData",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
}


def select(resources: Resources, kind: str) -> dict[str, dict[str, Any]]:
    """The values of all resources of a kind; a kind that is not there at all is a mistake in the test."""
    found = {
        address: resource["values"]
        for address, resource in resources.items()
        if resource["type"] == kind and resource["mode"] == "managed"
    }
    assert found, f"no {kind}"
    return found


def list_statements(document: str) -> list[dict[str, Any]]:
    return json.loads(document)["Statement"]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def list_task_containers(resources: Resources) -> Iterator[tuple[str, dict[str, Any]]]:
    for address, task in select(resources, "aws_ecs_task_definition").items():
        for container in json.loads(task["container_definitions"]):
            yield address, container


def test_only_the_load_balancer_is_open_to_addresses_and_only_for_https_and_its_redirect(
    resources: Resources,
) -> None:
    groups = select(resources, "aws_security_group")
    alb = next(group["id"] for address, group in groups.items() if address.endswith('["alb"]'))
    from_addresses = [
        rule
        for rule in select(resources, "aws_vpc_security_group_ingress_rule").values()
        if rule.get("cidr_ipv4") or rule.get("cidr_ipv6") or rule.get("prefix_list_id")
    ]
    assert {rule["from_port"] for rule in from_addresses} == {80, 443}
    for rule in from_addresses:
        assert rule["security_group_id"] == alb
        assert rule["from_port"] == rule["to_port"]
        assert rule["ip_protocol"] == "tcp"


def test_every_other_rule_names_a_group_and_a_port(resources: Resources) -> None:
    for rule in select(resources, "aws_vpc_security_group_ingress_rule").values():
        assert rule["ip_protocol"] == "tcp"
        assert 0 < rule["from_port"] <= rule["to_port"] < 65536
        assert rule["to_port"] - rule["from_port"] < 1000
        assert rule["description"]
    for group in select(resources, "aws_security_group").values():
        # Rules inside the group would escape the tests of rules.
        assert not any(isinstance(group[side], list) and group[side] for side in ("ingress", "egress"))


def test_the_default_group_lets_nothing_pass(resources: Resources) -> None:
    for group in select(resources, "aws_default_security_group").values():
        assert not any(isinstance(group[side], list) and group[side] for side in ("ingress", "egress"))


@pytest.mark.parametrize("port", [8265, 10001, 8404, 9101, 22])
def test_no_rule_opens_rays_dashboard_its_client_haproxys_pages_or_ssh(
    resources: Resources, port: int
) -> None:
    for address, rule in select(resources, "aws_vpc_security_group_ingress_rule").items():
        assert not rule["from_port"] <= port <= rule["to_port"], address


def test_the_stores_and_the_head_are_reached_by_groups_only(resources: Resources) -> None:
    for rule in select(resources, "aws_vpc_security_group_ingress_rule").values():
        if rule["from_port"] in (6379, 5432):
            assert rule["referenced_security_group_id"]
            assert not rule.get("cidr_ipv4")


def test_instances_have_no_public_address_and_a_metadata_service_for_themselves_alone(
    resources: Resources,
) -> None:
    for template in select(resources, "aws_launch_template").values():
        (options,) = template["metadata_options"]
        assert options["http_tokens"] == "required"
        assert options["http_put_response_hop_limit"] == 1
        assert {interface["associate_public_ip_address"] for interface in template["network_interfaces"]} == {
            "false"
        }
        assert "ECS_AWSVPC_BLOCK_IMDS=true" in base64.b64decode(template["user_data"]).decode()


def test_no_subnet_gives_out_public_addresses_and_tasks_have_none(resources: Resources) -> None:
    for subnet in select(resources, "aws_subnet").values():
        assert subnet["map_public_ip_on_launch"] is False
    private = {
        subnet["id"] for address, subnet in select(resources, "aws_subnet").items() if ".private[" in address
    }
    for service in select(resources, "aws_ecs_service").values():
        (network,) = service["network_configuration"]
        assert network["assign_public_ip"] is False
        assert set(network["subnets"]) == private
    for group in select(resources, "aws_autoscaling_group").values():
        assert set(group["vpc_zone_identifier"]) == private


def test_private_subnets_reach_the_outside_only_through_nat(resources: Resources) -> None:
    routes = select(resources, "aws_route")
    for address, route in routes.items():
        through_gateway = route.get("gateway_id") is not None
        assert through_gateway == address.endswith("aws_route.internet"), address


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


def test_policies_allow_named_actions_on_named_resources(resources: Resources) -> None:
    for address, policy in select(resources, "aws_iam_role_policy").items():
        for statement in list_statements(policy["policy"]):
            actions, targets = as_list(statement["Action"]), as_list(statement["Resource"])
            assert statement["Effect"] == "Allow"
            assert not any("*" in action for action in actions), address
            if "*" in targets:
                assert set(actions) <= _ACTIONS_WITHOUT_RESOURCES, address


def test_what_runs_in_a_task_may_not_read_the_secrets_that_start_it(resources: Resources) -> None:
    policies = select(resources, "aws_iam_role_policy")
    readers = {
        address
        for address, policy in policies.items()
        for statement in list_statements(policy["policy"])
        if any(action.startswith("secretsmanager:") for action in as_list(statement["Action"]))
    }
    assert readers
    assert all(".aws_iam_role_policy.execution[" in address for address in readers)
    for task in select(resources, "aws_ecs_task_definition").values():
        assert task["task_role_arn"] != task["execution_role_arn"]


def test_a_role_is_assumed_by_a_named_service_or_by_one_branch_of_one_repository(
    resources: Resources,
) -> None:
    for address, role in select(resources, "aws_iam_role").items():
        for statement in list_statements(role["assume_role_policy"]):
            assert set(statement["Principal"]) <= {"Service", "Federated"}, address
            if "Federated" in statement["Principal"]:
                subject = statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
                assert subject == "repo:example/ocr:ref:refs/heads/main"


def test_callers_speak_tls_1_2_or_newer(resources: Resources) -> None:
    listeners = select(resources, "aws_lb_listener")
    by_port = {listener["port"]: listener for listener in listeners.values()}
    assert set(by_port) == {80, 443}
    assert by_port[443]["protocol"] == "HTTPS"
    assert by_port[443]["ssl_policy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    assert [action["type"] for action in by_port[80]["default_action"]] == ["redirect"]
    for balancer in select(resources, "aws_lb").values():
        assert balancer["drop_invalid_header_fields"] is True
        assert balancer["access_logs"][0]["enabled"] is True


def test_databases_refuse_connections_without_tls(resources: Resources) -> None:
    for group in select(resources, "aws_db_parameter_group").values():
        assert {"name": "rds.force_ssl", "value": "1"} in [
            {"name": parameter["name"], "value": parameter["value"]} for parameter in group["parameter"]
        ]


def test_all_traffic_of_the_network_is_logged(resources: Resources) -> None:
    vpcs = {values["id"] for values in select(resources, "aws_vpc").values()}
    logged = {
        values["vpc_id"]
        for values in select(resources, "aws_flow_log").values()
        if values["traffic_type"] == "ALL"
    }
    assert vpcs == logged


def test_tags_of_images_never_move_and_images_are_scanned(resources: Resources) -> None:
    for repository in select(resources, "aws_ecr_repository").values():
        assert repository["image_tag_mutability"] == "IMMUTABLE"
        assert repository["image_scanning_configuration"][0]["scan_on_push"] is True


def test_secrets_come_from_the_secret_store_and_never_stand_in_a_task_definition(
    resources: Resources,
) -> None:
    secret_names = {"RAY_AUTH_TOKEN", "RAY_REDIS_PASSWORD", "API_KEY", "PGPASSWORD"}
    given: set[str] = set()
    for _, container in list_task_containers(resources):
        assert not secret_names & {variable["name"] for variable in container["environment"]}
        assert all(
            secret["valueFrom"].startswith("arn:aws:secretsmanager:") for secret in container["secrets"]
        )
        given |= {secret["name"] for secret in container["secrets"]}
    assert secret_names <= given


def test_containers_run_without_privileges(resources: Resources) -> None:
    for address, container in list_task_containers(resources):
        assert container["user"] == "10001", address
        assert container["privileged"] is False, address
