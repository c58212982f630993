"""What every part of the configuration is: strict about its keys, and never changed."""

from pydantic import BaseModel, ConfigDict

PerLanguage = dict[str, str]


class Part(BaseModel):
    """A mapping in one of the files of `config/`. A key that it does not know is a finding."""

    model_config = ConfigDict(extra="forbid", frozen=True)
