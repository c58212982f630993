"""Keep the house in order: sweep up what hints lost, renew subscriptions, and forget what is past its retention."""

from prefect import flow, get_run_logger

from pregon.bootstrap import shared_pipeline


@flow(name="maintain", retries=0)
def maintain() -> int:
    """Returns how many raw events were stripped because they are older than the configured retention."""
    with shared_pipeline() as pipeline:
        pipeline.drafting.sweep()
        stripped = pipeline.measuring.forget_old_events()
        subscribed = pipeline.subscribing.tend()
        pipeline.linking.forget_old()
        pipeline.signups.forget()
        pipeline.duties.tell_due()
        pipeline.people.forget_attempts()
        pipeline.notifying.forget()
    log = get_run_logger()
    log.info("%d raw events forgotten, %d hubs asked", stripped, len(subscribed.asked))
    for source_id, why in subscribed.failed:
        log.warning("%s is polled only: %s", source_id, why)
    return stripped
