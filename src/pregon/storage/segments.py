"""Audiences and segments as SQL: who is selected, how many of them, and why some are left out. Loads no contact.

`audience_condition` and `excluded_reason` are what a plan of deliveries selects by; they say the same as the pure
functions in `pregon.audiences`, and a test holds them together.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import Boolean, ColumnElement, and_, case, false, func, not_, or_, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from pregon.storage.base import Queries
from pregon.storage.freshness import KeptCounts
from pregon.storage.tables import contacts, memberships, suppressions
from pregon.types import Audience, AudienceCount, ContactState, Rule


class _holds(FunctionElement[bool]):  # noqa: N801 - a function of SQL
    """Whether a text holds another, to the letter: LIKE would take capitals for small ones on SQLite."""

    inherit_cache = True
    type = Boolean()


@compiles(_holds, "sqlite")
def _write_instr(element: _holds, compiler: Any, **options: Any) -> str:
    return f"(instr({compiler.process(element.clauses, **options)}) > 0)"


@compiles(_holds, "postgresql")
def _write_strpos(element: _holds, compiler: Any, **options: Any) -> str:
    return f"(strpos({compiler.process(element.clauses, **options)}) > 0)"


def audience_condition(audience: Audience, *, counting: bool = False) -> ColumnElement[bool]:
    """Which rows of `contacts` an audience selects, whatever their consent.

    A selection looks up each row's lists, as it goes through the contacts a page at a time; for `counting`, which walks
    all rows anyway, each row tells its own lists.
    """
    rules: list[ColumnElement[bool]] = [contacts.c.language.in_(audience.languages)]
    if audience.lists or audience.rule is None:
        rules.append(_on_lists(audience.lists, counting))
    if audience.rule is not None:
        rules.append(rule_condition(audience.rule, counting=counting))
    return and_(contacts.c.erased_at.is_(None), *rules)


def rule_condition(rule: Rule, *, counting: bool = False) -> ColumnElement[bool]:
    """Which rows of `contacts` a segment's rule selects."""
    values = (
        (rule.languages, contacts.c.language),
        (rule.countries, contacts.c.country),
        (rule.cities, contacts.c.city),
        (rule.organisations, contacts.c.organisation),
    )
    parts: list[ColumnElement[bool]] = [column.in_(wanted) for wanted, column in values if wanted]
    if rule.lists:
        parts.append(_on_lists(rule.lists, counting))
    parts += [rule_condition(part, counting=counting) for part in rule.all]
    if rule.any:
        parts.append(or_(*(rule_condition(part, counting=counting) for part in rule.any)))
    parts += [not_(rule_condition(part, counting=counting)) for part in rule.none]
    return and_(true(), *parts)


def _on_lists(lists: tuple[str, ...], counting: bool) -> ColumnElement[bool]:
    if not lists:
        return false()
    if counting:
        return or_(*(_holds(contacts.c.lists, f"|{name}|") for name in lists))
    own = select(memberships.c.list).where(memberships.c.contact_id == contacts.c.id, memberships.c.list.in_(lists))
    # OFFSET: else PostgreSQL makes a join of it, and with old figures of a list one that compares everybody with everybody.
    return own.offset(0).exists()


def excluded_reason(suppression: Any = suppressions.c.reason) -> ColumnElement[Any]:
    """Why a selected row may not be written to, or NULL; for a query that has outer-joined `suppressions` by address."""
    return case(
        (suppression.is_not(None), "suppressed: " + suppression),
        (contacts.c.state != ContactState.SUBSCRIBED, "not subscribed: " + contacts.c.state),
    )


class SegmentQueries(Queries):
    """How many an audience or a segment selects."""

    kept_counts: KeptCounts

    def count_audience(self, audience: Audience) -> AudienceCount:
        """How many are written to per language, and how many are left out per reason: what planning would do."""
        return self.kept_counts.keep(audience, lambda: self._count_audience(audience))

    def _count_audience(self, audience: Audience) -> AudienceCount:
        states = self._count_by_lists(audience) if audience.rule is None else self._count_by_rule(audience)
        languages: Counter[str] = Counter()
        left_out: Counter[str] = Counter()
        for (language, state), count in states.items():
            if state == ContactState.SUBSCRIBED:
                languages[language] += count
            else:
                left_out[f"not subscribed: {state}"] += count
        for language, state, reason, count in self._count_suppressed(audience):
            left_out[f"suppressed: {reason}"] += count
            if state == ContactState.SUBSCRIBED:
                languages[language] -= count
            else:
                left_out[f"not subscribed: {state}"] -= count
        return AudienceCount(+languages, +left_out)

    def count_rule(self, rule: Rule) -> int:
        """How many contacts a segment selects, whatever their consent."""
        return self.kept_counts.keep(rule, lambda: self._count_rule(rule))

    def _count_rule(self, rule: Rule) -> int:
        query = (
            select(func.count())
            .select_from(contacts)
            .where(contacts.c.erased_at.is_(None), rule_condition(rule, counting=True))
        )
        with self._read() as connection:
            return int(connection.execute(query).scalar_one())

    def count_contacts_by(self) -> dict[str, dict[str, int]]:
        """How many contacts there are per state, language and list."""
        found: dict[str, Counter[str]] = {"state": Counter(), "language": Counter(), "list": Counter()}
        for lists, language, state, count in self._count_kinds():
            found["state"][state] += count
            found["language"][language] += count
            for name in filter(None, lists.split("|")):
                found["list"][name] += count
        return {name: dict(counts) for name, counts in found.items()}

    def _count_kinds(self) -> list[tuple[str, str, str, int]]:
        """(lists, language, state, how many): one walk through one index, whatever the lists."""
        kind = (contacts.c.lists, contacts.c.language, contacts.c.state)

        def count() -> list[tuple[str, str, str, int]]:
            # Who was erased is on no list and unsubscribed: few rows to look up, where a condition would read every row.
            gone = (contacts.c.lists == "", contacts.c.state == ContactState.UNSUBSCRIBED)
            erased = select(*kind, func.count()).where(*gone, contacts.c.erased_at.is_not(None)).group_by(*kind)
            counted: Counter[tuple[str, str, str]] = Counter()
            with self._read() as connection:
                for row in connection.execute(select(*kind, func.count()).group_by(*kind)):
                    counted[row[0], row[1], row[2]] += int(row[3])
                for row in connection.execute(erased):
                    counted[row[0], row[1], row[2]] -= int(row[3])
            return [(*key, number) for key, number in counted.items() if number > 0]

        return self.kept_counts.keep("kinds", count)

    def _count_by_lists(self, audience: Audience) -> Counter[tuple[str, str]]:
        counts: Counter[tuple[str, str]] = Counter()
        for lists, language, state, count in self._count_kinds():
            if language in audience.languages and not set(audience.lists).isdisjoint(lists.split("|")):
                counts[language, state] += count
        return counts

    def _count_by_rule(self, audience: Audience) -> Counter[tuple[str, str]]:
        kind = (contacts.c.language, contacts.c.state)
        query = select(*kind, func.count()).where(audience_condition(audience, counting=True)).group_by(*kind)
        with self._read() as connection:
            return Counter({(row[0], row[1]): int(row[2]) for row in connection.execute(query)})

    def _count_suppressed(self, audience: Audience) -> list[tuple[str, str, str, int]]:
        kind = (contacts.c.language, contacts.c.state, suppressions.c.reason)
        # As an expression the address of a suppression cannot be looked up, only that of a contact: so no database
        # walks all contacts to find the few that are suppressed.
        joined = suppressions.join(contacts, contacts.c.address == suppressions.c.address.concat(""))
        query = (
            select(*kind, func.count())
            .select_from(joined)
            .where(audience_condition(audience, counting=True))
            .group_by(*kind)
        )
        with self._read() as connection:
            return [(row[0], row[1], row[2], int(row[3])) for row in connection.execute(query)]
