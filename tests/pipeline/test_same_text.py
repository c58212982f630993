"""Two drafts with the same post at one account: what one of them posted is not taken for the other's."""

from __future__ import annotations

from conftest import CLEAN, OPEN, House, on_sqlite  # type: ignore[import-not-found]
from test_post_channels import posting, read_posts  # type: ignore[import-not-found]

from pregon.types import DeliveryState, PostFields

__all__ = ["posting"]
TEXT = "The towns meet at tidalcities.example on Monday."


def approve_text(house: House, name: str, channel: str, *texts: str) -> str:
    slug = house.open_campaign(name)
    for question in house.pipeline.reviewing.show_campaign(slug).questions:
        house.pipeline.reviewing.answer_question(slug, question.id, question.span[0], "-", house.officer)
    view = house.draft(slug, channel)
    house.pipeline.reviewing.edit_draft(view.draft.id, view.revision.number, PostFields(texts), house.officer)
    house.approve(slug, channel)
    return slug


def deliver(house: House, passes: int = 4) -> None:
    for _ in range(passes):
        house.pipeline.delivering.deliver()
        house.clock.forward(minutes=40)


def test_a_lost_post_is_not_settled_by_that_of_another_draft(posting: House) -> None:
    approve_text(posting, CLEAN, "mastodon", TEXT)
    deliver(posting, 1)
    second = approve_text(posting, OPEN, "mastodon", TEXT)
    posting.sandbox.set_fault("mastodon", "drop_before_accept")
    deliver(posting)
    assert posting.states(second, "mastodon") == ["sent"]
    assert read_posts(posting, "mastodon") == [TEXT, TEXT]


def test_what_x_refuses_as_another_drafts_text_waits_for_a_person(house: House) -> None:
    approve_text(house, CLEAN, "x", TEXT)
    deliver(house, 1)
    second = approve_text(house, OPEN, "x", TEXT, "A second part.")
    deliver(house, 6)
    assert house.states(second, "x") == ["held", "pending"]
    assert house.sandbox.read("requests")["counts"]["x POST /x/2/tweets"] == 2, "asked once, and not over and over"
    held = next(row for row in house.pipeline.reviewing.who(second) if row.state is DeliveryState.HELD)
    assert held.reason.startswith("held: X has had this very text before")


@on_sqlite
def test_a_name_that_x_made_a_link_of_is_read_back_as_the_name(house: House) -> None:
    slug = approve_text(house, CLEAN, "x", TEXT, "A second part.")
    house.sandbox.set_fault("x", "drop_after_accept")
    deliver(house)
    assert house.states(slug, "x") == ["sent", "sent"]
    assert len(house.sandbox.read("posts")) == 2
