"""What the operator's rules allow."""

import pytest

from serve_app.outbound.errors import NotAllowed
from serve_app.outbound.policy import MAX_URL_LETTERS, OutboundPolicy, parse_url


@pytest.mark.parametrize(
    ("rules", "url", "allowed"),
    [
        ("", "https://files.example.com/", False),
        ("files.example.com", "https://files.example.com/a", True),
        ("files.example.com", "https://FILES.example.com./a", True),
        ("files.example.com", "https://files.example.com:443/a", True),
        ("files.example.com", "http://files.example.com/a", False),
        ("files.example.com", "https://files.example.com:8443/a", False),
        ("files.example.com", "https://files.example.com.evil.net/a", False),
        ("files.example.com", "https://evilfiles.example.com/a", False),
        ("files.example.com:8443", "https://files.example.com:8443/a", True),
        ("files.example.com:8443", "https://files.example.com/a", False),
        ("http://files.example.com", "http://files.example.com/a", True),
        ("http://files.example.com", "https://files.example.com/a", False),
        ("*.example.com", "https://a.b.example.com/", True),
        ("*.example.com", "https://example.com/", False),
        ("*.example.com", "https://badexample.com/", False),
        ("a.org, *.example.com", "https://x.example.com/", True),
        ("*", "https://anything.example/", True),
        ("*", "https://8.8.8.8/", True),
        ("*", "https://127.0.0.1/", False),
        ("*", "http://anything.example/", False),
        ("http://*:8080", "http://anything.example:8080/", True),
        ("https://한국.example", "https://xn--3e0b707e.example/", True),
        ("http://minio:9000@private", "http://minio:9000/b", True),
        ("http://127.0.0.1:9000@private", "http://127.0.0.1:9000/b", True),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/b", False),
        ("http://169.254.169.254:80@private", "http://169.254.169.254/b", False),
        ("https://[2606:2800::1]:443", "https://[2606:2800::1]/", True),
        ("https://[::1]:443@private", "https://[0:0:0:0:0:0:0:1]/", True),
    ],
)
def test_a_rule_allows_its_scheme_host_and_port(rules: str, url: str, allowed: bool) -> None:
    """And nothing else."""
    policy = OutboundPolicy.parse(rules)
    if allowed:
        policy.admit(url)
    else:
        with pytest.raises(NotAllowed):
            policy.admit(url)


@pytest.mark.parametrize(
    "rule",
    [
        "ftp://a",
        "a/b",
        "user@a",
        "*@private",
        "*.a.b:443@private",
        "minio@private",
        "a:0x1",
        "1.2.3",
        "a b",
        "*x",
    ],
)
def test_a_rule_that_says_nothing_is_refused(rule: str) -> None:
    """At the start, in a sentence."""
    with pytest.raises(ValueError, match="'"):
        OutboundPolicy.parse(rule)


def test_networks_of_the_operators_own_are_refused() -> None:
    """Addresses that are public by number, and are inside all the same."""
    policy = OutboundPolicy.parse("*", "2600:1f14:abcd::/48, 52.0.0.0/16")
    with pytest.raises(NotAllowed):
        policy.admit("https://[2600:1f14:abcd::5]/")
    with pytest.raises(NotAllowed):
        policy.admit("https://52.0.3.4/")
    policy.admit("https://52.1.3.4/")


def test_the_letters_of_a_presigned_url_stay() -> None:
    """Its signature is over them."""
    url = "https://bucket.s3.eu-west-1.amazonaws.com/a%20b%2Fc.pdf?X-Amz-Credential=a%2Fb&X-Amz-Signature=0f"
    assert str(parse_url(url)) == url
    assert str(parse_url("https://a.example/한글.pdf")) == "https://a.example/%ED%95%9C%EA%B8%80.pdf"


def test_what_is_shown_of_a_target_holds_no_secret() -> None:
    """Neither path nor query."""
    target = OutboundPolicy.parse("*").admit("https://a.example/hooks/s3cret?X-Amz-Signature=s3cret")
    assert str(target) == "https://a.example:443"


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example/\r\nX: y",
        "https://a.example/a b",
        "https://a\\@b.example/",
        "https://user@a.example/",
        "https://user:pw@a.example/",
        "https://@a.example/",
        "https:///a",
        "https:a.example",
        "//a.example/",
        "a.example",
        "",
        "https://a.example:99999/",
        "https://a%2eexample/",
        "https://-a.example/",
        "https://a..example/",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https://" + "a" * MAX_URL_LETTERS,
        "https://" + ".".join(["a" * 60] * 5),
    ],
)
def test_what_is_no_plain_url_is_refused(text: str) -> None:
    """Parsers that do not agree cannot be played off against each other."""
    with pytest.raises(NotAllowed):
        parse_url(text)
