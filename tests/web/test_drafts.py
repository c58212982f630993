"""Editing, deciding, answering and reading back by forms: what the officer wrote is what is kept."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from tests.web.builders import Browser, Place

from pregon.types import DraftState, MailFields, PlaylistFields, PostFields

Browse = Callable[[str], Browser]
FIELD = re.compile(r'<input id="[^"]*" name="([^"]*)"(?: type="[^"]*")?(?: min="1" max="26")? value="([^"]*)"')
AREA = re.compile(r'<textarea id="[^"]*" name="([^"]*)"[^>]*>\n?(.*?)</textarea>', re.S)


def read_form(page: str) -> dict[str, list[str]]:
    """What a browser would send back of an edit page that nobody touched."""
    form: dict[str, list[str]] = {}
    for pattern in (FIELD, AREA):
        for name, value in pattern.findall(page):
            form.setdefault(name, []).append(html.unescape(value).replace("\n", "\r\n"))
    base = re.search(r'name="base" value="(\d+)"', page)
    kept = re.findall(r'name="keep" value="(\d+)" checked', page)
    return form | {"base": [base.group(1)], "keep": kept}


def test_a_form_sent_back_untouched_makes_no_revision(place: Place, browse: Browse) -> None:
    editor = browse("editor")
    for row in place.pipeline.reviewing.list_campaigns():
        for draft in row.drafts:
            form = read_form(editor.get(f"/drafts/{draft.id}/edit"))
            location = editor.post(f"/drafts/{draft.id}/edit", **form)
            assert "said=unchanged" in location, (row.campaign.slug, draft.channel)


def test_an_edit_voids_the_approval_visibly(place: Place, browse: Browse) -> None:
    approver, slug = browse("approver"), place.campaign()
    draft = place.draft_ids(slug)["email"]
    _, view = place.pipeline.reviewing.show_draft(draft)
    approver.post(f"/drafts/{draft}/decision", decision="approved", digest=view.revision.digest)
    assert "Approved by approver" in approver.get(f"/campaigns/{slug}")
    form = read_form(approver.get(f"/drafts/{draft}/edit")) | {
        "subject": "Un autre objet",
        "send_at": "2030-01-02T09:00",
    }
    approver.post(f"/drafts/{draft}/edit", **form)
    _, view = place.pipeline.reviewing.show_draft(draft)
    assert (view.draft.state, view.revision.number) == (DraftState.DRAFT, 2)
    assert isinstance(view.revision.fields, MailFields)
    assert view.revision.fields.subject == "Un autre objet"
    assert str(view.revision.content.send_at) == "2030-01-02 08:00:00+00:00"
    page = approver.get(f"/campaigns/{slug}")
    assert "2 Jan 2030, 09:00" in page
    assert "Approved by approver" not in page
    history = approver.get(f"/drafts/{draft}/history")
    assert "<ins>" in history
    assert "Revision 2 by approver" in history
    assert not place.pipeline.delivering.deliver().outcomes["email"]


def test_two_editors_collide_without_loss(place: Place, browse: Browse) -> None:
    first, second, slug = browse("editor"), browse("admin"), place.campaign()
    draft = place.draft_ids(slug)["x"]
    form = read_form(first.get(f"/drafts/{draft}/edit"))
    first.post(f"/drafts/{draft}/edit", **(form | {"part": ["The first one's words."]}))
    page = second.post(f"/drafts/{draft}/edit", 409, **(form | {"part": ["The second one's words."]}))
    assert "Somebody saved this draft in between" in page
    assert "first one&#39;s words" in page
    assert "<ins>second</ins>" in page
    mine = read_form(page)
    assert mine["part"][0] == "The second one's words."
    _, view = place.pipeline.reviewing.show_draft(draft)
    assert view.revision.fields == PostFields(("The first one's words.",))
    second.post(f"/drafts/{draft}/edit", **mine)
    texts = [revision.fields for revision in place.pipeline.reviewing.history(draft)[0]]
    assert texts[1:] == [PostFields(("The first one's words.",)), PostFields(("The second one's words.",))]


def test_a_decision_on_what_is_no_longer_there_is_refused(place: Place, browse: Browse) -> None:
    approver, slug = browse("approver"), place.campaign()
    draft = place.draft_ids(slug)["email"]
    _, view = place.pipeline.reviewing.show_draft(draft)
    form = read_form(approver.get(f"/drafts/{draft}/edit")) | {"subject": "Changed"}
    approver.post(f"/drafts/{draft}/edit", **form)
    page = approver.post(f"/drafts/{draft}/decision", 409, decision="approved", digest=view.revision.digest)
    assert "read the newest revision" in page
    assert "no decision" in approver.post(f"/drafts/{draft}/decision", 409, decision="applaud", digest="x")


def test_posts_are_split_ordered_and_dropped(place: Place, browse: Browse) -> None:
    editor, draft = browse("editor"), place.draft_ids(place.campaign())["x"]
    parts = ["Second.\r\n---\r\nThird.", "First.", "  "]
    editor.post(f"/drafts/{draft}/edit", base="1", part=parts, place=["2", "1", "3"])
    _, view = place.pipeline.reviewing.show_draft(draft)
    assert view.revision.fields == PostFields(("First.", "Second.", "Third."))


def test_a_playlist_change_can_be_left_out(place: Place, browse: Browse) -> None:
    editor, slug = browse("editor"), place.campaign("video", "en")
    draft = place.draft_ids(slug)["youtube"]
    assert 'name="keep" value="0" checked' in editor.get(f"/drafts/{draft}/edit")
    editor.post(f"/drafts/{draft}/edit", base="1")
    _, view = place.pipeline.reviewing.show_draft(draft)
    assert view.revision.fields == PlaylistFields((), "An officer took every change out.")


def test_a_question_is_answered_in_place(place: Place, browse: Browse) -> None:
    editor, slug = browse("editor"), place.campaign("circular", "en")
    view = place.pipeline.reviewing.show_campaign(slug)
    question = next(q for q in view.questions if q.blocking)
    assert "Not ready to approve" in editor.get(f"/campaigns/{slug}")
    fields = {
        "item": str(view.source.id),
        "question": question.id,
        "span_start": str(question.span[0]),
        "answer": "https://tidalcities.example/note",
    }
    editor.post(f"/campaigns/{slug}/answers", **fields)
    page = editor.get(f"/campaigns/{slug}")
    assert "https://tidalcities.example/note" in page
    assert "Not ready to approve" not in page
    assert "not open" in editor.post(f"/campaigns/{slug}/answers", 404, **fields)
    assert "not open" in editor.post(
        f"/campaigns/{slug}/answers", 404, item="1", question="x", span_start="²", answer="y"
    )


def test_a_button_says_that_there_is_none(place: Place, browse: Browse) -> None:
    editor, slug = browse("editor"), place.campaign("circular", "en")
    view = place.pipeline.reviewing.show_campaign(slug)
    page = editor.get(f"/campaigns/{slug}")
    assert page.count('name="none" value="-"') == len(view.questions) == 2
    for question in view.questions:
        place_of = {"item": str(view.source.id), "question": question.id, "span_start": str(question.span[0])}
        editor.post(f"/campaigns/{slug}/answers", **place_of, answer="", none="-")
    page = editor.get(f"/campaigns/{slug}")
    assert "Not ready to approve" not in page
    assert {answer.answer for answer in place.pipeline.reviewing.show_campaign(slug).answers} == {"-"}


def test_versions_corrections_and_stale_drafts_are_shown(place: Place, browse: Browse) -> None:
    editor, slug = browse("editor"), place.campaign()
    view = place.pipeline.reviewing.show_campaign(slug)
    stored = view.source
    changed = replace(stored.item, title="Another title", sections=())
    place.pipeline.store.save_item(
        stored.identity, "another", changed, "text/plain", stored.origin, stored.created_at + timedelta(hours=1)
    )
    page = editor.get(f"/campaigns/{slug}")
    assert "The source has changed since this draft was written" in page
    draft = view.drafts[0].draft
    editor.post(f"/drafts/{draft.id}/confirm", base=str(draft.revision))
    assert place.pipeline.reviewing.show_draft(draft.id)[1].stale == ""
    assert "nothing was overwritten" in editor.post(f"/drafts/{draft.id}/confirm", 409, base=str(draft.revision))
    browse("viewer").post(f"/drafts/{draft.id}/confirm", 403, base=str(draft.revision + 1))


def test_checks_while_typing_store_nothing(place: Place, browse: Browse) -> None:
    editor, draft = browse("editor"), place.draft_ids(place.campaign())["x"]
    answer = editor.http.post(f"/drafts/{draft}/check", data={"csrf": editor.csrf, "part": ["x" * 300, "ok"]})
    assert answer.json()["weights"] == [300, 2] or answer.json()["weights"][0] > 280
    assert any(check["level"] == "error" for check in answer.json()["checks"])
    assert place.pipeline.reviewing.show_draft(draft)[1].revision.number == 1


def test_nonsense_is_answered_in_one_sentence(browse: Browse) -> None:
    admin = browse("admin")
    for path in ("/drafts/999/edit", "/drafts/x/edit", "/drafts/99999999999999999999/edit", "/campaigns/none", "/none"):
        assert "Traceback" not in admin.get(path, 404)
    assert "not a date" in admin.post("/drafts/1/edit", 400, base="1", send_at="tomorrow")
    assert admin.http.put("/").status_code == 405


def test_a_mail_is_seen_as_on_a_dark_screen(place: Place, browse: Browse) -> None:
    viewer, draft = browse("viewer"), place.draft_ids(place.campaign())["email"]
    light, dark = (viewer.get(f"/drafts/{draft}/preview?scheme={scheme}") for scheme in ("light", "dark"))
    stored = place.pipeline.reviewing.show_draft(draft)[1].revision.content.body.html
    assert "prefers-color-scheme" in stored
    assert "prefers-color-scheme" not in light + dark
    assert "@media all" in dark
    assert "@media not all" in light


PICTURE = bytes.fromhex("89504e470d0a1a0a") + b"\x00" * 64


def test_the_forms_own_buttons_change_the_form_and_store_nothing(place: Place, browse: Browse) -> None:
    editor, draft = browse("editor"), place.draft_ids(place.campaign())["x"]
    parts = ["First sentence. Second sentence.\n1/2", "Last.\n2/2"]
    page = editor.post(f"/drafts/{draft}/edit", 200, base="1", part=parts, act="split:0", cursor="15")
    assert read_form(page)["part"] == ["First sentence.\r\n1/3", "Second sentence.\r\n2/3", "Last.\r\n3/3", ""]
    page = editor.post(f"/drafts/{draft}/edit", 200, base="1", part=parts, act="join:0")
    assert read_form(page)["part"][0] == "First sentence. Second sentence.\r\n\r\nLast."
    page = editor.post(f"/drafts/{draft}/edit", 200, base="1", part=parts, act="down:0")
    assert read_form(page)["part"][:2] == ["Last.\r\n1/2", "First sentence. Second sentence.\r\n2/2"]
    assert place.pipeline.reviewing.show_draft(draft)[1].revision.number == 1
    browse("viewer").post(f"/drafts/{draft}/edit", 403, base="1", part=parts, act="join:0")


def test_a_picture_is_attached_described_seen_and_taken_out(place: Place, browse: Browse) -> None:
    editor, draft = browse("editor"), place.draft_ids(place.campaign())["x"]
    path = f"/drafts/{draft}/edit"
    data = {"csrf": editor.csrf, "base": "1", "part": "Look.", "act": "picture", "upload_alt-0": "A quay"}
    answer = editor.http.post(path, data=data, files={"upload-0": ("quay.png", PICTURE, "text/html")})
    named = re.search(r'name="picture" value="(0:([0-9a-f]{64}))"', answer.text)
    assert place.pipeline.reviewing.show_draft(draft)[1].revision.number == 1
    editor.post(path, base="1", part="Look.", picture=named[1], alt="A quay at high tide")
    _, view = place.pipeline.reviewing.show_draft(draft)
    (picture,) = view.revision.content.body.parts[0].media
    assert (picture.data, picture.media_type, picture.alt_text) == (PICTURE, "image/png", "A quay at high tide")
    seen = browse("viewer").http.get(f"/drafts/{draft}/pictures/{named[2]}")
    assert (seen.content, seen.headers["content-type"]) == (PICTURE, "image/png")
    assert (seen.headers["x-content-type-options"], "sandbox" in seen.headers["content-security-policy"]) == (
        "nosniff",
        True,
    )
    assert "A quay at high tide" in editor.get(f"/campaigns/{place.campaign()}")
    editor.post(path, base="2", part="Look.", picture=named[1], alt="", remove_picture=named[1])
    assert place.pipeline.reviewing.show_draft(draft)[1].revision.fields == PostFields(("Look.",))


def test_what_is_no_picture_or_too_large_is_refused(place: Place, browse: Browse) -> None:
    editor, draft = browse("editor"), place.draft_ids(place.campaign())["x"]
    data = {"csrf": editor.csrf, "base": "1", "part": "Look.", "act": "picture"}
    for name, content, said in (
        ("a.png", b"<svg onload=x>", "is no PNG"),
        ("b.png", PICTURE + b"0" * 5_000_000, "5 MB"),
    ):
        answer = editor.http.post(f"/drafts/{draft}/edit", data=data, files={"upload-0": (name, content, "image/png")})
        assert (answer.status_code, said in answer.text) == (400, True)
    assert editor.http.get(f"/drafts/{draft}/pictures/{'0' * 64}").status_code == 404


def test_another_audience_is_chosen_and_sent_to(place: Place, browse: Browse) -> None:
    approver, slug = browse("approver"), place.campaign()
    draft = place.draft_ids(slug)["email"]
    page = approver.get(f"/drafts/{draft}/edit")
    keys = {name: key for key, name in re.findall(r'<option value="(\w+)"[^>]*>([^<]+)</option>', page)}
    before = place.pipeline.reviewing.show_draft(draft)[1].recipients
    approver.post(f"/drafts/{draft}/edit", **(read_form(page) | {"audience": keys["Subscribers"]}))
    _, view = place.pipeline.reviewing.show_draft(draft)
    assert view.revision.content.audience.name == "Subscribers"
    assert view.recipients != before
    approver.post(f"/drafts/{draft}/decision", decision="approved", digest=view.revision.digest)
    place.pipeline.delivering.deliver()
    sent = [row for row in place.pipeline.reviewing.who(slug) if row.state.value == "sent"]
    assert len(sent) == view.recipients > 0


def test_a_time_that_has_passed_is_refused(place: Place, browse: Browse) -> None:
    editor, draft = browse("editor"), place.draft_ids(place.campaign())["email"]
    form = read_form(editor.get(f"/drafts/{draft}/edit")) | {"send_at": "2020-01-02T09:00"}
    page = editor.post(f"/drafts/{draft}/edit", 409, **(form | {"subject": "What was typed"}))
    assert re.search(r'id="send_at"[^>]*value="2020-01-02T09:00".*?That time has passed', page)
    assert read_form(page)["subject"] == ["What was typed"], "nothing that was typed is lost"
    assert place.pipeline.reviewing.show_draft(draft)[1].revision.number == 1


def test_the_desk_names_no_command_where_a_page_is_asked_for(browse: Browse) -> None:
    editor = browse("editor")
    assert "pregon campaigns" not in editor.get("/campaigns/nowhere", 404)
    assert "--from" not in editor.get("/report.html?from=2027-01-02&to=2027-01-01", 400)


def test_playlist_changes_are_renamed_ordered_and_placed(place: Place, browse: Browse) -> None:
    editor, slug = browse("editor"), place.campaign("video", "en")
    draft = place.draft_ids(slug)["youtube"]
    page = editor.get(f"/drafts/{draft}/edit")
    assert 'name="op_position-0"' in page
    form = {"keep": "0", "op_place-0": "1", "op_position-0": "3"}
    editor.post(f"/drafts/{draft}/edit", base="1", **form)
    (operation,) = place.pipeline.reviewing.show_draft(draft)[1].revision.fields.operations
    assert operation.position == 2


def test_a_playlist_plan_is_shown_as_before_and_after(place: Place, browse: Browse) -> None:
    slug = place.campaign("video", "en")
    view = place.pipeline.reviewing.show_draft(place.draft_ids(slug)["youtube"])[1]
    (change,) = view.playlists
    assert change.before is not None
    assert (change.after.size, len(change.before.places)) == (change.before.size + 1, 1)
    assert change.after.places[0][1] == (change.after.size,)
    page = browse("viewer").get(f"/campaigns/{slug}")
    assert "<h4>Before</h4>" in page
    assert 'class="new"' in page


def test_a_commented_passage_is_marked_where_it_stands(place: Place, browse: Browse) -> None:
    editor, slug = browse("editor"), place.campaign()
    draft = place.draft_ids(slug)["email"]
    view = place.pipeline.reviewing.show_draft(draft)[1]
    words = " ".join(view.revision.content.body.text.split()[20:26])
    form = {"decision": "needs_changes", "digest": view.revision.digest, "comment": "<b>Shorter</b>", "quote": words}
    editor.post(f"/drafts/{draft}/decision", **form)
    page = editor.get(f"/campaigns/{slug}")
    number = place.pipeline.reviewing.show_draft(draft)[1].approvals[-1].id
    assert page.count(f'id="passage-{number}"') == 1
    assert f'href="#passage-{number}"' in page
    assert "&lt;b&gt;Shorter" in page
    editor.post(f"/drafts/{draft}/decision", **(form | {"quote": "words that nobody wrote"}))
    assert "These words are no longer in the draft" in editor.get(f"/campaigns/{slug}")
