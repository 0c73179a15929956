"""The fields of a request for a job: its order, its webhook, addresses of documents, and its key."""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request

from configs.jobs import JobsSettings
from deployments.input_errors import BadRequest, InvalidOption
from deployments.jobs.states import Order, Webhook
from serve_app.api.upload import REFERENCE_FIELDS, collect_options
from serve_app.jobs.orders import make_order
from serve_app.outbound.references import Reference
from serve_app.schemas import ExtractionOptions

UPLOAD_FIELD = "upload_id"
# May be given several times in a form, and as a list in JSON.
_LISTS = (*REFERENCE_FIELDS, UPLOAD_FIELD, "formats")
_OWN = {"task": "ocr", "formats": "", "webhook_url": "", "webhook_secret": ""}
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_SECRET_LENGTH = range(16, 257)
_MAX_URL = 2_000


def flatten_fields(items: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Fields of a JSON object as a form has them: a list is a field that comes several times."""
    for name, value in items:
        values = value if isinstance(value, list) and name in _LISTS else [value]
        for one in values:
            if name in (*_LISTS, *_OWN) and not isinstance(one, str):
                raise InvalidOption(
                    f"The field `{name}` is a text{', or a list of them' * (name in _LISTS)}."
                )
            yield name, one


def take_references(fields: Iterable[tuple[str, Any]]) -> Iterator[Reference]:
    """The addresses among the fields of a body; an empty one is none."""
    for kind in REFERENCE_FIELDS:
        for name, address in fields:
            if name == kind and address.strip():
                yield Reference(kind, address.strip())


def name_document(reference: Reference) -> str:
    """The end of the address, without what may let somebody in."""
    try:
        path = unquote(urlsplit(reference.address).path)
    except ValueError:
        path = ""
    return path.rpartition("/")[2] or "document"


def read_fields(
    fields: Iterable[tuple[str, Any]], settings: JobsSettings, request_id: str
) -> tuple[Order, Webhook | None]:
    """What is to be done, and who is told. Raises `RequestValidationError` and `InvalidOption`."""
    own = dict(_OWN)
    others = []
    for name, value in fields:
        if name == "formats" and own["formats"]:
            own["formats"] += f",{value}"
        elif name in own:
            own[name] = value
        else:
            others.append((name, value))
    order = make_order(
        own["task"], own["formats"] or None, collect_options(others, ExtractionOptions), request_id
    )
    return order, _read_webhook(own["webhook_url"], own["webhook_secret"], settings)


def _read_webhook(url: str, secret: str, settings: JobsSettings) -> Webhook | None:
    if not url:
        if secret:
            raise _fault("webhook_secret", "There is no `webhook_url`")
        return None
    if len(url) > _MAX_URL or not url.startswith(("https://", "http://")):
        raise _fault("webhook_url", "Not an http:// or https:// address")
    secret = secret or settings.webhook_secret.get_secret_value()
    if len(secret) not in _SECRET_LENGTH:
        raise _fault("webhook_secret", "Events are signed: a secret of 16 to 256 characters is needed")
    return Webhook(url, secret)


def read_key(request: Request) -> str | None:
    """The key by which the same job is known again. Raises `BadRequest`."""
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise BadRequest("The header Idempotency-Key must be 1 to 255 visible ASCII characters.")
    return key


def _fault(name: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"loc": (name,), "type": "job_option", "msg": message}])
