"""SQLAlchemy Core tables, one module of named queries per stage, Alembic migrations. Knows no other stage."""

from pregon.storage.copies import make_database
from pregon.storage.shape import head_revision
from pregon.storage.store import Store, open_store

__all__ = ["Store", "head_revision", "make_database", "open_store"]
