"""Queries of the items stage."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, select, update

from pregon.items import item_from_json, item_to_json, normalise_url
from pregon.storage.base import Queries
from pregon.storage.tables import item_alternates, item_days, item_versions, items
from pregon.types import Item, SavedItem, StoredItem

# The items of corrections and digests repeat what is there already.
AT_FIRST_HAND = and_(items.c.identity.not_like("correction:%"), items.c.identity.not_like("digest:%"))


class ItemQueries(Queries):
    """Every version of every item."""

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
            _write_alternates(connection, item_id, item)
            _write_days(connection, item_id, item)
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

    def write_days(self, source: StoredItem) -> None:
        """The days that an item names are these: those of its text, and the deadlines that an officer gave."""
        with self._write() as connection:
            _write_days(connection, source.id, source.item)

    def recent_items(self, language: str | None, limit: int) -> tuple[StoredItem, ...]:
        """The newest items in a language, newest first."""
        query = (
            newest_items_query()
            .where(items.c.language == language, AT_FIRST_HAND)
            .order_by(items.c.id.desc())
            .limit(limit)
        )
        with self._read() as connection:
            return tuple(stored_item(row) for row in connection.execute(query))

    def series_numbers(self) -> dict[tuple[str, int | None], tuple[int, ...]]:
        """The numbers seen of every numbered series, by (series, year)."""
        query = select(items.c.identity).where(items.c.number.is_not(None), items.c.identity.startswith("circular:"))
        found: dict[tuple[str, int | None], tuple[int, ...]] = {}
        with self._read() as connection:
            for identity in connection.execute(query).scalars():
                series, number, year = identity.removeprefix("circular:").rsplit(":", 2)
                key = (series, int(year) if year else None)
                found[key] = (*found.get(key, ()), int(number))
        return found


def _write_alternates(connection: Connection, item_id: int, item: Item) -> None:
    connection.execute(delete(item_alternates).where(item_alternates.c.item_id == item_id))
    addresses = {url[:500] for _, address in item.alternates if (url := normalise_url(address))}
    if addresses:
        rows = [{"item_id": item_id, "address": address} for address in sorted(addresses)]
        connection.execute(insert(item_alternates), rows)


def _write_days(connection: Connection, item_id: int, item: Item) -> None:
    connection.execute(delete(item_days).where(item_days.c.item_id == item_id))
    days = [(each.date.isoformat(), "deadline", each.text) for each in item.deadlines]
    days += [(each.deadline.isoformat(), "deadline", each.text) for each in item.calls if each.deadline]
    days += [(each.start[:10], "meeting", each.title) for each in item.events]
    if days:
        rows = [{"item_id": item_id, "day": day, "kind": kind, "text": text} for day, kind, text in dict.fromkeys(days)]
        connection.execute(insert(item_days), rows)


def newest_items_query() -> Any:
    """The newest version of items, with the identity; to be narrowed by conditions on `items`."""
    newest = and_(items.c.id == item_versions.c.item_id, items.c.version == item_versions.c.version)
    return select(items.c.identity, item_versions).join(items, newest)


def stored_item(row: Row[Any]) -> StoredItem:
    """An item from a row of item_versions with the identity."""
    item = item_from_json(json.loads(row.item_json), row.text)
    return StoredItem(row.item_id, row.identity, row.version, row.fingerprint, item, row.origin, row.created_at)
