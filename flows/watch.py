"""Poll the sources that are due and take what is new. What it finds is drafted at once, and announced as a hint."""

from typing import Any

from prefect import flow, get_run_logger

from flows.draft import draft
from pregon.bootstrap import shared_pipeline


@flow(name="watch", retries=0)
def watch(force: bool = False) -> dict[str, Any]:
    """Sources -> items. With `force` also sources that are not due are polled, as far as their hosts allow it."""
    log = get_run_logger()
    with shared_pipeline() as pipeline:
        results = pipeline.watching.watch(force=force)
        # A feed's hub is known once the feed was read, so it is asked here; `maintain` renews what runs.
        subscribed = pipeline.subscribing.tend()
    for result in results:
        if result.error:
            log.warning("%s: %s", result.source_id, result.error)
        for key, why in (*result.skipped, *result.rejected):
            log.info("%s left out %s: %s", result.source_id, key, why)
    for source_id, why in subscribed.failed:
        log.warning("%s is polled only: %s", source_id, why)
    changed = [item_id for result in results for item_id in result.changed]
    found = [item_id for result in results for item_id in result.new] + changed
    return {"found": found, "campaigns": draft(changed) if found else []}
