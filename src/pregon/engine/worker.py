"""A Prefect worker that runs flows in this process: no new interpreter per run, so a triggered flow starts in tenths of a second.

Built on Prefect's own extension point for workers. It is woken by the event that a run was scheduled; polling is the
safety net. On SQLite one such worker with few runs in flight is what the server bears.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path

import anyio
from prefect.client.schemas.objects import FlowRun
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.flow_engine import run_flow
from prefect.workers.base import BaseJobConfiguration, BaseVariables, BaseWorker, BaseWorkerResult

from pregon.engine.runs import call_flow

_log = logging.getLogger(__name__)
RUNS_IN_FLIGHT = 2


class InProcessWorker(BaseWorker[BaseJobConfiguration, BaseVariables, BaseWorkerResult]):
    """Runs each flow run in a thread of this process."""

    type = "pregon"
    job_configuration = BaseJobConfiguration
    _description = "Runs pregon's flows inside `pregon serve`."

    root = Path()

    async def run(
        self,
        flow_run: FlowRun,
        configuration: BaseJobConfiguration,
        task_status: anyio.abc.TaskStatus[int] | None = None,
    ) -> BaseWorkerResult:
        """Run one flow run to its end. A failing flow is a failed run, not a failed worker."""
        if task_status is not None:
            task_status.started(1)
        if flow_run.deployment_id is None:
            return BaseWorkerResult(status_code=1, identifier="no deployment")
        deployment = await self.client.read_deployment(flow_run.deployment_id)
        await anyio.to_thread.run_sync(_run, str(self.root / (deployment.entrypoint or "")), flow_run)
        return BaseWorkerResult(status_code=0, identifier=str(flow_run.id))


def _run(entrypoint: str, flow_run: FlowRun) -> None:
    call_flow(entrypoint, lambda flow: run_flow(flow, flow_run=flow_run, return_type="state"))


class WorkerThread:
    """The worker and its event subscription, on an event loop of their own."""

    def __init__(self, pool: str, root: Path) -> None:
        self._pool, self._root = pool, root
        self._thread = threading.Thread(target=self._main, name="prefect-worker", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._ready = threading.Event()

    def start(self) -> None:
        """Start and return when the worker polls; its work pool exists then."""
        self._thread.start()
        self._ready.wait(timeout=60)

    def stop(self) -> None:
        """Stop polling, let runs in flight be cancelled, and end the thread."""
        if self._loop is not None and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(timeout=20)

    def _main(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.ensure_future(self._keep_working())
        try:
            await self._task
        except asyncio.CancelledError:
            return

    async def _keep_working(self) -> None:
        while True:
            try:
                await self._work()
            except Exception:
                _log.warning("The worker lost Prefect's server; trying again.", exc_info=True)
            await asyncio.sleep(2)

    async def _work(self) -> None:
        worker = InProcessWorker(work_pool_name=self._pool, name="pregon", limit=RUNS_IN_FLIGHT)
        worker.root = self._root
        waking = asyncio.ensure_future(self._wake(worker))
        try:
            await worker.start(printer=lambda *_: self._ready.set())
        finally:
            waking.cancel()

    async def _wake(self, worker: InProcessWorker) -> None:
        scheduled = EventFilter(event=EventNameFilter(name=["prefect.flow-run.Scheduled"]))
        while True:
            try:
                async with get_events_subscriber(filter=scheduled) as events:
                    async for _ in events:
                        if worker.is_setup:
                            await worker.get_and_submit_flow_runs()
            except Exception:
                _log.debug("The event subscription ended; polling goes on.", exc_info=True)
            await asyncio.sleep(1)
