"""pregon check, doctor: is the configuration right, and does everything that it names answer?"""

from __future__ import annotations

from dataclasses import asdict

import click

from pregon.cli.shared import as_json, open_pipeline, print_json, print_table, read_settings
from pregon.errors import ConfigError
from pregon.types import ChannelName, SourceKind


@click.command()
@as_json
def check(json_wanted: bool) -> None:
    """Check the configuration; each finding comes with its file, key and hint."""
    try:
        settings = read_settings()
    except ConfigError as error:
        if not json_wanted:
            raise
        print_json({"ok": False, "findings": [asdict(finding) for finding in error.findings]})
        raise click.exceptions.Exit(2) from error
    modes = {name.value: settings.channel(name).mode for name in ChannelName}
    if json_wanted:
        print_json({"ok": True, "findings": [], "channels": modes})
        return
    click.echo(f"The configuration is right: {len(settings.sources)} sources, {len(settings.playbooks)} playbooks.")
    print_table(("channel", "mode"), list(modes.items()))


@click.command()
@as_json
def doctor(json_wanted: bool) -> None:
    """Check the configuration, the database, and every source that it names."""
    from pregon.bootstrap import now
    from pregon.errors import SourceError
    from pregon.sources import poll_feed
    from pregon.types import SourceState

    rows: list[tuple[str, str, str]] = []
    with open_pipeline() as pipeline:
        settings = pipeline.settings
        rows.append(("database", "ok", f"{pipeline.store.count_contacts()} contacts"))
        for name in ChannelName:
            pause = pipeline.store.read_pause(name)
            rows.append((f"channel {name}", "paused" if pause else "ok", pause or settings.channel(name).mode))
    for source in settings.sources:
        if source.kind is SourceKind.FOLDER:
            folder = settings.home / source.address
            rows.append((f"source {source.id}", "ok" if folder.is_dir() else "missing", str(folder)))
            continue
        try:
            poll = poll_feed(source.address, SourceState(), now=now(), allow_private=source.allow_private)
            rows.append((f"source {source.id}", "ok", f"{len(poll.sightings)} entries"))
        except SourceError as error:
            rows.append((f"source {source.id}", "failing", str(error)))
    if json_wanted:
        print_json([dict(zip(("what", "state", "detail"), row, strict=True)) for row in rows])
    else:
        print_table(("what", "state", "detail"), rows)
    if any(state in ("failing",) for _, state, _ in rows):
        raise click.exceptions.Exit(1)
