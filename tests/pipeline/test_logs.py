"""No address and no text of a mail in a log, whatever happens on the way."""

from __future__ import annotations

import csv
import logging

import pytest
from conftest import CLEAN, SAMPLE, House  # type: ignore[import-not-found]

from pregon.errors import SignatureError


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_whole_way_writes_nothing_of_its_readers(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    pipeline, members = house.pipeline, (SAMPLE / "members.csv").read_text(encoding="utf-8")
    slug = house.open_campaign(CLEAN)
    house.sandbox.set_fault("sendgrid", "drop_after_accept")
    house.approve(slug, "email")
    pipeline.delivering.deliver()
    house.clock.forward(minutes=30)
    pipeline.delivering.deliver()
    house.sandbox.react()
    with pytest.raises(SignatureError):
        pipeline.measuring.receive_events("sendgrid", {}, b'[{"email": "somebody@portamar.example"}]')
    pipeline.measuring.measure()
    erased = next(csv.DictReader(members.splitlines()))["email"]
    pipeline.contacts.erase(erased)
    pipeline.duties.tell_due()

    assert "sent" in house.states(slug, "email")
    body = house.draft(slug, "email").revision.content.body
    sentence = next(line for line in body.text.splitlines() if len(line) > 60)
    assert "@" not in caplog.text.replace("@tidalcities", "")
    assert sentence[:40] not in caplog.text
