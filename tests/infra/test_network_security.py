"""Who reaches what, in both environments, whatever module it comes from."""

import base64

import pytest

from infra.resources import Resources, select


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


@pytest.mark.parametrize("port", [8265, 10001, 8404, 9101, 6384, 6385, 22])
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


def test_all_traffic_of_the_network_is_logged(resources: Resources) -> None:
    vpcs = {values["id"] for values in select(resources, "aws_vpc").values()}
    logged = {
        values["vpc_id"]
        for values in select(resources, "aws_flow_log").values()
        if values["traffic_type"] == "ALL"
    }
    assert vpcs == logged
