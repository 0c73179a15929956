"""The desk of jobs in a replica of the ingress: orders are checked by its reader, and its runner is woken."""

import logging

from configs.jobs import JobsSettings, JobsStage
from deployments.handles import Handle
from deployments.jobs.states import Order
from serve_app.graph_reader import GraphReader
from serve_app.jobs.desk import JobDesk
from serve_app.jobs.orders import choose_reading, read_options
from serve_app.schemas import ExtractionOptions

logger = logging.getLogger(__name__)


def make_job_desk(stage: JobsStage, reader: GraphReader, runner: Handle) -> JobDesk:
    """The desk by the settings of the environment. Raises `ValueError` where they are wrong."""

    async def check(order: Order) -> None:
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
