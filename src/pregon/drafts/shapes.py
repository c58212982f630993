"""Fill in a template of `templates/`. Jinja2 with strict names: a name that is not given is an error, not a blank.

Markup templates escape every value, so nothing in a source can become a tag.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from jinja2 import DictLoader, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError
from jinja2.meta import find_referenced_templates
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


def find_template_problems(templates: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(template, what is wrong) for each that is not Jinja, or builds on one that does not exist."""
    environment = _environment(tuple(sorted(templates.items())))
    for name in sorted(name for name in templates if name.endswith(".j2")):
        try:
            used = find_referenced_templates(environment.parse(templates[name]))
            environment.get_template(name)
        except TemplateSyntaxError as error:
            yield name, f"line {error.lineno}: {error.message}"
        else:
            yield from ((name, f"it uses {each}, which is missing") for each in used if each and each not in templates)


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
