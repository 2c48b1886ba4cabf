"""Playbooks as they are defined: added, edited, switched, removed, with the history of each."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from pod_desktop.core.faults import UserFault
from pod_desktop.core.playbook import DRY_RUN, OFF, ON, STATES, Playbook, playbook_from_file, playbook_to_file
from pod_desktop.store.playbook_base import PlaybookFile
from pod_desktop.store.playbook_rows import COUNTERS, DISMISSED, PlaybookEntry, Version

_ENTRY: Final = (
    "select id, definition, state, version, author, created, changed, armed, tripped, failures, problem,"
    " last_run, counters from playbook"
)


class Definitions(PlaybookFile):
    """The definitions in the file."""

    def entries(self) -> list[PlaybookEntry]:
        """All playbooks in the order of creation."""
        return [_entry(*row) for row in self._rows(f"{_ENTRY} order by id")]

    def entry(self, name: str) -> PlaybookEntry:
        """The playbook of that name, whatever its case.

        Raises:
            UserFault: there is none; the words name those that are.
        """
        rows = self._rows(f"{_ENTRY} where folded = ?", name.strip().casefold())
        if not rows:
            names = ", ".join(entry.playbook.name for entry in self.entries()) or "none yet"
            raise UserFault(f"There is no playbook named {name[:80]!r}.", "name", f"Playbooks: {names}.")
        return _entry(*rows[0])

    def add(self, playbook: Playbook, *, author: str, now: int, state: str = DRY_RUN) -> PlaybookEntry:
        """Add a playbook; it arrives in dry run, or off.

        Raises:
            UserFault: the name is taken, or it would act at once.
        """
        if state == ON:
            raise UserFault(
                "A new playbook begins in dry run.", "state", "Arm it when its backtest is right."
            )
        with self._deciding():
            if self._rows("select 1 from playbook where folded = ?", playbook.name.casefold()):
                raise UserFault(
                    f"A playbook named {playbook.name} exists already.", "name", "Choose another name."
                )
            self._db.execute(
                "insert into playbook(name, folded, definition, state, version, author, created, changed, armed, tripped,"
                " failures, problem, last_run, counters) values(?,?,?,?,1,?,?,?,0,'',0,'',0,'{}')",
                (playbook.name, playbook.name.casefold(), _dump(playbook), state, author, now, now),
            )
            self._note(self._db.last_insert_rowid(), 1, now, author, "created", playbook)
        return self.entry(playbook.name)

    def update(self, name: str, playbook: Playbook, *, author: str, now: int) -> PlaybookEntry:
        """Replace a definition; what acted is in dry run again, and its window begins anew.

        Raises:
            UserFault: there is none of that name, or the new name is taken.
        """
        with self._deciding():
            old = self.entry(name)
            taken = self._rows("select id from playbook where folded = ?", playbook.name.casefold())
            if taken and taken[0][0] != old.id:
                raise UserFault(f"A playbook named {playbook.name} exists already.", "name")
            state = DRY_RUN if old.state == ON else old.state
            self._db.execute(
                "update playbook set name = ?, folded = ?, definition = ?, state = ?, version = version + 1, author = ?,"
                " changed = ?, armed = 0, tripped = '', failures = 0, problem = '' where id = ?",
                (playbook.name, playbook.name.casefold(), _dump(playbook), state, author, now, old.id),
            )
            self._forget_window(old.id)
            self._note(old.id, old.version + 1, now, author, "edited", playbook)
        return self.entry(playbook.name)

    def set_state(self, name: str, state: str, *, by: str, now: int) -> PlaybookEntry:
        """Switch a playbook off, into dry run, or on (arm it). Arming it anew also takes back the breaker.

        Raises:
            UserFault: no such playbook or state.
        """
        if state not in STATES:
            raise UserFault(f"{state!r} is no state of a playbook.", "state", f"Use {', '.join(STATES)}.")
        with self._deciding():
            entry = self.entry(name)
            armed = (entry.armed or now) if state == ON and entry.state == ON else now if state == ON else 0
            self._db.execute(
                "update playbook set state = ?, changed = ?, armed = ?, tripped = '', failures = 0 where id = ?",
                (state, now, armed, entry.id),
            )
            if entry.state != state and OFF in (entry.state, state):
                self._forget_window(entry.id)
            words = {ON: "armed", DRY_RUN: "in dry run", OFF: "switched off"}[state]
            self._note(entry.id, entry.version, now, by, words, entry.playbook)
        return self.entry(name)

    def remove(self, name: str) -> PlaybookEntry:
        """Forget a playbook; its rows stay, what waits is not sent. Raises UserFault when there is none."""
        with self._deciding():
            entry = self.entry(name)
            self._forget_window(entry.id)
            for table, column in (("playbook", "id"), ("version", "playbook"), ("hour", "playbook")):
                self._db.execute(f"delete from {table} where {column} = ?", (entry.id,))
            for row in self._found(
                "where playbook = ? and status in ('waiting', 'approved', 'open')", entry.id
            ):
                self._put(replace(row, status=DISMISSED, reason="The playbook was removed."))
        return entry

    def history(self, name: str) -> list[Version]:
        """Versions and changes of state, newest first; of one that was removed nothing is left."""
        rows = self._rows(
            "select version, at, author, note, definition from version where playbook = ? order by id desc",
            self.entry(name).id,
        )
        return [
            Version(version=version, at=at, author=author, note=note, playbook=_load(definition))
            for version, at, author, note, definition in rows
        ]

    def _note(self, playbook: int, version: int, at: int, author: str, note: str, what: Playbook) -> None:
        self._db.execute(
            "insert into version(playbook, version, at, author, note, definition) values(?,?,?,?,?,?)",
            (playbook, version, at, author, note, _dump(what)),
        )

    def _forget_window(self, playbook: int) -> None:
        self._db.execute("delete from window_record where playbook = ?", (playbook,))
        self._db.execute("delete from window_key where playbook = ?", (playbook,))


def _dump(playbook: Playbook) -> str:
    return json.dumps(playbook_to_file(playbook), ensure_ascii=False)


def _load(text: str) -> Playbook:
    return playbook_from_file(json.loads(text))


def _entry(
    id: int, definition: str, state: str, version: int, author: str, created: int, changed: int, armed: int,
    tripped: str, failures: int, problem: str, last_run: int, counters: str,
) -> PlaybookEntry:  # fmt: skip
    return PlaybookEntry(
        id=id, playbook=_load(definition), state=state, version=version, author=author, created=created,
        changed=changed, armed=armed, tripped=tripped, failures=failures, problem=problem, last_run=last_run,
        counters=dict.fromkeys(COUNTERS, 0) | json.loads(counters),
    )  # fmt: skip
