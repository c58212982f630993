"""Fill in a template of `templates/`. Jinja2 with strict names: a name that is not given is an error, not a blank.

Markup templates escape every value, so nothing in a source can become a tag.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from jinja2 import DictLoader, StrictUndefined, TemplateError, TemplateNotFound
from jinja2.sandbox import SandboxedEnvironment

from pregon.errors import RenderError


def fill_template(templates: Mapping[str, str], name: str, values: Mapping[str, object]) -> str:
    """The template's text with the values in it. Raises RenderError, naming the template."""
    try:
        return _environment(tuple(sorted(templates.items()))).get_template(name).render(values)
    except TemplateNotFound as error:
        raise RenderError(
            f"templates/{error.name} is missing; write it or name another one in playbooks.yaml"
        ) from error
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        where = f"templates/{name}" + (f", line {line}" if line else "")
        raise RenderError(f"{where}: {error.message or 'the template does not render'}") from error


@lru_cache(maxsize=8)
def _environment(templates: tuple[tuple[str, str], ...]) -> SandboxedEnvironment:
    return SandboxedEnvironment(
        loader=DictLoader(dict(templates)),
        autoescape=lambda name: bool(name and name.endswith(".mjml.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
