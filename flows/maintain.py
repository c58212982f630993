"""Keep the house in order: sweep up what hints lost, and forget raw events past their retention."""

from prefect import flow, get_run_logger

from pregon.bootstrap import shared_pipeline


@flow(name="maintain", retries=0)
def maintain() -> int:
    """Returns how many raw events were stripped because they are older than the configured retention."""
    with shared_pipeline() as pipeline:
        pipeline.drafting.sweep()
        stripped = pipeline.measuring.forget_old_events()
    get_run_logger().info("%d raw events forgotten", stripped)
    return stripped
