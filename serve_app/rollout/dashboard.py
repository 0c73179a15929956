"""The few calls of Ray's dashboard that a rollout needs, as `serve deploy` and `serve status` make them."""

import json
import os
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from serve_app.rollout.plan import ClusterSize
from serve_app.rollout.reading import Config

DEFAULT_ADDRESS = "http://127.0.0.1:8265"
_APPLICATIONS = "/api/serve/applications/"
_NODES = "/api/v0/nodes?detail=1&limit=10000"
_TIMEOUT_S = 60.0
# The first config on a cluster starts Serve itself.
_START_TIMEOUT_S = 300.0
_MAX_SHOWN = 600


class DashboardError(Exception):
    """The dashboard cannot be reached, or refuses; the text is for the operator. ``status`` of its answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Dashboard:
    """Ray's dashboard at an address such as http://127.0.0.1:8265; ``token`` where the cluster has one."""

    def __init__(self, address: str, token: str | None = None) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise DashboardError(f"{address!r} is no address of a dashboard: it must begin with http://")
        self.address = address.rstrip("/")
        self._token = token
        # A tunnel ends on this machine: no proxy of the company must come between.
        is_near = parts.hostname in ("localhost", "127.0.0.1", "::1")
        self._opener = build_opener(*([ProxyHandler({})] if is_near else []))

    def fetch_details(self) -> dict[str, Any]:
        """What Serve does now, as `ServeInstanceDetails`."""
        details: dict[str, Any] = self._ask("GET", _APPLICATIONS)
        return details

    def put_config(self, config: Config) -> None:
        """Have Serve work towards this config; it begins at once."""
        self._ask("PUT", _APPLICATIONS, config)

    def fetch_size(self) -> ClusterSize:
        """CPUs and GPUs of all living nodes."""
        answer = self._ask("GET", _NODES)
        nodes = answer.get("data", {}).get("result", {}).get("result", [])
        alive = [node.get("resources_total") or {} for node in nodes if node.get("state") == "ALIVE"]
        return ClusterSize(
            int(sum(node.get("CPU", 0) for node in alive)), sum(node.get("GPU", 0.0) for node in alive)
        )

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        # The scheme is checked above.
        request = Request(self.address + path, data, headers, method=method)  # nosec B310
        try:
            with self._opener.open(request, timeout=_START_TIMEOUT_S if data else _TIMEOUT_S) as answer:
                text = answer.read()
        except HTTPError as error:
            raise DashboardError(_explain(self.address, error), error.code) from None
        except (URLError, OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise DashboardError(f"the dashboard at {self.address} cannot be reached: {reason}") from None
        try:
            return json.loads(text) if text else None
        except ValueError:
            raise DashboardError(f"{self.address} does not answer as Ray's dashboard does") from None


def read_token(environment: Mapping[str, str] = os.environ) -> str | None:
    """The cluster's token, where Ray itself looks: `RAY_AUTH_TOKEN`, or a file.

    The file is `RAY_AUTH_TOKEN_PATH`, or `~/.ray/auth_token`. None unless `RAY_AUTH_MODE` is ``token`` or
    `RAY_AUTH_TOKEN` is set. Raises `DashboardError` for that mode without a token.
    """
    if token := environment.get("RAY_AUTH_TOKEN", "").strip():
        return token
    if environment.get("RAY_AUTH_MODE") != "token":
        return None
    path = Path(environment.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    try:
        token = path.read_text(encoding="utf-8").strip()
    except OSError:
        token = ""
    if not token:
        raise DashboardError(f"RAY_AUTH_MODE is token, but there is none in RAY_AUTH_TOKEN or {path}")
    return token


def _explain(address: str, error: HTTPError) -> str:
    if error.code in (401, 403):
        return f"the dashboard at {address} wants the cluster's token: set RAY_AUTH_TOKEN ({error.code})"
    text = error.read().decode(errors="replace").strip()
    return f"the dashboard at {address} answered {error.code}: {text[:_MAX_SHOWN]}"
