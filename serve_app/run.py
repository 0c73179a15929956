"""`ocr-serve run`: a local Ray cluster with the service on it, for a laptop or one machine."""

import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import ray
from ray import serve
from ray.serve.schema import LoggingConfig

from configs.profile import AppArgs, choose_recognizers, load_profile
from configs.settings import EngineName
from serve_app import controller_log
from serve_app.app import bind_graph

_APP_NAME = "ocr"
_OTHER_KEYS = ("API_KEYS", "API_KEYS_FILE", "API_KEYS_SECRET_ID")


@dataclass(frozen=True)
class Listen:
    """Where the service listens and with which key; ``is_new_key`` when the key was made here."""

    host: str
    port: int
    api_key: str
    is_new_key: bool

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Listen":
        """``HOST``, ``PORT`` and ``API_KEY``; where nobody could come in, a random key is made."""
        key = environment.get("API_KEY", "")
        is_new = not key and not any(map(environment.get, _OTHER_KEYS)) and not _needs_no_key(environment)
        try:
            port = int(environment.get("PORT") or 8000)
        except ValueError:
            raise SystemExit(f"PORT must be a number, not {environment['PORT']!r}.") from None
        return cls(
            environment.get("HOST") or "127.0.0.1", port, secrets.token_urlsafe(24) if is_new else key, is_new
        )


# How often Ray's processes look around suits clusters of any size; on one machine they share the cores of the
# networks (docs/benchmarks.md). Whoever sets one of these keeps what was set.
_CALMER_RAY = {
    # Serve's look at every deployment: ten times a second otherwise.
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",
    # Every replica's look for new figures: ten times a second otherwise.
    "RAY_SERVE_METRICS_EXPORT_INTERVAL_MS": "1000",
    # Figures on their way to `/metrics`: every two seconds in a cluster.
    "RAY_metrics_report_interval_ms": "5000",
    # Statistics of Ray's own event loops.
    "RAY_event_stats": "0",
    # The agent's look at every process, for the dashboard, at events of Ray's, and for its parent.
    "REPORTER_UPDATE_INTERVAL_MS": "30000",
    "EVENT_AGENT_REPORT_INTERVAL_SECONDS": "1",
    "SCAN_EVENT_DIR_INTERVAL_SECONDS": "10",
    "RAY_DASHBOARD_AGENT_CHECK_PARENT_INTERVAL_S": "2",
    # The dashboard's look at its own memory.
    "METRICS_RECORD_INTERVAL_S": "60",
    # The look for new log files, ten times a second up to so many of them; lines of known ones come at once.
    "RAY_LOG_MONITOR_MANY_FILES_THRESHOLD": "1",
    "LOG_NAME_UPDATE_INTERVAL_S": "2",
    # The look at the memory of the machine, four times a second otherwise.
    "RAY_memory_monitor_refresh_ms": "1000",
    # Words to other machines of what is free here, and of objects that are on their way; the looks for
    # garbage and for workers without work: five to ten times a second otherwise.
    "RAY_raylet_report_resources_period_milliseconds": "1000",
    "RAY_object_manager_timer_freq_ms": "1000",
    "RAY_raylet_check_gc_period_milliseconds": "1000",
    "RAY_kill_idle_workers_interval_ms": "2000",
}


def _needs_no_key(environment: Mapping[str, str]) -> bool:
    return environment.get("AUTH_MODE") in ("cognito", "both")


def run_service(profile_name: str, engine: EngineName | None, with_dashboard: bool) -> int:
    """Start, serve until SIGINT or SIGTERM, and stop all that was started. Returns the exit status."""
    start = time.monotonic()
    listen = Listen.from_environment()
    # Replicas inherit this process's environment through the local cluster.
    os.environ["API_KEY"] = listen.api_key
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    for name, value in _CALMER_RAY.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("RAY_SERVE_CONTROLLER_CALLBACK_IMPORT_PATH", controller_log.CALLBACK_PATH)
    # Whoever sits before this terminal reads lines, not JSON.
    os.environ.setdefault("LOG_FORMAT", "text")
    # glibc makes up to eight heaps a core, each with holes of its own; only the environment is early enough.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    _on_stop_signals(_interrupt)
    args = AppArgs(profile=profile_name, engine=engine)
    print("Starting a local Ray cluster ...", flush=True)
    try:
        dashboard_url = _start_graph(args, listen, with_dashboard)
        print(_describe(listen, time.monotonic() - start, dashboard_url), flush=True)
        while True:
            signal.pause()
    except KeyboardInterrupt:
        print("Stopping ...", flush=True)
    finally:
        # An impatient second Ctrl-C must not leave half of the cluster behind.
        _on_stop_signals(signal.SIG_IGN)
        # Where Ray did not start, Serve would start it again to be shut down.
        if ray.is_initialized():
            serve.shutdown()  # type: ignore[no-untyped-call]
            ray.shutdown()
    return 0


def _interrupt(*_: object) -> None:
    # Raising is safe wherever the signal strikes; setting an event is not, its lock may be held right there.
    raise KeyboardInterrupt


def _on_stop_signals(handler: Callable[..., object] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)


def _start_graph(args: AppArgs, listen: Listen, with_dashboard: bool) -> str:
    """The address of Ray's dashboard, empty where there is none."""
    cores = os.cpu_count() or 1
    metrics_port = os.environ.get("OCR_METRICS_PORT")
    # The dashboard is eleven processes. It stays on this machine; a second cluster takes the next free port.
    context = ray.init(
        address="local",
        num_cpus=cores,
        include_dashboard=with_dashboard,
        dashboard_host="127.0.0.1",
        logging_level=logging.WARNING,
        _metrics_export_port=int(metrics_port) if metrics_port else None,
    )
    profile = load_profile(args, ray.cluster_resources().get("GPU", 0.0))  # type: ignore[no-untyped-call]
    serve.start(
        http_options={"host": listen.host, "port": listen.port},
        # What a user wants to see is the address and the key; warnings and errors still show.
        logging_config=LoggingConfig(log_level="WARNING", enable_access_log=False),
    )
    serve.run(
        bind_graph(profile, choose_recognizers(args), cores),
        name=_APP_NAME,
        route_prefix="/",
        logging_config=LoggingConfig(log_level="WARNING", enable_access_log=False),
    )
    return f"http://{context.dashboard_url}" if with_dashboard else ""


def _describe(listen: Listen, elapsed_s: float, dashboard_url: str) -> str:
    shown = "127.0.0.1" if listen.host in ("0.0.0.0", "::") else listen.host  # nosec B104
    url = f"http://{shown}:{listen.port}"
    key_line = f"API key (made for this run, shown once): {listen.api_key}\n" if listen.is_new_key else ""
    key = listen.api_key if listen.is_new_key else "$API_KEY"
    dashboard_line = f"Ray's dashboard: {dashboard_url}\n\n" if dashboard_url else ""
    return (
        f"\nReady at {url} after {elapsed_s:.0f} s. {key_line and chr(10) + key_line}"
        f'Try it:\n\n    curl -H "x-api-key: {key}" {url}/ocr -F file=@tests/fixtures/pages/letter.png\n\n'
        f"{dashboard_line}Ctrl-C stops it."
    )


if __name__ == "__main__":
    sys.exit(run_service("auto", None, with_dashboard=False))
