"""Rates, gauges and quantiles of a window, held against sums done by hand."""

import math

import pytest

from serve_app.report.figures import Window, find_quantile
from serve_app.report.scrapes import format_scrape, parse_scrapes

from scrape_window import make_window


def window(*texts: str, every_s: float = 10.0) -> Window:
    scrapes = "".join(format_scrape(100 + number * every_s, text) for number, text in enumerate(texts))
    return Window(parse_scrapes(scrapes))


def test_a_rate_is_growth_by_time_summed_over_replicas() -> None:
    old = 'ocr_requests_total{status="200",replica="a"} 10\nocr_requests_total{status="200",replica="b"} 0'
    new = 'ocr_requests_total{status="200",replica="a"} 30\nocr_requests_total{status="200",replica="b"} 10'
    assert window(old, new).rates("ocr_requests_total", ["status"]) == {("200",): [(10.0, 3.0)]}


def test_a_replica_that_starts_anew_counts_from_zero() -> None:
    """Its counter falls from 50 to 5: it has answered 5, not -45."""
    texts = [f'ocr_requests_total{{replica="a"}} {count}' for count in (40, 50, 5)]
    assert window(*texts).totals("ocr_requests_total") == {(): 15.0}


def test_a_series_that_appears_counts_whole() -> None:
    old, new = "other 1", 'ocr_errors_total{code="busy"} 4\nother 1'
    assert window(old, new).totals("ocr_errors_total", ["code"]) == {("busy",): 4.0}


def test_ray_s_prefix_is_no_other_metric() -> None:
    assert window("ray_ocr_lines_total 1", "ray_ocr_lines_total 8").totals("ocr_lines_total") == {(): 7.0}


def test_gauges_are_summed_or_averaged_over_replicas() -> None:
    text = 'ocr_requests_in_flight{replica="a"} 2\nocr_requests_in_flight{replica="b"} 4'
    found = window(text, text)
    assert found.gauges("ocr_requests_in_flight")[()] == [(0.0, 6.0), (10.0, 6.0)]
    assert found.gauges("ocr_requests_in_flight", mean=True)[()] == [(0.0, 3.0), (10.0, 3.0)]


@pytest.mark.parametrize(
    ("quantile", "expected"),
    [(0.5, 1.0), (0.25, 0.5), (0.75, 1.5), (0.95, 2.0), (1.0, 2.0)],
)
def test_quantiles_are_straight_lines_within_buckets(quantile: float, expected: float) -> None:
    """Half of 100 within one second, 40 more within two, the rest beyond: as PromQL's histogram_quantile."""
    buckets = {("1",): 50.0, ("2",): 100.0 if quantile < 0.95 else 90.0, ("+Inf",): 100.0}
    found = find_quantile(buckets, quantile)
    assert found is not None
    assert math.isclose(found, expected)


def test_there_is_no_quantile_of_nothing() -> None:
    assert find_quantile({}, 0.5) is None
    assert find_quantile({("1",): 0.0, ("+Inf",): 0.0}, 0.5) is None


def test_a_window_under_load_adds_up() -> None:
    """The made-up replicas count every request once, restart or not."""
    found = Window(parse_scrapes(make_window(restart_at=10)))
    requests = sum(found.totals("ocr_requests_total").values())
    by_route = sum(found.totals("ocr_requests_total", ["route"]).values())
    measured = found.totals("ocr_request_seconds_bucket", ["le"])[("+Inf",)]
    assert requests == by_route == measured > 1000
    failed = found.totals("ocr_requests_total", ["status"])[("503",)]
    assert failed == sum(found.totals("ocr_errors_total").values()) > 0


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no window of scrapes"),
        ("ocr_requests_total 1\n", "no window of scrapes"),
        ("# scraped_at 1\n<html>\n# scraped_at 2\nx 1\n", "not the text of `/metrics`"),
        ("# scraped_at 1\nx 1\n", "two scrapes at least"),
        ("# scraped_at 1\nx 1\n# scraped_at 1\nx 2\n", "of one moment"),
    ],
)
def test_what_is_no_window_is_refused(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Window(parse_scrapes(text))
