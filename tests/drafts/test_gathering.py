from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from drafts.builders import build_circular, build_context, build_meeting, find
from pregon.drafts import compose_digest, join_items, propose
from pregon.types import Block, ChannelName, Deadline, Item, Kind, Section


def build_news(title, body, **changes):
    text = f"{title}\n\n{body}"
    sections = (Section(None, (Block("paragraph", body, find(text, body)),)),)
    item = Item(
        Kind.NEWS, "en", title, text, sections=sections, canonical_url=f"https://tidalcities.example/en/{len(title)}"
    )
    return replace(item, **{"spans": {"title": (0, len(title))}, **changes})


def build_items():
    return [
        build_news("Quays", "The quays of Portamar were raised by 30 centimetres in one summer."),
        build_news("Gates", "The gates of Brackwater close by themselves since the spring of 2026."),
        build_meeting(),
    ]


def test_a_digest_has_one_section_for_each_item_and_its_link():
    fields = compose_digest(build_items(), "en", build_context())

    assert [section.heading for section in fields.sections] == [
        "News: Quays".replace(":", " ·"),
        "News · Gates",
        "Meeting · Learning meeting on tide gates",
    ]
    assert fields.sections[0].paragraphs == (
        "The quays of Portamar were raised by 30 centimetres in one summer.",
        "[Read more on tidalcities.example](https://tidalcities.example/en/5)",
    )


def test_what_ends_soonest_stands_first():
    items = build_items()
    deadline = Deadline(date(2026, 9, 25), "Register by 25 September 2026", (0, 1))
    items[2] = replace(items[2], deadlines=(deadline,))

    assert compose_digest(items, "en", build_context()).sections[0].heading.startswith("Meeting")


def test_too_few_items_make_no_digest():
    assert compose_digest([*build_items()[:2], build_circular()], "en", build_context()) is None


def test_every_fact_of_a_digest_is_traced_to_its_item():
    items, context = build_items(), build_context()
    fields = compose_digest(items, "en", context)
    joined = join_items(items)
    draft = propose(ChannelName.EMAIL, "en", fields, joined, context)
    traces = {trace.text: trace for trace in draft.trace}

    assert [check.id for check in draft.checks] == []
    assert joined.text[slice(*traces["30"].span)] == "30"
    assert joined.text[slice(*traces["12 October 2026"].span)] == "12 October 2026"


@given(st.lists(st.sampled_from([build_circular(), build_meeting(), *build_items()[:2]]), max_size=4))
def test_joined_items_keep_the_place_of_every_fact(items):
    joined = join_items(items)
    links = [(link, item) for item in items for link in item.links]
    found = [link for link in joined.links if link.url.startswith("https://tidalcities.example/en/meeting")]

    assert all(item.text in joined.text for item in items)
    assert len(joined.links) >= len(links)
    assert all(joined.text[slice(*link.span)] == link.url for link in found)
    assert all("KST" in joined.text[slice(*event.span)] for event in joined.events)
