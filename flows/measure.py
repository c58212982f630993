"""Poll the counters of what was sent."""

from prefect import flow, get_run_logger

from pregon.bootstrap import shared_pipeline


@flow(name="measure", retries=0)
def measure() -> int:
    """Deliveries -> metrics: one sample per counter that the provider has."""
    with shared_pipeline() as pipeline:
        added = pipeline.measuring.measure()
    get_run_logger().info("%d samples added", added)
    return added
