"""The ingress deployment: the HTTP API and the typed methods of the Python handle, over one reader."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import cv2
from fastapi import FastAPI
from ray import serve

from configs.jobs import JobsStage
from configs.settings import DetectionStage, Limits, MemoryLimits
from deployments.allocator import give_back_freed_pages, return_large_blocks
from deployments.handles import Handle, RemoteStages
from deployments.metrics import make_recorder, show_memory
from deployments.recycling import Recycler
from deployments.replica_logs import start_observing
from deployments.tracing import trace_request
from serve_app.api.app import create_app
from serve_app.api.extracting import extract_fields
from serve_app.api.request_log import read_slow_limit, start_audit_log
from serve_app.auth import AuthSettings
from serve_app.cluster_metrics import RayMetrics
from serve_app.counting import RayCounters
from serve_app.deadlines import limit_reading
from serve_app.graph_desk import make_job_desk
from serve_app.graph_reader import GraphReader, name_probed
from serve_app.haproxy import stands_behind_haproxy
from serve_app.kept_documents import KeptDocuments
from serve_app.outbound.references import References, ReferenceSettings
from serve_app.schemas import (
    ExtractionOptions,
    ExtractionResult,
    OcrOptions,
    OcrResult,
    StructureOptions,
    StructureResult,
)

# Who calls by handles: programs on the same cluster, which have no keys.
_CLUSTER = "cluster"


@serve.deployment
@serve.ingress()
class Ingress:
    """Answers HTTP and handles. Adds to the API: a replica, and the graph's stages as its reader."""

    def __init__(
        self,
        renderer: Handle,
        orientation: Handle,
        detection: Handle,
        recognizers: dict[str, Handle],
        optional: dict[str, Handle],
        documents: Handle | None,
        extraction: Handle | None,
        jobs: JobsStage | None,
        job_runner: Handle | None,
        languages: dict[str, tuple[str, ...]],
        detection_stage: DetectionStage,
        spread: int,
        limits: Limits,
        memory: MemoryLimits,
        on_demand: tuple[str, ...],
    ) -> None:
        return_large_blocks()
        # A thread for each page is enough: more of them for one page spin while they wait for each other.
        cv2.setNumThreads(1)
        context = serve.get_replica_context()
        start_observing(context.deployment, context.replica_id.unique_id)
        self._recorder = make_recorder()
        stages = RemoteStages(
            renderer,
            orientation,
            detection,
            recognizers,
            optional,
            languages,
            limits.max_pixels,
            spread,
        )
        described = {"orientation": orientation, "detection": detection, **recognizers, **optional}
        running = sorted({code for name in recognizers for code in languages.get(name, ())})
        self._reader = GraphReader(
            stages,
            described,
            tuple(running),
            detection_stage,
            limits,
            KeptDocuments(documents),
            extraction,
            name_probed(renderer, described, recognizers),
            self._recorder,
            on_demand,
        )
        self._limits = limits
        self._jobs, self._job_runner = jobs, job_runner
        self._recycler = Recycler("ingress", memory, context.rank.rank)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """The API; built in each replica, so that keys come from its environment, never from arguments."""
        auth = AuthSettings.from_environment()
        jobs = None
        if self._jobs is not None and self._job_runner is not None:
            jobs = make_job_desk(self._jobs, self._reader, self._job_runner)
        start_audit_log(os.environ.get("AUDIT_LOG") or "stderr")
        return create_app(
            self._reader,
            self._limits,
            auth,
            version("ocr-serve"),
            jobs=jobs,
            references=References(ReferenceSettings.from_environment()),
            counters=RayCounters(auth.counters_uri),
            note_uncounted=lambda: self._recorder.add("ocr_limits_unchecked"),
            recorder=self._recorder,
            read_metrics=RayMetrics().read,
            slow_request_s=read_slow_limit(),
            proxy_echoes_id=True,
            close_connections=stands_behind_haproxy(),
        )

    async def read(self, data: bytes, options: OcrOptions, request_id: str) -> OcrResult:
        """A document's text, for callers on the same Ray cluster (see `serve_app.client`)."""
        async with self._serving(options, request_id):
            document = await self._reader.read(data, options.to_read_options())
        document_id = await self._reader.keep(_CLUSTER, data, document)
        return OcrResult.from_document(document, options, request_id, document_id=document_id)

    async def read_structure(
        self, data: bytes, options: StructureOptions, request_id: str
    ) -> StructureResult:
        """A document's structure, for callers on the same Ray cluster (see `serve_app.client`)."""
        async with self._serving(options, request_id):
            document = await self._reader.read(data, options.to_read_options())
        document_id = await self._reader.keep(_CLUSTER, data, document)
        return StructureResult.from_document(document, options, request_id, document_id=document_id)

    async def extract(
        self, data: bytes | None, options: ExtractionOptions, request_id: str
    ) -> ExtractionResult:
        """The fields of a document, for callers on the same Ray cluster (see `serve_app.client`)."""
        async with self._serving(options, request_id):
            return await extract_fields(self._reader, _CLUSTER, data, options, self._limits, request_id)

    @asynccontextmanager
    async def _serving(self, options: OcrOptions, request_id: str) -> AsyncIterator[None]:
        with trace_request(request_id, ""):
            async with limit_reading(options, self._limits):
                yield

    def check_health(self) -> None:
        """Raise when the replica is too large, so that Serve replaces it; show the metrics."""
        # Pages of many sizes, decoded in several threads, leave holes that no later one fills.
        give_back_freed_pages()
        show_memory(self._recorder, "ingress")
        self._reader.show_metrics()
        self._recycler.check()
