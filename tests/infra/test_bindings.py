from typing import Any

import pytest

from infra.provider.bindings import find_archive, read_schemas
from infra.provider.usage import find_types
from paths import ROOT


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    types = {
        ("resource", "aws_ecs_capacity_provider"),
        ("resource", "aws_db_instance"),
        ("data", "aws_region"),
    }
    return read_schemas(find_archive(), types)


def test_only_what_is_asked_for_is_read(schemas: dict[str, Any]) -> None:
    assert set(schemas["resource"]) == {"aws_ecs_capacity_provider", "aws_db_instance"}
    assert set(schemas["data"]) == {"aws_region"}


def test_the_schema_is_of_version_6(schemas: dict[str, Any]) -> None:
    assert schemas["version"].startswith("6.")


def test_arguments_are_required_optional_or_computed(schemas: dict[str, Any]) -> None:
    attributes = schemas["resource"]["aws_db_instance"]["attributes"]
    assert attributes["instance_class"] == {"type": "string", "required": True}
    assert attributes["multi_az"] == {"type": "bool", "optional": True, "computed": True}
    assert attributes["status"] == {"type": "string", "computed": True}
    assert attributes["vpc_security_group_ids"]["type"] == ["set", "string"]
    assert attributes["tags"]["type"] == ["map", "string"]


def test_blocks_nest_with_their_limits(schemas: dict[str, Any]) -> None:
    block = schemas["resource"]["aws_ecs_capacity_provider"]["blocks"]["auto_scaling_group_provider"]
    assert block["nesting"] == "list"
    assert block["max"] == 1
    scaling = block["block"]["blocks"]["managed_scaling"]["block"]["attributes"]
    assert scaling["target_capacity"]["type"] == "number"


def test_what_the_provider_computes_as_objects_is_an_attribute(schemas: dict[str, Any]) -> None:
    secret = schemas["resource"]["aws_db_instance"]["attributes"]["master_user_secret"]
    members = {"kms_key_id": "string", "secret_arn": "string", "secret_status": "string"}
    assert secret == {"type": ["list", ["object", members]], "computed": True}


def test_the_providers_own_block_has_its_region_and_tags(schemas: dict[str, Any]) -> None:
    assert schemas["provider"]["attributes"]["region"] == {"type": "string", "optional": True}
    tags = schemas["provider"]["blocks"]["default_tags"]["block"]["attributes"]["tags"]
    assert tags["type"] == ["map", "string"]


def test_a_type_that_the_provider_does_not_have_is_named() -> None:
    with pytest.raises(KeyError, match="resource aws_nothing_of_the_kind"):
        read_schemas(find_archive(), {("resource", "aws_nothing_of_the_kind")})


def test_the_types_in_use_are_found() -> None:
    types = find_types(ROOT / "terraform")
    assert {("resource", "aws_ecs_service"), ("data", "aws_region")} <= types
