"""Log filters: named sets of query conditions; what fulfils all of a filter's conditions is not stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pod_desktop.core import limits
from pod_desktop.core.connector import check_name
from pod_desktop.core.faults import UserFault

SETTING: Final = "log_filters"
"""Where the ledger keeps all definitions."""
_KEYS: Final = frozenset({"name", "conditions"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """A filter as its user defines it; it does nothing until a connector names it."""

    name: str
    conditions: tuple[str, ...]
    """Query texts; a record that fulfils all of them is dropped before it is stored."""

    def to_file(self) -> dict[str, object]:
        """As its file's JSON object; filter_from_file() reads it back."""
        return {"name": self.name, "conditions": list(self.conditions)}


def filter_from_file(data: object, taken: Iterable[str] = ()) -> LogFilter:
    """A filter from its JSON object; that the conditions can be understood is checked by services.filters.

    Raises:
        UserFault: an unknown, missing or unfit value; `where` names the key.
    """
    if not isinstance(data, Mapping):
        raise UserFault("A log filter is a JSON object.", "", 'Write {"name": …, "conditions": [ … ]}.')
    for key in data:
        if key not in _KEYS:
            raise UserFault(f"Unknown key {str(key)[:80]!r}.", str(key)[:80], "Known: conditions, name.")
    name, conditions = data.get("name"), data.get("conditions")
    if not isinstance(name, str):
        raise UserFault("Give the filter a name.", "name", "For example newsletters.")
    if not isinstance(conditions, list | tuple) or not all(isinstance(one, str) for one in conditions):
        raise UserFault("The conditions must be a list of query texts.", "conditions")
    try:
        name = check_name(name, taken)
    except UserFault as fault:
        raise UserFault(fault.what.replace("connector", "filter"), fault.where, fault.hint) from None
    return LogFilter(name=name, conditions=_checked(tuple(one.strip() for one in conditions)))


def _checked(conditions: tuple[str, ...]) -> tuple[str, ...]:
    if not conditions:
        raise UserFault("A filter without conditions would drop nothing.", "conditions", "Give at least one.")
    if len(conditions) > limits.FILTER_CONDITIONS:
        raise UserFault(
            f"The filter has {len(conditions)} conditions; {limits.FILTER_CONDITIONS} is the most.",
            "conditions",
            "Join some with AND, or make a second filter.",
        )
    for condition in conditions:
        if not condition or condition == "*":
            raise UserFault(
                "A condition that every record fulfils would drop everything.",
                "conditions",
                "Name what the records to drop have in common.",
            )
    return conditions


def defined(setting: object) -> list[LogFilter]:
    """The filters that the ledger's setting holds; entries that are none are left out."""
    found = []
    for entry in setting if isinstance(setting, list) else ():
        try:
            found.append(filter_from_file(entry))
        except UserFault:
            continue
    return found


def check_attached(names: Iterable[str], known: Iterable[LogFilter]) -> None:
    """Raises UserFault for the first name that no filter has."""
    filters = {one.name.casefold(): one.name for one in known}
    for name in names:
        if name.casefold() not in filters:
            raise UserFault(
                f"There is no log filter named {name[:80]!r}.",
                "log_filters",
                f"Filters: {', '.join(filters.values()) or 'none yet'}. Add it first with filter add.",
            )
