"""Every table, as SQLAlchemy Core. The migrations in `migrations/` bring a database to this shape.

Names follow the stages. Times are UTC with microseconds, stored as ISO text so that SQLite and PostgreSQL compare
them alike. Nothing is deleted that a figure or a dispute could need: contacts are erased, their deliveries stay.
"""

from pregon.storage.tables.campaigns import (
    answers,
    approvals,
    campaign_items,
    campaigns,
    corrections,
    digest_items,
    drafts,
    revisions,
    test_sends,
    uploads,
)
from pregon.storage.tables.columns import UtcTime, metadata
from pregon.storage.tables.contacts import (
    consents,
    contacts,
    form_attempts,
    left_lists,
    memberships,
    notices,
    provider_duties,
    suppressions,
)
from pregon.storage.tables.deliveries import (
    batches,
    channel_states,
    credentials,
    deliveries,
    funnel_marks,
    funnels,
    plans,
    quota_use,
    receipts,
)
from pregon.storage.tables.hooks import hook_messages, hooks
from pregon.storage.tables.items import (
    item_alternates,
    item_days,
    item_versions,
    items,
    link_states,
    sightings,
    sources,
    subscriptions,
)
from pregon.storage.tables.metrics import events, samples
from pregon.storage.tables.people import (
    api_tokens,
    audit_log,
    login_attempts,
    recovery_codes,
    sessions,
    sign_in_steps,
    users,
)

__all__ = [
    "UtcTime",
    "answers",
    "api_tokens",
    "approvals",
    "audit_log",
    "batches",
    "campaign_items",
    "campaigns",
    "channel_states",
    "consents",
    "contacts",
    "corrections",
    "credentials",
    "deliveries",
    "digest_items",
    "drafts",
    "events",
    "form_attempts",
    "funnel_marks",
    "funnels",
    "hook_messages",
    "hooks",
    "item_alternates",
    "item_days",
    "item_versions",
    "items",
    "left_lists",
    "link_states",
    "login_attempts",
    "memberships",
    "metadata",
    "notices",
    "plans",
    "provider_duties",
    "quota_use",
    "receipts",
    "recovery_codes",
    "revisions",
    "samples",
    "sessions",
    "sightings",
    "sign_in_steps",
    "sources",
    "subscriptions",
    "suppressions",
    "test_sends",
    "uploads",
    "users",
]
