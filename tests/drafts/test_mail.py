import re
from dataclasses import replace
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from drafts.builders import (
    build_circular,
    build_context,
    build_meeting,
    build_playbook,
    build_video_item,
    load_templates,
)
from pregon.drafts import UNSUBSCRIBE_URL, VIEW_URL, compose_drafts, render_content, substitute
from pregon.drafts.palette import choose_palette, contrast
from pregon.errors import RenderError
from pregon.settings import AudienceConfig, MailRule
from pregon.types import ChannelName, MailFields, MailSection

KINDS = ["circular", "practice", "study", "meeting", "video", "news"]


def context_of(kind, language="en", **changes):
    rule = MailRule(template=kind, audience=AudienceConfig(name="Members", lists=("members",)))
    return build_context(playbook=build_playbook(email=rule, **changes))


def render(fields, language="en", context=None):
    return render_content(ChannelName.EMAIL, language, fields, context or build_context()).body


def full_fields(**changes):
    fields = MailFields(
        subject="Circular 12 · Gates",
        preheader="Towns meet.",
        title="Gates",
        lead="The [map](https://a.example/m) is out.",
        sections=(MailSection("Plan", ("Two points:", "- one", "- two", "> Said once.")), MailSection("", ("End.",))),
        button_label="Take part on a.example",
        button_url="https://a.example/join",
        closing="The Secretariat\non behalf of the gates",
        eyebrow="Circular 12",
        dateline="Portamar, 4 May 2026",
        salutation="Dear members,",
        call="Join us: gates@a.example",
        facts=(("Where", "Busan"), ("Cities", "31"), ("Countries", "12")),
        links=(("a.example", "https://a.example/"),),
        notice="Paid by the fund.",
    )
    return replace(fields, **changes)


@pytest.mark.parametrize("language", ["en", "fr", "es"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_template_in_every_language_has_what_a_mail_needs(kind, language):
    body = render(full_fields(), language, context_of(kind))
    tree = lxml_html.document_fromstring(body.html)

    assert tree.get("lang") == language
    assert tree.get("dir") == "ltr"
    assert tree.findtext("head/title") == "Circular 12 · Gates"
    assert "Towns meet." in body.html
    assert [heading.text_content() for heading in tree.iter("h1")] == ["Gates"]
    assert all(table.get("role") == "presentation" for table in tree.iter("table"))
    assert 'content="light dark"' in body.html
    assert UNSUBSCRIBE_URL in body.html
    assert UNSUBSCRIBE_URL in body.text
    assert VIEW_URL in body.html
    assert VIEW_URL in body.text
    assert "https://fonts." not in body.html
    assert len(body.html.encode()) < 70_000


@pytest.mark.parametrize("language", ["en", "fr", "es"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_click_is_counted_on_the_links_that_are_one_persons_own(kind, language):
    tree = lxml_html.document_fromstring(render(full_fields(), language, context_of(kind)).html)

    untracked = [link.get("href") for link in tree.iter("a") if link.get("clicktracking") == "off"]

    assert untracked == [VIEW_URL, UNSUBSCRIBE_URL]


@pytest.mark.parametrize("kind", KINDS)
def test_the_whole_mail_stands_in_one_landmark(kind):
    tree = lxml_html.document_fromstring(render(full_fields(), "en", context_of(kind)).html)
    [main] = tree.iter("main")

    assert main.getparent().get("lang") == "en"
    assert not dict(main.attrib)
    assert len(list(main.iter("a"))) == len(list(tree.iter("a"))) > 2


@pytest.mark.parametrize("kind", KINDS)
def test_the_plain_text_says_all_that_the_html_says(kind):
    body = render(full_fields(), "fr", context_of(kind))
    tree = lxml_html.document_fromstring(body.html)
    plain = re.sub(r" <[^>]+>", "", " ".join(f"{body.preheader} {body.text}".split()))

    for text in tree.find("body").itertext():
        for piece in re.split(r"\s·\s|(?<=\.)\s", " ".join(text.split())):
            assert piece.strip(" .·") in plain


def test_every_link_text_says_where_it_goes():
    for item in (build_circular(), build_meeting(), build_video_item()):
        body = compose_drafts(item, build_context())[0].content.body
        for link in lxml_html.document_fromstring(body.html).iter("a"):
            assert len(link.text_content().strip()) > 4
            assert link.text_content().strip().casefold() not in {"here", "ici", "aquí", "link", "click here"}


HOSTILE = '<script>alert(1)</script></mj-text><mj-raw>&amp; {{ 7*7 }} {% raw %} "quoted" <b>'


@pytest.mark.parametrize(
    "field",
    [
        "subject",
        "preheader",
        "title",
        "lead",
        "closing",
        "eyebrow",
        "dateline",
        "salutation",
        "call",
        "notice",
        "button_label",
    ],
)
def test_markup_in_a_field_shows_as_text(field):
    body = render(full_fields(**{field: HOSTILE}))
    tree = lxml_html.document_fromstring(body.html)

    assert not list(tree.iter("script"))
    assert not list(tree.iter("b"))
    assert "{{ 7*7 }}" in unescape(body.html)


def test_markup_in_lists_facts_and_links_shows_as_text():
    fields = full_fields(
        sections=(MailSection(HOSTILE, (f"- {HOSTILE}", f"> {HOSTILE}", HOSTILE)),),
        facts=((HOSTILE, HOSTILE),),
        links=((HOSTILE, 'https://a.example/"><script>'),),
        button_url='https://a.example/"><script>x</script>',
    )
    tree = lxml_html.document_fromstring(render(fields).html)

    assert not list(tree.iter("script"))


words = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=60)


@settings(max_examples=40, deadline=None)
@given(words, words, st.lists(words, max_size=3).map(tuple))
def test_any_text_renders_and_can_be_read_in_both_parts(title, lead, paragraphs):
    fields = full_fields(title=title, lead=lead, sections=(MailSection("H", paragraphs),))
    body = render(fields)
    tree = lxml_html.document_fromstring(body.html)

    assert " ".join(tree.find(".//h1").text_content().split()) == " ".join(title.split())
    assert title.strip() in body.text


def test_rendering_is_the_same_every_time():
    assert render(full_fields()) == render(full_fields())


def test_tokens_are_replaced_per_recipient():
    body = render(full_fields())
    text = substitute(body.text, {UNSUBSCRIBE_URL: "https://desk.example/u/1", VIEW_URL: "https://desk.example/v/1"})

    assert "https://desk.example/u/1" in text
    assert UNSUBSCRIBE_URL not in text


def test_own_links_carry_the_campaign_and_tokens_and_addresses_do_not():
    body = render(full_fields(), "en")

    assert (
        "https://a.example/join?utm_source=newsletter&utm_medium=email&utm_campaign=2026-circular-12&utm_content=en-button"
        in body.text
    )
    assert "utm_" not in body.html.split(UNSUBSCRIBE_URL)[1].split('"')[0]
    assert "gates@a.example?utm" not in body.html


def test_a_missing_template_is_one_clear_sentence():
    with pytest.raises(RenderError, match=r"email/nothing\.mjml\.j2 is missing"):
        render(full_fields(), "en", context_of("nothing"))


def test_a_broken_template_names_its_file():
    templates = {**load_templates(), "email/circular.mjml.j2": "{% if %}"}
    with pytest.raises(RenderError, match=r"templates/email/circular\.mjml\.j2"):
        render(full_fields(), "en", build_context(templates=templates))


def test_markup_that_mjml_refuses_is_a_clear_error():
    templates = {**load_templates(), "email/circular.mjml.j2": "<mjml><mj-body>"}
    with pytest.raises(RenderError, match="MJML refuses"):
        render(full_fields(), "en", build_context(templates=templates))


def test_a_language_without_words_is_a_clear_error():
    templates = {name: text for name, text in load_templates().items() if name != "words.fr.yaml"}
    with pytest.raises(RenderError, match=r"words\.fr\.yaml is missing"):
        render(full_fields(), "fr", build_context(templates=templates))


@pytest.mark.parametrize("colour", ["#0b4f6c", "#ffff00", "#ffffff", "#000000", "#7fc97f"])
def test_any_brand_stays_readable(colour):
    palette = choose_palette(colour, colour)

    for ink, ground in [
        ("#ffffff", palette.brand),
        (palette.link, palette.tint),
        (palette.link, palette.paper),
        (palette.accent, palette.paper),
        (palette.muted, palette.ground),
        (palette.ink, palette.tint),
        (palette.link_dark, palette.tint_dark),
        (palette.accent_dark, palette.paper_dark),
        (palette.muted_dark, palette.ground_dark),
        (palette.muted_dark, palette.paper_dark),
    ]:
        assert contrast(ink, ground) >= 4.5, (ink, ground)


def test_the_words_files_have_the_same_keys_and_no_figures():
    import yaml

    def keys(value, prefix=""):
        if not isinstance(value, dict):
            return {prefix: value}
        return {name: text for key in value for name, text in keys(value[key], f"{prefix}.{key}").items()}

    files = {code: keys(yaml.safe_load(load_templates()[f"words.{code}.yaml"])) for code in ("en", "fr", "es")}

    assert files["en"].keys() == files["fr"].keys() == files["es"].keys()
    for words_file in files.values():
        assert not [text for text in words_file.values() if re.search(r"\d", text)]
    for key, text in files["en"].items():
        placeholders = set(re.findall(r"{\w+}", text))
        assert all(set(re.findall(r"{\w+}", files[code][key])) == placeholders for code in files), key
