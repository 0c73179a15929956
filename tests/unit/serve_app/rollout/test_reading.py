"""What a Serve config may say: Ray drops keys that it does not know, we refuse them."""

import copy
from pathlib import Path

import pytest
import yaml

from serve_app.rollout.reading import ConfigFault, check_config, read_config

from paths import ROOT
from rollout_table import BASE, Config, set_app, set_options, set_overrides


def faults_of(config: object) -> list[str]:
    with pytest.raises(ConfigFault) as fault:
        check_config(config, "new.yaml")
    return fault.value.faults


@pytest.mark.parametrize("path", ["serve_config.yaml", "cluster/serve-config.aws.yaml"])
def test_the_shipped_configs_are_right(path: str) -> None:
    assert read_config(ROOT / path)["applications"][0]["name"] == "ocr"


@pytest.mark.parametrize(
    ("make", "place", "suggestion"),
    [
        (lambda config: config.update(aplications=[]), "aplications", "applications"),
        (lambda config: config.update(http_options={"prt": 1}), "http_options.prt", "port"),
        (set_app(route_prefx="/"), "applications[ocr].route_prefx", "route_prefix"),
        (set_app(runtime_env={"env_var": {}}), "applications[ocr].runtime_env.env_var", "env_vars"),
        (set_app(logging_config={"level": 1}), "applications[ocr].logging_config.level", "log_level"),
        (
            set_options("Detection", num_replica=2),
            "applications[ocr].deployments[Detection].num_replica",
            "num_replicas",
        ),
        (
            set_options("Detection", ray_actor_options={"num_cpu": 2}),
            "applications[ocr].deployments[Detection].ray_actor_options.num_cpu",
            "num_cpus",
        ),
        (
            set_options("Detection", autoscaling_config={"max_replica": 2}),
            "applications[ocr].deployments[Detection].autoscaling_config.max_replica",
            "max_replicas",
        ),
        (
            set_options("Detection", user_config={"max_batchsize": 2}),
            "applications[ocr].deployments[Detection].user_config.max_batchsize",
            "max_batch_size",
        ),
        (set_app(args={"profil": "cpu"}), "applications[ocr].args.profil", "profile"),
        (set_overrides(detecton={}), "applications[ocr].args.overrides.detecton", "detection"),
        (
            set_overrides(detection={"replicas": {"num_replica": 1}}),
            "applications[ocr].args.overrides.detection.replicas.num_replica",
            "num_replicas",
        ),
    ],
)
def test_an_unknown_key_is_named_with_its_place_and_the_key_that_was_meant(
    make, place: str, suggestion: str
) -> None:
    """At every level, ours included."""
    config = copy.deepcopy(BASE)
    make(config)
    assert faults_of(config) == [f"{place}: there is no such key; did you mean {suggestion!r}?"]


def test_a_key_that_is_like_no_other_gets_no_suggestion() -> None:
    assert faults_of({**BASE, "zzz": 1}) == ["zzz: there is no such key"]


def test_all_faults_are_told_at_once() -> None:
    config = copy.deepcopy(BASE)
    set_app(args={"profile": "gpu-h100"})(config)
    config |= {"aplications": 1, "prxy_location": 2}
    assert len(faults_of(config)) == 3


def test_what_is_free_stays_free() -> None:
    """Environment variables, custom resources and other people's arguments have no fixed keys."""
    config: Config = {
        "applications": [
            {
                "name": "other",
                "import_path": "shop.app:build",
                "args": {"anything": {"goes": 1}},
                "runtime_env": {"env_vars": {"ANY_NAME": "1"}},
                "deployments": [
                    {
                        "name": "Cart",
                        "user_config": {"any": 1},
                        "ray_actor_options": {"resources": {"disk": 1}},
                    }
                ],
            }
        ]
    }
    check_config(config, "new.yaml")


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ([], "not a mapping"),
        ({}, "there must be a list of applications"),
        ({"applications": [1]}, "there must be a list of applications"),
        ({"applications": [{"name": "ocr"}]}, "import_path: this is missing"),
        ({"applications": [{"import_path": "a:b", "deployments": [{}]}]}, "mappings with a name"),
        ({"applications": [{"import_path": "a:b"}, {"import_path": "a:b"}]}, "two have the name 'default'"),
        (
            {
                "applications": [
                    {"name": "a", "import_path": "a:b", "route_prefix": "/x"},
                    {"name": "b", "import_path": "a:b", "route_prefix": "/x"},
                ]
            },
            "two have the route_prefix '/x'",
        ),
    ],
)
def test_what_has_not_the_shape_of_a_config_is_refused(config: object, fault: str) -> None:
    assert any(fault in text for text in faults_of(config))


@pytest.mark.parametrize(
    ("overrides", "fault"),
    [
        ({"detection": {"replicas": {"num_replicas": 0}}}, "num_replicas"),
        ({"detection": {"knobs": {"max_batch_size": 500}}}, "max_ongoing_requests must be at least"),
        ({"limits": {"max_pages": "many"}}, "args.overrides.limits.max_pages"),
    ],
)
def test_values_that_the_graph_would_refuse_are_refused_before(overrides: Config, fault: str) -> None:
    config = copy.deepcopy(BASE)
    set_overrides(**overrides)(config)
    assert any(fault in text for text in faults_of(config))


@pytest.mark.parametrize("content", ["applications: [", "\x00", b"\xff\xfe\xff"])
def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "new.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigFault, match="not YAML"):
        read_config(path)


def test_a_config_survives_the_way_through_a_file(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    path.write_text(yaml.safe_dump(BASE))
    assert read_config(path) == BASE
