"""Jobs over HTTP: the real application, desk, database, storage and engine; only the reading is simple."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from job_office import KEY, OTHER, STAGE, Office
from job_process import Bench, running_bench

from configs.settings import Limits
from deployments.input_errors import StageNotInstalled
from deployments.jobs.states import Order, Webhook
from serve_app.api.app import create_app
from serve_app.auth import AuthSettings
from serve_app.jobs.desk import JobDesk
from serve_app.outbound.references import References, ReferenceSettings


@pytest.fixture(scope="module")
def module_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("jobs")
    with running_bench({"OCR_DATA_DIR": str(folder)}) as bench:
        yield bench


@pytest.fixture
def references() -> References:
    """What fetches documents by their addresses: nothing, unless a module says otherwise."""
    return References(ReferenceSettings())


@pytest.fixture
async def office(module_bench: Bench, references: References) -> AsyncIterator[Office]:
    async def check(order: Order, webhook: Webhook | None) -> None:
        if order.options.get("lang") == "xx":
            raise StageNotInstalled("Nobody reads that here.")

    desk = JobDesk(module_bench.settings, STAGE, check, module_bench.engine.wake)
    app = create_app(
        None,
        Limits(),
        AuthSettings(KEY, api_keys=OTHER),
        "1",
        references=references,
        jobs=desk,  # type: ignore[arg-type]
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://service", headers={"x-api-key": KEY}, timeout=60
    ) as client:
        yield Office(client, module_bench)
