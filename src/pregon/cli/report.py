"""pregon report: what the campaigns of a period reached."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pregon.cli.shared import as_json, open_pipeline, print_json, print_table, say
from pregon.pipeline import Report
from pregon.types import ChannelName

_FIGURES = (
    *("planned", "sent", "failed", "suppressed", "unknown", "held", "pending", "delivered", "bounced"),
    *("trackable", "clickers", "clicks", "machine_clicks", "unsubscribed"),
)
_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command()
@click.option("--from", "start", type=_DAY, help="The first day, YYYY-MM-DD; everything by default.")
@click.option("--to", "end", type=_DAY, help="The last day; today by default.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file: HTML when it ends in .html, else CSV.",
)
@as_json
def report(start: datetime | None, end: datetime | None, out: Path | None, json_wanted: bool) -> None:
    """What the campaigns opened in a period reached, per channel."""
    with open_pipeline() as pipeline:
        made = pipeline.reporting.build(start.date() if start else None, end.date() if end else None)
        rows = list_rows(made)
        if out and out.suffix.lower() in (".html", ".htm"):
            from pregon.web.report import render_report

            out.write_text(render_report(made, pipeline.settings.network), encoding="utf-8")
        elif out:
            out.write_text(write_csv(rows), encoding="utf-8", newline="")
    if json_wanted:
        print_json(rows)
    elif out:
        say(f"{len(rows)} lines in {out}")
    else:
        print_table(("campaign", "channel", *_FIGURES), [tuple(row.values()) for row in rows])


def list_rows(made: Report) -> list[dict[str, Any]]:
    """One row per campaign and channel."""
    return [
        {"campaign": each.campaign.slug, "channel": name}
        | {column: getattr(each.total(name), column) for column in _FIGURES}
        for each in made.campaigns
        for name in ChannelName
        if each.total(name).planned
    ]


def write_csv(rows: list[dict[str, Any]]) -> str:
    """The rows as CSV with a header line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, ("campaign", "channel", *_FIGURES))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
