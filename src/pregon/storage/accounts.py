"""Queries about our accounts at providers: what was used of a daily quota, and credentials that a provider renews.

Values of credentials come and go encrypted; what they say is nobody's business here.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update

from pregon.storage.base import Queries
from pregon.storage.tables import credentials, quota_use
from pregon.types import ChannelName


class AccountQueries(Queries):
    """Spend quota, keep credentials."""

    def spend_quota(self, channel: ChannelName, day: str, units: int, budget: int) -> bool:
        """Take units from a day's budget (YYYY-MM-DD); False, and nothing taken, when that is too little."""
        if units > budget:
            return False
        spend = self._insert(quota_use).values(channel=channel, day=day, units=units)
        spend = spend.on_conflict_do_update(
            index_elements=["channel", "day"],
            set_={"units": quota_use.c.units + units},
            where=quota_use.c.units + units <= budget,
        )
        with self._write() as connection:
            taken = connection.execute(spend.returning(quota_use.c.units)).first()
            connection.execute(delete(quota_use).where(quota_use.c.channel == channel, quota_use.c.day < day))
        return taken is not None

    def read_quota(self, channel: ChannelName, day: str) -> int:
        """The units that were taken on this day."""
        query = select(quota_use.c.units).where(quota_use.c.channel == channel, quota_use.c.day == day)
        with self._read() as connection:
            return connection.execute(query).scalar() or 0

    def read_newest_quota(self, channel: ChannelName) -> tuple[str, int] | None:
        """(day as YYYY-MM-DD, units taken on it) of the newest day that anything was taken on."""
        query = select(quota_use.c.day, quota_use.c.units).where(quota_use.c.channel == channel)
        with self._read() as connection:
            row = connection.execute(query.order_by(quota_use.c.day.desc()).limit(1)).first()
        return (row.day, row.units) if row else None

    def read_credential(self, name: str) -> str | None:
        """The encrypted value of a credential, or None."""
        with self._read() as connection:
            return connection.execute(select(credentials.c.value).where(credentials.c.name == name)).scalar()

    def write_credential(self, name: str, before: str | None, value: str, at: datetime) -> bool:
        """Replace a credential if it still is `before` (None: not there yet); False when somebody else was first."""
        with self._write() as connection:
            if before is None:
                add = self._insert(credentials).values(name=name, value=value, changed_at=at)
                added = connection.execute(add.on_conflict_do_nothing().returning(credentials.c.name))
                return added.first() is not None
            change = update(credentials).where(credentials.c.name == name, credentials.c.value == before)
            return connection.execute(change.values(value=value, changed_at=at)).rowcount == 1
