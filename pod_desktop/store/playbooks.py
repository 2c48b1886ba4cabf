"""The playbooks' file: definitions and versions, how far records were judged, and every firing's rows.

What a turn found (rows, windows) and how far it read are one transaction: whenever the process ends, each
firing is there once. Windows and commands write definitions, states and decisions into the same file.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from pod_desktop.core.clock import DAY, HOUR
from pod_desktop.core.faults import UserFault
from pod_desktop.core.guards import CONFIRM, REFUSE
from pod_desktop.core.playbook_limits import ACT, HELD
from pod_desktop.core.playbook_window import Match
from pod_desktop.store.playbook_definitions import Definitions
from pod_desktop.store.playbook_rows import (
    APPROVED,
    COUNTERS,
    DISMISSED,
    EXPIRED,
    OPEN,
    WAITING,
    FiringRow,
    Part,
    Turn,
    row_to_json,
)
from pod_desktop.store.port import Marks

_STOPPED: Final = "stopped"
_IDENTITY: Final = "identity"
_TOLD: Final = "told"
KEPT: Final = {"muted": 2_000, "limited": 2_000, "would_act": 5_000}
"""Rows of these outcomes that are kept of each playbook; their counts stay."""


class Playbooks(Definitions):
    """The file. Safe to use from several threads and processes; every call is short."""

    # one turn

    def cursor(self) -> Marks | None:
        """How far the store was read; None before the first turn."""
        rows = self._rows("select marks from cursor")
        return {int(part): seq for part, seq in json.loads(rows[0][0]).items()} if rows else None

    def window(self, playbook_id: int) -> tuple[list[tuple[str, Match, bool]], list[tuple[str, int]]]:
        """What core.playbook_window.Window.restore() takes."""
        records = self._rows(
            "select key, time, record, seq, shown, used from window_record where playbook = ?", playbook_id
        )
        told = self._rows("select key, told from window_key where playbook = ?", playbook_id)
        return [
            (key, Match(time, record, seq, shown), bool(used))
            for key, time, record, seq, shown, used in records
        ], [(key, count) for key, count in told]

    def commit(self, turn: Turn) -> tuple[list[FiringRow], set[int]]:
        """Keep a turn, whole or not at all.

        Returns:
            The rows with their ids, and the ids of playbooks that were changed meanwhile: nothing of theirs
            was kept but that the records are read.

        Raises:
            Outage: the disk is full or failing; nothing was kept.
        """
        kept: list[FiringRow] = []
        changed: set[int] = set()
        with self._transaction():
            for part in turn.parts:
                rows = self._rows("select version, state from playbook where id = ?", part.playbook_id)
                if rows != [(part.version, part.state)]:
                    changed.add(part.playbook_id)
                    continue
                kept += self._keep(part, turn.now)
            if turn.marks is not None:
                marks = json.dumps(dict(turn.marks))
                self._db.execute("insert or replace into cursor(one, marks) values(1, ?)", (marks,))
        return kept, changed

    def _keep(self, part: Part, now: int) -> list[FiringRow]:
        self._keep_window(part)
        rows = []
        for row in part.rows:
            self._db.execute(
                "insert into firing(playbook, at, type, outcome, dry, status, expires, data) values(?,?,?,?,?,?,?,?)",
                (part.playbook_id, row.at, row.type, row.outcome, row.dry, row.status, row.expires, row_to_json(row)),
            )  # fmt: skip
            row = replace(row, id=self._db.last_insert_rowid())
            rows.append(row)
            if row.type in ("mark", "comment") and row.outcome == ACT:
                self._db.executemany("insert into noted values(?, ?)", [(one, row.id) for one in row.records])
        for row_id in part.again:
            row = self._row(row_id)
            self._put(replace(row, again=row.again + 1))
        self._count(part, now)
        return rows

    def _keep_window(self, part: Part) -> None:
        if part.change is None:
            return
        playbook, change = part.playbook_id, part.change
        self._db.executemany(
            "insert or replace into window_record values(?, ?, ?, ?, ?, ?, 0)",
            [(playbook, key, one.record_id, one.time, one.seq, one.key) for key, one in change.added],
        )
        self._db.executemany(
            "update window_record set used = 1 where playbook = ? and key = ? and record = ?",
            [(playbook, *pair) for pair in change.used],
        )
        self._db.executemany(
            "delete from window_record where playbook = ? and key = ? and record = ?",
            [(playbook, *pair) for pair in change.removed],
        )
        self._db.executemany(
            "insert or replace into window_key values(?, ?, ?)",
            [(playbook, key, told) for key, told in change.told.items() if told],
        )
        self._db.executemany(
            "delete from window_key where playbook = ? and key = ?",
            [(playbook, key) for key, told in change.told.items() if not told],
        )

    def _count(self, part: Part, now: int) -> None:
        (counters, last_run, problem, tripped), *_ = self._rows(
            "select counters, last_run, problem, tripped from playbook where id = ?", part.playbook_id
        )
        counts = json.loads(counters)
        for name, number in part.counts.items():
            counts[name] = counts.get(name, 0) + number
        self._db.execute(
            "update playbook set counters = ?, last_run = ?, problem = ?, tripped = ? where id = ?",
            (
                json.dumps(counts),
                max(part.last_run, 0) or last_run,
                problem if part.problem is None else part.problem,
                tripped if part.tripped is None else part.tripped,
                part.playbook_id,
            ),
        )
        for outcome in ("acted", "would_act", "held", "muted", "limited", "errors"):
            if number := part.counts.get(outcome, 0):
                self._db.execute(
                    "insert into hour values(?, ?, ?, ?) on conflict do update set n = n + excluded.n",
                    (part.playbook_id, now // HOUR, outcome, number),
                )

    # rows

    def rows(
        self, *, name: str = "", outcome: str = "", type: str = "", after: int = 0, limit: int = 1_000
    ) -> list[FiringRow]:
        """Newest first; `after`: only rows with a higher id."""
        parts, values = ["id > ?"], [after]
        for column, value in (("outcome", outcome), ("type", type)):
            if value:
                parts.append(f"{column} = ?")
                values.append(value)  # type: ignore[arg-type]
        if name:
            parts.append("playbook = ?")
            values.append(self.entry(name).id)
        with self._lock:
            return self._found(f"where {' and '.join(parts)} order by id desc limit ?", *values, limit)

    def row(self, row_id: int) -> FiringRow:
        """Raises UserFault when there is none."""
        with self._lock:
            return self._row(row_id)

    def held(self) -> list[FiringRow]:
        """What waits for a person, oldest first."""
        with self._lock:
            return self._found("where status = ? order by id", OPEN)

    def to_send(self) -> list[FiringRow]:
        """What the service is to send, oldest first."""
        with self._lock:
            return self._found("where status in (?, ?) order by id", WAITING, APPROVED)

    def lately(self, playbook_id: int, since: int) -> list[FiringRow]:
        """Rows since that a playbook's account is made of: what acted, would have, or was dismissed."""
        with self._lock:
            return self._found(
                "where playbook = ? and at > ? and (outcome in ('act', 'would_act') or status in ('approved', 'sent', 'dismissed'))"
                " order by at",
                playbook_id,
                since,
            )

    def notes(self, record_id: str) -> list[FiringRow]:
        """Marks and comments on a record, oldest first."""
        with self._lock:
            return self._found(
                "where id in (select firing from noted where record = ?) order by id", record_id
            )

    def to_note(self, after: int, limit: int) -> list[FiringRow]:
        """Marks and comments that are meant, with ids above `after`, ascending."""
        with self._lock:
            return self._found(
                "where id > ? and type in ('mark', 'comment') and outcome = ? order by id limit ?",
                after, ACT, limit,
            )  # fmt: skip

    def newest_row(self) -> int:
        """The highest id of a row; 0 without any."""
        return int(self._rows("select coalesce(max(id), 0) from firing")[0][0])

    def claim_told(self, newest: int) -> int:
        """Take it on oneself to tell notifications up to this id; rows above the id given back are the caller's.

        So a window and the service, which both look, never tell the same one.
        """
        with self._transaction():
            rows = self._rows("select value from setting where key = ?", _TOLD)
            before = int(json.loads(rows[0][0])) if rows else 0
            if newest > before:
                self._db.execute("insert or replace into setting values(?, ?)", (_TOLD, json.dumps(newest)))
        return before

    def identity(self) -> str:
        """What tells this file from any other one, also from one that takes its place."""
        with self._transaction():
            rows = self._rows("select value from setting where key = ?", _IDENTITY)
            if rows:
                return str(json.loads(rows[0][0]))
            made = uuid.uuid4().hex
            self._db.execute("insert into setting values(?, ?)", (_IDENTITY, json.dumps(made)))
            return made

    def hours(self, name: str, since: int) -> list[tuple[int, str, int]]:
        """(hour in microseconds UTC, outcome, number), ascending: what a small picture is drawn from."""
        rows = self._rows(
            "select hour, outcome, n from hour where playbook = ? and hour >= ? order by hour",
            self.entry(name).id,
            since // HOUR,
        )
        return [(hour * HOUR, outcome, number) for hour, outcome, number in rows]

    def approve(self, row_id: int, *, by: str, confirmed: str = "") -> FiringRow:
        """Let the service send what is held.

        Args:
            confirmed: the value as the person typed it, where a reason asks for that.

        Raises:
            UserFault: it is not held any more, it can never be sent, or the value must be typed.
        """
        with self._deciding():
            row = self._open(row_id)
            refused = [one.text for one in row.reasons if one.answer == REFUSE]
            if refused or not row.body:
                words = " ".join(refused) or row.reason
                raise UserFault(f"This can never be sent. {words}", str(row_id), "Dismiss it.")
            asked = [one.text for one in row.reasons if one.answer == CONFIRM]
            if asked and (row.entry is None or confirmed != row.entry.value):
                raise UserFault(
                    " ".join(asked), str(row_id), "Type the value once more to confirm that it is meant."
                )
            row = replace(row, status=APPROVED, by=by, confirmed=confirmed)
            self._put(row)
        return row

    def dismiss(self, row_id: int, *, by: str) -> FiringRow:
        """Decide that what is held is not done; the value is left alone for the mute time.

        Raises:
            UserFault: it is not held any more.
        """
        with self._deciding():
            row = replace(self._open(row_id), status=DISMISSED, by=by)
            self._put(row)
        return row

    def expire_held(self, now: int) -> int:
        """Close what nobody decided in time; how many."""
        if not self._rows("select 1 from firing where status = ? and expires <= ? limit 1", OPEN, now):
            return 0
        with self._deciding():
            rows = self._found("where status = ? and expires <= ?", OPEN, now)
            for row in rows:
                self._put(replace(row, status=EXPIRED))
        return len(rows)

    def change(self, row_id: int, *, expect: tuple[str, ...], **changes: Any) -> FiringRow:
        """Change a row that has one of these statuses.

        Raises:
            UserFault: it has another one by now.
        """
        with self._transaction():
            row = self._row(row_id)
            if row.status not in expect:
                raise UserFault(f"This is {row.status or 'done'} by now.", str(row_id))
            row = replace(row, **changes)
            self._put(row)
        return row

    def _open(self, row_id: int) -> FiringRow:
        row = self._row(row_id)
        if row.outcome != HELD or row.status != OPEN:
            raise UserFault(f"This is not held (it is {row.status or row.outcome}).", str(row_id))
        return row

    def ended(self, playbook_id: int, *, failed: bool) -> int:
        """How an action of the playbook ended; gives the number of failures in a row."""
        with self._transaction():
            self._db.execute(
                f"update playbook set failures = {'failures + 1' if failed else '0'} where id = ?",
                (playbook_id,),
            )
            rows = self._rows("select failures from playbook where id = ?", playbook_id)
        return int(rows[0][0]) if rows else 0

    def trip(self, playbook_id: int, reason: str) -> None:
        """The breaker stops the playbook: from now on everything is held, until it is armed anew."""
        with self._deciding():
            self._db.execute(
                "update playbook set tripped = ? where id = ? and tripped = ''", (reason, playbook_id)
            )

    def tidy(self, now: int) -> None:
        """Let go of old rows that nothing depends on."""
        with self._transaction():
            for outcome, most in KEPT.items():
                self._db.execute(
                    "delete from firing where id in (select id from (select id, row_number() over"
                    " (partition by playbook order by id desc) as place from firing where outcome = ?)"
                    " where place > ?)",
                    (outcome, most),
                )
            self._db.execute("delete from hour where hour < ?", ((now - 60 * DAY) // HOUR,))

    # the kill switch

    def stop(self, *, by: str, now: int) -> None:
        """Stop all playbooks within a second."""
        self._set(_STOPPED, {"by": by, "at": now})

    def go(self) -> None:
        """Let them act again."""
        self._set(_STOPPED, None)

    def stopped(self) -> str:
        """Who stopped all playbooks; '' while nobody has."""
        rows = self._rows("select value from setting where key = ?", _STOPPED)
        value = json.loads(rows[0][0]) if rows else None
        return str(value["by"]) if value else ""

    def _set(self, key: str, value: Any) -> None:
        with self._deciding():
            self._db.execute("insert or replace into setting values(?, ?)", (key, json.dumps(value)))


def counted(rows: Iterable[FiringRow]) -> dict[str, int]:
    """How many of each outcome, by the names of COUNTERS."""
    counts = dict.fromkeys(COUNTERS, 0)
    for row in rows:
        counts["acted" if row.outcome == ACT else row.outcome] += 1
    return {name: number for name, number in counts.items() if number}
