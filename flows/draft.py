"""Open a campaign, with drafts for every channel, for each item that lacks one."""

from prefect import flow, get_run_logger

from pregon.bootstrap import shared_pipeline


@flow(name="draft", retries=0)
def draft(changed: list[int] | None = None) -> list[str]:
    """Items -> drafts. The sweep finds what a lost hint left behind; `changed` items are drafted anew."""
    with shared_pipeline() as pipeline:
        refreshed = [pipeline.drafting.open_campaign(item_id) for item_id in changed or ()]
        swept = pipeline.drafting.sweep()
        # After the drafts are there: a slow host keeps nobody waiting for them.
        dead = [s for s in pipeline.linking.check(pipeline.reviewing.list_waiting_addresses()).values() if s.is_dead()]
    slugs = [campaign.slug for campaign in (*refreshed, *swept.opened) if campaign is not None]
    log = get_run_logger()
    for item_id, why in swept.failed:
        log.error("item %d cannot be drafted: %s", item_id, why)
    for state in dead:
        log.warning("%s: %s", state.address, state.detail)
    log.info("%d campaigns opened or refreshed: %s", len(slugs), ", ".join(slugs) or "none")
    return slugs
