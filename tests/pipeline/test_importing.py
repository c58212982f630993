"""Contacts from spreadsheets: any usual header, delimiter and encoding; every unusable row told; nobody brought back."""

import io
import tracemalloc
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from conftest import on_sqlite, wait_for_lock  # type: ignore[import-not-found]
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from pregon.errors import PregonError
from pregon.pipeline.contact_files import SeenAddresses, open_contact_file, read_rows
from pregon.pipeline.contact_rows import check_address
from pregon.storage.tables import consents, contacts, memberships
from pregon.types import Audience, Consent, ContactState, SuppressionReason


def take(house, text, **options):
    data = text if isinstance(text, bytes) else text.encode()
    return house.pipeline.contacts.import_file(io.BytesIO(data), name="members.csv", **options)


def contact(house, address):
    return next(each for each in house.pipeline.store.list_contacts() if each.address == address)


def ledger(house, contact_id):
    query = select(consents).where(consents.c.contact_id == contact_id).order_by(consents.c.id)
    with house.pipeline.store.engine.connect() as connection:
        return [(row.purpose, row.answer, row.how, row.text) for row in connection.execute(query)]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (
            "Email,First name,Last name,Language,City,Country,Organization,Tags",
            "A@x.example,Ána,Löf,French,Brême,FR,Port,a;b",
        ),
        (
            "Adresse e-mail;Prénom;Nom;Langue;Ville;Pays;Organisme;Listes",
            'a@x.example;Ána;Löf;français;Brême;FR;Port;"b;a"',
        ),
        (
            "Correo electrónico\tNombre\tApellidos\tIdioma\tCiudad\tPaís\tEntidad\tListas",
            "a@x.example\tÁna\tLöf\tFrancés\tBrême\tFR\tPort\ta,b",
        ),
        ("E-Mail|Vorname|Nachname|Sprache|Stadt|Land|Firma|Gruppen", "a@x.example|Ána|Löf|fr-FR|Brême|FR|Port|a; b"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@on_sqlite
def test_headers_delimiters_and_encodings_of_four_languages(house, header, row, encoding):
    result = take(house, f"{header}\r\n{row}\r\n".encode(encoding))
    assert (result.accepted, result.rejected) == (1, ())
    found = contact(house, "a@x.example")
    assert (found.name, found.language, found.city) == ("Ána Löf", "fr", "Brême")
    assert (found.country, found.organisation, found.lists) == ("FR", "Port", ("a", "b"))


def test_lines_are_counted_as_an_editor_counts_them(house):
    text = (
        "email,language,organisation\n"
        'a@x.example,en,"two\nlines"\n'
        "\n"
        "nobody,en,\n"
        "b@x.example,en,one, two\n"
        'c@x.example,en,"never closed\n' + "x" * 60_000 + "\n"
    )
    told = []
    result = take(house, text, reject=lambda line, why: told.append((line, why)))
    assert [line for line, _ in result.rejected] == [5, 6, 7]
    assert result.rejected == tuple(told)
    assert "not an e-mail address" in told[0][1]
    assert "4 fields and the first line names 3" in told[1][1]
    assert "never closed" in told[2][1]
    assert contact(house, "a@x.example").organisation == "two lines"


def test_what_is_no_table_of_contacts_is_refused_in_one_sentence(house):
    for data, sentence in (
        (b"", "empty"),
        (b"name,language\nx,en\n", "no column named email"),
        (b"email\0language\n" * 10, "not text"),
    ):
        with pytest.raises(PregonError, match=sentence):
            take(house, data)
    with pytest.raises(PregonError, match="does not work in 'xx'"):
        take(house, "email\na@x.example\n", language="xx")


def test_rows_that_name_no_language_or_list_get_the_given_ones(house):
    text = "email,lists\na@x.example,press\n"
    assert "no language" in take(house, text).rejected[0][1]
    take(house, text, language="es", lists=("members",))
    found = contact(house, "a@x.example")
    assert (found.language, found.lists) == ("es", ("members", "press"))


def test_an_import_adds_and_never_blanks(house):
    take(house, "email,name,language,lists,city\na@x.example,Ana,en,press,Bilbao\n")
    result = take(house, "email,name,language,lists\na@x.example,,fr,members\n")
    assert (result.added, result.updated) == (0, 1)
    found = contact(house, "a@x.example")
    assert (found.name, found.city, found.language, found.lists) == ("Ana", "Bilbao", "fr", ("members", "press"))


def test_nobody_who_said_no_is_brought_back(house):
    store, header = house.pipeline.store, "email,language,lists,status,opens,clicks\n"
    take(house, header + "a@x.example,en,press,subscribed,granted,denied\n")
    person = contact(house, "a@x.example")
    store.set_contact_state(person.id, ContactState.UNSUBSCRIBED, house.clock())
    store.add_suppression("b@x.example", SuppressionReason.COMPLAINED, "", house.clock())
    result = take(house, header + "a@x.example,en,press,subscribed,,granted\nb@x.example,en,press,,,\n")
    assert (result.accepted, result.kept) == (2, 1)
    again = contact(house, "a@x.example")
    assert again.state is ContactState.UNSUBSCRIBED
    assert (again.open_tracking, again.click_tracking) == (Consent.GRANTED, Consent.DENIED)
    assert "b@x.example" in store.list_suppressions()


def test_a_no_in_a_file_counts_and_is_recorded_with_when_how_and_which_text(house):
    header = "email;language;consent;open consent;click consent;consent date;consent source;consent text\n"
    take(house, header + "a@x.example;en;yes;oui;sí;2026-05-04;congress;I agree.\n")
    take(house, header + "a@x.example;en;no;nein;;04/06/2026;letter;\n")
    person = contact(house, "a@x.example")
    assert person.state is ContactState.UNSUBSCRIBED
    assert (person.open_tracking, person.click_tracking) == (Consent.DENIED, Consent.GRANTED)
    assert ledger(house, person.id) == [
        ("mail", "granted", "congress", "I agree."),
        ("opens", "granted", "congress", "I agree."),
        ("clicks", "granted", "congress", "I agree."),
        ("mail", "denied", "letter", ""),
        ("opens", "denied", "letter", ""),
    ]
    with house.pipeline.store.engine.connect() as connection:
        times = connection.execute(select(consents.c.at).where(consents.c.contact_id == person.id)).scalars().all()
    assert set(times) == {datetime(2026, 5, 4, tzinfo=UTC), datetime(2026, 6, 4, tzinfo=UTC)}
    refused = take(house, header + "c@x.example;en;perhaps;;;;;\nd@x.example;en;;;;yesterday;;\n").rejected
    assert [why.split(": ")[1][:10] for _, why in refused] == ["'perhaps' ", "'yesterday"]


def test_a_trial_tells_the_same_and_changes_nothing(house):
    text = "email,language,shoe size\na@x.example,en,41\na@x.example,en,41\n"
    before = house.pipeline.store.count_contacts()
    trial, done = take(house, text, dry_run=True), take(house, text)
    assert (
        (trial.added, trial.rejected, trial.rejected_count)
        == (done.added, done.rejected, done.rejected_count)
        == (
            1,
            ((3, "a@x.example stands in the file twice"),),
            1,
        )
    )
    assert trial.file.ignored == ("shoe size",)
    assert trial.first[0].address == "a@x.example"
    assert house.pipeline.store.count_contacts() == before + 1


def test_batches_meet(house, monkeypatch):
    monkeypatch.setattr("pregon.pipeline.importing._BATCH", 7)
    rows = "".join(f"p{number % 40}@x.example,en,members\n" for number in range(50))
    result = take(house, "email,language,lists\n" + rows)
    assert (result.added, result.rejected_count) == (40, 10)
    assert contact(house, "p39@x.example").lists == ("members",)


def test_many_answers_and_lists_are_loaded_with_whom_they_belong_to(house):
    rows = "".join(
        f'p{n:02}@x.example,en,l{n % 3};m,{("no", "yes", "")[n % 3]},"it\'s \\N\ttext\n{n}"\n' for n in range(30)
    )
    reached = Audience("Some", ("l1",), ("en",))
    assert house.pipeline.store.count_audience(reached).recipients == 0
    result = take(house, "email,language,lists,opens,consent text\n" + rows)
    assert (result.added, result.rejected_count) == (30, 0)
    assert house.pipeline.store.count_audience(reached).recipients == 10, "a count from before is not kept"
    people = {each.address: each for each in house.pipeline.store.list_contacts()}
    for number in range(0, 30, 7):
        person = people[f"p{number:02}@x.example"]
        assert person.lists == (f"l{number % 3}", "m")
        opens = ([("opens", "denied")], [("opens", "granted")], [])[number % 3]
        said = f"it's \\N\ttext\n{number}"
        assert ledger(house, person.id) == [
            (*each, "import of members.csv", said) for each in [("mail", "granted"), *opens]
        ]
    with house.pipeline.store.engine.connect() as connection:
        joined = select(memberships.c.list).join(contacts, contacts.c.id == memberships.c.contact_id)
        held = connection.execute(joined.where(contacts.c.address == "p04@x.example").order_by(memberships.c.list))
        assert held.scalars().all() == ["l1", "m"]


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_is_added_elsewhere_at_this_moment_is_known_then(house):
    store = house.pipeline.store
    with ThreadPoolExecutor(1) as pool, store.engine.connect() as other:
        values = {"address": "b@x.example", "language": "fr", "state": "unsubscribed"}
        answers = {"open_tracking": "unknown", "click_tracking": "unknown"}
        times = {"created_at": house.clock(), "updated_at": house.clock()}
        other.execute(insert(contacts).values(**values, **answers, **times))
        text = "email,language,lists\na@x.example,en,press\nb@x.example,en,press\nc@x.example,en,press\n"
        imported = pool.submit(take, house, text)
        wait_for_lock(house)
        other.commit()
        result = imported.result(10)
    assert (result.added, result.updated, result.kept) == (2, 1, 1)
    assert contact(house, "b@x.example").state is ContactState.UNSUBSCRIBED
    assert [contact(house, f"{name}@x.example").lists for name in "abc"] == [("press",)] * 3
    assert [len(ledger(house, contact(house, f"{name}@x.example").id)) for name in "abc"] == [1, 0, 1]


# --- addresses -----------------------------------------------------------------------------------------------

_PIECES = st.text(alphabet="ab0-_.+@xn'!é ", min_size=1, max_size=12)


@given(
    st.tuples(_PIECES, _PIECES, st.sampled_from([".example", ".org", ".test", ".local", ".o", "", ".museum", ".123"]))
)
def test_the_quick_check_takes_nothing_that_the_library_refuses(pieces):
    text = f"{pieces[0]}@{pieces[1]}{pieces[2]}"
    address, problem = check_address(text)
    try:
        valid = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False).ascii_email
    except EmailNotValidError:
        valid = None
    assert (address or None) == (valid.casefold() if valid else None)
    assert bool(problem) is (valid is None)


def test_international_domains_are_stored_as_they_are_sent():
    for written in ("Ana@Bücher.example", "ana@BU\u0308cher.example", " ana@BÜCHER.example\u00a0"):
        assert check_address(written) == ("ana@xn--bcher-kva.example", "")


@pytest.mark.parametrize("name", ["straße", "inﬁni", "\u212aim", "ſam"])
def test_no_letter_of_an_address_becomes_another(name):
    address, problem = check_address(f"{name}@x.example")
    assert address == ""
    assert "cannot stand in an address" in problem
    assert check_address("info@Straße.example")[0] != check_address("info@strasse.example")[0]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ana", "it has no @"),
        ("ana@@x.example", "it has more than one @"),
        ("@x.example", "it has nothing before the @"),
        ("ana@x.", "what follows the @ has no dot"),
        ("a na@x.example", "a part of it cannot stand in an address, or its ending is not in use"),
        ("ana@x.invalid", "a part of it cannot stand in an address, or its ending is not in use"),
    ],
)
def test_what_is_wrong_with_an_address_is_said(text, why):
    assert check_address(text) == ("", f"{text!r} is not an e-mail address: {why}")


@given(st.lists(st.integers(0, 3000).map(str), max_size=6000))
def test_addresses_seen_are_known_however_many(addresses):
    seen, plain = SeenAddresses(), set()
    for address in addresses:
        assert seen.add(address) is (address not in plain)
        plain.add(address)


@pytest.mark.parametrize(
    ("status", "consent", "state"),
    [
        ("active", "denied", ContactState.UNSUBSCRIBED),
        ("unsubscribed", "yes", ContactState.UNSUBSCRIBED),
        ("active", "unknown", ContactState.PENDING),
        ("active", "", ContactState.SUBSCRIBED),
        ("", "", ContactState.SUBSCRIBED),
        ("active", "perhaps", None),
    ],
)
@on_sqlite
def test_of_two_columns_on_consent_the_stricter_counts(house, status, consent, state):
    result = take(house, f"email,language,status,consent\na@x.example,en,{status},{consent}\n")
    assert result.file.columns["state"] == "status, consent"
    assert [each.state for each in house.pipeline.store.list_contacts() if each.address == "a@x.example"] == [
        each for each in (state,) if each
    ]
    assert result.rejected_count == (state is None)


def test_a_row_that_names_no_language_leaves_that_of_a_known_contact(house):
    take(house, "email,language\na@x.example,fr\n")
    take(house, "email,name\na@x.example,Ana\nb@x.example,Bo\n", language="en")
    assert (contact(house, "a@x.example").language, contact(house, "a@x.example").name) == ("fr", "Ana")
    assert contact(house, "b@x.example").language == "en"
    take(house, "email,language\na@x.example,es\n", language="en")
    assert contact(house, "a@x.example").language == "es"


def test_lists_for_all_rows_are_read_as_a_cell_is(house):
    take(house, "email,language\na@x.example,en\n", lists=("press|public", " ", "city  heads; pre"))
    person = contact(house, "a@x.example")
    with house.pipeline.store.engine.connect() as connection:
        held = set(connection.execute(select(memberships.c.list)).scalars())
    assert {"city heads", "pre", "press", "public"} == set(person.lists) <= held
    assert not any("|" in name or not name for name in held)


@pytest.mark.parametrize("at", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-10:00"])
def test_a_date_outside_the_calendar_is_a_rejected_row(house, at):
    result = take(house, f"email,language,consent date\na@x.example,en,{at}\nb@x.example,en,2026-01-02T03:04+14:00\n")
    assert result.accepted == 1
    assert "is not a date" in result.rejected[0][1]
    (entry,) = house.pipeline.store.list_consents(contact(house, "b@x.example").id)
    assert str(entry.at) == "2026-01-01 13:04:00+00:00"


def test_signs_that_are_none_are_left_out(house):
    text = "email,language,lists,consent text,city\na@x.example,en,pre\0ss,I\0 agree,Bil\0bao\n"
    file = io.BytesIO(text.encode("utf-16"))
    assert house.pipeline.contacts.import_file(file).accepted == 1
    person = contact(house, "a@x.example")
    assert (person.lists, person.city) == (("press",), "Bilbao")
    assert ledger(house, person.id)[0][-1] == "I agree"


def test_the_names_of_the_columns_may_have_line_breaks(house):
    result = take(house, 'Courriel;"Nom\ncomplet";Langue\na@x.example;Ana;fr\n;;\nb@;Bo;fr\n')
    assert (result.accepted, [line for line, _ in result.rejected]) == (1, [5])
    assert contact(house, "a@x.example").name == "Ana"


def test_a_line_without_an_end_is_not_held_as_a_whole():
    class Endless(io.RawIOBase):
        """A row, then one line of 64 MB, then a row."""

        def __init__(self):
            self._left = [b"email,name\na@x.example,Ana\n", *[b"x" * 8_192] * 8_192, b"\nb@x.example,Bo\n"]

        def readable(self):
            return True

        def seekable(self):
            return True

        def seek(self, place, whence=0):
            return 0

        def readinto(self, buffer):
            data = self._left.pop(0)[: len(buffer)] if self._left else b""
            buffer[: len(data)] = data
            return len(data)

    shape = open_contact_file(io.BytesIO(b"email,name\n"))
    tracemalloc.start()
    rows = list(read_rows(io.BufferedReader(Endless()), shape))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [row for _, row in rows if isinstance(row, list)] == [["a@x.example", "Ana"], ["b@x.example", "Bo"]]
    assert all("cannot be read" in row for _, row in rows if isinstance(row, str))
    assert most < 32_000_000


def test_a_header_in_which_one_column_is_quoted():
    shape = open_contact_file(io.BytesIO(b'"Email";"Liste, publique";Langue\n'))
    assert shape.delimiter == ";"
    assert shape.columns == {"address": "Email", "language": "Langue"}


@on_sqlite
def test_accents_that_were_written_apart_are_composed(house):
    apart = unicodedata.normalize("NFD", "a@b.example,José,fr,Málaga,Régions\n")
    take(house, "email,name,language,city,lists\n" + apart)
    found = contact(house, "a@b.example")
    assert (found.name, found.city, found.lists) == ("José", "Málaga", ("Régions",))
