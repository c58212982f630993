from dataclasses import replace
from datetime import date

import pytest

from drafts.builders import build_circular, build_context, build_meeting, build_video_item, find, load_templates
from pregon.drafts import compose_drafts, propose
from pregon.drafts.checks import check_draft
from pregon.types import (
    Block,
    Call,
    ChannelName,
    Item,
    Kind,
    Link,
    MailSection,
    Media,
    PlaylistFields,
    PlaylistOperation,
    PostFields,
    PostPart,
    Section,
    Study,
    ThreadBody,
)


def compose(item, channel=ChannelName.EMAIL, **context):
    return next(draft for draft in compose_drafts(item, build_context(**context)) if draft.channel is channel)


def edit_mail(item, context=None, **changes):
    context = context or build_context()
    draft = next(d for d in compose_drafts(item, context) if d.channel is ChannelName.EMAIL)
    return propose(ChannelName.EMAIL, draft.language, replace(draft.fields, **changes), item, context)


def post(text, item=None, **context):
    return propose(ChannelName.X, "fr", PostFields((text,)), item or build_circular(), build_context(**context))


def ids(draft, level=None):
    return [check.id for check in draft.checks if level in {None, check.level}]


def untraced(draft):
    return [check.message.split("”")[0].removeprefix("“") for check in draft.checks if check.id == "fact.untraced"]


@pytest.mark.parametrize("item", [build_circular(), build_meeting(), build_video_item()])
def test_composed_drafts_hold_no_untraced_fact(item):
    for draft in compose_drafts(item, build_context()):
        assert untraced(draft) == []


def test_every_trace_points_at_its_text_in_the_source():
    item = build_circular()
    traces = {trace.text: trace for trace in compose(item).trace}

    assert item.text[slice(*traces["4 mai 2026"].span)] == "4 mai 2026"
    assert item.text[slice(*traces["digues@tidalcities.example"].span)] == "digues@tidalcities.example"
    assert item.text[slice(*traces["14"].span)] == "14"
    assert traces["https://tidalcities.example/fr/"].origin == "config:network.website.fr"
    assert (
        "carte.tidalcities.example"
        in item.text[slice(*traces["https://carte.tidalcities.example/fr/?vue=digues#nord"].span)]
    )


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("Il reste 9 places.", "9"),
        ("Avant le 30 juin 2026.", "30 juin 2026"),
        ("Le 4 juin 2026.", "4 juin 2026"),
        ("Le 4 mai 2027.", "4 mai 2027"),
        ("On 5 May 2026.", "5 May 2026"),
        ("2026-05-05", "2026-05-05"),
        ("Écrivez à autre@tidalcities.example", "autre@tidalcities.example"),
        ("Voir https://carte.tidalcities.example/es/", "https://carte.tidalcities.example/es/"),
        ("Merci @autre", "@autre"),
        ("14 000 heures", "14 000"),
        ("1,4 heure", "1,4"),
    ],
)
def test_an_invented_fact_is_an_error(text, fact):
    draft = post(text)

    assert untraced(draft) == [fact]
    assert "fact.untraced" in ids(draft, "error")


@pytest.mark.parametrize(
    "text",
    [
        "4 May 2026",
        "4 de mayo de 2026",
        "le 4 mai",
        "2026-05-04",
        "04/05/2026",
        "May 4, 2026",
        "14 heures",
        "https://x.com/tidalcities",
        "digues@tidalcities.example",
        "@tidalcities",
    ],
)
def test_a_fact_of_the_source_in_another_form_is_traced(text):
    assert untraced(post(text)) == []


def test_an_edit_is_held_to_the_same_rule():
    draft = edit_mail(build_circular(), lead="Il y a 77 villes.")

    assert untraced(draft) == ["77"]


def test_a_hidden_address_behind_a_link_is_traced_too():
    draft = edit_mail(build_circular(), lead="Voir [la page](https://elsewhere.example/page).")

    assert untraced(draft) == ["https://elsewhere.example/page"]


def test_a_placeholder_link_blocks_until_it_is_answered():
    item = build_circular()
    span = next(link.span for link in item.links if link.problem == "placeholder")

    assert "link.placeholder" in ids(compose(item), "error")
    assert "link.placeholder" not in ids(compose(item, answers={span: ""}))


def test_an_answered_placeholder_becomes_a_link():
    item = build_circular()
    span = next(link.span for link in item.links if link.problem == "placeholder")
    draft = compose(item, answers={span: "https://tidalcities.example/fr/guide"})

    assert "[le guide des digues](https://tidalcities.example/fr/guide)" in draft.fields.sections[0].paragraphs[3]
    assert "link.placeholder" not in ids(draft)
    assert untraced(draft) == []


def test_an_insecure_link_is_a_warning_and_a_dead_host_an_error():
    text = "Voir http://plain.example/a et http://old.tidalcities.example/b pour 12."
    links = tuple(
        Link(url, url, None, find(text, url)) for url in ("http://plain.example/a", "http://old.tidalcities.example/b")
    )
    item = Item(Kind.NEWS, "fr", "Liens", text, links=links)
    draft = post("Voir http://plain.example/a", item)

    assert ids(draft, "warning") == ["link.insecure"]
    assert "link.legacy" in ids(post("Voir http://old.tidalcities.example/b", item), "error")


def test_a_dead_host_is_never_linked_from_the_source():
    text = "Voir le plan ici."
    links = (Link("le plan", "http://old.tidalcities.example/b", "legacy", find(text, "le plan")),)
    item = replace(build_circular(), links=links)

    assert "old.tidalcities.example" not in compose(item).content.body.html


def test_a_post_too_long_or_with_two_links_or_empty_is_told():
    assert "x.too-long" in ids(post("mot " * 80), "error")
    assert "x.too-many-links" in ids(post("https://tidalcities.example/fr/ https://x.com/tidalcities"), "warning")
    assert "text.empty" in ids(post("  "), "error")


def test_a_picture_needs_a_description():

    draft = post("Texte")
    pictured = replace(
        draft.content, body=ThreadBody((PostPart("Texte", 5, (Media("a.png", "image/png", b"", " "),)),), 0.015)
    )

    assert "media.alt-missing" in [check.id for check in check_draft(pictured, build_circular(), build_context(), ())]


def test_a_mail_that_would_be_clipped_is_told():
    paragraphs = tuple("Les villes ont gagné 14 heures. " * 10 for _ in range(160))

    assert "email.clipped" in ids(edit_mail(build_circular(), sections=(MailSection("Plan", paragraphs),)), "warning")
    assert "email.clipped" in ids(edit_mail(build_circular(), sections=(MailSection("Plan", paragraphs * 2),)), "error")


@pytest.mark.parametrize(
    ("size", "level"), [(70_000, None), (70_001, "warning"), (90_000, "warning"), (90_001, "error")]
)
def test_a_mail_is_clipped_by_its_bytes_with_room_for_what_tracking_adds(size, level):
    content = edit_mail(build_circular()).content
    padding = "é" + " " * (size - len(content.body.html.encode()) - 2)
    large = replace(content, body=replace(content.body, html=content.body.html + padding))

    checks = check_draft(large, build_circular(), build_context(), ())
    assert [check.level for check in checks if check.id == "email.clipped"] == ([level] if level else [])


@pytest.mark.parametrize("base", ["email/base.mjml.j2", "email/base.txt.j2"])
def test_a_mail_without_an_unsubscribe_link_in_either_part_is_told(base):
    templates = load_templates()
    templates = templates | {base: templates[base].replace("unsubscribe_url", "view_url")}

    assert "email.no-unsubscribe" in ids(compose(build_circular(), templates=templates), "error")


def test_a_subject_is_there_and_short():
    assert "subject.long" in ids(edit_mail(build_circular(), subject="digues " * 12), "warning")
    assert "text.empty" in ids(edit_mail(build_circular(), subject=" "), "error")


def test_a_former_name_is_told_unless_it_is_called_former():
    assert "name.former" in ids(post("Le Comité des villes d'estuaire vous invite."), "warning")
    assert "name.former" not in ids(post("Le réseau, anciennement Comité des villes d'estuaire, vous invite."))


def test_a_call_that_has_ended_is_an_error_only_when_the_day_is_known():
    item = build_circular()
    ended = replace(item, calls=(replace(item.calls[0], deadline=date(2026, 5, 4)),))

    assert "call.expired" in ids(compose(ended, today=date(2026, 5, 5)), "error")
    assert "call.expired" not in ids(compose(ended, today=date(2026, 5, 4)))
    assert "call.expired" not in ids(compose(ended))


def test_a_video_that_the_item_does_not_announce_is_untraced():
    fields = PlaylistFields((PlaylistOperation("add", "PLtidal-es", "Red", "otherVideo1", ""),))
    draft = propose(ChannelName.YOUTUBE, "es", fields, build_video_item(), build_context())

    assert untraced(draft) == ["otherVideo1"]


def test_a_capacity_in_words_is_traced_to_its_call():
    text = "Quinze villes au maximum peuvent venir."
    item = Item(Kind.CIRCULAR, "fr", "Appel", text, calls=(Call(text, None, 15, None, (0, len(text))),))
    draft = post("Places : 15", item)

    assert untraced(draft) == []
    assert [trace.span for trace in draft.trace if trace.text == "15"] == [(0, len(text))]


def test_each_finding_says_what_to_do():
    draft = post("https://x.com/a https://x.com/b 99 " + "mot " * 80)

    assert all(check.message.endswith(".") and check.fix.endswith(".") for check in draft.checks)
    assert [check.level for check in draft.checks] == sorted(check.level for check in draft.checks)


def test_a_funding_notice_that_was_taken_out_is_an_error():
    text = "L'étude est publiée.\n\nCofinancée par le Fonds."
    item = Item(Kind.STUDY, "fr", "Étude", text, study=Study(funding_notice="Cofinancée par le Fonds."))

    assert "funding.missing" not in ids(compose(item))
    assert "funding.missing" in ids(edit_mail(item, notice=""), "error")
    assert "funding.missing" in ids(post("L'étude est publiée.", item), "warning")


def test_a_hashtag_in_small_letters_is_told():
    assert "hashtag.case" in ids(post("#villesdemaree"), "warning")
    assert "hashtag.case" not in ids(post("#VillesDeMarée"))


def test_a_page_of_a_thousand_paragraphs_and_links_is_drafted_and_traced():
    lines = [f"Day {n} names [page {n}](https://a.example/{n}) for {n} towns." for n in range(1000)]
    text = "\n\n".join(lines)
    blocks, links, start = [], [], 0
    for number, line in enumerate(lines):
        mark = f"[page {number}](https://a.example/{number})"
        start = text.index(line, start)
        blocks.append(Block("paragraph", line.replace(mark, f"page {number}"), (start, start + len(line))))
        place = start + line.index(mark)
        links.append(Link(f"page {number}", f"https://a.example/{number}", None, (place, place + len(mark))))
    item = Item(Kind.NEWS, "fr", "Jours", text, sections=(Section(None, tuple(blocks)),), links=tuple(links))

    assert ids(compose(item)) == ["email.clipped"]


def test_a_letter_that_grows_in_lower_case_moves_no_span():
    text = "İİİ Écrire à info@quais.example"
    item = Item(Kind.NEWS, "fr", "Quais", text)
    draft = post("Écrire à info@quais.example", item)

    assert text[slice(*draft.trace[0].span)] == "info@quais.example"
