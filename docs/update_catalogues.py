"""Bring the desk's catalogues up to date with what the pages and the stages say: `python docs/update_catalogues.py`.

Takes the texts of the templates (`_("...")`, `| plural("mail")`), of `translate` and `translate_plural`, the words of the
enumerations that pages show, and the sentences of the stages, whose values become {1}, {2} ({s1} where the value is
itself something the desk says). Translations are kept, what nobody says any more is dropped; new texts come in empty.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes
from jinja2.ext import babel_extract

from pregon import types
from pregon.web import wording

PACKAGE = Path(__file__).parents[1] / "src" / "pregon"
PAGES = PACKAGE / "web" / "pages"
LOCALE = PACKAGE / "web" / "locale"
STAGES = (
    "approvals.py", "audiences.py", "deliveries.py", "source_rules.py", "items", "drafts", "pipeline", "sources", "storage",
    "channels", "web",
)  # fmt: skip
# Of these, only sentences that are said in full elsewhere, or that no page of the desk shows.
SILENT = (
    "pipeline/contact_words.py", "pipeline/importing.py", "drafts/words.py", "drafts/encoding.py", "drafts/render.py", "drafts/shapes.py",
    "drafts/notice.py", "drafts/names.py", "drafts/sentences.py", "items/calls.py", "items/dates.py", "items/html", "items/kinds.py", "items/language.py",
    "items/texts.py", "items/details.py", "storage/base.py", "storage/contact_imports.py", "storage/tables", "storage/copies.py",
    "storage/store.py", "storage/shape.py", "storage/mailings.py", "storage/migrations", "sources/webhook.py", "sources/websub.py", "web/readers", "web/webhooks.py", "web/api", "source_rules.py",
    "pipeline/protocols",
)  # fmt: skip
# A value with such a name is said in turn; any other one is put back as it stands.
SAID_VALUES = frozenset(
    {"message", "fix", "hint", "reason", "detail", "sentence", "problem", "why", "last_error", "said", "later", "error",
     "role", "state", "decision", "kind", "rival", "what", "privacy", "suppressed", "dropped", "_NEEDS", "_SUPPORTED", "_describe", "_sentence"}
)  # fmt: skip
WORDS = (
    types.Decision, types.Role, types.Consent, types.Purpose, types.ContactState, types.SuppressionReason,
    types.DeliveryState, types.DraftState, types.Kind, types.EventType, types.SourceKind,
)  # fmt: skip
# Words that stand in rows: states of sources, modes of channels, counters, actions of the log, lists of segments.
MORE_WORDS = (
    "active", "waiting", "failing", "gone", "paused", "sandbox", "live", "impressions", "likes", "replies", "reposts",
    "quotes", "bookmarks", "views", "comments", "public", "unlisted", "private", "address", "name", "first", "last",
    "language", "organisation", "city", "country", "lists", "state", "opens", "clicks", "at", "how", "text", "languages",
    "countries", "cities", "organisations", "edit", "deadline", "deadlines", "suppressed: {s1}",
    "suppressed after planning", "unsubscribed after planning",
    "draft {1}", "hook {1}", "contact {1}", "revision {1}", "revision {1}, {2}", "{1} deliveries", "given up after {1} attempts: {s2}",
)  # fmt: skip
# What only looks like a sentence: pieces of one, names of counters, answers of providers that are looked for.
NOT_SAID = frozenset(
    {"given up after", "form address", "form connection", "duplicate content", "already exists",
     "reply to this conversation is not allowed", "held: whether it went out could not be settled",
     "held: the forum keeps this topic"}
)  # fmt: skip
_MOST_VARIANTS = 24
Text = str | tuple[str, str]


def list_texts() -> list[Text]:
    """Everything that the catalogues translate; a tuple holds the two forms of a plural."""
    found: set[Text] = {*_template_texts(), *_code_texts(), *_sentences(), *_words()}
    return sorted(found, key=lambda each: (isinstance(each, tuple), each))


def _template_texts() -> Iterator[Text]:
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    for path in sorted(PAGES.glob("*.html")):
        with path.open("rb") as file:
            for _, function, message, _ in babel_extract(file, ("_", "gettext", "ngettext"), (), {"silent": "false"}):
                text = message[0] if isinstance(message, tuple) else message
                if function == "ngettext" and isinstance(text, str):
                    yield text, message[1]
                elif function in ("_", "gettext") and isinstance(text, str):
                    yield text
        tree = environment.parse(path.read_text(encoding="utf-8"))
        yield from _counted(tree)


def _counted(tree: nodes.Template) -> Iterator[Text]:
    for each in tree.find_all(nodes.Filter):
        forms = [part.value for part in each.args if isinstance(part, nodes.Const)]
        if each.name == "plural" and forms:
            yield _pair(*forms)


def _pair(one: str, many: str | None = None) -> tuple[str, str]:
    return f"%(num)s {one}", f"%(num)s {many or one + 's'}"


def _code_texts() -> Iterator[Text]:
    for path in sorted([*(PACKAGE / "web").rglob("*.py"), *(PACKAGE / "pipeline").rglob("*.py")]):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call):
                yield from _called(call)


def _called(call: ast.Call) -> Iterator[Text]:
    texts = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    match _name(call.func):
        case "translate" if texts:
            yield texts[0]
        case "translate_plural" if len(texts) == 2:
            yield texts[0], texts[1]
        case "plural" if texts:
            yield _pair(*texts)
        case "Bar":
            yield texts[0]
            yield from ((of, of) for of in texts[1:2] if of)
        case "note" | "AuditEntry" | "_audit":
            yield from (each for each in texts if each.replace(" ", "").isalpha() and each != "pregon")


def _words() -> Iterator[Text]:
    for kind in WORDS:
        yield from (each.value.replace("_", " ") for each in kind)
    yield from MORE_WORDS
    yield from wording.CHANNELS.values()
    yield from wording.SAID.values()


# --- sentences of the stages


def _sentences() -> Iterator[str]:
    for path in _stage_files():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for value in _written(tree):
            # The page shows the words of the source that a question quotes apart from the question.
            said = (text.partition(" Source: ")[0] for text in read_sentence(value))
            yield from filter(is_sentence, said)


def _written(tree: ast.AST) -> Iterator[ast.expr]:
    """Every text that is written out, whole: no piece of another one, no docstring and no comment as a string."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.Call) and _name(node.func) in ("plural", "translate", "translate_plural"):
            continue
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp) and read_sentence(node):
            yield node
        else:
            yield from _written(node)


def _stage_files() -> Iterator[Path]:
    for name in STAGES:
        place = PACKAGE / name
        for path in sorted(place.rglob("*.py") if place.is_dir() else [place]):
            if not path.relative_to(PACKAGE).as_posix().startswith(SILENT):
                yield path


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    if isinstance(node, ast.Call):
        return _name(node.func.value) if isinstance(node.func, ast.Attribute) else _name(node.func)
    return getattr(node, "id", "") or getattr(node, "attr", "")


def read_sentence(value: ast.expr) -> list[str]:
    """The texts that an expression can be, with {1}, {2} for its values; none where it is not written out here."""
    variants = _pieces(value)
    if not variants or len(variants) > _MOST_VARIANTS:
        return []
    return [_number_holes(each) for each in variants]


# A value inside a sentence until it is numbered, with whether it is said in turn. No source holds these signs.
_OPEN, _SHUT = "\x02", "\x03"


def _pieces(value: ast.expr | None) -> list[str]:
    match value:
        case ast.Constant(value=str() as text):
            return [text]
        case ast.JoinedStr(values=values):
            return ["".join(each) for each in product(*(_pieces(part) for part in values))]
        case ast.FormattedValue(value=inner):
            return (_pieces(inner) if isinstance(inner, ast.IfExp | ast.Constant) else []) or [_hole(inner)]
        case ast.IfExp(body=body, orelse=orelse):
            return [*(_pieces(body) or [_hole(body)]), *(_pieces(orelse) or [_hole(orelse)])]
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return ["".join(each) for each in product(_pieces(left) or [_hole(left)], _pieces(right) or [_hole(right)])]
    return []


def _hole(value: ast.expr) -> str:
    return f"{_OPEN}{'s' if _name(value) in SAID_VALUES else ''}{_SHUT}"


def _number_holes(text: str) -> str:
    count = 0

    def number(found: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"{{{found[1]}{count}}}"

    return re.sub(f"{_OPEN}(s?){_SHUT}", number, text)


_HOLE = re.compile(r"\{s?\d+\}")
# Patterns, queries, headers and addresses are texts, too, and nobody is told them.
_SQL = re.compile(r"(?:SELECT|INSERT|UPDATE|DELETE|ANALYZE|CREATE|DROP|PRAGMA|VACUUM|BEGIN|SET) ")
_CODE = re.compile(
    r"\bIN \(|\w\(\w+\(|[|*=<>\\\n]|\(\?|[A-Z]{3,} [A-Z]{2,}|[a-z]/[a-z-]+;|^[ /#-]|'none'|max-age|^attachment|gzip|HH:mm|%s|%\(|MATCH|@@|^pregon |^the entry|^an entry| $|=\("
)


def is_sentence(text: str) -> bool:
    """Whether a text reads as something said to people: words of its own and no code in it."""
    own = _HOLE.sub("", text).strip()
    words = re.findall(r"[A-Za-z’']{2,}", own)
    if "{" in own or text in NOT_SAID or _CODE.search(text) or _SQL.match(text):
        return False
    return len(words) >= 2 and " " in own and len(own) > 7


# --- catalogues


def update(language: str, texts: Iterable[Text]) -> Catalog:
    """A language's catalogue with exactly these texts, translated as far as it was."""
    path = LOCALE / f"{language}.po"
    before = read_po(path.open("rb"), locale=language) if path.exists() else Catalog(locale=language)
    fresh = Catalog(locale=language, header_comment=f"# The desk in {before.locale.english_name}.", charset="utf-8")
    for text in texts:
        known = before.get(text if isinstance(text, str) else text[0])
        same = known is not None and known.id == (text if isinstance(text, str) else tuple(text))
        fresh.add(text, known.string if known is not None and same else None, flags=())
    return fresh


def write(language: str, catalogue: Catalog) -> int:
    """Write a catalogue without dates or places; returns how many of its texts have no translation yet."""
    path = LOCALE / f"{language}.po"
    with path.open("wb") as file:
        write_po(file, catalogue, width=0, no_location=True, omit_header=True, sort_output=False, ignore_obsolete=True)
    body = path.read_text(encoding="utf-8")
    head = f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: {catalogue.plural_forms}\\n"\n\n'
    path.write_text(head + re.sub(r"(?m)^#, .*\n", "", body).strip() + "\n", encoding="utf-8")
    return sum(1 for each in catalogue if each.id and not (all(each.string) if each.pluralizable else each.string))


def main() -> int:
    """Update both catalogues; exit status 1 while a translation is missing."""
    texts = list_texts()
    LOCALE.mkdir(exist_ok=True)
    missing = {language: write(language, update(language, texts)) for language in ("fr", "es")}
    print(f"{len(texts)} texts;", ", ".join(f"{language}: {count} to translate" for language, count in missing.items()))
    return 1 if any(missing.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
