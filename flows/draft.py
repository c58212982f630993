"""Open a campaign, with drafts for every channel, for each item that lacks one."""

from prefect import flow, get_run_logger

from pregon.bootstrap import shared_pipeline


@flow(name="draft", retries=0)
def draft(changed: list[int] | None = None) -> list[str]:
    """Items -> drafts. The sweep finds what a lost hint left behind; `changed` items are drafted anew."""
    with shared_pipeline() as pipeline:
        refreshed = [pipeline.drafting.open_campaign(item_id) for item_id in changed or ()]
        swept = pipeline.drafting.sweep()
    slugs = [campaign.slug for campaign in (*refreshed, *swept.opened) if campaign is not None]
    log = get_run_logger()
    for item_id, why in swept.failed:
        log.error("item %d cannot be drafted: %s", item_id, why)
    log.info("%d campaigns opened or refreshed: %s", len(slugs), ", ".join(slugs) or "none")
    return slugs
