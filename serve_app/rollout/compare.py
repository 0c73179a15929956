"""Two plans side by side: what Serve does on the way from one to the other."""

import math
from collections.abc import Iterator

from serve_app.graph_options import Options
from serve_app.rollout.changes import (
    ApplicationChange,
    DeploymentChange,
    LiveReplicas,
    Reason,
    Rollout,
    strongest,
)
from serve_app.rollout.options import Effect, as_text, effect_of, list_differences
from serve_app.rollout.plan import Plan, PlannedApplication, PlannedDeployment

_NOTHING_RUNS = LiveReplicas({})
# Serve takes these when it starts, and drops changes of them without a word.
_FIXED = ("proxy_location", "http_options", "grpc_options", "controller_options")
_UNITS = {"num_cpus": "CPUs", "num_gpus": "GPUs"}
_ROUNDING = 1e-6
_FORGETFUL = {"Documents": "kept documents are forgotten"}


def compare_plans(old: Plan, new: Plan, live: LiveReplicas = _NOTHING_RUNS) -> Rollout:
    """What changes; with ``live``, in terms of the replicas that run."""
    names = sorted({*old.applications, *new.applications})
    return Rollout(
        tuple(_compare(old.applications.get(name), new.applications.get(name), name, live) for name in names),
        tuple(_compare_serve(old, new)),
    )


def _compare_serve(old: Plan, new: Plan) -> Iterator[str]:
    for path, before, after in list_differences(_find_fixed(old), _find_fixed(new)):
        # A cluster tells only some of these, and a config that is silent about one leaves it as it is.
        if not old.is_live or (before is not None and after is not None):
            yield (
                f"{path}: {as_text(before)} -> {as_text(after)} has no effect until Serve is shut down "
                "and started anew (`serve shutdown`)"
            )
    tracing = (old.serve.get("tracing_config"), new.serve.get("tracing_config"))
    if not old.is_live and as_text(tracing[0]) != as_text(tracing[1]):
        yield "tracing_config: only replicas that start from now on take it"


def _find_fixed(plan: Plan) -> dict[str, object]:
    return {key: plan.serve.get(key) or {} for key in _FIXED}


def _compare(
    old: PlannedApplication | None, new: PlannedApplication | None, name: str, live: LiveReplicas
) -> ApplicationChange:
    if old is None and new is not None:
        added = (_add(one, planned) for one, planned in new.deployments.items())
        return ApplicationChange(name, Effect.ADD, (), tuple(added))
    if new is None:
        assert old is not None
        names = sorted({*old.deployments, *live.names(name)})
        gone = (_remove(one, _count(old, one, live)) for one in names)
        return ApplicationChange(name, Effect.REMOVE, (), tuple(gone))
    assert old is not None
    rebuild = [
        Reason(path, before, after, Effect.RESTART)
        for path, before, after in list_differences(old.version, new.version)
    ]
    settings = [
        Reason(path, before, after, Effect.LIVE)
        for path, before, after in list_differences(old.settings, new.settings)
    ]
    names = sorted({*old.deployments, *new.deployments, *live.names(name)})
    deployments = tuple(_compare_deployment(old, new, one, bool(rebuild), live) for one in names)
    effect = strongest(
        [Effect.RESTART for _ in rebuild]
        + [Effect.LIVE for _ in settings]
        + [_weigh(one) for one in deployments]
    )
    notes = ["its code is built anew: every replica restarts"] if rebuild else []
    notes += [
        f"{one.path}: {as_text(one.old)} and {as_text(one.new)} are the same value; Serve compares their text"
        for one in rebuild
        if one.old == one.new
    ]
    if rebuild and not new.is_known:
        notes.append(f"{name} is not this package's graph: what its code says about deployments is not known")
    return ApplicationChange(name, effect, (*rebuild, *settings), deployments, tuple(notes))


def _weigh(change: DeploymentChange) -> Effect:
    # A deployment that comes or goes is not an application that does.
    return min(change.effect, Effect.RESTART, key=list(Effect).index)


def _compare_deployment(
    old: PlannedApplication, new: PlannedApplication, name: str, is_rebuilt: bool, live: LiveReplicas
) -> DeploymentChange:
    before = _count(old, name, live)
    if new.is_known and name not in new.deployments:
        return _remove(name, before)
    if old.is_known and name not in old.deployments and live.count(old.name, name) is None:
        return _add(name, new.deployments[name])
    was = old.deployments.get(name) or PlannedDeployment({}, None)
    wanted = new.deployments.get(name) or PlannedDeployment({}, None)
    reasons = tuple(
        Reason(path, one, other, effect_of(path.partition(".")[0]))
        for path, one, other in list_differences(was.options, wanted.options)
        # The number of replicas gives way to the load: the settings of scaling say it all.
        if not (path == "num_replicas" and wanted.options.get("autoscaling_config"))
    )
    is_resized = any(reason.effect is Effect.SCALE for reason in reasons) or was.replicas != wanted.replicas
    after = _count_after(before, wanted, bool(reasons) or is_rebuilt, is_resized or is_rebuilt)
    effect = strongest(reason.effect for reason in reasons)
    if is_rebuilt:
        effect = Effect.RESTART
    elif effect is Effect.LIVE and after != before:
        effect = Effect.SCALE
    elif effect is Effect.SCALE and after == before:
        effect = Effect.LIVE
    elif effect is Effect.NOTHING and after != before:
        effect = Effect.SCALE
    if effect is Effect.RESTART:
        return _restart(name, before, after, wanted, reasons, live)
    kept = None if before is None or after is None else min(before, after)
    return DeploymentChange(
        name, effect, before, after, kept, _less(before, kept), _less(after, kept), reasons=reasons
    )


def _count(application: PlannedApplication, name: str, live: LiveReplicas) -> int | None:
    running = live.count(application.name, name)
    if running is not None:
        return running
    planned = application.deployments.get(name)
    return planned.replicas if planned else None


def _count_after(
    before: int | None, wanted: PlannedDeployment, is_changed: bool, is_resized: bool
) -> int | None:
    scaling = wanted.options.get("autoscaling_config")
    if is_changed and scaling and scaling.get("initial_replicas") is not None:
        return wanted.replicas
    if not is_resized:
        return before
    if scaling and before is not None:
        # The load decides, within bounds.
        return max(scaling.get("min_replicas", 1), min(before, scaling.get("max_replicas", 1)))
    return before if wanted.replicas is None else wanted.replicas


def _restart(
    name: str,
    before: int | None,
    after: int | None,
    wanted: PlannedDeployment,
    reasons: tuple[Reason, ...],
    live: LiveReplicas,
) -> DeploymentChange:
    options = wanted.options
    target = after or 0
    surge = math.ceil(target * options.get("max_surge_percent", 0) / 100)
    at_a_time = max(1, int(target * options.get("rolling_update_percentage", 0.2)))
    notes = []
    if before and surge == 0 and before <= at_a_time:
        notes.append(
            "its only replica stops before a successor starts: calls wait, and fail if it does not start"
        )
    if surge:
        notes += _describe_room(surge, options, live)
    if name in _FORGETFUL:
        notes.append(_FORGETFUL[name])
    return DeploymentChange(
        name, Effect.RESTART, before, after, 0, before, after, at_a_time, surge, reasons, tuple(notes)
    )


def _describe_room(surge: int, options: Options, live: LiveReplicas) -> Iterator[str]:
    actor = options.get("ray_actor_options") or {}
    needs = {unit: float(actor.get(unit) or 0.0) for unit in _UNITS}
    room = ", ".join(f"{surge * need:g} {_UNITS[unit]}" for unit, need in needs.items() if need)
    yield f"needs room for {surge} more meanwhile" + (f" ({room})" if room else "")
    if live.free is not None and any(need > live.free[unit] + _ROUNDING for unit, need in needs.items()):
        left = ", ".join(f"{live.free[unit]:g} {name}" for unit, name in _UNITS.items())
        yield f"the cluster has no such room ({left} left): the rollout will wait for it"


def _add(name: str, planned: PlannedDeployment) -> DeploymentChange:
    return DeploymentChange(name, Effect.ADD, 0, planned.replicas, 0, 0, planned.replicas)


def _remove(name: str, count: int | None) -> DeploymentChange:
    return DeploymentChange(name, Effect.REMOVE, count, 0, 0, count, 0)


def _less(count: int | None, kept: int | None) -> int | None:
    return None if count is None or kept is None else count - kept
