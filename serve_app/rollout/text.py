"""A rollout in words, for whoever is to agree to it."""

from collections.abc import Iterator

from serve_app.rollout.changes import ApplicationChange, DeploymentChange, Reason, Rollout
from serve_app.rollout.options import Effect, as_text

_MAX_VALUE = 60
_HEADINGS = {
    Effect.NOTHING: "nothing changes",
    Effect.LIVE: "live update, no replica restarts",
    Effect.SCALE: "replicas come or go, none restarts",
    Effect.RESTART: "replicas restart",
    Effect.ADD: "new application",
    Effect.REMOVE: "removed",
}


def describe_rollout(rollout: Rollout) -> str:
    """The whole rollout, one block an application."""
    lines = [line for application in rollout.applications for line in _describe_application(application)]
    lines += [f"note: {note}" for note in rollout.notes]
    return "\n".join(lines) if lines else "There are no applications."


def _describe_application(application: ApplicationChange) -> Iterator[str]:
    yield f"{application.name}: {_HEADINGS[application.effect]}"
    yield from (f"    {_describe_reason(reason)}" for reason in application.reasons)
    yield from (f"    ({note})" for note in application.notes)
    width = max((len(one.name) for one in application.deployments), default=0)
    for one in application.deployments:
        yield f"  {one.name.ljust(width)}  {_describe_replicas(one)}"
        # What restarts for the application's sake needs no reason of its own.
        reasons = [] if application.effect in (Effect.ADD, Effect.REMOVE) else one.reasons
        yield from (f"  {' ' * width}    {_describe_reason(reason)}" for reason in reasons)
        yield from (f"  {' ' * width}    ({note})" for note in one.notes)


def _describe_reason(reason: Reason) -> str:
    return f"{reason.path}: {_show(reason.old)} -> {_show(reason.new)}"


def _describe_replicas(change: DeploymentChange) -> str:
    before, after = _count(change.before), _count(change.after)
    match change.effect:
        case Effect.NOTHING:
            return f"nothing       {_replicas(change.before)}"
        case Effect.LIVE:
            return f"live update   {_replicas(change.before)} in place"
        case Effect.SCALE:
            moves = [f"{change.started} start"] * bool(change.started)
            moves += [f"{change.stopped} stop"] * bool(change.stopped)
            return f"scale         {before} -> {after} replicas: {', '.join(moves) or 'kept'}"
        case Effect.RESTART:
            how = f"{change.surge} started first" if change.surge else f"{change.at_a_time} at a time"
            count = _replicas(change.before)
            size = "" if change.before == change.after else f", then {after}"
            return f"restart       all of {count}, {how}{size}"
        case Effect.ADD:
            return f"new           {_replicas(change.after)} start"
    return f"removed       {_replicas(change.before)} stop"


def _count(count: int | None) -> str:
    return "?" if count is None else str(count)


def _replicas(count: int | None) -> str:
    return f"{_count(count)} replica{'' if count == 1 else 's'}"


def _show(value: object) -> str:
    text = "(none)" if value is None else as_text(value)
    return text if len(text) <= _MAX_VALUE else f"{text[: _MAX_VALUE - 3]}..."
