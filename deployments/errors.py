"""Everything that can go wrong with a document, as one tree.

    ServiceError                      status  code
    ├── InputError                    400     malformed_input     (deployments/input_errors.py)
    ├── Unauthorized                  401     unauthorized
    ├── Busy                          503     busy              + retry_after_s
    │   ├── StageUnavailable          503     stage_unavailable + retry_after_s
    │   ├── NotReady                  503     not_ready         + retry_after_s
    │   ├── IdentityUnavailable       503     identity_unavailable + retry_after_s
    │   ├── JobsUnavailable           503     jobs_unavailable  + retry_after_s
    │   └── StorageUnavailable        503     storage_unavailable + retry_after_s
    │       └── StorageFull           503     storage_full      + retry_after_s
    ├── DeadlineExceeded              504     deadline_exceeded
    ├── StageFailed                   500     stage_failed
    ├── InputLost                     500     input_lost
    └── ModelError                    500     model_error
        ├── ModelMissing              500     model_missing
        └── ModelCorrupt              500     model_corrupt

Each class has a stable ``code``, an HTTP ``status`` and a public message: the message is written for the
caller and never carries a path, a document's text or a stack trace. Every constructor takes positional
arguments only, because that is what survives pickling on the way through Ray.
"""

from typing import ClassVar


class ServiceError(Exception):
    """What a caller can be told. ``message`` is public; a cause stays in the log."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message or self.title


class Unauthorized(ServiceError):
    """No key, or a wrong one."""

    code = "unauthorized"
    status = 401
    title = "Unauthorized"


class Busy(ServiceError):
    """The service has no room now; the same request can be sent again after ``retry_after_s`` seconds."""

    code = "busy"
    status = 503
    title = "Busy"

    def __init__(self, message: str = "", retry_after_s: int = 1) -> None:
        super().__init__(message)
        # Exception pickles `self.args`: both must be there or the number is lost between processes.
        self.args = (message, retry_after_s)
        self.retry_after_s = retry_after_s


class StageUnavailable(Busy):
    """A stage's replica died or cannot be reached; Serve is replacing it."""

    code = "stage_unavailable"
    title = "Stage unavailable"


class NotReady(Busy):
    """The service is starting: a stage has not loaded its model yet."""

    code = "not_ready"
    title = "Not ready"


class IdentityUnavailable(Busy):
    """Who calls cannot be checked now: the identity provider cannot be reached."""

    code = "identity_unavailable"
    title = "Identity unavailable"


class DeadlineExceeded(ServiceError):
    """The request took longer than it may."""

    code = "deadline_exceeded"
    status = 504
    title = "Deadline exceeded"


class StageFailed(ServiceError):
    """A stage failed on this page or document; the cause is in the service's log."""

    code = "stage_failed"
    title = "Stage failed"


class ModelError(ServiceError):
    """A model cannot be loaded."""

    code = "model_error"
    title = "Model error"


class ModelMissing(ModelError):
    """The model is in none of its places; the message says how to get it."""

    code = "model_missing"
    title = "Model missing"


class ModelCorrupt(ModelError):
    """The model's bytes are not the ones that the catalogue names."""

    code = "model_corrupt"
    title = "Model corrupt"


class JobsUnavailable(Busy):
    """Jobs cannot be recorded or looked up now: their database does not answer."""

    code = "jobs_unavailable"
    title = "Jobs unavailable"


class StorageUnavailable(Busy):
    """The place where jobs keep documents and results does not answer."""

    code = "storage_unavailable"
    title = "Storage unavailable"


class StorageFull(StorageUnavailable):
    """The place where jobs keep documents and results has no room."""

    code = "storage_full"
    title = "Storage full"


class InputLost(ServiceError):
    """A document of a job is gone from the storage, or is not what was stored."""

    code = "input_lost"
    title = "Input lost"
