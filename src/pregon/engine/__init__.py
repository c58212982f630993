"""Prefect embedded: a server process, a worker in this process, the deployments of prefect.yaml, events as hints.

Nothing here decides anything: the database is the truth, Prefect makes things happen on time. When Prefect is down,
work waits and is found by the next sweep.
"""

from pregon.engine.embedded import Engine

__all__ = ["Engine"]
