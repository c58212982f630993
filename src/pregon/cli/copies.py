"""pregon backup and restore: everything in one file, and back."""

from __future__ import annotations

from pathlib import Path

import click

from pregon.cli.shared import as_json, open_pipeline, print_json, read_settings, say


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@as_json
def backup(file: Path, json_wanted: bool) -> None:
    """Write the database, the signing key, the inbox, configuration and templates to a new FILE.

    The desk may go on running meanwhile. The file holds addresses and the signing key: keep it as safe as both.
    """
    from pregon.backups import write_backup
    from pregon.bootstrap import now

    with open_pipeline() as pipeline:
        counts = write_backup(pipeline.store, pipeline.settings, file, now(), say)  # type: ignore[arg-type]
    file.chmod(0o600)
    if json_wanted:
        print_json({"file": str(file), "bytes": file.stat().st_size, "rows": counts})
        return
    say(f"{sum(counts.values()):,} rows of {len(counts)} tables in {file}, {file.stat().st_size / 1e6:.1f} MB.")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
def restore(file: Path, json_wanted: bool) -> None:
    """Put a backup back into an empty data folder and database. Whatever was due is held until a person releases it.

    Configuration and templates of the backup are put into data/restored, for you to compare; the ones in use stay.
    """
    from pregon.backups import restore_backup
    from pregon.bootstrap import now

    settings = read_settings()
    counts = restore_backup(settings, file, now(), say)
    held = counts.pop("held")
    if json_wanted:
        print_json({"rows": counts, "held": held})
        return
    say(f"{sum(counts.values()):,} rows restored. {held:,} deliveries are held: release them on the desk, or cancel.")
