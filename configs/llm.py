"""Where a language model is asked, and how much of its time and of the document it may have."""

import os
from collections.abc import Mapping
from typing import Self

from pydantic import AnyHttpUrl, Field, NonNegativeInt, PositiveFloat, PositiveInt, SecretStr, ValidationError

from configs.settings import Settings

_PREFIX = "CHATOCR_"


class LlmSettings(Settings):
    """An OpenAI-compatible endpoint, by the variables ``CHATOCR_*`` of a node.

    ``deadline_s`` bounds all tries of one document, ``timeout_s`` one of them. Of a document whose text has
    more than ``max_input_tokens``, by a careful guess, the end is left out. After ``breaker_failures``
    failures in a row nobody is kept waiting for ``breaker_pause_s``.
    """

    base_url: AnyHttpUrl
    model: str = Field(min_length=1)
    api_token: SecretStr = SecretStr("")
    timeout_s: PositiveFloat = 30.0
    deadline_s: PositiveFloat = 60.0
    attempts: PositiveInt = 3
    max_input_tokens: PositiveInt = 24_000
    max_output_tokens: PositiveInt = 4_000
    breaker_failures: PositiveInt = 5
    breaker_pause_s: PositiveFloat = 30.0
    seed: NonNegativeInt = 0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self | None:
        """The endpoint, or None unless ``CHATOCR_ENABLED`` is true. Raises ValueError, without any secret."""
        if environment.get(f"{_PREFIX}ENABLED", "").strip().lower() not in ("1", "true", "yes", "on"):
            return None
        given = {name: environment.get(f"{_PREFIX}{name.upper()}", "").strip() for name in cls.model_fields}
        try:
            return cls.model_validate({name: value for name, value in given.items() if value})
        except ValidationError as error:
            faults = "; ".join(
                f"{_PREFIX}{str(fault['loc'][0]).upper()}: {fault['msg']}"
                for fault in error.errors(include_input=False, include_url=False)
            )
            raise ValueError(f"The language model is not set up: {faults}") from None
