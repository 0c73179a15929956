"""What can go wrong when files are read, besides what the service says of documents."""


class FileFailed(Exception):
    """One file could not be read: a stable code and a text for the user."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ServerUnusable(Exception):
    """No file can be read there: nobody answers, or the key is refused. The text is for the user."""


class StoreFailed(Exception):
    """Results cannot be written, or another run writes them. The text is for the user."""
