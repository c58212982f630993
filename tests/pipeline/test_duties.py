"""The mail provider is told of suppressions, releases and erasures: each at last, whatever goes wrong in between."""

import json

import pytest
from sqlalchemy import select

from pregon.errors import NotAllowedError, NotFoundError
from pregon.storage.tables import provider_duties
from pregon.types import Role, SuppressionReason, User


def duties(house):
    columns = (provider_duties.c.kind, provider_duties.c.address, provider_duties.c.state)
    with house.pipeline.store.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(provider_duties.c.id))]


def suppressed(house):
    return [record["email"] for record in house.sandbox.read("suppressions")]


def suppress(house, address, reason=SuppressionReason.UNSUBSCRIBED):
    house.pipeline.store.add_suppression(address, reason, "", house.clock())


def test_suppressions_are_mirrored_but_for_those_that_the_provider_made(house):
    for number, reason in enumerate(SuppressionReason):
        suppress(house, f"p{number}@x.example", reason)
        suppress(house, f"p{number}@x.example", reason)
    assert house.pipeline.duties.tell_due() == 3
    assert suppressed(house) == ["p2@x.example", "p3@x.example", "p4@x.example"]
    assert duties(house) == [("suppress", "", "done")] * 3, "what is done keeps no address"
    assert house.pipeline.duties.tell_due() == 0


def test_a_release_takes_back_what_was_not_told_yet(house):
    suppress(house, "a@x.example", SuppressionReason.MANUAL)
    house.pipeline.contacts.release("a@x.example")
    assert duties(house) == [("release", "a@x.example", "pending")]
    assert house.pipeline.duties.tell_due() == 1
    assert suppressed(house) == []


def test_an_erasure_is_told_and_nothing_else_of_that_address(house):
    house.pipeline.contacts.import_text("email,language\na@x.example,en\n")
    suppress(house, "a@x.example")
    house.pipeline.contacts.erase("a@x.example")
    house.pipeline.duties.tell_due()
    assert [job["email_addresses"] for job in house.sandbox.read("erasures")] == [["a@x.example"]]
    assert suppressed(house) == []
    assert "a@x.example" not in json.dumps(duties(house))


@pytest.mark.parametrize("fault", ["429", "401", "402"])
def test_a_refusal_is_repeated_until_it_is_told(house, fault):
    suppress(house, "a@x.example")
    house.sandbox.set_fault("sendgrid", fault, times=1)
    assert house.pipeline.duties.tell_due() == 0
    assert house.pipeline.duties.tell_due() == 0, "not at once again"
    house.clock.forward(hours=1)
    assert house.pipeline.duties.tell_due() == 1


def test_one_wrong_address_does_not_stop_the_others(house, monkeypatch):
    for address in ("a@x.example", "wrong", "b@x.example"):
        suppress(house, address)
    assert house.pipeline.duties.tell_due() == 2
    assert suppressed(house) == ["a@x.example", "b@x.example"]
    assert ("suppress", "wrong", "failed") in duties(house)


def test_what_the_provider_refuses_is_shown_until_a_person_has_dealt_with_it(house):
    told, admin = house.pipeline.duties, house.officer
    house.sandbox.set_fault("sendgrid", "401", times=1)
    suppress(house, "waits@x.example")
    told.tell_due()
    assert told.list_troubled() == (), "it is tried again by itself"
    house.clock.forward(hours=25)
    (late,) = told.list_troubled()
    assert (late.kind, late.address, late.is_refused) == ("suppress", "waits@x.example", False)
    told.decide(late.id, by_hand=False, user=admin)
    assert told.tell_due() == 1
    assert told.list_troubled() == ()
    with pytest.raises(NotFoundError, match="meanwhile"):
        told.decide(late.id, by_hand=True, user=admin)
    with house.pipeline.store.engine.begin() as connection:
        row = {
            "kind": "erase",
            "address": "gone@x.example",
            "state": "failed",
            "attempts": 1,
            "detail": "SendGrid answered 400",
        }
        connection.execute(provider_duties.insert().values(**row, due_at=house.clock(), created_at=house.clock()))
    (refused,) = told.list_troubled()
    assert refused.is_refused
    with pytest.raises(NotAllowedError):
        told.decide(refused.id, by_hand=True, user=User(9, "viewer", Role.VIEWER))
    told.decide(refused.id, by_hand=True, user=admin)
    assert told.list_troubled() == ()
    assert "gone@x.example" not in json.dumps(duties(house)), "what is done keeps no address"
