"""Queries of what only the desk needs: pictures that are chosen and not yet saved, and mails to oneself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, insert, select

from pregon.drafts.pictures import name_picture
from pregon.storage.base import Queries
from pregon.storage.tables import test_sends, uploads
from pregon.types import DeliveryState, Media, TestSend

_KEPT = timedelta(days=7)


class DeskQueries(Queries):
    """Uploads and test sends."""

    def keep_upload(self, picture: Media, by: str, at: datetime) -> str:
        """Keep a picture for the form that it was chosen in, and forget those that nobody saved for a week.

        Returns its name.
        """
        name = name_picture(picture.data)
        values = {"name": picture.name[:200], "media_type": picture.media_type, "data": picture.data}
        seen = {"uploaded_by": by, "uploaded_at": at}
        statement = self._insert(uploads).values(id=name, **values, **seen)
        with self._write() as connection:
            connection.execute(delete(uploads).where(uploads.c.uploaded_at < at - _KEPT))
            connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=seen))
        return name

    def read_upload(self, name: str) -> Media | None:
        """A picture that was kept, without a description; None when it is too long ago."""
        with self._read() as connection:
            row = connection.execute(select(uploads).where(uploads.c.id == name)).first()
        return None if row is None else Media(row.name, row.media_type, row.data, "")

    def add_test_send(self, sent: TestSend) -> None:
        """Remember a mail to oneself."""
        names = ("id", "draft_id", "revision", "address", "asked_by", "state", "detail", "provider_id", "asked_at")
        with self._write() as connection:
            connection.execute(insert(test_sends).values({name: getattr(sent, name) for name in names}))

    def list_test_sends(self, draft_id: int) -> tuple[TestSend, ...]:
        """The tests of a draft, newest first."""
        query = select(test_sends).where(test_sends.c.draft_id == draft_id).order_by(test_sends.c.asked_at.desc())
        with self._read() as connection:
            return tuple(map(_test_send, connection.execute(query)))

    def count_test_sends(self, by: str, since: datetime) -> int:
        """How many tests a person has sent since then."""
        query = select(func.count()).select_from(test_sends)
        query = query.where(test_sends.c.asked_by == by, test_sends.c.asked_at >= since)
        with self._read() as connection:
            return connection.execute(query).scalar_one()


def _test_send(row: Row[Any]) -> TestSend:
    return TestSend(
        id=row.id,
        draft_id=row.draft_id,
        revision=row.revision,
        address=row.address,
        asked_by=row.asked_by,
        state=DeliveryState(row.state),
        detail=row.detail,
        asked_at=row.asked_at,
        provider_id=row.provider_id,
    )
