"""Run a flow in a thread of this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from prefect.flows import load_flow_from_entrypoint
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings


def call_flow(entrypoint: Path | str, call: Callable[[Any], object]) -> None:
    """Load the flow at `entrypoint` (FILE:NAME) and hand it to `call`.

    Without heartbeats: a thread ends with its process, the next sweep does its work again, and joining the heartbeat's
    thread would cost up to 2 s at the end of each run.
    """
    flow: Any = load_flow_from_entrypoint(str(entrypoint), use_placeholder_flow=False)
    with temporary_settings(updates={PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        call(flow)
