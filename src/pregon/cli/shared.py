"""What the commands share: the configuration, a wired pipeline, JSON and tables."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pregon.pipeline import Pipeline
    from pregon.settings import Settings

as_json = click.option("--json", "json_wanted", is_flag=True, help="Print one JSON document.")


def read_settings() -> Settings:
    """The validated configuration of the folder that --root names."""
    from pregon.settings import load_settings

    return load_settings(Path(click.get_current_context().obj["root"]), os.environ)


@contextmanager
def open_pipeline() -> Iterator[Pipeline]:
    """A pipeline on the configured database; in sandbox mode with the stand-ins running beside it."""
    from pregon.bootstrap import running_pipeline

    with running_pipeline(read_settings()) as pipeline:
        yield pipeline


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A plain table: columns aligned, numbers to the right."""
    texts = [[("" if cell is None else str(cell)) for cell in row] for row in rows]
    widths = [max([len(headings[n])] + [len(row[n]) for row in texts]) for n in range(len(headings))]
    numeric = [bool(rows) and all(isinstance(row[n], int | float) for row in rows) for n in range(len(headings))]

    def line(cells: Sequence[str]) -> str:
        parts = (c.rjust(w) if right else c.ljust(w) for c, w, right in zip(cells, widths, numeric, strict=True))
        return "  ".join(parts).rstrip()

    click.echo(line(headings))
    click.echo("  ".join("-" * width for width in widths))
    for row in texts:
        click.echo(line(row))


def say(text: str) -> None:
    """A line for people that is not part of the result: standard error."""
    click.echo(text, err=True)
