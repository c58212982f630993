"""What `test_crash` kills: one pass of delivering, in batches small enough to be killed between two."""

from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

from pregon.bootstrap import load_settings, running_pipeline


def name_world(home: Path, database_url: str) -> dict[str, str]:
    """The environment of one folder and one database."""
    return {"PREGON_HOME": str(home), "PREGON_DATABASE_URL": database_url}


def deliver_in_threes(parent: Connection, root: Path, world: Mapping[str, str]) -> None:
    """Say "ready", deliver three mails at a time, say "done"."""
    settings = load_settings(root, world)
    email = settings.channels.email.model_copy(update={"batch_size": 3})
    settings = settings.model_copy(update={"channels": settings.channels.model_copy(update={"email": email})})
    with running_pipeline(settings) as pipeline:
        parent.send("ready")
        pipeline.delivering.deliver()
    parent.send("done")
