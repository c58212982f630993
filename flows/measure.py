"""Poll the counters of what was sent, and fetch the events that nobody pushes."""

from prefect import flow, get_run_logger

from pregon.bootstrap import shared_pipeline


@flow(name="measure", retries=0)
def measure() -> int:
    """Deliveries -> metrics: one sample per counter that the provider has."""
    with shared_pipeline() as pipeline:
        added = pipeline.measuring.measure()
        problems = pipeline.measuring.fetch_events()
    logger = get_run_logger()
    logger.info("%d samples added", added)
    for problem in problems:
        logger.warning("%s", problem)
    return added
