"""What a caller accepts, from the header `Accept` (RFC 9110, section 12.5.1)."""


def parse_accept(accept: str) -> list[str]:
    """Media ranges in the order in which the caller wants them, in lower case; refused ones are left out."""
    ranges = sorted(map(_parse_range, accept.split(",")), key=lambda item: -item[1])
    return [media_range for media_range, quality in ranges if quality > 0]


def _parse_range(text: str) -> tuple[str, float]:
    media_range, *parameters = (part.strip().lower() for part in text.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return media_range, float(value)
            except ValueError:
                return media_range, 0.0
    return media_range, 1.0
