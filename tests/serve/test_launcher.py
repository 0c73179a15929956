"""cluster/ray-cluster.yaml, as Ray's cluster launcher reads it before it asks AWS for anything."""

import copy
from typing import Any

import pytest
import yaml

from paths import ROOT

pytestmark = pytest.mark.serve


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "cluster" / "ray-cluster.yaml").read_text())


def prepare(config: dict[str, Any]) -> dict[str, Any]:
    from ray.autoscaler._private.util import prepare_config, validate_config

    prepared = prepare_config(copy.deepcopy(config))
    validate_config(prepared)
    return prepared


def test_the_launcher_accepts_the_file(config: dict[str, Any]) -> None:
    prepared = prepare(config)
    assert prepared["provider"]["region"] == "ap-northeast-2"
    workers = prepared["available_node_types"]["worker"]
    assert workers["node_config"]["InstanceType"].startswith("g4dn.")
    assert workers["resources"] == {"CPU": 4, "GPU": 1}
    assert prepared["head_node_type"] == "head"


def test_the_launcher_refuses_a_planted_fault(config: dict[str, Any]) -> None:
    """So that what it accepts means something."""
    from jsonschema import ValidationError

    with pytest.raises(ValidationError):
        prepare(config | {"max_worker": 3})
    wrong = copy.deepcopy(config)
    wrong["available_node_types"]["worker"]["min_workers"] = 9
    with pytest.raises(ValueError, match="max_workers"):
        prepare(wrong)
