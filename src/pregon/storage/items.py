"""Queries of the sources and items stages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from pregon.items import item_from_json, item_to_json
from pregon.storage.base import Queries
from pregon.storage.tables import campaigns, item_versions, items, sightings, sources
from pregon.types import Item, SavedItem, SourceHealth, SourceState, StoredItem


class ItemQueries(Queries):
    """What was seen where, and every version of every item."""

    def read_source(self, source_id: str) -> SourceState:
        """What is remembered of a source; an empty state for one never polled."""
        with self._read() as connection:
            row = connection.execute(select(sources).where(sources.c.id == source_id)).first()
        if row is None:
            return SourceState()
        return SourceState(row.etag, row.last_modified, row.next_check_at, row.failures, row.polled_before)

    def write_source(self, source_id: str, at: datetime, **values: Any) -> None:
        """Remember a poll: any of the columns of `sources`."""
        values["last_polled_at"] = at
        statement = self._insert(sources).values(id=source_id, **values)
        statement = statement.on_conflict_do_update(index_elements=["id"], set_=values)
        with self._write() as connection:
            connection.execute(statement)

    def list_source_health(self) -> tuple[SourceHealth, ...]:
        """The last poll of every source ever polled."""
        with self._read() as connection:
            rows = connection.execute(select(sources).order_by(sources.c.id)).all()
        return tuple(
            SourceHealth(r.id, r.last_polled_at, r.next_check_at, r.failures, r.last_error, r.moved_to, r.gone)
            for r in rows
        )

    def seen_content(self, source_id: str, key: str) -> str | None:
        """The content hash under which this entry was last taken or skipped."""
        query = select(sightings.c.content_hash).where(sightings.c.source_id == source_id, sightings.c.key == key)
        with self._read() as connection:
            return connection.execute(query).scalar()

    def record_sighting(
        self, source_id: str, key: str, content_hash: str, result: str, detail: str, item_id: int | None, at: datetime
    ) -> None:
        """Remember what was done with an entry of a source."""
        values = {"content_hash": content_hash, "result": result, "detail": detail, "item_id": item_id, "seen_at": at}
        statement = self._insert(sightings).values(source_id=source_id, key=key, **values)
        statement = statement.on_conflict_do_update(index_elements=["source_id", "key"], set_=values)
        with self._write() as connection:
            connection.execute(statement)

    def save_item(
        self, identity: str, fingerprint: str, item: Item, media_type: str, origin: str, at: datetime
    ) -> SavedItem:
        """Store an item under its identity; a new version only when the fingerprint changed."""
        with self._write() as connection:
            row = connection.execute(select(items).where(items.c.identity == identity)).first()
            if row is not None and row.fingerprint == fingerprint:
                return SavedItem(row.id, row.version, is_new=False, is_changed=False)
            values: dict[str, Any] = {
                "kind": item.kind,
                "language": item.language,
                "title": item.title,
                "number": item.number,
                "fingerprint": fingerprint,
                "version": 1 if row is None else row.version + 1,
                "updated_at": at,
            }
            item_id = self._write_item(connection, row, identity, values, at)
            version = {"fingerprint": fingerprint, "text": item.text, "media_type": media_type, "origin": origin}
            connection.execute(
                insert(item_versions).values(
                    item_id=item_id,
                    version=values["version"],
                    item_json=json.dumps(item_to_json(item), ensure_ascii=False),
                    created_at=at,
                    **version,
                )
            )
        return SavedItem(item_id, values["version"], is_new=row is None, is_changed=row is not None)

    @staticmethod
    def _write_item(
        connection: Connection, row: Row[Any] | None, identity: str, values: dict[str, Any], at: datetime
    ) -> int:
        if row is None:
            result = connection.execute(insert(items).values(identity=identity, created_at=at, **values))
            return int(result.inserted_primary_key[0])  # type: ignore[index]
        connection.execute(update(items).where(items.c.id == row.id).values(**values))
        return int(row.id)

    def read_item(self, item_id: int, version: int | None = None) -> StoredItem | None:
        """One version of an item; the newest by default."""
        query = select(items.c.identity, item_versions).join(items, items.c.id == item_versions.c.item_id)
        query = query.where(item_versions.c.item_id == item_id).order_by(item_versions.c.version.desc()).limit(1)
        if version is not None:
            query = query.where(item_versions.c.version == version)
        with self._read() as connection:
            row = connection.execute(query).first()
        return None if row is None else stored_item(row)

    def items_without_campaign(self, kinds: Sequence[str]) -> tuple[int, ...]:
        """Ids of items of these kinds that have no campaign yet: what a lost event left behind."""
        query = select(items.c.id).outerjoin(campaigns, campaigns.c.item_id == items.c.id)
        query = query.where(campaigns.c.id.is_(None), items.c.kind.in_(kinds)).order_by(items.c.id)
        with self._read() as connection:
            return tuple(connection.execute(query).scalars())


def stored_item(row: Row[Any]) -> StoredItem:
    """An item from a row of item_versions with the identity."""
    item = item_from_json(json.loads(row.item_json), row.text)
    return StoredItem(row.item_id, row.identity, row.version, row.fingerprint, item, row.origin, row.created_at)
