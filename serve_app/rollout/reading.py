"""A Serve config from a YAML file: refused, with every fault at once, where Serve would drop or reject it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from configs.profile import AppArgs, Profile, load_profile
from configs.settings import BatchKnobs
from serve_app.rollout.keys import describe_unknown, find_unknown_keys

Config = dict[str, Any]
# The application whose arguments we know.
OWN_IMPORT_PATHS = frozenset({"serve_app.app:build", "serve_app.app.build"})


class ConfigFault(ValueError):
    """A config that must not be deployed; ``faults`` are sentences for whoever wrote it."""

    def __init__(self, source: str, faults: list[str]) -> None:
        super().__init__("\n".join(f"{source}: {fault}" for fault in faults))
        self.faults = faults


def read_config(path: Path) -> Config:
    """The content of a config file. Raises `ConfigFault` and `OSError`."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigFault(str(path), [f"this is not YAML: {error}"]) from None
    check_config(content, str(path))
    return content


def check_config(content: object, source: str) -> None:
    """Raise `ConfigFault` with all faults of this config."""
    if not isinstance(content, dict):
        raise ConfigFault(source, ["this is not a mapping"])
    faults = find_unknown_keys(content)
    applications = content.get("applications")
    if not isinstance(applications, list) or not all(isinstance(one, dict) for one in applications):
        faults.append("applications: there must be a list of applications")
        raise ConfigFault(source, faults)
    faults += _find_twins(applications, "name", "default")
    faults += _find_twins(applications, "route_prefix", "/")
    for application in applications:
        faults += _find_faults(application, f"applications[{application.get('name', 'default')}]")
    if faults:
        raise ConfigFault(source, faults)


def _find_twins(applications: list[dict[str, Any]], key: str, default: str) -> Iterator[str]:
    values = [application.get(key, default) for application in applications]
    for value in sorted({str(value) for value in values if value is not None and values.count(value) > 1}):
        yield f"applications: two have the {key} {value!r}"


def _find_faults(application: Mapping[str, Any], place: str) -> Iterator[str]:
    if not isinstance(application.get("import_path"), str):
        yield f"{place}.import_path: this is missing"
    deployments = application.get("deployments") or []
    if not isinstance(deployments, list) or not all(
        isinstance(one, dict) and isinstance(one.get("name"), str) for one in deployments
    ):
        yield f"{place}.deployments: there must be a list of mappings with a name"
        return
    yield from _find_twins(deployments, "name", "")
    if application.get("import_path") not in OWN_IMPORT_PATHS:
        return
    try:
        args = AppArgs.model_validate(application.get("args") or {})
        load_profile(args, 0.0)
    except ValidationError as error:
        yield from _explain(error, place)
    except (ValueError, OSError) as error:
        yield f"{place}.args: {error}"
    for one in deployments:
        if one["name"].partition("-")[0] in ("Detection", "Recognition") and one.get("user_config"):
            try:
                BatchKnobs.model_validate(one["user_config"])
            except ValidationError as error:
                yield from _explain(error, f"{place}.deployments[{one['name']}].user_config")


def _explain(error: ValidationError, place: str) -> Iterator[str]:
    """One sentence for each fault that pydantic found in our own settings."""
    models: dict[str, tuple[type[BaseModel], str]] = {
        "AppArgs": (AppArgs, ".args"),
        "Profile": (Profile, ".args.overrides"),
    }
    model, below = models.get(error.title, (BatchKnobs, ""))
    place += below
    for fault in error.errors(include_url=False, include_input=False):
        path = ".".join([place, *map(str, fault["loc"])])
        if fault["type"] == "extra_forbidden":
            holder = _model_at(model, fault["loc"][:-1])
            yield describe_unknown(path, str(fault["loc"][-1]), holder.model_fields if holder else ())
        else:
            yield f"{path}: {fault['msg']}"


def _model_at(model: type[BaseModel], place: tuple[int | str, ...]) -> type[BaseModel] | None:
    for step in place:
        kind = model.model_fields[str(step)].annotation if str(step) in model.model_fields else None
        parts = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
        below = [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]
        if not below:
            return None
        model = below[0]
    return model
