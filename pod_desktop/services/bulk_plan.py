"""Many entries at once, before anything is sent: what was pasted or selected, split by what would become of it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pod_desktop import content
from pod_desktop.core.action import ADD, ATTRIBUTES, BLOCK, OPERATORS, SAFE, Entry
from pod_desktop.core.addresses import ip_of
from pod_desktop.core.faults import UserFault
from pod_desktop.core.guards import CONFIRM, REFUSE, Judgement, Surroundings, judge

NEW: Final = "new"
THERE: Final = "already there"
DOUBTFUL: Final = "doubtful"
"""A guard asks for a confirmation of this one; left out until it is confirmed."""
INVALID: Final = "invalid"
GROUPS: Final = (NEW, THERE, DOUBTFUL, INVALID)
AUTOMATIC: Final = "auto"
"""As an attribute: IP addresses are `$ip`, all else `$from`."""
MOST_ROWS: Final = 20_000
MOST_CHARS: Final = 10_000_000
_COLUMNS: Final = ("attribute", "operator", "value", "comment")
_DEFANGED: Final = (("[.]", "."), ("(.)", "."), ("[dot]", "."), ("[@]", "@"), ("[at]", "@"), ("[:]", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One entry that was pasted or selected, and what would become of it."""

    line: int
    """1-based in what was pasted; of a selection, its place."""
    entry: Entry
    group: str
    """One of GROUPS."""
    why: str = ""
    """Why it is not simply new."""
    on_other_list: bool = False
    record_id: str = ""
    records: int = 0
    """How many of the selected records have this value."""
    confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that was pasted or selected, in its order."""

    rows: tuple[Candidate, ...]

    def of(self, group: str) -> tuple[Candidate, ...]:
        return tuple(row for row in self.rows if row.group == group)

    @property
    def to_send(self) -> tuple[Candidate, ...]:
        """What is new, and what is doubtful but confirmed."""
        return tuple(
            row for row in self.rows if row.group == NEW or (row.group == DOUBTFUL and row.confirmed)
        )

    def confirm(self, row: Candidate, typed: str) -> Plan:
        """The plan with one doubtful row confirmed.

        Raises:
            UserFault: what was typed is not its value.
        """
        if typed != row.entry.value:
            raise UserFault("That is not the value.", "value", "Type it exactly as it stands in the row.")
        return Plan(rows=tuple(replace(one, confirmed=True) if one == row else one for one in self.rows))


def read(
    text: str,
    *,
    attribute: str = AUTOMATIC,
    operator: str = "equal",
    comment: str = "",
) -> list[tuple[int, Entry]]:
    """(line, entry) of pasted text: one value a line, or CSV with a header that names `value`.

    Defanged values (`bad[.]example`) are read as meant. Lines that begin with # are comments. A CSV's
    columns attribute, operator and comment win over the arguments where they are filled.

    Raises:
        UserFault: too much for one go.
    """
    if len(text) > MOST_CHARS:
        raise UserFault(f"That is {len(text):,} characters; {MOST_CHARS:,} is the most.", "values")
    found: list[tuple[int, Entry]] = []
    for line, cells in _lines(text.removeprefix("\ufeff")):
        value = refang(cells.get("value", ""))
        kind = cells.get("attribute") or attribute
        if kind and kind != AUTOMATIC and not kind.startswith("$"):
            kind = f"${kind}"
        found.append(
            (
                line,
                Entry(
                    attribute=guess_attribute(value) if kind == AUTOMATIC else kind,
                    operator=cells.get("operator") or operator,
                    value=value,
                    comment=cells.get("comment") or comment,
                ),
            )
        )
        if len(found) > MOST_ROWS:
            raise UserFault(f"These are more than {MOST_ROWS:,} values.", "values", "Do it in parts.")
    return found


def _lines(text: str) -> Iterable[tuple[int, Mapping[str, str]]]:
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    delimiter = next((mark for mark in ("\t", ";", ",") if mark in first), ",")
    header = [name.strip().strip('"').casefold() for name in first.split(delimiter)]
    if "value" in header:
        yield from _table(text, delimiter)
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, {"value": _one_value(line)}


def _table(text: str, delimiter: str) -> Iterable[tuple[int, Mapping[str, str]]]:
    reader = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter)
    header: list[str] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells) or (cells[0].startswith("#") and len(cells) == 1):
                continue
            if not header:
                header = [name.strip().casefold() for name in cells]
                continue
            named = {
                # A leading ' is what an export puts before what a spreadsheet would compute.
                name: _unquoted(cell.strip())
                for name, cell in zip(header, cells, strict=False)
                if name in _COLUMNS
            }
            yield reader.line_num, named
    except csv.Error as error:
        raise UserFault(
            f"Line {reader.line_num} is no CSV: {error}.", "values", "Paste one value a line."
        ) from None


def _unquoted(cell: str) -> str:
    return cell[1:] if re.match(r"'[=+\-@]", cell) else cell


def _one_value(line: str) -> str:
    """What a person means by a line: without quotes, a bullet, or a comma at its end."""
    return _unquoted(line.strip().rstrip(",;").strip().strip("\"'“”<>").strip())


def refang(value: str) -> str:
    """`bad[.]example` as it was before it was made harmless; other values as they are."""
    for written, meant in _DEFANGED:
        value = re.sub(re.escape(written), meant, value, flags=re.IGNORECASE)
    return value


def guess_attribute(value: str) -> str:
    """`$ip` for an address or network, else `$from`."""
    return "$ip" if ip_of(value.partition("/")[0]) else "$from"


def split(
    found: Sequence[tuple[int, Entry]],
    *,
    action: str,
    which: str,
    on_list: Iterable[Entry],
    on_other: Iterable[Entry] = (),
    around: Surroundings,
    origin: Mapping[int, tuple[str, int]] | None = None,
) -> Plan:
    """Say of each entry what would become of it. Pure.

    Args:
        action: add or delete.
        which: block or safe.
        on_list: what the list holds now.
        origin: line -> (record id, how many records), for a selection of records.
    """
    there = {entry.identity for entry in on_list}
    beside = {entry.identity for entry in on_other}
    seen: dict[tuple[str, str, str], int] = {}
    rows = []
    for line, entry in found:
        judgement = judge(action, which, entry, around)
        group, why = _group(action, entry, judgement, there, seen.get(entry.identity, 0))
        if group != INVALID:
            seen.setdefault(entry.identity, line)
        conflict = entry.identity in beside
        if conflict and group == NEW and action == ADD:
            title = "Org Safe List" if which == BLOCK else "Org Block List"
            why = f"The {title} holds it too: which one wins is not documented."
        record_id, records = (origin or {}).get(line, ("", 0))
        rows.append(
            Candidate(
                line=line,
                entry=entry,
                group=group,
                why=why,
                on_other_list=conflict,
                record_id=record_id,
                records=records,
            )
        )
    return Plan(rows=tuple(rows))


def _group(
    action: str, entry: Entry, judgement: Judgement, there: set[tuple[str, str, str]], twin: int
) -> tuple[str, str]:
    reasons = " ".join(reason.text for reason in judgement.reasons if reason.answer == judgement.answer)
    if judgement.answer == REFUSE:
        return INVALID, reasons
    if _is_url(entry.value):
        return (
            INVALID,
            "This is a web address; the lists hold mail addresses, domains, hosts and IP addresses.",
        )
    if twin:
        return THERE, f"It stands in line {twin} already."
    if (entry.identity in there) == (action == ADD):
        return THERE, "The list holds it." if action == ADD else "The list does not hold it."
    if judgement.answer == CONFIRM:
        return DOUBTFUL, reasons
    return NEW, ""


def _is_url(value: str) -> bool:
    return bool(re.match(r"h(?:tt|xx)ps?://", value, re.IGNORECASE))


def distinct(
    records: Iterable[tuple[str, str, Any]], attribute: str, *, domain: bool = False
) -> tuple[list[tuple[int, Entry]], dict[int, tuple[str, int]], list[str]]:
    """The distinct values that selected records have for an attribute, in the order of their first record.

    Args:
        records: (record id, kind, Document.value).
        attribute: one of ATTRIBUTES.
        domain: the sender's whole domain instead of the address.

    Returns:
        What split() takes as `found` and `origin`, and the ids of records that have no such value.
    """
    if attribute not in ATTRIBUTES:
        raise UserFault(f"{attribute!r} is no attribute of the list.", "attribute")
    order: dict[tuple[str, str, str], int] = {}
    found: list[tuple[int, Entry]] = []
    origin: dict[int, tuple[str, int]] = {}
    without = []
    for record_id, kind, value in records:
        offers = [
            offer
            for offer in content.offers(kind, value)
            if offer.attribute == attribute and offer.value.startswith("@") == domain
        ]
        if not offers:
            without.append(record_id)
        for value in dict.fromkeys(offer.value for offer in offers):
            entry = Entry(attribute=attribute, operator="equal", value=value)
            line = order.setdefault(entry.identity, len(order) + 1)
            if line > len(found):
                found.append((line, entry))
            first, count = origin.get(line, (record_id, 0))
            origin[line] = (first, count + 1)
    return found, origin, without


def check_pickers(which: str, attribute: str, operator: str) -> None:
    """Raises UserFault for an attribute or operator that the list does not take."""
    if attribute != AUTOMATIC and attribute not in ATTRIBUTES:
        raise UserFault(
            f"{attribute!r} is no attribute of the list.", "attribute", f"Use {', '.join(ATTRIBUTES)}."
        )
    if operator not in OPERATORS[which]:
        title = "Org Safe List" if which == SAFE else "Org Block List"
        raise UserFault(
            f"The {title} takes no {operator!r}.", "operator", f"Use {', '.join(OPERATORS[which])}."
        )
