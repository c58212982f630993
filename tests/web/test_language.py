"""The desk in its languages: nothing of it stays English, values stay what they are, and choosing leads nowhere else."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from types import ModuleType
from urllib.parse import quote

import pytest
from babel.messages.catalog import Message
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from starlette.testclient import TestClient
from tests.web.builders import ORIGIN, PASSWORD, PROJECT, SAMPLE, Browser, Place, build_desk

from pregon.errors import NotAllowedError
from pregon.types import AudienceCount, CampaignSearch, Role
from pregon.web import language
from pregon.web.language import COOKIE, choose_language, say_sentence, speak, spoken, translate, translate_plural
from pregon.web.wording import build_filters, money, percent, plural, say_count, say_when
from pregon.web.workings import refuse_below

Browse = Callable[[str], Browser]
OTHERS = ("fr", "es")
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{s?\d\}")
PATHS = (
    *("/", "/calendar", "/dashboard", "/sources", "/contacts", "/contacts/1", "/segments", "/suppressions", "/channels"),
    *("/people", "/hooks", "/account", "/account/second-step", "/audit?check=1", "/nothing-here", "/sign-in", "/report.html"),
    *("/?q=nothing-fits", "/contacts?q=nobody", "/calendar?month=2099-01", "/calendar?month=x"),
)  # fmt: skip
# What the words of the desk are in no need of: names of programs and their parts.
NAMES = re.compile(
    r"[a-z]+\.[a-z]+|[A-Z]{2}|sendgrid|bluesky|mastodon|discourse|testclient|https://|/api/\S+|\S+\.example\S*"
)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """What a test speaks is not what the next one hears."""
    speak("en")
    yield
    speak("en")


@lru_cache
def tool() -> ModuleType:
    """The script that fills the catalogues."""
    spec = importlib.util.spec_from_file_location("update_catalogues", PROJECT / "docs" / "update_catalogues.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@lru_cache
def texts() -> frozenset[object]:
    """Every text of the desk, as the script finds them."""
    return frozenset(tool().list_texts())


@lru_cache
def messages(code: str) -> dict[object, Message]:
    found = [each for each in language._catalogue(code) if each.id]
    return {tuple(each.id) if each.pluralizable else each.id: each for each in found}


@pytest.mark.parametrize("code", OTHERS)
def test_a_catalogue_has_every_text_and_no_other(code: str) -> None:
    assert set(messages(code)) == texts(), "run python docs/update_catalogues.py"


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_is_translated_with_its_placeholders(code: str) -> None:
    for each in messages(code).values():
        ids, said = (each.id, each.string) if each.pluralizable else ((each.id,), (each.string,))
        assert len(ids) == len(said)
        for text, translation in zip(ids, said, strict=True):
            assert translation.strip(), text
            assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(translation)), text
            assert text[0].isspace() <= translation[0].isspace(), text


def test_french_keeps_its_signs_from_standing_alone_and_spanish_opens_questions() -> None:
    for each in messages("fr").values():
        for said in each.string if each.pluralizable else (each.string,):
            assert not re.search(r" [:;!?»]|« |\w[;!?](?!\w)|\w:(?![/\w])", said), said
    for each in messages("es").values():
        for said in each.string if each.pluralizable else (each.string,):
            assert (said.count("¿"), said.count("¡")) == (said.count("?"), said.count("!")), said


def test_the_script_reads_sentences_with_their_values() -> None:
    read = lambda text: tool().read_sentence(ast.parse(text, mode="eval").body)  # noqa: E731
    assert read('f"There is no draft {draft_id}."') == ["There is no draft {1}."]
    assert read('f"Your role, {user.role}, cannot; {x} can."') == ["Your role, {s1}, cannot; {2} can."]
    assert read('"Nothing " + ("a" if x else \'b\')') == ["Nothing a", "Nothing b"]
    assert read("call()") == []


# --- whose language


@pytest.mark.parametrize(
    ("cookies", "accepted", "expected"),
    [
        ("", "", "en"),
        ("", "fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        ("", "de, es;q=0.5", "es"),
        ("", "de,ja", "en"),
        (f"{COOKIE}=es", "fr", "es"),
        (f"{COOKIE}=klingon", "fr", "fr"),
        (f"a=b; {COOKIE}=fr; c=d", "es", "fr"),
        ("\x00=;;==", "*;q=,,-", "en"),
    ],
)
def test_the_cookie_counts_before_the_browser(cookies: str, accepted: str, expected: str) -> None:
    assert choose_language(cookies, accepted) == expected


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_headers_lead_to_a_language_of_the_desk(cookies: str, accepted: str) -> None:
    assert choose_language(cookies, accepted) in language.LANGUAGES


def test_a_language_is_chosen_on_the_page_and_kept(browse: Browse) -> None:
    stranger = browse("")
    page = html.fromstring(stranger.get("/sign-in?next=/calendar"))
    buttons = {each.get("value"): each for each in page.xpath("//form[@action='/language']//button")}
    assert {code: each.text_content() for code, each in buttons.items()} == {
        "en": "English",
        "fr": "Français",
        "es": "Español",
    }
    assert all(each.get("lang") == code for code, each in buttons.items())
    assert buttons["en"].get("aria-current") == "true"
    (onward,) = page.xpath("//form[@action='/language']/input[@name='next']/@value")
    answer = stranger.http.post("/language", data={"language": "fr", "next": onward})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/calendar")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=fr;")
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=31536000"} <= set(cookie.split("; "))
    french = html.fromstring(stranger.get("/sign-in"))
    assert french.get("lang") == "fr"
    assert french.findtext(".//h1") == translated("fr", "Sign in to the desk")


def translated(code: str, text: str) -> str:
    speak(code)
    return translate(text)


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "evil",
        "",
        "/a\nSet-Cookie: x",
    ],
)
def test_choosing_a_language_leads_to_no_other_site(browse: Browse, onward: str) -> None:
    answer = browse("").http.post("/language", data={"language": "es", "next": onward})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_an_unknown_language_or_another_site_changes_nothing(browse: Browse) -> None:
    stranger = browse("")
    assert "set-cookie" not in stranger.http.post("/language", data={"language": "xx", "next": "/"}).headers
    answer = stranger.http.post("/language", data={"language": "fr"}, headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/?q=a%26b&page=1", "/campaigns/%3Cscript%3E", '/nothing/"><b>', "/caf%C3%A9"])
def test_the_way_back_is_the_page_itself_and_stays_text(browse: Browse, path: str) -> None:
    answer = browse("admin").http.get(path)
    assert "<b>" not in answer.text
    (onward,) = html.fromstring(answer.text).xpath("//form[@action='/language']/input[@name='next']/@value")
    assert onward.startswith("/")
    assert browse("").http.post("/language", data={"next": onward}).headers["location"] == onward


def test_after_a_form_the_way_back_is_the_inbox(browse: Browse) -> None:
    answer = browse("").http.post("/sign-in", data={"name": "nobody", "password": PASSWORD})
    (onward,) = html.fromstring(answer.text).xpath("//form[@action='/language']/input[@name='next']/@value")
    assert (answer.status_code, onward) == (403, "/")


# --- no English is left


def visible(page: str) -> set[str]:
    """What people see or hear of a page, without what says its own language: texts of drafts and sources."""
    tree = html.fromstring(page)
    for each in tree.xpath("//script|//style|//*[@lang and not(self::html)]|//code|//kbd|//pre|//p[@class='quote']"):
        each.drop_tree()
    found = {" ".join(text.split()) for text in tree.itertext()}
    for name in ("aria-label", "title", "placeholder", "alt"):
        found |= set(tree.xpath(f"//@{name}"))
    return {text for text in found if any(sign.isalpha() for sign in text)}


def data_of(place: Place) -> str:
    """Everything that people wrote, who are not the desk: configuration, documents, contacts, names."""
    files = [*(PROJECT / "config").glob("*.yaml"), *(SAMPLE / "inbox").iterdir(), SAMPLE / "members.csv"]
    written = [path.read_text(encoding="utf-8") for path in files] + [path.name for path in files]
    rows = place.pipeline.inbox.search(CampaignSearch(limit=100)).rows
    traced = [
        fact.text
        for row in rows
        for view in place.pipeline.reviewing.show_campaign(row.campaign.slug).drafts
        for fact in view.revision.trace
    ]
    return "\n".join([*written, *(row.campaign.title for row in rows), *traced, *(role.value for role in Role)])


def all_paths(place: Place) -> list[str]:
    rows = place.pipeline.reviewing.list_campaigns()
    campaigns = [f"/campaigns/{row.campaign.slug}{page}" for row in rows for page in ("", "/result")]
    drafts = [f"/drafts/{draft.id}/{page}" for row in rows for draft in row.drafts for page in ("edit", "history")]
    return [*PATHS, *campaigns, *drafts]


def test_no_page_keeps_english_of_the_desk(place: Place) -> None:
    place.send(place.campaign())
    browser = Browser(browser_of(place)).sign_in("admin")
    data, paths = data_of(place), all_paths(place)
    left: dict[tuple[str, str], str] = {}
    for path in paths:
        english = visible(browser.http.get(path, headers={"Accept-Language": "en"}).text)
        for code in OTHERS:
            other = browser.http.get(path, headers={"Accept-Language": code}).text
            assert f'<html lang="{code}">' in other, path
            left |= {(code, text): path for text in english & visible(other) if is_left(text, code, data)}
    assert len(paths) > 60
    assert left == {}


def is_left(text: str, code: str, data: str) -> bool:
    """Whether a text that both languages show is English of the desk.

    One word may be a person's name for something, e.g. a list "public"; a sentence of the desk is nothing else.
    """
    known = messages(code)
    is_said = text in known and " " in text
    return not is_the_same_in(known, text, code) and (is_said or not is_data(text, data))


def is_the_same_in(known: dict[object, Message], text: str, code: str) -> bool:
    """Whether a text is the same word in both languages, e.g. "Source"."""
    speak(code)
    if text in known:
        return known[text].string == text
    counted = re.sub(r"^[\d,]+", "%(num)s", text)
    same = {form for ids, each in known.items() if each.pluralizable for form in set(ids) & set(each.string)}
    holed = {str(ids) for ids, each in known.items() if not each.pluralizable and each.string == ids}
    return counted in same or any(re.fullmatch(re.sub(r"%\\\(\w+\\\)s", ".+", re.escape(form)), text) for form in holed)


def is_data(text: str, data: str) -> bool:
    parts = [part for part in re.split(r", | #\d+$|[<>]", text) if part.strip()]
    return all(NAMES.fullmatch(part) or part.strip() in data for part in parts)


def browser_of(place: Place) -> TestClient:
    return TestClient(build_desk(place), base_url=ORIGIN, follow_redirects=False)


@pytest.mark.parametrize("code", OTHERS)
def test_dates_and_numbers_are_written_as_the_language_does(place: Place, browse: Browse, code: str) -> None:
    page = browse("admin").http.get("/calendar?month=2026-05", headers={"Accept-Language": code}).text
    assert {"fr": "Mai 2026", "es": "Mayo de 2026"}[code] in page


def test_a_reader_is_spoken_to_in_their_own_language_whatever_the_browser_asks(browse: Browse) -> None:
    answer = browse("").http.get("/subscribe/es", headers={"Accept-Language": "fr"})
    assert '<html lang="es">' in answer.text
    assert translated("es", "nothing leaves this machine.") in answer.text
    broken = browse("").http.get("/unsubscribe/broken", headers={"Accept-Language": "fr"})
    assert '<html lang="fr">' in broken.text
    assert "lien" in broken.text


def test_the_api_speaks_english(browse: Browse) -> None:
    answer = browse("").http.get("/api/campaigns", headers={"Accept-Language": "fr"})
    assert answer.status_code == 401
    assert answer.json() == browse("").http.get("/api/campaigns").json()


# --- sentences with values in them


def forms() -> list[str]:
    return [text for text in messages("fr") if isinstance(text, str) and re.search(r"\{\d\}", text)]


VALUES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)


@given(st.sampled_from(forms()), st.sampled_from(OTHERS), st.data())
def test_values_are_put_back_unchanged(form: str, code: str, data: st.DataObject) -> None:
    values = {hole: data.draw(VALUES) for hole in re.findall(r"\{s?\d\}", form)}
    said = spoken_with(code, fill(form, values))
    for hole, value in values.items():
        # What the desk says itself may be translated in turn; every other value is what it was.
        assert "s" in hole or value in said


def fill(form: str, values: dict[str, str]) -> str:
    return re.sub(r"\{s?\d\}", lambda hole: values[hole[0]], form)


def spoken_with(code: str, text: str) -> str:
    speak(code)
    try:
        return say_sentence(text)
    finally:
        speak("en")


@pytest.mark.parametrize("code", OTHERS)
def test_every_form_is_found_again(code: str) -> None:
    for form, each in messages(code).items():
        if isinstance(form, str) and PLACEHOLDER.search(form) and "%(" not in form:
            values = {hole: f"Q{hole[-2]}Q" for hole in re.findall(r"\{s?\d\}", form)}
            assert spoken_with(code, fill(form, values)) == fill(each.string, values), form


@given(st.text(max_size=200), st.sampled_from(OTHERS))
def test_what_is_no_sentence_of_the_desk_raises_nothing(text: str, code: str) -> None:
    assert isinstance(spoken_with(code, text), str)


def test_a_role_inside_a_sentence_is_said_too(place: Place) -> None:
    with pytest.raises(NotAllowedError) as refused:
        refuse_below(place.pipeline.people.user("viewer"), Role.ADMIN)
    said = spoken_with("fr", str(refused.value))
    assert "lecteur" in said
    assert "administrateur" in said


def test_small_words_are_said_as_what_they_are(place: Place, browse: Browse) -> None:
    admin, french = browse("admin"), {"Accept-Language": "fr"}
    admin.post("/channels/email/pause", reason="vacances")
    log = admin.http.get("/audit", headers=french).text
    assert f">{translated('fr', 'Newsletter')}</td>" in log
    assert translated("fr", "email") not in log, "that is an address for tests"
    place.pipeline.people.tokens.create(place.pipeline.people.user("admin"), "figures", Role.VIEWER, 30)
    assert re.search(r"jusqu’au [^<]+, jamais utilisé<", admin.http.get("/account", headers=french).text)
    rejected = spoken_with("fr", "'ana' is not an e-mail address: it has no @")
    assert rejected == "'ana' n’est pas une adresse électronique\N{NO-BREAK SPACE}: il y manque le @"
    speak("fr")
    said = say_count(AudienceCount({}, {"not subscribed: pending": 3, "suppressed: unsubscribed": 1}))
    assert said.endswith(
        "écartées : 3 (non abonné : en attente), 1 (exclu : désabonné)".replace(" :", "\N{NO-BREAK SPACE}:")
    )


@pytest.mark.parametrize("code", OTHERS)
def test_hostile_values_stay_text(browse: Browse, code: str) -> None:
    hostile = "<script>alert(1)</script>"
    admin = browse("admin")
    answer = admin.http.get(f"/report.html?from={quote(hostile)}", headers={"Accept-Language": code})
    assert answer.status_code == 400
    assert hostile not in answer.text
    assert "&lt;script&gt;" in answer.text
    refused = admin.http.post(
        "/people", data={"csrf": admin.csrf, "name": hostile, "role": hostile}, headers={"Accept-Language": code}
    )
    assert hostile not in refused.text
    assert "&lt;script&gt;" in refused.text


# --- plurals


@pytest.mark.parametrize(
    ("code", "count", "expected"),
    [
        ("en", 0, "%(num)s people"),
        ("en", 1, "%(num)s person"),
        ("fr", 0, "%(num)s personne"),
        ("fr", 1, "%(num)s personne"),
        ("fr", 2, "%(num)s personnes"),
        ("fr", 1_000_000, "%(num)s personnes"),
        ("es", 0, "%(num)s personas"),
        ("es", 1, "%(num)s persona"),
        ("es", 2_000_000, "%(num)s personas"),
    ],
)
def test_plural_forms(code: str, count: int, expected: str) -> None:
    speak(code)
    assert translate_plural("%(num)s person", "%(num)s people", count) == expected


@pytest.mark.parametrize(
    ("code", "imported", "sent", "left_out"),
    [
        ("fr", ("1 ligne acceptée", "1 nouveau contact"), "sur 1 prévu<", ("1 écartée", "3 écartées")),
        ("es", ("1 fila aceptada", "1 contacto nuevo"), "de 1 previsto<", ("1 excluida", "3 excluidas")),
    ],
)
def test_what_is_counted_agrees_with_its_count(
    place: Place, browse: Browse, code: str, imported: tuple[str, ...], sent: str, left_out: tuple[str, ...]
) -> None:
    admin, speaks = browse("admin"), {"Accept-Language": code}
    file = {"file": ("one.csv", b"email,language\nana@new.example,en\n", "text/csv")}
    data = {"csrf": admin.csrf, "word": "import"}
    told = admin.http.post("/contacts/import", data=data, files=file, headers=speaks).text
    assert [each for each in imported if each not in told] == []
    slug = place.campaign("video", "en")
    place.send(slug)
    assert sent in admin.http.get(f"/campaigns/{slug}/result", headers=speaks).text
    speak(code)
    assert tuple(plural(count, "left out", "left out") for count in (1, 3)) == left_out


def test_money_is_written_as_the_language_does() -> None:
    said = []
    for code in language.LANGUAGES:
        speak(code)
        said.append((money(1234.5), money(0.215)))
    assert said == [
        ("$1,234.50", "$0.215"),
        ("1\N{NARROW NO-BREAK SPACE}234,50\N{NO-BREAK SPACE}$", "0,215\N{NO-BREAK SPACE}$"),
        ("1.234,50\N{NO-BREAK SPACE}$", "0,215\N{NO-BREAK SPACE}$"),
    ]


@pytest.mark.parametrize(
    ("code", "share", "day", "month", "time"),
    [
        ("en", "9.5%", "23 November 2026", "November 2026", "Monday, 23 November 2026, 09:05"),
        ("fr", "9,5\N{NO-BREAK SPACE}%", "23 novembre 2026", "Novembre 2026", "lundi 23 novembre 2026, 09:05"),
        (
            *("es", "9,5\N{NO-BREAK SPACE}%", "23 de noviembre de 2026", "Noviembre de 2026"),
            "lunes, 23 de noviembre de 2026, 09:05",
        ),
    ],
)
def test_shares_and_days_are_written_as_the_language_does(
    code: str, share: str, day: str, month: str, time: str
) -> None:
    speak(code)
    filters, at = build_filters("UTC"), datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
    assert (percent(0.0952), filters["day"](at), filters["month"](at)) == (share, day, month)
    assert percent(0.5) == share.replace("9.5", "50").replace("9,5", "50")
    assert say_when(at, "UTC").startswith(time)


def test_what_no_catalogue_has_is_said_in_english() -> None:
    speak("fr")
    assert spoken() == "fr"
    assert translate("Nobody ever says this.") == "Nobody ever says this."
    assert translate_plural("%(num)s unicorn", "%(num)s unicorns", 2) == "%(num)s unicorns"
