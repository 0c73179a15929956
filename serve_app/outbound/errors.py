"""What can go wrong with a request that the service itself sends.

    OutboundError
    ├── NotAllowed      by the address's text alone: the caller knows all that the answer tells
    ├── Unreachable     no answer that could be used; `status` where a server gave one
    ├── TimedOut        not within the time that it may take
    └── TooLong         more bytes than it may have

Each `reason` is for the log: what a name resolved to is not for whoever sent it.
"""


class OutboundError(Exception):
    """A request was refused, or gave nothing; ``reason`` names no path, no query and no document."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotAllowed(OutboundError):
    """The operator does not allow this address. Nothing was resolved, nothing was connected to."""


class Unreachable(OutboundError):
    """Nothing usable came back: no such name, a forbidden address behind it, no connection, or a status."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class TimedOut(OutboundError):
    """The answer took too long."""


class TooLong(OutboundError):
    """The answer has more bytes than it may have."""
