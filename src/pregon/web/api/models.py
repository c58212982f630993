"""What the shapes of the API share: errors, pages, and the texts and numbers that a database can hold."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from pregon.types import Decision, DraftState

MOST_ROWS = 500


def _writable(text: str) -> str:
    # PostgreSQL keeps no NUL, and nothing can encode half of a surrogate pair.
    if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ValueError("the text has a sign that cannot be kept")
    return text


def _near(at: datetime) -> datetime:
    if not 2000 <= at.year <= 2200:
        raise ValueError("the time has to be between the years 2000 and 2200")
    return at


Short = Annotated[str, AfterValidator(_writable), Field(max_length=200)]
Text = Annotated[str, AfterValidator(_writable), Field(max_length=20_000)]
Filled = Annotated[str, AfterValidator(_writable), Field(min_length=1, max_length=4_000, pattern=r"\S")]
When = Annotated[AwareDatetime, AfterValidator(_near)]
Word = Annotated[str, AfterValidator(_writable), Query(max_length=200)]
Slug = Annotated[str, AfterValidator(_writable), Path(max_length=80, description="The campaign's slug.")]
Id = Annotated[int, Path(ge=1, lt=2**31)]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="How many at most.")]
Offset = Annotated[int, Query(ge=0, le=10_000_000, description="How many to pass over.")]


class In(BaseModel):
    """A body: unknown keys are refused, so that a misspelt one is not silently without effect."""

    model_config = ConfigDict(extra="forbid")


class Out(BaseModel):
    """An answer, read from the nouns of the stages."""

    model_config = ConfigDict(from_attributes=True)


class ProblemOut(Out):
    """What is wrong: `id` for programs, `message` for people. With a stale revision: both texts."""

    id: str
    message: str
    current: int | None = Field(default=None, description="The draft's newest revision.")
    theirs: str | None = Field(default=None, description="The newest revision's text.")
    yours: str | None = Field(default=None, description="The text that was to be saved.")


class ErrorOut(Out):
    """Every error has this shape."""

    error: ProblemOut


class CountOut(Out):
    """How many were changed."""

    changed: int


class StateOut(Out):
    """The state of a draft after a decision."""

    draft_id: int
    decision: Decision
    state: DraftState
