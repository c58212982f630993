"""What a question is about, in a few words, for where it has been answered already and its sentence would be too long."""

from __future__ import annotations

from pregon.web.language import translate


def label_question(question_id: str) -> str:
    """`link.placeholder` -> "The address of a link", in the language of this context; an unknown id as it is."""
    return _labels().get(question_id, question_id)


def _labels() -> dict[str, str]:
    # Written out as calls, so that the catalogues have them.
    return {
        "link.placeholder": translate("The address of a link"),
        "deadline.missing": translate("The deadline of the call"),
        "deadline.past": translate("A deadline that has passed"),
        "item.old": translate("Who holds an office"),
        "embargo.undated": translate("When the embargo ends"),
        "date.conflict": translate("Two dates that disagree"),
        "date.impossible": translate("A day that does not exist"),
        "date.ambiguous": translate("Which day is meant"),
        "quote.suspect-word": translate("A word that may stand for another"),
        "text.mojibake": translate("Letters that came out wrong"),
        "text.long": translate("A very long text"),
        "kind.unsure": translate("What kind of document this is"),
        "number.missing": translate("The number of the circular"),
        "language.unknown": translate("The language of the text"),
        "language.mixed": translate("A text in two languages"),
        "versions.differ": translate("Versions that state different things"),
    }
