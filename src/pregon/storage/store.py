"""A database, opened and migrated. Every query lives in the module of its stage; each public method is one transaction.

SQLite runs with WAL, synchronous=FULL and foreign keys, because a lost commit would be a lost or doubled mail.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url

from pregon.errors import PregonError
from pregon.storage.access import AccessQueries
from pregon.storage.accounts import AccountQueries
from pregon.storage.audits import AuditQueries
from pregon.storage.base import make_engine
from pregon.storage.batches import BatchQueries
from pregon.storage.campaigns import CampaignQueries
from pregon.storage.contact_imports import ContactImportQueries
from pregon.storage.contacts import ContactQueries
from pregon.storage.copies import CopyQueries
from pregon.storage.days import DayQueries
from pregon.storage.deliveries import DeliveryQueries
from pregon.storage.desk import DeskQueries
from pregon.storage.drafts import DraftQueries
from pregon.storage.duties import DutyQueries
from pregon.storage.erasures import ErasureQueries
from pregon.storage.freshness import KeptCounts
from pregon.storage.funnels import FunnelQueries
from pregon.storage.hooks import HookQueries
from pregon.storage.inbox import InboxQueries
from pregon.storage.items import ItemQueries
from pregon.storage.ledger import LedgerQueries
from pregon.storage.metrics import MetricQueries
from pregon.storage.notices import NoticeQueries
from pregon.storage.openings import OpeningQueries
from pregon.storage.plans import PlanQueries
from pregon.storage.returns import ReturnQueries
from pregon.storage.segments import SegmentQueries
from pregon.storage.sessions import SessionQueries
from pregon.storage.shape import migrate
from pregon.storage.sources import SourceQueries
from pregon.storage.stopping import StoppingQueries
from pregon.storage.users import UserQueries


class Store(
    CopyQueries,
    SourceQueries,
    ItemQueries,
    CampaignQueries,
    DraftQueries,
    InboxQueries,
    DeliveryQueries,
    ReturnQueries,
    LedgerQueries,
    DayQueries,
    OpeningQueries,
    DeskQueries,
    MetricQueries,
    FunnelQueries,
    PlanQueries,
    ContactQueries,
    ContactImportQueries,
    SegmentQueries,
    ErasureQueries,
    DutyQueries,
    NoticeQueries,
    UserQueries,
    AccessQueries,
    StoppingQueries,
    BatchQueries,
    SessionQueries,
    HookQueries,
    AuditQueries,
    AccountQueries,
):
    """Every query of every stage on one engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.kept_counts = KeptCounts(engine)

    @property
    def writes_side_by_side(self) -> bool:
        """Whether several may write at once, as in PostgreSQL; SQLite has one writer at a time."""
        return self.engine.dialect.name == "postgresql"

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def open_store(url: str, *, is_restore: bool = False) -> Store:
    """Open the database at an SQLAlchemy URL, bring it to the newest shape, and return its queries.

    `is_restore` opens one that a backup has just been put into. Raises `PregonError` when it cannot be opened.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = make_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    try:
        migrate(engine, is_restore=is_restore)
    except Exception as error:
        engine.dispose()
        place = parsed.render_as_string(hide_password=True)
        raise PregonError(f"The database {place} cannot be opened ({error}); check PREGON_DATABASE_URL.") from error
    return Store(engine)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # pysqlite's own transaction handling starts too late for a claim; we begin ourselves (_begin_immediate).
    connection.isolation_level = None
    cursor = connection.cursor()
    # Twice the default, for a new file: a ledger row is large, and a million of them are written a fifth faster.
    cursor.execute("PRAGMA page_size=8192")
    # A million rows are claimed and recorded a tenth faster when their pages are not read and written back so often.
    speed = ("cache_size=-8000", "wal_autocheckpoint=4000")
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000", *speed):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    connection.create_function("pregon_name_mail", 3, _name_mail, deterministic=True)


def _name_mail(prefix: str, contact_id: int, address: str) -> str:
    block = (contact_id >> 10) & 0xFFFFFF
    return f"{block:06x}{hashlib.sha256((prefix + address.lower()).encode()).hexdigest()[:26]}"


def _begin_immediate(connection: Any) -> None:
    # Taking the write lock at the start avoids the upgrade deadlock between two readers that both want to write.
    mode = "DEFERRED" if connection.get_execution_options().get("pregon_read_only") else "IMMEDIATE"
    connection.exec_driver_sql(f"BEGIN {mode}")
