"""SQLAlchemy Core tables, one module of named queries per stage, Alembic migrations. Knows no other stage."""

from pregon.storage.store import Store, open_store

__all__ = ["Store", "open_store"]
