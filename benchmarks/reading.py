"""`pregon read` on an HTML page of 5 MB: seconds and peak memory, each in a process of its own.

The limits are the promise of 2 s and 300 MB, and the command as a whole is held to them, start and printing included.
The peer is `trafilatura.extract` on the same page in this run, which finds the article too but reads no item out of
it; it is compared with the reading alone, both with their modules loaded before the clock starts. Both must find every
paragraph of the article and no menu entry, and the command must print the item that the reading gave.

What makes the difference on a large page: beyond 300 kB of HTML this reader cuts the article out by the page's own
marks instead of by the extraction library, and it looks for dates, calls and links in the first 150,000 characters.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SECONDS_LIMIT = 2.0
MEGABYTES_LIMIT = 300
PREGON = Path(sys.executable).parent / "pregon"
WORDS = ("tide", "gate", "quay", "city", "storm", "harbour", "survey", "night", "warning", "barrier", "pump", "shore")


def main() -> None:
    """Print what is done and, last, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="a page of 5 MB, the promise's size, instead of 1 MB")
    parser.add_argument("--child", nargs=2, metavar=("HOW", "PAGE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(run_child(arguments.child[0], Path(arguments.child[1]))))
        return
    print(json.dumps(compare(5_000_000 if arguments.full else 1_000_000, is_full=arguments.full)))


def compare(size: int, *, is_full: bool) -> dict[str, object]:
    """Both readers on one page, and the figures."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(write_page(size), encoding="utf-8")
        megabytes = page.stat().st_size / 1e6
        print(f"A page of {megabytes:.1f} MB, read into an item, then by trafilatura.extract ...")
        here, peer, command = run("pregon", page), run("trafilatura", page), run_command(page)
    if command["item"] != here["item"]:
        raise SystemExit("The command printed another item than the reading gave.")
    for name, found in (("pregon", here), ("trafilatura", peer)):
        if found["paragraphs"] != here["expected"] or found["menu_entries"]:
            raise SystemExit(f"{name} found {found['paragraphs']} paragraphs of {here['expected']} and menus: {found}")
    if is_full and (command["seconds"] > SECONDS_LIMIT or command["peak_mb"] > MEGABYTES_LIMIT):
        print(f"Beyond the limits of {SECONDS_LIMIT:g} s and {MEGABYTES_LIMIT} MB.")
    return {
        "page_mb": round(megabytes, 2),
        "paragraphs": here["expected"],
        "command_seconds": command["seconds"],
        "command_peak_mb": command["peak_mb"],
        "reading_seconds": here["seconds"],
        "reading_peak_mb": here["peak_mb"],
        "reading_start_mb": here["start_mb"],
        "trafilatura_seconds": peer["seconds"],
        "trafilatura_peak_mb": peer["peak_mb"],
        "ratio_trafilatura_to_here_seconds": round(peer["seconds"] / here["seconds"], 1),
        "ratio_trafilatura_to_here_memory": round(peer["peak_mb"] / here["peak_mb"], 1),
        "ratio_to_limit_of_2_s": round(command["seconds"] / SECONDS_LIMIT, 2),
        "ratio_to_limit_of_300_mb": round(command["peak_mb"] / MEGABYTES_LIMIT, 2),
    }


def run(how: str, page: Path) -> dict[str, Any]:
    """One reader in a child process."""
    command = [sys.executable, __file__, "--child", how, str(page)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def run_command(page: Path) -> dict[str, Any]:
    """The command itself, from its start to its end, its output kept in a file."""
    home = page.parent / "home"
    with (page.parent / "item.json").open("w+", encoding="utf-8") as output:
        started = time.perf_counter()
        environment = {**os.environ, "PREGON_HOME": str(home)}
        process = subprocess.Popen([PREGON, "read", page, "--json"], cwd=ROOT, env=environment, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        if status:
            raise SystemExit("pregon read failed.")
        output.seek(0)
        item = digest(json.load(output))
    return {"seconds": round(seconds, 3), "peak_mb": to_megabytes(usage.ru_maxrss), "item": item}


def digest(item: Any) -> str:
    """One word for an item as JSON."""
    return hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest()


def run_child(how: str, page: Path) -> dict[str, Any]:
    """Read the page in this process: seconds, peak memory, and what was found."""
    data = page.read_bytes()
    read, describe = prepare_pregon() if how == "pregon" else prepare_trafilatura()
    start = read_peak()
    started = time.perf_counter()
    found = read(data, page.name)
    seconds, peak = round(time.perf_counter() - started, 3), read_peak()
    text, item = describe(found)
    return {
        "seconds": seconds,
        "peak_mb": peak,
        "start_mb": start,
        "paragraphs": text.count("Finding number "),
        "menu_entries": text.count("Menu entry "),
        "expected": data.count(b"Finding number "),
        "item": item,
    }


def prepare_pregon() -> tuple[Callable[[bytes, str], Any], Callable[[Any], tuple[str, str]]]:
    """The reading as `pregon read` does it, its modules and settings loaded."""
    from pregon.bootstrap import build_composing, load_settings
    from pregon.items import item_to_json, load_document

    composing = build_composing(load_settings(ROOT, {}))

    def read(data: bytes, name: str) -> Any:
        return composing.read(load_document(data, name=name))

    read(write_page(10_000).encode(), "warm.html")
    return read, lambda item: (item.text, digest(json.loads(json.dumps(item_to_json(item)))))


def prepare_trafilatura() -> tuple[Callable[[bytes, str], Any], Callable[[Any], tuple[str, str]]]:
    """The peer, loaded."""
    import trafilatura

    trafilatura.extract(write_page(10_000).encode())
    return lambda data, name: trafilatura.extract(data) or "", lambda text: (text, "")


def read_peak() -> float:
    """The highest resident memory of this process so far, in MB."""
    return to_megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def to_megabytes(peak: int) -> float:
    """The system's figure in MB: Linux counts in KiB, macOS in bytes."""
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6, 1)


def write_page(size: int) -> str:
    """A site's page of about `size` bytes: menu, an article of findings, links and lists, footer."""
    menu = "".join(f'<li><a href="/m/{n}">Menu entry {n}</a></li>' for n in range(40))
    pieces, length, number = [], 0, 0
    while length < size - 5_000:
        number += 1
        piece = write_paragraph(number)
        pieces.append(piece)
        length += len(piece)
    return (
        '<!doctype html><html lang="en"><head><title>Circular 21/2026: the survey of the gates</title></head><body>'
        f'<header><nav><ul>{menu}</ul></nav></header><main><article class="post"><h1>The survey of the gates</h1>'
        f"<p>Portamar, 4 May 2026</p>{''.join(pieces)}</article></main><footer><p>All rights reserved</p></footer>"
        "</body></html>"
    )


def write_paragraph(number: int) -> str:
    """One paragraph of the article; every tenth has a heading before it."""
    sentence = " ".join(WORDS[(number * 7 + place * (number % 5 + 1)) % len(WORDS)] for place in range(60))
    heading = f'<h2 class="title">Part {number // 10}</h2>' if number % 10 == 0 else ""
    link = f'<a href="https://tidalcities.example/en/{number}?x=1">the report {number}</a>'
    return f'{heading}<p class="text">Finding number {number}: {sentence}. It was shown in {link}.</p>\n'


if __name__ == "__main__":
    main()
