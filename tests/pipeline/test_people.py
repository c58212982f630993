"""Passwords, sessions, the throttle; and contacts from a spreadsheet."""

import pytest

from passwords import add_person
from pregon.errors import DecisionError, NotAllowedError, PregonError
from pregon.types import Role

PASSWORD = "correct horse battery"


def test_a_session_lives_until_it_ends(house):
    people = house.pipeline.people
    add_person(house.pipeline, "ines", PASSWORD, Role.EDITOR)
    token = people.sign_in("ines", PASSWORD).token
    assert people.session(token).user.name == "ines"
    house.clock.forward(hours=12, seconds=1)
    assert people.session(token) is None
    token = people.sign_in("ines", PASSWORD).token
    people.sign_out(token)
    assert people.session(token) is None
    assert people.session("forged") is None
    assert people.session(None) is None


def test_a_session_ends_when_it_is_not_used_and_not_while_it_is(house):
    people = house.pipeline.people
    add_person(house.pipeline, "ines", PASSWORD, Role.EDITOR)
    token = people.sign_in("ines", PASSWORD).token
    for _ in range(3):
        house.clock.forward(minutes=119)
        assert people.session(token)
    house.clock.forward(minutes=121)
    assert people.session(token) is None


def test_guessing_is_throttled_also_for_the_right_password(house):
    people = house.pipeline.people
    add_person(house.pipeline, "ines", PASSWORD, Role.EDITOR)
    for _ in range(5):
        with pytest.raises(NotAllowedError, match="not right"):
            people.sign_in("ines", "wrong")
    with pytest.raises(NotAllowedError, match="Too many"):
        people.sign_in("ines", PASSWORD)
    house.clock.forward(minutes=16)
    assert people.sign_in("ines", PASSWORD)


def test_a_new_password_ends_the_old_sessions_and_a_weak_one_is_refused(house):
    people = house.pipeline.people
    people.add_user("ines", PASSWORD, Role.EDITOR)
    token = people.sign_in("ines", PASSWORD).token
    with pytest.raises(PregonError):
        people.add_user("ines", "short", Role.EDITOR)
    people.add_user("ines", PASSWORD + "!", Role.VIEWER)
    assert people.session(token) is None


def test_the_last_admin_gets_no_other_role(house):
    people = house.pipeline.people
    people.add_user("boss", PASSWORD, Role.ADMIN)
    with pytest.raises(DecisionError, match="boss is the last admin"):
        people.add_user("boss", PASSWORD, Role.VIEWER)
    people.add_user("boss", PASSWORD + "!", Role.ADMIN)
    people.add_user("heir", PASSWORD, Role.ADMIN)
    people.add_user("boss", PASSWORD, Role.VIEWER)
    assert people.user("boss").role is Role.VIEWER


def test_each_unusable_row_is_listed_and_the_others_are_taken(house):
    text = (
        "\ufeffemail,language,lists,status,click_tracking\n"
        "Ada@New.example,en,members; public,subscribed,granted\n"
        "no address,en,members,,\n"
        "ada@new.example,en,members,,\n"
        "bo@new.example,eu,members,,\n"
        "cy@new.example,fr,members,maybe,\n"
    )
    before = house.pipeline.store.count_contacts()
    dry = house.pipeline.contacts.import_text(text, dry_run=True)
    assert house.pipeline.store.count_contacts() == before
    done = house.pipeline.contacts.import_text(text)
    assert (dry.accepted, dry.rejected) == (done.accepted, done.rejected)
    assert done.accepted == 1
    assert [line for line, _ in done.rejected] == [3, 4, 5, 6]
    assert house.pipeline.store.count_contacts() == before + 1


def test_a_file_without_the_column_is_refused_in_one_sentence(house):
    with pytest.raises(PregonError, match="no column named email"):
        house.pipeline.contacts.import_text("name,language\nx,en\n")
