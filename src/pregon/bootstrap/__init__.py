"""The one place that wires settings + storage + sources + channels into a pipeline. The clock and the environment enter here."""

from pregon.bootstrap.channels import build_event_reader
from pregon.bootstrap.clock import now
from pregon.bootstrap.pipeline import (
    build_composing,
    build_pipeline,
    build_translator,
    running_pipeline,
    running_stand_ins,
    share_pipeline,
    shared_pipeline,
)
from pregon.bootstrap.sources import Pushes, ask_links, build_pollers, open_document
from pregon.bootstrap.templates import check_templates, read_templates
from pregon.settings import load_settings

__all__ = [
    "Pushes",
    "ask_links",
    "build_composing",
    "build_event_reader",
    "build_pipeline",
    "build_pollers",
    "build_translator",
    "check_templates",
    "load_settings",
    "now",
    "open_document",
    "read_templates",
    "running_pipeline",
    "running_stand_ins",
    "share_pipeline",
    "shared_pipeline",
]
