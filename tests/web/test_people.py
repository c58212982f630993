"""People, passwords, the log, and the import of contacts."""

from __future__ import annotations

from collections.abc import Callable

from tests.web.builders import PASSWORD, Browser, Place

from pregon.types import Role

Browse = Callable[[str], Browser]


def test_only_an_admin_looks_after_people(place: Place, browse: Browse) -> None:
    for name in ("viewer", "editor", "approver"):
        person = browse(name)
        person.get("/people", 403)
        person.post("/people", 403, name="mallory", role="admin", password="a long password")
    admin = browse("admin")
    admin.post("/people", name="new editor", role="editor", password="a long password")
    assert place.pipeline.people.user("new editor").role is Role.EDITOR
    assert "needs at least 10" in admin.post("/people", 400, name="x", role="viewer", password="short")
    assert "no role" in admin.post("/people", 400, name="x", role="king", password="a long password")
    assert "your own role" in admin.post("/people", 400, name="admin", role="viewer", password="a long password")


def test_a_new_role_ends_the_old_sessions(place: Place, browse: Browse) -> None:
    approver, admin = browse("approver"), browse("admin")
    admin.post("/people", name="approver", role="viewer", password=PASSWORD)
    assert approver.http.get("/").status_code == 303


def test_a_password_is_changed_by_who_knows_it(place: Place, browse: Browse) -> None:
    viewer = browse("viewer")
    assert "not right" in viewer.post("/password", 403, old="guess", new="another password")
    assert "at least 10" in viewer.post("/password", 400, old=PASSWORD, new="short")
    elsewhere = browse("viewer")
    assert viewer.post("/password", old=PASSWORD, new="another password") == "/account?said=password"
    assert viewer.http.get("/").status_code == 200
    assert elsewhere.http.get("/").status_code == 303
    assert place.pipeline.people.sign_in("viewer", "another password").token


def test_the_log_tells_who_did_what(place: Place, browse: Browse) -> None:
    browse("viewer").get("/audit", 403)
    browse("viewer").get("/audit.csv", 403)
    admin = browse("admin")
    admin.post("/people", name="=cmd()", role="viewer", password="a long password")
    place.send(place.campaign())
    page = admin.get("/audit")
    assert "approved" in page
    lines = admin.get("/audit.csv").splitlines()
    assert lines[0] == "at,person,action,subject,detail"
    assert any(",admin,person,'=cmd()," in line for line in lines)


def test_contacts_are_looked_at_before_they_are_taken(place: Place, browse: Browse) -> None:
    data = b"email,name,language,lists\nnew@town.example,N,en,members\nnot an address,M,en,members\n"
    approver, count = browse("approver"), place.pipeline.store.count_contacts()

    def upload(word: str, content: bytes = data, person: Browser = approver) -> tuple[int, str]:
        files = {"file": ("members.csv", content, "text/csv")}
        answer = person.http.post("/contacts/import", data={"csrf": person.csrf, "word": word}, files=files)
        return answer.status_code, answer.text

    status, page = upload("look")
    assert status == 200
    assert "1 usable row, 1 rejected row" in page
    assert "Line 3" in page
    assert place.pipeline.store.count_contacts() == count
    assert "Imported: 1 accepted row, 1 rejected row." in upload("import")[1]
    assert place.pipeline.store.count_contacts() == count + 1
    assert upload("import", b"\xff\xfe")[0] == 400
    assert "no column named email" in upload("import", b"a,b\n1,2\n")[1]
    assert "Choose a CSV file" in upload("import", b"")[1]
    assert upload("import", data, browse("editor"))[0] == 403
