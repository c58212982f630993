"""pregon sources, watch, deliver, measure: what is watched, and one pass of a stage, here and now, without Prefect."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from pregon.cli.shared import as_json, open_pipeline, print_json, print_table
from pregon.types import ChannelName


@click.command()
@as_json
def sources(json_wanted: bool) -> None:
    """What is watched: how each source is, when it was last seen, and when it is looked at next."""
    with open_pipeline() as pipeline:
        lines = pipeline.sources.list_sources()
        zone = ZoneInfo(pipeline.settings.network.time_zone)
    if json_wanted:
        print_json([{**asdict(line), "source": line.source.id, "kind": line.source.kind} for line in lines])
        return

    def show(at: datetime | None) -> str:
        return at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if at else ""

    rows = [
        (line.source.id, line.source.kind.value, line.state, show(line.last_polled_at), show(line.last_seen_at),
         show(line.next_check_at), show(line.told_until), line.where)
        for line in lines
    ]  # fmt: skip
    print_table(("source", "kind", "state", "looked at", "last brought", "next", "told until", "where"), rows)
    for line in lines:
        for sentence in line.sentences:
            click.echo(f"  {line.source.id}: {sentence}")


@click.command()
@click.option("--now", "force", is_flag=True, help="Poll every source, also those that are not due.")
@as_json
def watch(force: bool, json_wanted: bool) -> None:
    """Poll the sources, take what is new, and open its campaigns."""
    with open_pipeline() as pipeline:
        results = pipeline.watching.watch(force=force)
        changed = [item_id for result in results for item_id in result.changed]
        refreshed = [campaign for item_id in changed if (campaign := pipeline.drafting.open_campaign(item_id))]
        swept = pipeline.drafting.sweep()
    if json_wanted:
        sources = [
            {
                "source": r.source_id,
                "new": len(r.new),
                "changed": len(r.changed),
                "known": r.known,
                "skipped": [{"entry": key, "reason": why} for key, why in r.skipped],
                "rejected": [{"entry": key, "reason": why} for key, why in r.rejected],
                "error": r.error,
            }
            for r in results
        ]
        print_json(
            {
                "sources": sources,
                "failed": [why for _, why in swept.failed],
                "campaigns": [c.slug for c in (*swept.opened, *refreshed)],
            }
        )
        return
    rows = [(r.source_id, len(r.new), len(r.changed), r.known, len(r.skipped), len(r.rejected)) for r in results]
    print_table(("source", "new", "changed", "known", "skipped", "rejected"), rows)
    for result in results:
        for key, why in (*result.skipped, *result.rejected):
            click.echo(f"  {key}: {why}")
        if result.error:
            click.echo(f"  {result.source_id}: {result.error}")
    for campaign in swept.opened:
        click.echo(f"campaign {campaign.slug}: {campaign.title}")
    for item_id, why in swept.failed:
        click.echo(f"item {item_id} cannot be drafted: {why}")


@click.command()
@as_json
def deliver(json_wanted: bool) -> None:
    """Settle what is unknown, then send what is approved and due."""
    with open_pipeline() as pipeline:
        result = pipeline.delivering.deliver()
        noticed = pipeline.noticing.send_due()
    counts = [
        (name, kind, state, count)
        for kind, table in (("settled", result.settled), ("sent now", result.outcomes))
        for name, states in table.items()
        for state, count in states.items()
    ]
    counts += [(ChannelName.EMAIL, "asked for by readers", state, count) for state, count in noticed.items()]
    if json_wanted:
        rows = [dict(zip(("channel", "pass", "state", "count"), row, strict=True)) for row in counts]
        print_json({"outcomes": rows, "paused": dict(result.paused), "held": result.held})
        return
    print_table(("channel", "pass", "state", "count"), counts)
    for name, why in result.paused.items():
        click.echo(f"{name} is paused: {why}")


@click.command()
@as_json
def measure(json_wanted: bool) -> None:
    """Poll the counters of what was sent."""
    with open_pipeline() as pipeline:
        added = pipeline.measuring.measure()
    if json_wanted:
        print_json({"samples": added})
    else:
        click.echo(f"{added} samples added.")
