"""What `test_crash` kills: one pass of delivering, in batches small enough to be killed between two."""

from multiprocessing.connection import Connection
from pathlib import Path

from pregon.bootstrap import load_settings, running_pipeline


def deliver_in_threes(parent: Connection, root: Path, home: Path) -> None:
    """Say "ready", deliver three mails at a time, say "done"."""
    settings = load_settings(root, {"PREGON_HOME": str(home)})
    email = settings.channels.email.model_copy(update={"batch_size": 3})
    settings = settings.model_copy(update={"channels": settings.channels.model_copy(update={"email": email})})
    with running_pipeline(settings) as pipeline:
        parent.send("ready")
        pipeline.delivering.deliver()
    parent.send("done")
