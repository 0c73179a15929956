"""Documents as bytes and back: MessagePack by msgspec, so that nothing that is read back can run."""

import typing
from typing import Any

import msgspec
import numpy as np

from deployments.document import Document

# Arrays that a document has; of any other kind nothing is read back.
_DTYPES = ("float32", "float64", "uint8", "bool")


def encode_document(document: Document) -> bytes:
    """Write a document, its arrays exactly as they are."""
    return msgspec.msgpack.encode(document, enc_hook=_encode_array)


def decode_document(data: bytes) -> Document:
    """Read what `encode_document` wrote. Raises `ValueError` for anything else."""
    try:
        return msgspec.msgpack.decode(data, type=Document, dec_hook=_decode_array)
    except msgspec.MsgspecError as error:
        raise ValueError("These bytes are no document.") from error


def _encode_array(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.name in _DTYPES:
        return value.dtype.name, value.shape, value.tobytes()
    if isinstance(value, np.generic):
        return value.item()
    raise NotImplementedError(f"{type(value).__name__} is no part of a document")


def _decode_array(kind: type, value: Any) -> Any:
    if kind is not np.ndarray and typing.get_origin(kind) is not np.ndarray:
        raise NotImplementedError(f"{kind} is no part of a document")
    name, shape, data = value
    if name not in _DTYPES:
        raise ValueError(f"no array of {name!r} is read")
    return np.frombuffer(data, np.dtype(name)).reshape(shape)
