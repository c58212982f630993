"""What is watched: `sources.yaml`."""

from __future__ import annotations

from pydantic import Field, model_validator

from pregon.settings.part import Part
from pregon.source_rules import find_address_problem
from pregon.types import Kind, SourceKind


class SourceConfig(Part):
    """One watched source. `max_age_days` bounds what the first poll of a source with a past takes."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
    kind: SourceKind
    address: str = ""
    item_kind: Kind | None = None
    language: str | None = None
    max_age_days: float = Field(default=7, gt=0)
    every_minutes: float = Field(default=15, gt=0)
    allow_private: bool = False
    websub: bool = True
    active: bool = True

    @model_validator(mode="after")
    def _address_fits(self) -> SourceConfig:
        problem = find_address_problem(self.kind, self.id, self.address)
        if problem:
            raise ValueError(problem)
        return self

    @property
    def secret_variable(self) -> str:
        """The environment variable that holds its secret: the mailbox's password, or what a push is signed with."""
        return f"PREGON_SOURCE_{self.id.upper().replace('-', '_')}_SECRET"


class Polling(Part):
    """How hosts are spared: so many of them asked at a time, each one at a time, with a pause between two visits."""

    in_flight: int = Field(default=8, ge=1, le=64)
    host_gap_seconds: float = Field(default=1, ge=0, le=60)
