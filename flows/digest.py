"""Gather what was announced in the last whole period into one newsletter, for a person to read and approve."""

from prefect import flow, get_run_logger

from pregon.bootstrap import shared_pipeline


@flow(name="digest", retries=0)
def digest() -> str | None:
    """Announced items -> a digest's drafts. The slug of the campaign, or None when there is nothing to open."""
    with shared_pipeline() as pipeline:
        result = pipeline.digesting.gather()
    get_run_logger().info("%s", result.campaign.slug if result.campaign else result.reason)
    return result.campaign.slug if result.campaign else None
