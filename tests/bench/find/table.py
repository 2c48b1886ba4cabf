"""The table: figures beside their goals, written to a file again after each, so that a stop loses none."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

OURS: Final = "ours"
"""How the names of our own programs begin among the tools."""


class Figure(NamedTuple):
    """One thing measured."""

    name: str
    shown: str
    """The value, or values, in words."""
    goal: str = ""
    ratio: float | None = None
    """How much of the goal is used: up to 1 it is met, whichever way it points. None where there is no goal."""


def at_most(name: str, value: float, goal: float, unit: str, more: str = "") -> Figure:
    return Figure(name, f"{_number(value)} {unit}{more}", f"<= {_number(goal)} {unit}", value / goal)


def at_least(name: str, value: float, goal: float, unit: str, more: str = "") -> Figure:
    return Figure(name, f"{_number(value)} {unit}{more}", f">= {_number(goal)} {unit}", goal / value)


def warm_and_cold(name: str, warm: float, cold: float, goals: tuple[float, float], more: str = "") -> Figure:
    """Two values in milliseconds against two goals; the ratio is that of the worse."""
    return Figure(
        name,
        f"{_number(warm)} / {_number(cold)} ms{more}",
        f"<= {_number(goals[0])} / {_number(goals[1])} ms",
        max(warm / goals[0], cold / goals[1]),
    )


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}".rstrip("0").rstrip(".")


class Rival(NamedTuple):
    """What a tool took for a question: seconds, or why there are none."""

    page_cold: float | str
    page_warm: float | str
    count_cold: float | str
    count_warm: float | str
    found: int
    """-1: it did not tell."""


class Table:
    """Figures of all sizes by name, and what other tools take; kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self._store = folder / "figures.json"
        self._page = folder / "table.md"
        self._found: dict[str, Any] = {"machine": "", "figures": {}, "rivals": {}, "notes": {}}
        if self._store.exists():
            self._found = json.loads(self._store.read_text())

    @property
    def page(self) -> Path:
        return self._page

    def add(self, count: int, figure: Figure) -> None:
        """Keep a figure in place of an earlier one of its name."""
        of_name = self._found["figures"].setdefault(figure.name, {"goal": figure.goal, "at": {}})
        of_name["goal"] = figure.goal
        of_name["at"][str(count)] = [figure.shown, figure.ratio]
        print(f"{count:>10,}  {figure.name:<58} {figure.shown:<36} {_verdict(figure.ratio)}", flush=True)
        self._save()

    def machine(self, text: str) -> None:
        """Where this was measured, and how busy that was."""
        self._found["machine"] = text
        self._save()

    def note(self, count: int, name: str, text: str) -> None:
        self._found["notes"].setdefault(str(count), {})[name] = text
        self._save()

    def add_rival(self, count: int, query: str, tool: str, taken: Rival) -> None:
        """What a tool took for a question, in place of what it took before."""
        of_query = self._found["rivals"].setdefault(str(count), {}).setdefault(query, {})
        of_query[tool] = taken
        print(f"{count:>10,}  {query:<44} {tool:<22} {' | '.join(_cells(taken))}", flush=True)
        self._save()

    def missed(self) -> list[str]:
        return [
            f"{name} at {int(size):,}"
            for name, one in self._found["figures"].items()
            for size, (_, ratio) in one["at"].items()
            if ratio is not None and ratio > 1
        ]

    def _save(self) -> None:
        for path, text in ((self._store, json.dumps(self._found, indent=1)), (self._page, self.text())):
            part = path.with_name(path.name + ".part")
            part.write_text(text)
            part.replace(path)

    def text(self) -> str:
        """The whole table as markdown."""
        sizes = sorted({int(size) for one in self._found["figures"].values() for size in one["at"]})
        lines = [
            f"Measured until {time.strftime('%Y-%m-%d %H:%M')} on {self._found['machine']}.",
            "A ratio of up to 1.00 meets its goal, whichever way the goal points.",
            "",
            "| goal | target | " + " | ".join(f"{size:,} records | of goal" for size in sizes) + " |",
            "|---|---|" + "---|---|" * len(sizes),
        ]
        for name, one in self._found["figures"].items():
            cells = []
            for size in sizes:
                shown, ratio = one["at"].get(str(size), ["", None])
                cells += [shown, _verdict(ratio)]
            lines.append(_row(name, one["goal"], *cells))
        for size, queries in self._found["rivals"].items():
            lines += ["", f"## Beside other tools, {int(size):,} records", ""]
            lines += [
                "First page (the newest 50) and full count; cold = files not in memory, warm = asked again.",
                "",
            ]
            lines += [f"- {name}: {text}" for name, text in self._found["notes"].get(size, {}).items()]
            lines += [
                "",
                "| query | tool | first page cold | warm | count cold | warm | found |",
                "|---|---|---|---|---|---|---|",
            ]
            for query, tools in queries.items():
                lines += [_row(query, tool, *_cells(taken)) for tool, taken in tools.items()]
            lines += [
                "",
                f"Numbers found: {_agreement(queries)}.",
                "",
                "Where another tool was ahead of the better of ours:",
                "",
            ]
            lines += [f"- {line}" for line in _ahead(queries)] or ["- nowhere"]
        return "\n".join(lines) + "\n"


_STEPS = "first page cold", "first page warm", "count cold", "count warm"


def _ahead(queries: Mapping[str, Mapping[str, Sequence[float | str]]]) -> list[str]:
    """Each step of a question in which a tool was quicker than both of ours."""
    lines = []
    for query, tools in queries.items():
        for place, step in enumerate(_STEPS):
            times = {tool: one[place] for tool, one in tools.items()}
            told = {tool: time for tool, time in times.items() if not isinstance(time, str)}
            best = min((time for tool, time in told.items() if tool.startswith(OURS)), default=None)
            quicker = {tool: time for tool, time in told.items() if best is not None and time < best}
            if best is not None and quicker:
                others = ", ".join(f"{tool} {_seconds(time)}" for tool, time in quicker.items())
                lines.append(f"{query}, {step}: {others}; ours {_seconds(best)}")
    return lines


def _agreement(queries: Mapping[str, Mapping[str, Sequence[float | str]]]) -> str:
    """Have all tools found the same?"""
    odd = [
        f"{query}: {', '.join(f'{tool} {one[-1]}' for tool, one in tools.items())}"
        for query, tools in queries.items()
        if len({one[-1] for one in tools.values() if one[-1] != -1}) > 1
    ]
    return "; ".join(odd) or "the same by all tools that told one"


def _cells(taken: Sequence[float | str]) -> list[str]:
    *times, found = taken
    cells = [time if isinstance(time, str) else _seconds(time) for time in times]
    return [*cells, f"{found:,}" if isinstance(found, int) and found >= 0 else "?"]


def _seconds(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1e3:.0f} ms" if seconds >= 0.01 else f"{seconds * 1e3:.1f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds:,.0f} s"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _verdict(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f} {'met' if ratio <= 1 else 'MISSED'}"
