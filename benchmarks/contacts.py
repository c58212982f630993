"""Import a file of contacts: rows a second, peak memory, and the ratio to the bare driver writing the same rows.

The peer is the database's own driver with `executemany` into the same two tables, nothing read, checked or recorded.
Both run in processes of their own, so that the memory of one is not the other's. `--database` names a PostgreSQL.
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pregon.pipeline import Contacts
from pregon.settings import load_settings
from pregon.storage import Store, open_store
from pregon.storage.tables import suppressions
from pregon.types import Audience, Rule

ROOT = Path(__file__).parents[1]
LIMIT_SECONDS_PER_MILLION = 60
_CITIES, _LANGUAGES = 4000, ("en", "fr", "es")
_OFFICES = ("Harbour office", "Mayor", "Planning", "Press", "Archive", "Water board", "Library", "Council", "Port")


def main() -> None:
    """Print what is done and, last, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="1,000,000 rows instead of 50,000")
    parser.add_argument("--rows", type=int)
    parser.add_argument(
        "--database", help="the address of an empty PostgreSQL database; else SQLite in a temporary folder"
    )
    options = parser.parse_args()
    rows = options.rows or (1_000_000 if options.full else 50_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "members.csv"
        bad = write_file(file, rows)
        print(f"{rows:,} rows, {file.stat().st_size / 1e6:.0f} MB, {bad:,} of them unusable ...", flush=True)
        url = options.database or f"sqlite:///{folder / 'pregon.db'}"
        ours = apart(import_file, url, file)
        again = apart(import_file, url, file)
        assert ours["accepted"] == rows - bad
        assert ours["rejected"] == bad == len((folder / "rejected.csv").read_text().splitlines())
        assert again["accepted"] == ours["accepted"]
        reading = apart(measure_reading, url, file)
        peer = apart(write_barely, options.database or f"sqlite:///{folder / 'bare.db'}", file)
        assert peer["rows"] == rows - bad
    figures = {
        "rows": rows,
        "seconds": ours["seconds"],
        "rows_per_second": round(rows / ours["seconds"]),
        "ratio_to_bare_driver": round(peer["seconds"] / ours["seconds"], 2),
        "seconds_again": again["seconds"],
        "peak_mb": ours["peak_mb"],
        "grown_mb": ours["grown_mb"],
        "ratio_to_limit_of_60_s_a_million": round(ours["seconds"] / (LIMIT_SECONDS_PER_MILLION * rows / 1e6), 2),
        **reading,
    }
    print(json.dumps(figures))


def write_file(path: Path, rows: int) -> int:
    """A file as offices write it, one row in a thousand unusable. Returns how many are."""
    bad = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ("E-mail", "Prénom", "Nom", "Langue", "Ville", "Pays", "Organisation", "Listes", "Suivi des clics")
        )
        for number in range(rows):
            unusable = number % 1000 == 999
            bad += unusable
            address = f"person{number * 7919 % rows}.{number % 97}@city{number % _CITIES}.example"
            city = f"Ciudad {number % _CITIES}"
            writer.writerow(
                (
                    "nobody" if unusable else address,
                    f"Ána{number % 900}",
                    f"López{number % 7000}",
                    _LANGUAGES[number % 3],
                    city,
                    f"Country {number % 60}",
                    f"{_OFFICES[number % 31 % len(_OFFICES)]} of {city}",
                    "members" if number % 3 else "members;public",
                    ("", "granted", "denied")[number % 3],
                )
            )
    return bad


def apart(work: Callable[[str, Path], dict[str, Any]], url: str, file: Path) -> dict[str, Any]:
    """Run in a fresh process; what it returns."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, (url, file))


def import_file(url: str, file: Path) -> dict[str, Any]:
    """Our import, rejected rows to a file."""
    store = open_store(url)
    contacts = Contacts(store, _now, load_settings(ROOT, {}).network.languages, b"key")
    before = _peak_mb()
    with file.open("rb") as source, (file.parent / "rejected.csv").open("w", encoding="utf-8") as refused:
        started = time.perf_counter()
        result = contacts.import_file(
            source, name=file.name, reject=lambda n, why: print(n, why, sep=",", file=refused)
        )
        seconds = time.perf_counter() - started
    store.close()
    peak = _peak_mb()
    return {
        "seconds": round(seconds, 2),
        "accepted": result.accepted,
        "rejected": result.rejected_count,
        "peak_mb": round(peak),
        "grown_mb": round(peak - before),
    }


def measure_reading(url: str, file: Path) -> dict[str, Any]:
    """What the desk and a plan ask of these contacts: medians in milliseconds, one contact in 100 suppressed."""
    store = open_store(url)
    suppress_some(store, file)
    everybody = Audience("Members", ("members",), _LANGUAGES)
    segment = Audience("Abroad", (), _LANGUAGES, Rule(lists=("public",), none=(Rule(countries=("Country 7",)),)))
    first, more = store.search_contacts("", 100)
    for _ in range(500):
        _, more = store.search_contacts("", 100, more) if more else (first, None)

    def anew(work: Callable[[], object]) -> Callable[[], object]:
        """Counted each time: the store would give the count of before."""
        return lambda: (store.kept_counts._values.clear(), work())

    works = {
        "count_audience_ms": anew(lambda: store.count_audience(everybody)),
        "count_segment_ms": anew(lambda: store.count_audience(segment)),
        "contacts_page_counts_ms": anew(store.count_contacts_by),
        "first_page_ms": lambda: store.search_contacts("", 100),
        "page_501_ms": lambda: store.search_contacts("", 100, more),
        "search_rare_ms": lambda: store.search_contacts("person4321", 100),
        "search_common_ms": lambda: store.search_contacts("harbour off", 100),
        "search_everybody_ms": lambda: store.search_contacts("ciudad", 100),
        "search_name_ms": lambda: store.search_contacts("ana77 lopez577", 100),
        "suppressions_page_ms": lambda: store.page_suppressions("person5", 100),
        "count_all_ms": store.count_contacts,
        "count_suppressions_ms": store.count_suppressions,
    }
    figures = {name: median_ms(work) for name, work in works.items()}
    store.close()
    return figures


def suppress_some(store: Store, file: Path) -> None:
    """Every hundredth address of the file bounced."""
    with file.open(encoding="utf-8", newline="") as source:
        addresses = {row[0] for number, row in enumerate(csv.reader(source)) if number % 100 == 1}
    rows = [{"address": each, "reason": "bounced", "detail": "", "created_at": _now()} for each in addresses]
    with store.engine.begin() as connection:
        connection.execute(suppressions.delete())
        connection.execute(suppressions.insert(), rows)


def write_barely(url: str, file: Path) -> dict[str, Any]:
    """The same rows by the driver alone, in one transaction, checked by nobody."""
    open_store(url).close() if url.startswith("sqlite") else None
    rows = list(_bare_rows(file))
    started = time.perf_counter()
    if url.startswith("sqlite"):
        connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"))
        connection.execute("PRAGMA synchronous=FULL")
        mark = "?"
    else:
        import psycopg

        connection = psycopg.connect(url.replace("postgresql+psycopg", "postgresql"))
        connection.execute("TRUNCATE contacts CASCADE")
        mark = "%s"
        started = time.perf_counter()
    marks = ", ".join([mark] * 14)
    cursor = connection.cursor()
    cursor.executemany(
        f"INSERT INTO contacts VALUES ({marks}) ON CONFLICT (address) DO NOTHING", [row[0] for row in rows]
    )
    members = [(row[0][0], name) for row in rows for name in row[1]]
    cursor.executemany(f"INSERT INTO memberships VALUES ({mark}, {mark})", members)
    connection.commit()
    return {"seconds": round(time.perf_counter() - started, 2), "rows": len(rows)}


def _bare_rows(file: Path) -> Iterator[tuple[tuple[Any, ...], list[str]]]:
    at = "2026-11-23T09:00:00.000000+00:00"
    with file.open(encoding="utf-8", newline="") as source:
        for number, row in enumerate(list(csv.reader(source))[1:], 1):
            if "@" in row[0]:
                texts = (row[0], f"{row[1]} {row[2]}", row[3], "subscribed", row[6], row[4], row[5], "unknown")
                lists = row[7].split(";")
                yield (number, *texts, row[8] or "unknown", at, at, f"|{'|'.join(lists)}|", None), lists


def _now() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def median_ms(work: Callable[[], object], times: int = 9) -> float:
    """The median of some runs, in milliseconds."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(taken), 1)


if __name__ == "__main__":
    main()
