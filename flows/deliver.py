"""Send what is approved and due, each thing once; settle what is unknown."""

from prefect import flow, get_run_logger

from pregon.bootstrap import shared_pipeline


@flow(name="deliver", retries=0)
def deliver() -> dict[str, dict[str, int]]:
    """Approvals -> deliveries. Retrying is the ledger's business, never Prefect's."""
    with shared_pipeline() as pipeline:
        result = pipeline.delivering.deliver()
        pipeline.noticing.send_due()
        pipeline.notifying.notify()
        pipeline.measuring.refresh_figures()
    log = get_run_logger()
    for channel, reason in result.paused.items():
        log.warning("%s is paused: %s", channel, reason)
    if result.held:
        log.warning("%d deliveries are held: they were due too long ago", result.held)
    return {str(name): {str(state): count for state, count in table.items()} for name, table in result.outcomes.items()}
