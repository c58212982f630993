"""The command `pregon`: words in, use cases called, one document or a table out. No logic of its own.

With --json exactly one JSON document goes to standard output; progress and errors go to standard error.
Exit status: 0 done, 1 it could not be done, 2 the words or the configuration are wrong.
"""

from __future__ import annotations

import importlib
import sys

import click

from pregon import __version__
from pregon.errors import ConfigError, NoCampaignError, PregonError

# Each command lives in a module that is imported when it is called: `pregon --help` must not cost a second.
_COMMANDS = {
    "demo": "running",
    "serve": "running",
    "sandbox": "running",
    "read": "reading",
    "draft": "reading",
    "add": "reading",
    "sources": "stages",
    "watch": "stages",
    "deliver": "stages",
    "measure": "stages",
    "campaigns": "desk",
    "show": "desk",
    "approve": "desk",
    "reject": "desk",
    "who": "desk",
    "contacts": "people",
    "user": "people",
    "report": "report",
    "backup": "copies",
    "restore": "copies",
    "check": "health",
    "doctor": "health",
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"pregon.cli.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pregon")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option(
    "--root", type=click.Path(file_okay=False), default=".", help="The folder that holds config/ and templates/."
)
@click.pass_context
def cli(context: click.Context, debug: bool, root: str) -> None:
    """Announce what a city network has to say: read, draft, approve, deliver, measure."""
    context.obj = {"debug": debug, "root": root}


def main() -> None:
    """Run the command; every expected error is one sentence on standard error."""
    debug = "--debug" in sys.argv
    try:
        # Outside standalone mode click hands the status of an early exit back instead of exiting with it.
        sys.exit(cli.main(standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(1)
    except PregonError as error:
        if debug:
            raise
        hint = " `pregon campaigns` lists them." if isinstance(error, NoCampaignError) else ""
        click.echo(f"{error}{hint}", err=True)
        sys.exit(2 if isinstance(error, ConfigError) else 1)
    except OSError as error:
        if debug:
            raise
        click.echo(_explain_refusal(error), err=True)
        sys.exit(1)
    except Exception as error:  # a mistake of ours, or a database that is gone
        if debug:
            raise
        click.echo(f"{_first_line(error)}. `pregon --debug ...` shows where; `pregon doctor` what answers.", err=True)
        sys.exit(1)


def _first_line(error: Exception) -> str:
    line = str(error).partition("\n")[0].rstrip(".")
    return f"{type(error).__name__}: {line}" if line else type(error).__name__


def _explain_refusal(error: OSError) -> str:
    """What the system refused, in a sentence."""
    reason = error.strerror or str(error)
    if error.filename is None:
        return f"The system refused what this needs: {reason}."
    return f"{error.filename}: {reason}. Check that its folder is there and that you may write to it."
