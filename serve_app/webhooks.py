"""Where webhooks may be: the same guard as for documents by their address, with rules of its own."""

import os
from collections.abc import Mapping
from dataclasses import replace

from serve_app.outbound.client import OutboundClient, OutboundLimits
from serve_app.outbound.policy import OutboundPolicy, parse_networks


def read_webhook_policy(environment: Mapping[str, str] = os.environ) -> OutboundPolicy:
    """What ``WEBHOOK_HOSTS`` allows; nothing where it is empty. Raises `ValueError` for the operator."""
    try:
        policy = OutboundPolicy.parse(environment.get("WEBHOOK_HOSTS", ""))
        return replace(policy, refused=parse_networks(environment.get("REFUSED_NETWORKS", "")))
    except ValueError as error:
        raise ValueError(f"WEBHOOK_HOSTS: {error}.") from None


def make_webhook_client(timeout_s: float) -> OutboundClient:
    """A client for one delivery: it belongs to the event loop that uses it."""
    return OutboundClient(read_webhook_policy(), OutboundLimits(total_s=timeout_s))
