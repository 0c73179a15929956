"""Requests made from an OpenAPI document, fitting and not, and checks of their answers."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product

from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

# Of the statuses of failing servers, only those of one that has no room or no time.
ALLOWED_SERVER_ERRORS = (503, 504)
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
_SETTINGS = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False)


def list_operations(document: BaseSchema) -> list[APIOperation]:
    """All that a document describes."""
    return [result.ok() for result in document.get_all_operations()]


class Fuzzer:
    """Sends requests with a key, and counts them by operation.

    ``known_ids`` are values of parameters of paths that nobody guesses: every second request has them.
    Answers are checked for status, media type, body and headers.
    """

    def __init__(
        self, key: str, known_ids: Mapping[str, str], repeatable: bool, timeout_s: float | None = None
    ) -> None:
        self.sent: Counter[str] = Counter()
        self._headers = {"x-api-key": key}
        self._known_ids = known_ids
        self._settings = settings(_SETTINGS, derandomize=repeatable)
        self._options = {} if timeout_s is None else {"timeout": timeout_s}

    def send(self, operations: Sequence[APIOperation], count: int) -> None:
        """Send ``count`` requests or some more, shared out to all operations."""
        # Those with little to choose from first: what they cannot use is left to the others.
        by_size = sorted(operations, key=lambda operation: (operation.body is not None, len(operation.query)))
        rounds = list(product(by_size, (GenerationMode.NEGATIVE, GenerationMode.POSITIVE)))
        for place, (operation, mode) in enumerate(rounds):
            left = count - self.sent.total()
            share = max(1, math.ceil(1.1 * left / (len(rounds) - place)))
            try:
                self._send_some(operation, mode, share)
            except Unsatisfiable:
                # Whatever is sent to it, an operation without parameters has nothing that could not fit.
                assert mode == GenerationMode.NEGATIVE, operation.label

    def _send_some(self, operation: APIOperation, mode: GenerationMode, count: int) -> None:
        @settings(self._settings, max_examples=count)
        @given(operation.as_strategy(generation_mode=mode))
        def send_case(case: Case) -> None:
            self._send(operation, case)

        send_case()

    def _send(self, operation: APIOperation, case: Case) -> None:
        self.sent[operation.label] += 1
        if self.sent[operation.label] % 2:
            known = {name: value for name, value in self._known_ids.items() if name in case.path_parameters}
            case.path_parameters.update(known)
        answer = case.call(headers=self._headers, **self._options)
        assert answer.status_code < 500 or answer.status_code in ALLOWED_SERVER_ERRORS, answer.text
        case.validate_response(answer, checks=CHECKS)
