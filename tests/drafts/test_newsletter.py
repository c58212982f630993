from dataclasses import replace

from drafts.builders import build_circular, build_context, build_meeting, build_playbook, find
from pregon.drafts import compose_drafts, propose
from pregon.drafts.inline import strip_links
from pregon.types import Block, ChannelName, Item, Kind, Section, Study


def compose_mail(item, context=None):
    return next(
        draft for draft in compose_drafts(item, context or build_context()) if draft.channel is ChannelName.EMAIL
    )


def test_a_circulars_parts_stand_where_readers_look_for_them():
    fields = compose_mail(build_circular()).fields

    assert fields.subject == "Circulaire 12 · Groupe de travail sur les digues\u00a0: appel aux villes"
    assert fields.eyebrow == "Circulaire 12"
    assert fields.dateline == "Portamar, le 4 mai 2026"
    assert fields.salutation == "Chers membres,"
    assert fields.lead.startswith("Le Réseau des villes de marée a adopté en 2025")
    assert fields.closing == "Le Secrétariat\nau nom de la Commission des digues"


def test_a_call_has_its_button_and_stands_nowhere_twice():
    fields = compose_mail(build_circular()).fields

    assert fields.button_label == "Écrire à digues@tidalcities.example"
    assert fields.button_url.startswith("mailto:digues@tidalcities.example?subject=Circulaire%2012")
    assert [section.heading for section in fields.sections] == ["LE PLAN"]


def test_no_word_is_said_about_a_deadline_that_the_source_does_not_state():
    draft = compose_mail(build_circular())

    assert "date limite" not in draft.content.body.text.casefold()
    assert "deadline" not in draft.content.body.html.casefold()


def test_every_sentence_is_the_sources_own():
    item = build_circular()
    fields = compose_mail(item).fields
    blocks = [block.text for section in item.sections for block in section.blocks]
    source = [" ".join(line.split()) for text in blocks for line in text.splitlines()]

    for section in fields.sections:
        for paragraph in section.paragraphs:
            assert strip_links(paragraph.removeprefix("- ")).replace("\u00a0", " ") in source


def test_a_list_stays_a_list_and_its_link_stays_where_its_words_are():
    fields = compose_mail(build_circular()).fields

    assert fields.sections[0].paragraphs[2] == (
        "- publier les mesures sur [la carte commune](https://carte.tidalcities.example/fr/?vue=digues#nord)."
    )


def test_a_title_in_two_parts_gives_the_topic_to_the_subject():
    item = build_circular(title="Commission des digues — Appel aux villes")
    fields = compose_mail(item).fields

    assert fields.title == "Appel aux villes"
    assert fields.eyebrow == "Circulaire 12 · Commission des digues"
    assert fields.subject == "Circulaire 12 · Appel aux villes"


def test_the_sources_own_line_says_in_whose_name_it_is_signed():
    text = "Une ligne.\n\nLe Secrétariat\nau nom du Groupe des quais"
    item = Item(Kind.CIRCULAR, "fr", "Quais", text, issuer="Le Secrétariat", on_behalf_of="Groupe des quais")

    assert compose_mail(item).fields.closing == "Le Secrétariat\nau nom du Groupe des quais"


def test_labelled_lines_become_facts_as_the_source_labels_them():
    text = "Tide gates\n\nDate: 12 October 2026, 14:30-16:30 (KST)\n\nThe members meet in Busan."
    line, rest = "Date: 12 October 2026, 14:30-16:30 (KST)", "The members meet in Busan."
    meeting = build_meeting()
    item = replace(
        meeting,
        text=text,
        sections=(
            Section(None, (Block("paragraph", line, find(text, line)), Block("paragraph", rest, find(text, rest)))),
        ),
        events=(replace(meeting.events[0], span=find(text, "12 October 2026, 14:30-16:30 (KST)")),),
        links=(),
    )
    fields = compose_mail(item).fields

    assert fields.facts == (("Date", "12 October 2026, 14:30-16:30 (KST)"), ("Where", "Busan"))
    assert fields.lead == rest


def test_labelled_lines_of_one_paragraph_become_facts_too():
    text = "Date: 12 October 2026, 14:30-16:30 (KST)\nPlace: Busan"
    meeting = build_meeting()
    item = replace(
        meeting,
        text=text,
        sections=(Section(None, (Block("paragraph", text, (0, len(text))),)),),
        events=(replace(meeting.events[0], span=find(text, "12 October 2026, 14:30-16:30 (KST)")),),
        links=(),
    )
    fields = compose_mail(item).fields

    assert fields.facts == (("Date", "12 October 2026, 14:30-16:30 (KST)"), ("Place", "Busan"))
    assert fields.lead == ""
    assert fields.sections == ()


def test_a_language_without_source_text_has_facts_and_marks():
    context = build_context(playbook=build_playbook(languages=("fr", "es")))
    item = build_circular()
    spanish = next(
        draft
        for draft in compose_drafts(item, context)
        if draft.channel is ChannelName.EMAIL and draft.language == "es"
    )

    assert spanish.fields.eyebrow == "Circular 12"
    assert spanish.fields.dateline == "Portamar, 4 de mayo de 2026"
    assert spanish.fields.title == "⟦Por escribir; la fuente está en francés⟧"
    assert "text.missing" in [check.id for check in spanish.checks if check.level == "error"]
    assert "fact.untraced" not in [check.id for check in spanish.checks]


def test_marks_that_were_replaced_no_longer_block():
    context = build_context(playbook=build_playbook(languages=("fr", "es")))
    item = build_circular()
    draft = next(d for d in compose_drafts(item, context) if d.language == "es" and d.channel is ChannelName.EMAIL)
    edited = replace(draft.fields, subject="Circular 12", title="Diques", lead="Texto.", call="Escriban.")
    again = propose(ChannelName.EMAIL, "es", edited, item, context)

    assert "text.missing" not in [check.id for check in again.checks]


def test_a_funding_notice_is_carried_along_and_not_said_twice():
    text = "L'étude est publiée. Elle décrit les digues.\n\nCofinancée par le Fonds."
    body = "L'étude est publiée. Elle décrit les digues."
    study = Study(languages=("fr",), funding_notice="Cofinancée par le Fonds.")
    item = Item(
        Kind.STUDY,
        "fr",
        "Digues",
        text,
        sections=(Section(None, (Block("paragraph", body, find(text, body)),)),),
        study=study,
    )
    with_block = replace(
        item,
        sections=(
            *item.sections,
            Section("Merci", (Block("paragraph", "Cofinancée par le Fonds.", find(text, "Cofinancée par le Fonds.")),)),
        ),
    )

    assert compose_mail(item).fields.notice == "Cofinancée par le Fonds."
    assert compose_mail(with_block).content.body.text.count("Cofinancée par le Fonds.") == 1
