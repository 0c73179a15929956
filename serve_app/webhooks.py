"""Where webhooks may be: the same guard as for documents by their address, with rules of its own."""

import logging
import os
from collections.abc import Mapping
from dataclasses import replace

from serve_app.outbound.client import OutboundClient, OutboundLimits
from serve_app.outbound.errors import OutboundError
from serve_app.outbound.policy import OutboundPolicy, parse_networks

logger = logging.getLogger(__name__)


def read_webhook_policy(environment: Mapping[str, str] = os.environ) -> OutboundPolicy:
    """What ``WEBHOOK_HOSTS`` allows; nothing where it is empty. Raises `ValueError` for the operator."""
    try:
        policy = OutboundPolicy.parse(environment.get("WEBHOOK_HOSTS", ""))
        return replace(policy, refused=parse_networks(environment.get("REFUSED_NETWORKS", "")))
    except ValueError as error:
        raise ValueError(f"WEBHOOK_HOSTS: {error}.") from None


async def post_event(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    timeout_s: float,
    environment: Mapping[str, str] = os.environ,
) -> int:
    """Send an event; the status of the answer, 0 where there was none, or where nobody may be asked."""
    client = OutboundClient(read_webhook_policy(environment), OutboundLimits(total_s=timeout_s))
    try:
        return await client.post(url, body, headers)
    except OutboundError as error:
        # Without the address, which may be a secret of its owner.
        logger.warning("a webhook could not be called: %s", error.reason)
        return 0
    finally:
        await client.close()
