"""`GET` and `PUT /keys/{id}/limits`: what an administrator sees and sets of a key."""

import asyncio
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi import Path as InPath
from filelock import Timeout
from pydantic import BaseModel, Field

from deployments.errors import Busy, IdentityUnavailable, Unauthorized
from deployments.input_errors import BadRequest, InvalidOption
from serve_app.access.caller import Caller, CallerLimits
from serve_app.access.counters import CountersUnavailable
from serve_app.access.key_file import edit_key_file
from serve_app.access.key_store import KeyStore
from serve_app.access.keys import KeyRecord
from serve_app.access.limiter import Limiter
from serve_app.api.openapi import describe_problems
from serve_app.auth import KeyCheck
from serve_app.error_codes import Conflict, Forbidden, NotFound

_KeyId = Annotated[str, InPath(pattern=r"^[a-z0-9-]{1,64}$", description="The id of the key.")]


class WindowUse(BaseModel):
    """One quota and what is left of it."""

    name: str = Field(examples=["requests"])
    quota: int
    window_s: int
    remaining: int
    reset_s: int = Field(description="Seconds until more of it is free.")


class KeyLimits(BaseModel):
    """The limits of a key. ``windows`` is null when the counters do not answer."""

    id: str
    owner: str
    limits: CallerLimits = Field(description="Those that are in force, the service's own included.")
    own_limits: CallerLimits = Field(description="Those that the key itself states.")
    windows: list[WindowUse] | None


def make_keys_router(
    keys: KeyStore, file: Path | None, limiter: Limiter, defaults: CallerLimits, check_key: KeyCheck
) -> APIRouter:
    """Make the routes; limits can be set of keys that stand in ``file``."""
    router = APIRouter(tags=["service"], dependencies=[Depends(check_key)])
    problems = (Unauthorized, Forbidden, NotFound, InvalidOption, IdentityUnavailable)

    async def describe(record: KeyRecord) -> KeyLimits:
        caller = record.to_caller(defaults)
        return KeyLimits(
            id=caller.key_id,
            owner=caller.owner,
            limits=caller.limits,
            own_limits=record.limits,
            windows=await _look(limiter, caller),
        )

    @router.get(
        "/keys/{key_id}/limits",
        summary="The limits of a key and what is left of them",
        response_model=KeyLimits,
        responses=describe_problems(problems),
    )
    async def read_limits(key_id: _KeyId) -> KeyLimits:
        return await describe(_expect(await keys.get(key_id), key_id))

    @router.put(
        "/keys/{key_id}/limits",
        summary="Set the limits of a key that stands in the key file",
        response_model=KeyLimits,
        responses=describe_problems((*problems, BadRequest, Conflict, Busy)),
    )
    async def set_limits(key_id: _KeyId, limits: CallerLimits) -> KeyLimits:
        _expect(await keys.get(key_id), key_id)
        return await describe(await asyncio.to_thread(_store, file, key_id, limits))

    return router


async def _look(limiter: Limiter, caller: Caller) -> list[WindowUse] | None:
    try:
        windows = await limiter.look(caller)
    except CountersUnavailable:
        return None
    return [WindowUse(**vars(window)) for window in windows]


def _expect(record: KeyRecord | None, key_id: str) -> KeyRecord:
    if record is None:
        raise NotFound(f"There is no key with the id {key_id}.")
    return record


def _store(file: Path | None, key_id: str, limits: CallerLimits) -> KeyRecord:
    def change(keys: tuple[KeyRecord, ...]) -> tuple[KeyRecord, ...]:
        if all(key.id != key_id for key in keys):
            raise _NotInFile
        return tuple(key.model_copy(update={"limits": limits}) if key.id == key_id else key for key in keys)

    try:
        if file is None:
            raise _NotInFile
        keys = edit_key_file(file, change)
    except _NotInFile:
        raise Conflict("The key does not stand in the key file: set its limits where it is kept.") from None
    except Timeout:
        raise Busy("Somebody else is editing the key file.") from None
    except (OSError, ValueError):
        raise Conflict("The key file cannot be edited by the service: set the limits in it.") from None
    return next(key for key in keys if key.id == key_id)


class _NotInFile(Exception):
    """The key is from elsewhere."""
