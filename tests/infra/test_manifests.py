"""The YAML files of cluster/: valid by the schemas of those who read them, at one with the entry points."""

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from infra.kuberay import RAY_SERVICE
from infra.test_ports import PORTS
from paths import ROOT

CLUSTER = ROOT / "cluster"
KUBERNETES = "1.33"
# Ports of a pod by name, and those that only the head has.
POD_PORTS = {"serve": "PORT_SERVE_HTTP", "metrics": "PORT_METRICS"}
HEAD_PORTS = {
    "gcs-server": "PORT_GCS",
    "dashboard": "PORT_DASHBOARD",
    "client": "PORT_RAY_CLIENT",
    "fallback": "PORT_SERVE_FALLBACK",
}


def load(name: str) -> Any:
    return yaml.safe_load((CLUSTER / name).read_text())


@pytest.fixture
def service() -> dict[str, Any]:
    return load("rayservice.yaml")


def list_pods(service: dict[str, Any]) -> dict[str, dict[str, Any]]:
    cluster = service["spec"]["rayClusterConfig"]
    groups = {"head": cluster["headGroupSpec"], "worker": cluster["workerGroupSpecs"][0]}
    return {part: group["template"] for part, group in groups.items()}


def find_container(service: dict[str, Any], part: str) -> dict[str, Any]:
    return list_pods(service)[part]["spec"]["containers"][0]


def check_compose(file: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "check-jsonschema"
    command = [program, "--builtin-schema", "vendor.compose-spec", file]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("file", sorted(CLUSTER.glob("*.yaml")), ids=lambda file: file.name)
def test_a_file_is_yaml_whose_keys_come_once(file: Path) -> None:
    class Strict(yaml.SafeLoader):
        pass

    def make_mapping(loader: Strict, node: yaml.MappingNode) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value]
        assert len(names) == len(set(names)), f"{node.start_mark}: a key comes twice"
        loader.flatten_mapping(node)
        return yaml.SafeLoader.construct_mapping(loader, node, deep=True)

    Strict.add_constructor("tag:yaml.org,2002:map", make_mapping)
    assert yaml.load(file.read_text(), Strict)


def test_compose_yaml_fits_the_compose_specification(tmp_path: Path) -> None:
    result = check_compose(CLUSTER / "compose.yaml")
    assert result.returncode == 0, result.stdout
    planted = load("compose.yaml")
    planted["services"]["ocr"]["helthcheck"] = planted["services"]["ocr"].pop("healthcheck")
    bad = tmp_path / "compose.yaml"
    bad.write_text(yaml.safe_dump(planted))
    assert check_compose(bad).returncode != 0


def test_compose_yaml_gives_the_gpu_and_closes_what_it_can() -> None:
    services = load("compose.yaml")["services"]
    ocr = services["ocr"]
    (device,) = ocr["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    (port,) = ocr["ports"]
    assert port == f"${{OCR_LISTEN:-127.0.0.1}}:{PORTS['PORT_SERVE_HTTP']}:{PORTS['PORT_SERVE_HTTP']}"
    for service in services.values():
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert "healthcheck" in service
    assert "ports" not in services["valkey"]


def test_rayservice_yaml_has_the_fields_of_kuberay(service: dict[str, Any]) -> None:
    jsonschema.validate(service, RAY_SERVICE)
    planted = copy.deepcopy(service)
    planted["spec"]["rayClusterConfig"]["gcsFaultTolerance"] = {}
    with pytest.raises(jsonschema.ValidationError, match="gcsFaultTolerance"):
        jsonschema.validate(planted, RAY_SERVICE)


@pytest.mark.parametrize("part", ["head", "worker"])
def test_a_pod_fits_the_schema_of_kubernetes(service: dict[str, Any], part: str) -> None:
    pod = list_pods(service)[part]
    template = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": part}, "template": pod}
    kubernetes_validate.validate(template, KUBERNETES, strict=True)
    template["template"]["spec"]["containers"][0]["imagePullPolice"] = "Always"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(template, KUBERNETES, strict=True)


@pytest.mark.parametrize("part", ["head", "worker"])
def test_a_pod_starts_the_entry_point_with_the_ports_of_the_file(service: dict[str, Any], part: str) -> None:
    container = find_container(service, part)
    assert f"exec /srv/ocr/cluster/entrypoint-{part}.sh" in container["args"][0]
    named = {port["name"]: port["containerPort"] for port in container["ports"]}
    expected = POD_PORTS | (HEAD_PORTS if part == "head" else {})
    assert named == {name: PORTS[port] for name, port in expected.items()}
    assert list_pods(service)[part]["metadata"]["annotations"]["ray.io/overwrite-container-cmd"] == "true"


def test_the_operator_and_the_entry_points_count_alike(service: dict[str, Any]) -> None:
    cluster = service["spec"]["rayClusterConfig"]
    assert cluster["headGroupSpec"]["rayStartParams"] == {"num-cpus": "0", "num-gpus": "0"}
    given = {entry["name"]: entry.get("value") for entry in find_container(service, "worker")["env"]}
    asked = cluster["workerGroupSpecs"][0]["rayStartParams"]
    assert asked == {"num-cpus": given["OCR_NODE_CPUS"], "num-gpus": given["OCR_NODE_GPUS"]}


def test_a_worker_has_time_to_drain(service: dict[str, Any]) -> None:
    given = {entry["name"]: entry.get("value") for entry in find_container(service, "worker")["env"]}
    given_s = list_pods(service)["worker"]["spec"]["terminationGracePeriodSeconds"]
    assert given_s >= int(given["OCR_DRAIN_S"]) + 20
    # The operator's own hook would end Ray before the entry point hears of it.
    assert find_container(service, "worker")["lifecycle"]["preStop"]["exec"]["command"] == ["/bin/true"]


@pytest.mark.parametrize("part", ["head", "worker"])
def test_a_pod_has_no_rights_that_it_does_not_need(service: dict[str, Any], part: str) -> None:
    pod, container = list_pods(service)[part]["spec"], find_container(service, part)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "API_KEY" not in {entry["name"] for entry in container.get("env", []) if "value" in entry}


def test_kuberay_deploys_the_same_application(service: dict[str, Any]) -> None:
    assert yaml.safe_load(service["spec"]["serveConfigV2"]) == load("serve-config.aws.yaml")
    (application,) = load("serve-config.aws.yaml")["applications"]
    assert application["import_path"] == "serve_app.app:build"


def test_the_versions_of_ray_agree(service: dict[str, Any]) -> None:
    lines = (ROOT / "requirements" / "runtime.txt").read_text().splitlines()
    assert f"ray=={service['spec']['rayClusterConfig']['rayVersion']} \\" in lines


def test_the_launcher_starts_the_entry_points_and_opens_ssh_to_few() -> None:
    config = load("ray-cluster.yaml")
    for part in ("head", "worker"):
        (command,) = config[f"{part}_start_ray_commands"]
        assert f"/srv/ocr/cluster/entrypoint-{part}.sh" in command
    for rule in config["provider"]["security_group"]["IpPermissions"]:
        assert (rule["FromPort"], rule["ToPort"]) == (22, 22)
        assert all(not block["CidrIp"].endswith("/0") for block in rule["IpRanges"])
    for kind in config["available_node_types"].values():
        assert kind["node_config"]["MetadataOptions"]["HttpTokens"] == "required"
        assert kind["node_config"]["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True
    assert config["available_node_types"]["head"]["resources"] == {"CPU": 0, "GPU": 0}
