"""Drafts of whole documents, read by the stage before: nothing untraced, nothing too long, nothing lost."""

from pathlib import Path

import pytest

from drafts.builders import ROOT, build_context
from pregon.drafts import campaign_slug, compose_drafts
from pregon.items import identify_item, load_document, read_item
from pregon.settings import load_settings
from pregon.types import Item, MailBody, ThreadBody

SAMPLES = sorted((ROOT / "src" / "pregon" / "sandbox" / "sample" / "inbox").iterdir())
SEEDS = sorted((ROOT.parent / "shared" / "seeds").glob("*.txt"))


def read(path: Path) -> tuple[Item, str]:
    document = load_document(path.read_bytes(), name=path.name)
    item = read_item(document, network=load_settings(ROOT, {}).network)
    return item, campaign_slug(item, str(identify_item(item, document)))


def compose(path, **context):
    item, slug = read(path)
    playbook = load_settings(ROOT, {}).playbooks[item.kind]
    return item, compose_drafts(item, build_context(**{"playbook": playbook, "campaign": slug, **context}))


def check_drafts(item, drafts):
    for draft in drafts:
        assert "fact.untraced" not in [check.id for check in draft.checks]
        assert all(trace.span is None or item.text[slice(*trace.span)].strip() for trace in draft.trace)
        if isinstance(draft.content.body, ThreadBody):
            assert all(part.weighted_length <= 280 for part in draft.content.body.parts)
        if isinstance(draft.content.body, MailBody):
            assert len(draft.content.body.html.encode()) < 70_000


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_fact_of_every_sample_draft_is_traced(path):
    check_drafts(*compose(path))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("template", ["circular", "practice", "study", "meeting", "video", "news"])
def test_every_sample_fits_every_template_in_three_languages(path, template):
    item, _ = read(path)
    rules = load_settings(ROOT, {}).playbooks[item.kind]
    email = rules.email.model_copy(update={"template": template})
    playbook = rules.model_copy(update={"email": email, "languages": ("en", "fr", "es")})

    check_drafts(*compose(path, playbook=playbook))


def test_the_platforms_addresses_of_a_signature_are_written_as_they_are_today():
    path = ROOT / "tests" / "items" / "golden" / "circular-legacy-links.en.txt"
    item, drafts = compose(path)
    check_drafts(item, drafts)
    mail = drafts[0]

    assert "https://x.com/tidalcities" in mail.content.body.text
    assert "https://www.youtube.com/user/tidalcities" in mail.content.body.text
    insecure = [check.message for check in mail.checks if check.id == "link.insecure"]
    assert not [message for message in insecure if "youtube" in message]


@pytest.mark.seeds
@pytest.mark.parametrize("path", SEEDS or [None], ids=lambda path: path.name if path else "absent")
def test_every_fact_of_a_real_documents_drafts_is_traced(path):
    if path is None:
        pytest.skip("the real documents are not here")
    check_drafts(*compose(path))


@pytest.mark.seeds
def test_the_real_circular_blocks_on_its_placeholder_links_and_states_no_deadline():
    path = ROOT.parent / "shared" / "seeds" / "circulaire-46-2018.fr.txt"
    if not path.exists():
        pytest.skip("the real documents are not here")
    _, drafts = compose(path)
    mail = drafts[0]

    assert mail.content.campaign == "2018-circular-46"
    assert [check.id for check in mail.checks if check.level == "error"] == ["link.placeholder", "link.placeholder"]
    assert mail.fields.dateline == "Barcelone, le 25 juin 2018"
    assert mail.fields.button_url.startswith("mailto:info@uclg-digitalcities.org?subject=")
    assert "limite" not in mail.content.body.text.casefold()
    assert "https://x.com/uclg_cdc" in mail.content.body.text
    assert drafts[2].fields.operations == ()
