from lxml import html as lxml_html

from drafts.builders import build_circular, build_context, build_playbook
from pregon.drafts import audience_for, compose_drafts


def test_with_one_language_every_reader_falls_to_it():
    assert audience_for(build_context(), "fr").languages == ("fr", "en", "es")


def test_with_several_each_reader_gets_their_own_and_the_rest_the_first_drafted():
    context = build_context(playbook=build_playbook(languages=("es", "fr")))

    assert audience_for(context, "fr").languages == ("fr", "en")
    assert audience_for(context, "es").languages == ("es",)


def test_without_a_newsletter_there_is_no_audience():
    assert audience_for(build_context(playbook=build_playbook(email=None)), "fr") is None


def test_readers_of_another_language_are_told_in_theirs():
    mail = compose_drafts(build_circular(), build_context())[0].content.body
    spans = {
        span.get("lang"): span.text
        for span in lxml_html.document_fromstring(mail.html).iter("span")
        if span.get("lang")
    }

    assert spans == {"en": "This message exists in French only.", "es": "Este mensaje solo existe en francés."}
    assert "This message exists in French only." in mail.text
