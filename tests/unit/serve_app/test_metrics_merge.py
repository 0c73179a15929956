"""One page of metrics of many nodes."""

from prometheus_client.parser import text_string_to_metric_families

from serve_app.metrics_merge import GONE, MetricsMerge, NodePage

NOISE = 'Component="core_worker",SessionName="s",Version="2",WorkerId="w",otel_scope_name="o"'


def write_page(requests: float, replica: str = "a", pages: float = 1.0) -> str:
    """What Ray's agent says."""
    return f"""\
# HELP ray_ocr_requests_total HTTP requests
# TYPE ray_ocr_requests_total counter
ray_ocr_requests_total{{{NOISE},replica="{replica}",route="/ocr",status="200"}} {requests}
# HELP ray_ocr_requests_in_flight HTTP requests under way
# TYPE ray_ocr_requests_in_flight gauge
ray_ocr_requests_in_flight{{{NOISE},replica="{replica}"}} 2.0
# HELP ray_ocr_request_seconds Time
# TYPE ray_ocr_request_seconds histogram
ray_ocr_request_seconds_bucket{{le="1.0",replica="{replica}"}} {requests}
ray_ocr_request_seconds_bucket{{le="+Inf",replica="{replica}"}} {requests}
ray_ocr_request_seconds_count{{replica="{replica}"}} {requests}
ray_ocr_request_seconds_sum{{replica="{replica}"}} {requests / 2}
# HELP ray_serve_deployment_status Status
# TYPE ray_serve_deployment_status gauge
ray_serve_deployment_status{{{NOISE},deployment="Table"}} 6.0
# HELP ray_gcs_actors Actors
# TYPE ray_gcs_actors gauge
ray_gcs_actors{{{NOISE}}} {pages}
"""


def read(merge: MetricsMerge, *pages: tuple[str, str | None], include: str = "own") -> dict[str, list]:
    """The samples of the merged page, by name."""
    text = merge.merge([NodePage(node, f"{node}:8090", page) for node, page in pages], include)
    found: dict[str, list] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def total(samples: dict[str, list], name: str = "ocr_requests_total") -> float:
    return sum(value for _, value in samples.get(name, []))


def test_series_of_nodes_stand_side_by_side() -> None:
    """The same replica id on two nodes is two series; the names are the table's own, Ray's noise is gone."""
    samples = read(MetricsMerge(), ("n1", write_page(3)), ("n2", write_page(4)))
    assert total(samples) == 7
    labels = [labels for labels, _ in samples["ocr_requests_total"]]
    assert labels == [
        {"replica": "a", "route": "/ocr", "status": "200", "node": node} for node in ("n1", "n2")
    ]
    assert total(samples, "ocr_request_seconds_count") == 7
    assert samples["ocr_node_up"] == [
        ({"node": "n1", "address": "n1:8090"}, 1.0),
        ({"node": "n2", "address": "n2:8090"}, 1.0),
    ]


def test_what_is_shown_is_chosen() -> None:
    """The service's own alone, with Serve's, or all."""
    names = {
        include: set(read(MetricsMerge(), ("n1", write_page(3)), include=include))
        for include in ("own", "serve", "all")
    }
    assert "ray_serve_deployment_status" not in names["own"]
    assert "ray_serve_deployment_status" in names["serve"]
    assert "ray_gcs_actors" not in names["serve"]
    assert "ray_gcs_actors" in names["all"]


def test_a_node_that_does_not_answer_keeps_its_counters() -> None:
    """They stand still, its gauges are left out, and it is told; afterwards it counts on."""
    merge = MetricsMerge()
    read(merge, ("n1", write_page(3)), ("n2", write_page(4)))
    silent = read(merge, ("n1", write_page(5)), ("n2", None))
    assert total(silent) == 9
    assert [labels["node"] for labels, _ in silent["ocr_requests_in_flight"]] == ["n1"]
    assert [value for _, value in silent["ocr_node_up"]] == [1.0, 0.0]
    assert total(read(merge, ("n1", write_page(5)), ("n2", write_page(6)))) == 11


def test_a_node_that_never_answered_is_told() -> None:
    """There is nothing to show of it but that."""
    samples = read(MetricsMerge(), ("n1", None))
    assert samples["ocr_node_up"] == [({"node": "n1", "address": "n1:8090"}, 0.0)]
    assert total(samples) == 0


def test_the_sum_does_not_fall_when_nodes_leave() -> None:
    """However many: those that left long ago are added up."""
    merge = MetricsMerge()
    last = 0.0
    for number in range(100):
        samples = read(merge, ("stays", write_page(1)), (f"n{number}", write_page(2, f"r{number}")))
        assert total(samples) >= last
        last = total(samples)
    assert last == 1 + 100 * 2
    samples = read(merge, ("stays", write_page(1)))
    assert total(samples) == 201
    assert total(samples, "ocr_request_seconds_count") == 201
    nodes = {labels["node"] for labels, _ in samples["ocr_requests_total"]}
    assert GONE in nodes
    assert len(nodes) <= 35
    assert len(samples["ocr_requests_total"]) <= 35
