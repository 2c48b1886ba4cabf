"""The same questions to other tools: first page and count, cold and warm, and whether all find the same."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from measuring import forget, run

from find import duck
from find.building import Place
from find.questions import FIRST, LNAV_FORMAT, Asked, commands, six
from find.table import OURS, Rival, Table
from pod_desktop import store
from pod_desktop.services.browse import Browser
from pod_desktop.services.scan_pool import Pool
from pod_desktop.services.scanning import ScanningReader

ROOT: Final = Path(__file__).resolve().parents[3]
RUNNING: Final = f"{OURS}, running"
COMMAND: Final = f"{OURS}, command"
DUCKDB: Final = "DuckDB"
TOOLS: Final = (OURS, "jq", "ripgrep", "lnav", DUCKDB)
_PROGRAMS: Final = {"jq": "jq", "ripgrep": "rg", "lnav": "lnav"}
_ONCE: Final = 60.0
"""What took so many seconds cold is bound by the processor, and is not asked again warm."""


class Took(NamedTuple):
    seconds: float | None
    """None: too long."""
    found: int
    """Rows of the page, or the count; -1 where there is none."""
    fault: str = ""


def compare(place: Place, table: Table, patience: float, duckdb: str, only: Sequence[str]) -> list[str]:
    """Ask these tools; what is wrong (other counts, failures) comes back in words."""
    files = {
        "ndjson": str(place.ndjson), "parquet": str(place.parquet), "folder": str(place.folder), "duckdb": duckdb,
        "duck.py": str(Path(duck.__file__)), "python": sys.executable, "data": str(place.data.root),
        "lnav": str(place.folder / "lnav"),
    }  # fmt: skip
    tools = list(_tools(place, table, duckdb, only))
    reader = store.open_reader(place.data.events)
    asked = six(reader)
    reader.close()
    wrong: list[str] = []
    counts = _ours(place, table, asked) if OURS in only else _counts(place, asked)
    _prepare_lnav(Path(files["lnav"]))
    for tool in tools:
        spent = [place.data.events] if tool == COMMAND else [place.ndjson, place.parquet]
        for one in asked:
            page, count = commands(one, tool, files)
            took = _both(page, spent, patience)
            took += _both(count, spent, patience)
            table.add_rival(place.count, one.name, tool, _rival(took))
            wrong += _judge(one, tool, took, counts[one.name])
            if took[2].seconds is None and tool == "lnav":
                break  # it reads the whole file first, whatever it is asked
    return wrong


def _tools(place: Place, table: Table, duckdb: str, only: Sequence[str]) -> Iterable[str]:
    """Those that are here, with a note of which they are."""
    if OURS in only:
        yield COMMAND
    for tool, program in _PROGRAMS.items():
        if tool not in only:
            continue
        path = shutil.which(program)
        if path is None:
            table.note(place.count, tool, "not installed, left out")
            continue
        option = "-V" if program == "lnav" else "--version"
        told = subprocess.run([path, option], capture_output=True, text=True, check=False)
        table.note(place.count, tool, told.stdout.splitlines()[0])
        yield tool
    if DUCKDB not in only:
        return
    version = subprocess.run([duckdb, duck.__file__, "version"], capture_output=True, text=True, check=False)
    if version.returncode:
        table.note(place.count, "DuckDB", "not installed, left out (--duckdb names a Python that has it)")
        return
    table.note(place.count, "DuckDB", f"{version.stdout.strip()}; its times include the start of Python")
    yield f"{DUCKDB}, NDJSON"
    if _convert(place, table, duckdb):
        yield f"{DUCKDB}, Parquet"


def _convert(place: Place, table: Table, duckdb: str) -> bool:
    if not place.parquet.exists():
        part = place.parquet.with_suffix(".part")
        begun = time.perf_counter()
        told = subprocess.run(
            [duckdb, duck.__file__, "convert", str(place.ndjson), str(part)], capture_output=True, text=True, check=False
        )  # fmt: skip
        if told.returncode:
            table.note(place.count, "Parquet", f"conversion failed: {told.stderr.strip()[-300:]}")
            return False
        part.rename(place.parquet)
        sizes = f"{place.parquet.stat().st_size / place.ndjson.stat().st_size:.2f} bytes a raw byte"
        table.note(
            place.count,
            "Parquet",
            f"converted by DuckDB in {time.perf_counter() - begun:,.0f} s, {sizes} (each record's text and all its members)",
        )
    return True


def _prepare_lnav(folder: Path) -> None:
    formats = folder / "formats" / "pod"
    formats.mkdir(parents=True, exist_ok=True)
    (formats / "pod.json").write_text(json.dumps(LNAV_FORMAT))


# --- running them


def _both(command: str, files: Sequence[Path], patience: float) -> list[Took]:
    """Cold, then warm."""
    for file in files:
        if file.exists():
            forget(file)
    cold = _run(command, patience)
    if cold.seconds is None or cold.fault or cold.seconds > _ONCE:
        return [cold, cold]
    return [cold, _run(command, patience)]


def _run(command: str, patience: float) -> Took:
    begun = time.perf_counter()
    with subprocess.Popen(
        ["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, start_new_session=True
    ) as process:  # fmt: skip
        try:
            out, errors = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            return Took(None, -1)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    took = time.perf_counter() - begun
    lines = out.decode(errors="replace").split("\n")[:-1]
    numbers = [line for line in lines if re.fullmatch(r" *[0-9]+ *", line)]
    if errors.strip() and not lines:
        return Took(took, -1, errors.decode(errors="replace").strip()[-200:])
    return Took(took, int(numbers[-1]) if numbers else len(lines))


def _ours(place: Place, table: Table, asked: Sequence[Asked]) -> dict[str, int]:
    """A process that runs already and is asked: cold is its first look at files that are not in memory."""
    counts: dict[str, int] = {}
    for one in asked:
        forget(place.data.events)
        found = run(_ask, place.data.events, one)
        times = found["times"]
        table.add_rival(
            place.count, one.name, RUNNING, Rival(times[0], times[1], times[2], times[3], found["count"])
        )
        counts[one.name] = found["count"]
    return counts


def _counts(place: Place, asked: Sequence[Asked]) -> dict[str, int]:
    reader = store.open_reader(place.data.events)
    counts = {one.name: reader.count(one.ask()) for one in asked}
    reader.close()
    return counts


def _ask(events: Path, one: Asked, answer: Any) -> None:
    """First page cold and warm; the count cold and warm, behind the page; both as the window has them answered."""
    times: list[float] = []
    counted: list[int] = []
    for work in (_page, lambda reader, one: counted.append(reader.count(one.ask()))):
        forget(events)
        for _ in range(2):
            pool = Pool(events)  # a new one: it keeps what its workers have found
            reader = ScanningReader(store.open_reader(events), pool)
            before = time.perf_counter()
            work(reader, one)
            times.append(time.perf_counter() - before)
            reader.close()
            pool.close()
    answer.put({"times": times, "count": counted[-1]})


def _page(reader: store.Reader, one: Asked) -> None:
    view = Browser(reader).open(one.ask())
    while view.advance().total < FIRST and view.step():
        pass
    view.advance()
    view.rows(0, FIRST)


# --- telling


def _rival(took: Sequence[Took]) -> Rival:
    times = ["failed" if one.fault else "too long" if one.seconds is None else one.seconds for one in took]
    return Rival(times[0], times[1], times[2], times[3], took[2].found)


def _judge(one: Asked, tool: str, took: Sequence[Took], expected: int) -> list[str]:
    wrong = [f"{tool}, {one.name}: {step.fault}" for step in took[::2] if step.fault]
    page, count = took[0], took[2]
    if count.seconds is not None and not count.fault and count.found != expected:
        wrong.append(f"{tool}, {one.name}: {count.found:,} found, ours {expected:,}")
    tells = tool in ("jq", "ripgrep", COMMAND)  # the others print their rows otherwise than one a line
    if tells and page.seconds is not None and not page.fault and page.found != min(FIRST, expected):
        wrong.append(f"{tool}, {one.name}: a first page of {page.found}")
    return wrong
