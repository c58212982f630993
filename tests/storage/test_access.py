"""An account at the sign-in provider lets one person in, however many ask for it at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sqlalchemy import update

from pregon.storage import open_store
from pregon.storage.tables import users
from pregon.types import Role

SUBJECT = "https://id.example 7"


def test_an_account_that_is_being_linked_to_another_is_refused(url: str, now: datetime) -> None:
    store = open_store(url)
    for name in ("ana", "ben"):
        store.save_user(name, "hash", Role.EDITOR, now)
    ana, ben = store.list_users()
    with ThreadPoolExecutor(1) as pool:
        with store.engine.begin() as connection:
            connection.execute(update(users).where(users.c.id == ana.id).values(subject=SUBJECT))
            later = pool.submit(store.link_subject, ben.id, SUBJECT)
        assert later.result() is False
    linked = store.user_by_subject(SUBJECT)
    assert linked is not None
    assert linked.name == "ana"
    assert store.link_subject(ana.id, SUBJECT), "once more by oneself changes nothing"
    store.close()
