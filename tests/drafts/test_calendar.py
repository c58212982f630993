from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from drafts.builders import build_circular, build_context, build_meeting
from pregon.drafts import compose_drafts, propose, render_calendar
from pregon.types import Deadline, Event


def render(item, **changes):
    values = {"campaign": "2026-meeting-busan", "host": "tidalcities.example", "deadline_label": "Deadline", **changes}
    return render_calendar(item, **values)


def unfold(text):
    return text.replace("\r\n ", "").split("\r\n")


def test_a_meeting_has_its_hours_in_the_zone_that_it_states():
    lines = unfold(render(build_meeting()))

    assert "DTSTART;TZID=UTC+09-00:20261012T143000" in lines
    assert "DTEND;TZID=UTC+09-00:20261012T163000" in lines
    assert lines[lines.index("TZID:UTC+09-00") - 1] == "BEGIN:VTIMEZONE"
    assert "TZOFFSETTO:+0900" in lines
    assert "LOCATION:Busan" in lines


def test_hours_without_a_zone_float():
    event = Event("Session", "2026-10-12T14:30", None, None, True, (0, 1))
    text = render(replace(build_meeting(), events=(event,)))

    assert "DTSTART:20261012T143000" in unfold(text)
    assert "VTIMEZONE" not in text


def test_whole_days_end_on_the_day_after():
    event = Event("Assembly", "2031-05-08", "2031-05-10", "Portamar", False, (0, 1))
    lines = unfold(render(replace(build_meeting(), events=(event,))))

    assert "DTSTART;VALUE=DATE:20310508" in lines
    assert "DTEND;VALUE=DATE:20310511" in lines


def test_a_change_and_a_cancellation_keep_the_uid():
    first, changed = unfold(render(build_meeting())), unfold(render(build_meeting(), sequence=2, cancelled=True))
    uid = "UID:2026-meeting-busan-1@tidalcities.example"

    assert uid in first
    assert uid in changed
    assert "SEQUENCE:0" in first
    assert "STATUS:CONFIRMED" in first
    assert "SEQUENCE:2" in changed
    assert "STATUS:CANCELLED" in changed


def test_a_deadline_is_a_day_of_its_own_with_an_alarm():
    item = replace(build_meeting(), deadlines=(Deadline(date(2026, 9, 25), "Register by 25 September 2026", (0, 1)),))
    lines = unfold(render(item))

    assert "SUMMARY:Deadline: Learning meeting on tide gates" in lines
    assert "DTSTART;VALUE=DATE:20260925" in lines
    assert lines.count("BEGIN:VALARM") == 1
    assert "TRIGGER:-P3D" in lines


def test_signs_of_the_format_are_escaped():
    event = Event("Tides; gates, and \\ walls\nBEGIN:VEVENT", "2026-10-12", None, None, False, (0, 1))
    lines = unfold(render(replace(build_meeting(), events=(event,))))

    assert "SUMMARY:Tides\\; gates\\, and \\\\ walls BEGIN:VEVENT" in lines
    assert lines.count("BEGIN:VEVENT") == 1


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=200))
def test_no_line_is_longer_than_75_octets(title):
    event = Event(title, "2026-10-12", None, None, False, (0, 1))
    text = render(replace(build_meeting(), events=(event,)))

    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


def test_an_item_without_an_event_has_no_calendar():
    assert render(build_circular()) == ""


def test_an_edit_does_not_lose_the_calendar():
    context = build_context()
    mail = compose_drafts(build_meeting(), context)[0]
    edited = propose(mail.channel, "en", replace(mail.fields, title="Gates", calendar=""), build_meeting(), context)

    assert edited.fields.calendar == mail.fields.calendar


def test_a_mail_carries_the_calendar_of_its_item():
    mail = compose_drafts(build_meeting(), build_context())[0]

    assert mail.content.body.calendar == mail.fields.calendar
    assert mail.content.body.calendar.startswith("BEGIN:VCALENDAR\r\n")
