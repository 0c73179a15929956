"""The desk of jobs in a replica of the ingress: orders are checked by its reader, and its runner is woken."""

import logging

from configs.jobs import JobsSettings, JobsStage
from deployments.handles import Handle
from deployments.jobs.states import Order, Webhook
from serve_app.error_codes import ReferenceNotAllowed
from serve_app.graph_reader import GraphReader
from serve_app.jobs.desk import JobDesk
from serve_app.jobs.orders import choose_reading, read_options
from serve_app.outbound.errors import NotAllowed
from serve_app.outbound.policy import OutboundPolicy
from serve_app.schemas import ExtractionOptions
from serve_app.webhooks import read_webhook_policy

logger = logging.getLogger(__name__)


def make_job_desk(stage: JobsStage, reader: GraphReader, runner: Handle) -> JobDesk:
    """The desk by the settings of the environment. Raises `ValueError` where they are wrong."""
    policy = read_webhook_policy()

    async def check(order: Order, webhook: Webhook | None) -> None:
        if webhook is not None:
            _check_webhook(policy, webhook)
        reader.check_options(choose_reading(order))
        options = read_options(order)
        if isinstance(options, ExtractionOptions):
            await reader.check_extraction(options.to_request())

    def wake() -> None:
        try:
            # Nobody waits for it: whoever is not woken looks for itself.
            runner.wake.remote()
        except Exception as error:
            logger.warning("the runner of jobs cannot be woken: %s", type(error).__name__)

    return JobDesk(JobsSettings.from_environment(), stage, check, wake)


def _check_webhook(policy: OutboundPolicy, webhook: Webhook) -> None:
    try:
        policy.admit(webhook.url)
    except NotAllowed as error:
        raise ReferenceNotAllowed(f"The service does not call this webhook: {error.reason}.") from None
