"""The fields of KubeRay's RayService as far as cluster/rayservice.yaml may use them.

KubeRay's own schema is in no package. These are names and types of its API `ray.io/v1` in release 1.5, taken
from the description of the types; pods inside are checked against the schema of Kubernetes itself.
"""

from typing import Any


def closed(required: list[str], **properties: Any) -> dict[str, Any]:
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_COUNT = {"type": "integer", "minimum": 0}
_POD = {"type": "object", "required": ["spec"]}
_CREDENTIAL = closed(["valueFrom"], valueFrom={"type": "object", "required": ["secretKeyRef"]})

_HEAD = closed(
    ["rayStartParams", "template"],
    rayStartParams=_TEXTS,
    template=_POD,
    serviceType={"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
    enableIngress={"type": "boolean"},
)
_WORKERS = closed(
    ["groupName", "minReplicas", "maxReplicas", "rayStartParams", "template"],
    groupName={"type": "string", "minLength": 1},
    replicas=_COUNT,
    minReplicas=_COUNT,
    maxReplicas=_COUNT,
    numOfHosts=_COUNT,
    idleTimeoutSeconds=_COUNT,
    rayStartParams=_TEXTS,
    template=_POD,
)
_CLUSTER = closed(
    ["headGroupSpec"],
    rayVersion={"type": "string"},
    authOptions=closed(["mode"], mode={"enum": ["token", "disabled"]}),
    enableInTreeAutoscaling={"type": "boolean"},
    autoscalerOptions=closed(
        [],
        idleTimeoutSeconds=_COUNT,
        upscalingMode={"enum": ["Default", "Aggressive", "Conservative"]},
        resources={"type": "object"},
    ),
    gcsFaultToleranceOptions=closed(
        ["redisAddress"],
        redisAddress={"type": "string"},
        redisUsername=_CREDENTIAL,
        redisPassword=_CREDENTIAL,
        externalStorageNamespace={"type": "string"},
    ),
    headGroupSpec=_HEAD,
    workerGroupSpecs={"type": "array", "items": _WORKERS, "minItems": 1},
)
RAY_SERVICE = closed(
    ["apiVersion", "kind", "metadata", "spec"],
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayService"},
    metadata={"type": "object", "required": ["name"]},
    spec=closed(
        ["serveConfigV2", "rayClusterConfig"], serveConfigV2={"type": "string"}, rayClusterConfig=_CLUSTER
    ),
)
