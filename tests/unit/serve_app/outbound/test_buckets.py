"""Which objects the operator's list allows."""

import pytest

from serve_app.outbound.buckets import BucketPolicy
from serve_app.outbound.errors import NotAllowed


@pytest.mark.parametrize(
    ("rules", "address", "found"),
    [
        ("docs", "s3://docs/a.pdf", ("docs", "a.pdf")),
        ("docs", "s3://docs/a b/한글 #1?.pdf", ("docs", "a b/한글 #1?.pdf")),
        ("other, s3://docs/in/", "s3://docs/in/a.pdf", ("docs", "in/a.pdf")),
        ("docs/in", "s3://docs/in/a/b.pdf", ("docs", "in/a/b.pdf")),
        ("docs/in", "s3://docs/internal.pdf", None),
        ("docs/in", "s3://docs/in", None),
        ("docs/in", "s3://docs/in/../secret.pdf", None),
        ("docs/in", "s3://docs//in/a.pdf", None),
        ("docs/in", "s3://docs/in/./a.pdf", None),
        ("docs", "s3://docs/a//b", None),
        ("docs", "s3://docs/", None),
        ("docs", "s3://docs", None),
        ("docs", "s3://docs2/a.pdf", None),
        ("docs", "s3://DOCS/a.pdf", None),
        ("docs", "S3://docs/a.pdf", None),
        ("docs", "https://docs/a.pdf", None),
        ("docs", "docs/a.pdf", None),
        ("docs", "s3://docs/a\nb", None),
        ("docs", "s3://docs/" + "a" * 1025, None),
        ("docs", "s3://arn:aws:s3:eu-west-1:1:accesspoint/x/a", None),
        ("", "s3://docs/a.pdf", None),
    ],
)
def test_an_object_is_named_by_bucket_and_key(
    rules: str, address: str, found: tuple[str, str] | None
) -> None:
    """A prefix is a folder, and nothing climbs out of it."""
    policy = BucketPolicy.parse(rules)
    if found is None:
        with pytest.raises(NotAllowed):
            policy.admit(address)
    else:
        assert policy.admit(address) == found


@pytest.mark.parametrize("rule", ["*", "a", "Docs", "https://docs", "/docs", "-docs"])
def test_a_rule_that_names_no_bucket_is_refused(rule: str) -> None:
    """At the start, in a sentence."""
    with pytest.raises(ValueError, match="no bucket such as"):
        BucketPolicy.parse(rule)
