"""Audiences counted and selected by SQL: the same as the pure functions say, whatever the rule."""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from pregon.audiences import matches_audience, matches_rule, select_recipients
from pregon.storage.segments import audience_condition
from pregon.storage.tables import contacts
from pregon.types import Audience, ContactState, Rule, SuppressionReason

LISTS, CITIES = ("members", "press", "pre", "public"), ("Cádiz", "Brest", "")
_LEAF = st.builds(
    Rule,
    lists=st.lists(st.sampled_from(LISTS), max_size=2).map(tuple),
    languages=st.lists(st.sampled_from(("en", "fr")), max_size=1).map(tuple),
    cities=st.lists(st.sampled_from(CITIES), max_size=2).map(tuple),
    countries=st.lists(st.sampled_from(("ES", "FR")), max_size=1).map(tuple),
)
_PARTS = st.lists(_LEAF, max_size=2).map(tuple)
RULES = st.builds(Rule, lists=_LEAF.map(lambda r: r.lists), all=_PARTS, any=_PARTS, none=_PARTS)


def fill(house):
    """40 contacts of every kind; some unsubscribed, some suppressed, some both."""
    lines = [
        f"p{n}@x.example,{('en', 'fr', 'es')[n % 3]},{';'.join(LISTS[k] for k in range(4) if n >> k & 1)},"
        f"{CITIES[n % 2]},{('ES', 'FR', '')[n % 3]},{'pending' if n % 7 == 0 else 'yes'}"
        for n in range(40)
    ]
    house.pipeline.contacts.import_text("email,language,lists,city,country,status\n" + "\n".join(lines))
    for n in range(0, 40, 5):
        house.pipeline.store.add_suppression(f"p{n}@x.example", SuppressionReason.BOUNCED, "", house.clock())


def select_ids(store, audience):
    """What planning selects."""
    with store.engine.connect() as connection:
        return set(connection.execute(select(contacts.c.id).where(audience_condition(audience))).scalars())


def check(house, audience):
    store = house.pipeline.store
    recipients = select_recipients(audience, store.list_contacts(), store.list_suppressions())
    assert select_ids(store, audience) == {r.contact.id for r in recipients}
    count = store.count_audience(audience)
    assert count.left_out == Counter(r.excluded for r in recipients if r.excluded)
    assert count.languages == Counter(r.contact.language for r in recipients if not r.excluded)
    assert (count.recipients, count.excluded) == (
        sum(not r.excluded for r in recipients),
        sum(bool(r.excluded) for r in recipients),
    )


def test_counts_by_lists(house):
    fill(house)
    for lists in ((), ("members",), ("pre",), ("press", "public"), LISTS):
        check(house, Audience("x", lists, ("en", "fr")))


def test_counts_and_selections_by_any_rule(house):
    fill(house)
    everybody = house.pipeline.store.list_contacts()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(RULES, st.lists(st.sampled_from(LISTS), max_size=2).map(tuple))
    def hold(rule, lists):
        check(house, Audience("x", lists, ("en", "es"), rule))
        assert house.pipeline.store.count_rule(rule) == sum(matches_rule(rule, each) for each in everybody)

    hold()


def test_lists_stay_the_same_in_both_places(house):
    store = house.pipeline.store
    house.pipeline.contacts.import_text("email,language,lists\na@x.example,en,press;members\n")
    person = store.find_contact("a@x.example")
    store.set_lists(person.id, ("public", "members"), house.clock(), by_person=True)
    assert store.read_contact(person.id).lists == ("members", "public")
    house.pipeline.contacts.import_text("email,language,lists\na@x.example,en,press;pre\n")
    again = store.read_contact(person.id)
    assert again.lists == ("members", "pre", "public"), "who left a list is not put back on it"
    for name in LISTS:
        audience = Audience("x", (name,), ("en",))
        assert (again.id in select_ids(store, audience)) is matches_audience(audience, again)
    store.set_lists(person.id, ("press",), house.clock())
    assert store.read_contact(person.id).lists == ("press",)


def test_counts_per_state_language_and_list(house):
    before = house.pipeline.store.count_contacts_by()
    house.pipeline.contacts.import_text("email,language,lists,status\na@x.example,fr,press;members,no\n")
    after = house.pipeline.store.count_contacts_by()
    assert after["list"]["press"] == before["list"].get("press", 0) + 1
    assert after["language"]["fr"] == before["language"]["fr"] + 1
    assert after["state"][ContactState.UNSUBSCRIBED] == before["state"].get(ContactState.UNSUBSCRIBED, 0) + 1


def test_search_by_the_beginnings_of_words_a_page_at_a_time(house):
    house.pipeline.contacts.import_text(
        "email,name,language,organisation,city\n"
        + "".join(f"p{n}.lopez@port-{n}.example,María López,es,Harbour office,Málaga\n" for n in range(25))
        + "o'neill@x.example,Sheila O'Neill,en,100% Tide,\n"
    )
    search = house.pipeline.store.search_contacts
    page, more = search("harb lóp", limit=10)
    seen = [c.address for c in page]
    while more is not None:
        page, more = search("harb lóp", limit=10, before=more)
        seen += [c.address for c in page]
    assert sorted(seen) == sorted(f"p{n}.lopez@port-{n}.example" for n in range(25))
    assert [c.name for c in search("p7 lopez")[0]] == ["María López"]
    assert [c.name for c in search("o'neill 100%")[0]] == ["Sheila O'Neill"]
    for odd in ('"', "a* OR", "' & !", "\\", "nobody-here", "NEAR(a b)"):
        assert isinstance(search(odd)[0], tuple)
    person = search("p7 lopez")[0][0]
    house.pipeline.store.mend_contact(person.id, {"name": "Ana Ruiz", "address": "evil"}, house.clock())
    assert [c.address for c in search("ruiz")[0]] == [person.address]


def test_a_segment_of_the_configuration_reaches_the_audience():
    from pregon.settings import AudienceConfig, SegmentRule

    rule = SegmentRule.model_validate(
        {"countries": ["ES"], "any": [{"lists": ["press"]}], "not": [{"cities": ["Cádiz"]}]}
    )
    expected = Rule(countries=("ES",), any=(Rule(lists=("press",)),), none=(Rule(cities=("Cádiz",)),))
    assert rule.as_rule() == expected
    assert AudienceConfig(name="x", segment="s", rule=None).lists == ()
