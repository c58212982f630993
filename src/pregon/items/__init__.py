"""Read a document into an item: kind, number, date, calls, events, links, questions; its identity and its changes.

Pure: text in, values out. No file, clock, network or environment is touched here.
"""

from pregon.items.answers import answer_item, read_answer
from pregon.items.cancelled import says_cancelled
from pregon.items.compare import (
    are_versions,
    ask_across_documents,
    ask_across_languages,
    dates_decisions,
    describe_changes,
    find_series_gaps,
    is_edit_of,
)
from pregon.items.documents import MAX_BYTES, load_document
from pregon.items.identity import fingerprint_item, identify_item, normalise_url
from pregon.items.reader import read_item
from pregon.items.records import item_from_json, item_to_json

__all__ = [
    "MAX_BYTES",
    "answer_item",
    "are_versions",
    "ask_across_documents",
    "ask_across_languages",
    "dates_decisions",
    "describe_changes",
    "find_series_gaps",
    "fingerprint_item",
    "identify_item",
    "is_edit_of",
    "item_from_json",
    "item_to_json",
    "load_document",
    "normalise_url",
    "read_answer",
    "read_item",
    "says_cancelled",
]
