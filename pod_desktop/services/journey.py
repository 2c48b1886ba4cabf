"""The journey of one message: its records of both content types on one time line, and what became of whom.

Records belong together that have the queue id in common, within one cluster and near in time, and message
records that were split from each other. Where a message has no mail-log line by its queue id, or mail-log lines
no message record, the Message-ID joins them instead. It does not matter from which of its records a journey is
asked for, nor in which order they came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, NamedTuple

from pod_desktop import content
from pod_desktop.content.journey import Keys, Told, Word, told
from pod_desktop.core import limits
from pod_desktop.core.blocks import BAD, GOOD, INFO, WARN
from pod_desktop.core.clock import DAY, iso
from pod_desktop.core.faults import Fault, Unwanted
from pod_desktop.core.record import (
    BOUNCED,
    DEFERRED,
    DELIVERED,
    DISCARDED,
    MAILLOG,
    MESSAGE,
    OTHER,
    QUARANTINED,
    REJECTED,
    EventRow,
)
from pod_desktop.query.tree import Equals, Node, Or, Term
from pod_desktop.store import Ask, Reader

NEAR: Final = 5 * DAY
"""Sendmail gives up after five days; a longer silence, and the same queue id is another mail's."""
NEAR_BY_ID: Final = DAY
"""The same for a Message-ID, which the sender chooses and may use again."""
REACH: Final = 35 * DAY
"""No further from the record that was asked about."""
MOST_RECORDS: Final = 1_000
"""Records looked at: whoever sends mail chooses its Message-ID, and may choose one that thousands have."""
MOST_KEYS: Final = 200
MOST_RECIPIENTS: Final = 1_000
_ROUNDS: Final = 4
_KINDS: Final = (MESSAGE, MAILLOG)


class Event(NamedTuple):
    """Something that happened to the message."""

    time: int
    """Microseconds UTC."""
    kind: str
    title: str
    detail: str
    tone: str
    """Of core.blocks.TONES."""
    record_id: str
    seq: int
    """Key of the record that tells it."""


class RecipientOutcome(NamedTuple):
    """What became of one recipient's copy, as far as the records say."""

    recipient: str
    outcome: str
    """Of core.record.OUTCOMES; `other` while nothing final is known."""
    detail: str
    time: int
    delay: int | None
    """Seconds from the first queueing to delivery."""
    tries: int
    seq: int
    """Key of the record that says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """What is known of one message, oldest first."""

    events: tuple[Event, ...]
    recipients: tuple[RecipientOutcome, ...]
    note: str
    """What was joined, by what, and what is missing."""
    verdict: str = ""
    """One sentence: `Delivered to 2 of 2 recipients · slowest 20 min 4 s`."""
    tone: str = INFO
    rows: tuple[EventRow, ...] = field(default=(), repr=False)
    """The records, oldest first."""

    def row(self, seq: int) -> EventRow | None:
        """A record of the journey by key."""
        return next((row for row in self.rows if row.seq == seq), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "note": self.note,
            "verdict": self.verdict,
            "events": [
                {
                    "time": iso(one.time),
                    "type": one.kind,
                    "title": one.title,
                    "detail": one.detail,
                    "record_id": one.record_id,
                }
                for one in self.events
            ],
            "recipients": [
                {
                    "recipient": one.recipient,
                    "outcome": one.outcome,
                    "detail": one.detail,
                    "time": iso(one.time),
                    "delay_s": one.delay,
                    "tries": one.tries,
                }
                for one in self.recipients
            ],
        }


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """A record and what it tells."""

    row: EventRow
    cluster: str
    told: Told

    @property
    def keys(self) -> Keys:
        return self.told.keys


def journey(reader: Reader, row: EventRow, cancelled: Callable[[], bool] = lambda: False) -> Journey:
    """The journey that a record is part of.

    Raises:
        KeyError: the record is no longer stored.
        Outage: it cannot be read.
        Unwanted: `cancelled` said so.
    """
    seed = _read(reader, row)
    pool, whole = _gather(reader, seed, cancelled)
    found = sorted(_joined(pool, seed), key=_in_time)
    people = _outcomes(found)
    return Journey(
        events=_events(found),
        recipients=people,
        note=_note(found, whole, people),
        verdict=(said := _verdict(people, found))[0],
        tone=said[1],
        rows=tuple(one.row for one in found),
    )


def _in_time(one: _Found) -> tuple[int, int, str]:
    """Order that does not depend on when a record came: message records before lines of the same moment."""
    return one.row.time, _KINDS.index(one.row.kind) if one.row.kind in _KINDS else 2, one.row.record_id


# --- gathering: more than will be joined, by the indexes of queue id and Message-ID


def _read(reader: Reader, row: EventRow) -> _Found:
    found = told(row.kind, content.document(reader.raw(row.seq)).value)
    return _Found(row, (found.keys.cluster or reader.source(row.seq).cluster_id).casefold(), found)


def _gather(reader: Reader, seed: _Found, cancelled: Callable[[], bool]) -> tuple[list[_Found], bool]:
    """All records that may belong to it, and whether these are all."""
    pool = {seed.row.seq: seed}
    asked: set[tuple[str, str]] = set()
    whole = True
    for _ in range(_ROUNDS):
        keys = [key for one in pool.values() for key in _named(one.keys) if key not in asked]
        keys = list(dict.fromkeys(keys))
        whole = whole and len(asked) + len(keys) <= MOST_KEYS
        keys = keys[: MOST_KEYS - len(asked)]
        parents = [one.keys.parent for one in pool.values() if one.keys.parent]
        if cancelled():
            raise Unwanted("Nobody waits for this any more.")
        rows = _rows(reader, keys, seed.row, MOST_RECORDS + 1) + _parents(reader, parents, pool)
        asked.update(keys)
        new = [row for row in rows if row.seq not in pool]
        whole = whole and len(pool) + len(new) <= MOST_RECORDS
        for row in new[: MOST_RECORDS - len(pool)]:
            if cancelled():
                raise Unwanted("Nobody waits for this any more.")
            try:
                pool[row.seq] = _read(reader, row)
            except (KeyError, Fault):
                whole = False  # its block is damaged, or it has just been deleted
        if not new:
            break
    return list(pool.values()), whole


def _named(keys: Keys) -> list[tuple[str, str]]:
    return [(name, value) for name in ("qid", "message_id") if (value := getattr(keys, name))]


def _rows(reader: Reader, keys: Sequence[tuple[str, str]], about: EventRow, most: int) -> list[EventRow]:
    """Records with any of the keys, those nearest in time to `about`."""
    if not keys:
        return []
    terms: list[Node] = [Term(name, Equals(value[: limits.COLUMN_CHARS])) for name, value in keys]
    ask = Ask(
        tree=terms[0] if len(terms) == 1 else Or(tuple(terms)),
        since=about.time - REACH,
        until=about.time + REACH,
        kinds=_KINDS,
    )
    places = reader.keys(ask, reader.marks())
    places.sort(key=lambda place: (abs(place.time - about.time), place.time))
    return reader.rows([place.seq for place in places[:most]])


def _parents(reader: Reader, guids: Iterable[str], pool: dict[int, _Found]) -> list[EventRow]:
    """The message records that others were split from, where they are stored."""
    known = {one.keys.guid for one in pool.values()}
    wanted = [guid for guid in dict.fromkeys(guids) if guid not in known][:20]
    found = (reader.find(MESSAGE, guid) for guid in wanted)
    return [row for row in found if row is not None]


# --- joining: what of it belongs together


def _joined(pool: Sequence[_Found], seed: _Found) -> list[_Found]:
    """The records that belong to the one asked about."""
    cluster = [one for one in pool if one.cluster == seed.cluster]
    groups = _by_parents(_by_queue_id(cluster))
    mine = next(group for group in groups if seed in group)
    if _is_whole(mine):
        return mine
    wanted = {one.keys.message_id.casefold() for one in mine if one.keys.message_id}
    if not wanted:
        return mine
    partial = [group for group in groups if not _is_whole(group)]
    same = _linked(partial, mine)
    merged = [one for group in same for one in group]
    return merged if _is_whole(merged) else mine


def _is_whole(group: Iterable[_Found]) -> bool:
    """Are both content types there?"""
    return {one.row.kind for one in group} >= set(_KINDS)


def _by_queue_id(found: Sequence[_Found]) -> list[list[_Found]]:
    """Groups with one queue id, near in time; within a cluster by host where that tells them apart."""
    by_qid: dict[str, list[_Found]] = {}
    groups: list[list[_Found]] = []
    for one in found:
        if one.keys.qid:
            by_qid.setdefault(one.keys.qid.casefold(), []).append(one)
        else:
            groups.append([one])
    for same in by_qid.values():
        for near in _near(same, NEAR):
            groups += _by_agent(near)
    return groups


def _near(found: list[_Found], most: int) -> list[list[_Found]]:
    """Cut where nothing happened for longer than `most`."""
    found = sorted(found, key=_in_time)
    groups = [[found[0]]]
    for before, one in pairwise(found):
        if one.row.time - before.row.time > most:
            groups.append([])
        groups[-1].append(one)
    return groups


def _by_agent(found: list[_Found]) -> list[list[_Found]]:
    """Two hosts of a cluster may use the same queue id: where each has both types they are two mails."""
    by_agent: dict[str, list[_Found]] = {}
    for one in found:
        by_agent.setdefault(one.keys.agent.casefold(), []).append(one)
    whole = [group for agent, group in by_agent.items() if agent and _is_whole(group)]
    rest = [one for one in found if not any(one in group for group in whole)]
    if len(whole) == 1 and all(not one.keys.agent for one in rest):
        return [whole[0] + rest]
    return [*whole, rest] if rest else whole


def _by_parents(groups: list[list[_Found]]) -> list[list[_Found]]:
    """Join groups whose message records were split from each other."""
    home = {one.keys.guid: at for at, group in enumerate(groups) for one in group if one.keys.guid}
    return _united(
        groups,
        [
            (at, home[one.keys.parent])
            for at, group in enumerate(groups)
            for one in group
            if one.keys.parent in home
        ],
    )


def _linked(groups: list[list[_Found]], mine: list[_Found]) -> list[list[_Found]]:
    """Of the groups those that the Message-ID links to mine, step by step, near in time."""
    by_id: dict[str, list[tuple[_Found, int]]] = {}
    for at, group in enumerate(groups):
        for one in group:
            if one.keys.message_id:
                by_id.setdefault(one.keys.message_id.casefold(), []).append((one, at))
    links: list[tuple[int, int]] = []
    for named in by_id.values():
        named.sort(key=lambda pair: _in_time(pair[0]))
        for (one, at), (other, there) in pairwise(named):
            if other.row.time - one.row.time <= NEAR_BY_ID:
                links.append((at, there))
    place = next(at for at, group in enumerate(groups) if group is mine)
    roots = _roots(len(groups), links)
    return [group for at, group in enumerate(groups) if roots[at] == roots[place]]


def _united(groups: list[list[_Found]], links: list[tuple[int, int]]) -> list[list[_Found]]:
    roots = _roots(len(groups), links)
    made: dict[int, list[_Found]] = {}
    for at, group in enumerate(groups):
        made.setdefault(roots[at], []).extend(group)
    return list(made.values())


def _roots(count: int, links: list[tuple[int, int]]) -> list[int]:
    """For each place the place that stands for all that are linked to it."""
    above = list(range(count))

    def top(at: int) -> int:
        while above[at] != at:
            above[at] = above[above[at]]
            at = above[at]
        return at

    for one, other in links:
        low, high = sorted((top(one), top(other)))
        above[high] = low
    return [top(at) for at in range(count)]


# --- telling


def _events(found: Sequence[_Found]) -> tuple[Event, ...]:
    steps = []
    for one in found:
        for place, step in enumerate(one.told.steps):
            time = step.time if step.time is not None else one.row.time + step.offset
            steps.append((time, _in_time(one)[1:], place, one.row, step))
    steps.sort(key=lambda item: item[:3])
    tries: dict[str, int] = {}
    events = []
    for time, _, _, row, step in steps:
        detail = step.detail
        if step.deferral:
            tries[step.whom] = tries.get(step.whom, 0) + 1
            detail = f"{detail} · attempt {tries[step.whom]}" if detail else f"attempt {tries[step.whom]}"
        events.append(Event(time, row.kind, step.title, detail, step.tone, row.record_id, row.seq))
    return tuple(events)


def _outcomes(found: Sequence[_Found]) -> tuple[RecipientOutcome, ...]:
    """What became of each recipient's copy: the heaviest word counts, of equal ones the last."""
    said: dict[str, list[tuple[_Found, Word]]] = {}
    for one in found:
        for word in one.told.words:
            said.setdefault(word.recipient.casefold(), []).append((one, word))
    dropped = [one for one in found if one.told.dropped]
    lines = any(one.row.kind == MAILLOG for one in found)
    people = [_outcome(words, dropped, lines) for words in list(said.values())[:MOST_RECIPIENTS]]
    return tuple(sorted(people, key=lambda one: (one.recipient.casefold(), one.recipient)))


def _outcome(words: list[tuple[_Found, Word]], dropped: list[_Found], lines: bool) -> RecipientOutcome:
    final = [pair for pair in words if pair[1].outcome in (DELIVERED, BOUNCED) and pair[1].tried]
    heaviest = max(word.weight for _, word in words)
    # A copy that was delivered stays delivered, whatever later lines (a bounce of a notice, say) tell.
    sent = [pair for pair in final if pair[1].outcome == DELIVERED]
    chosen = (sent or [pair for pair in words if pair[1].weight == heaviest])[-1]
    one, word = chosen
    outcome, detail = word.outcome, word.detail
    if not word.tried and outcome == DELIVERED:
        if dropped:
            one, outcome, detail = dropped[-1], DISCARDED, "written to nowhere: nobody gets this copy"
        elif word.weight:
            outcome, detail = OTHER, f"handed on within the host; no line says more ({detail})"
        else:
            outcome = OTHER
            detail = f"{detail}; no line about this recipient yet" if lines else f"{detail}; no mail-log line"
    spelling = min(word.recipient for _, word in words)
    tries = sum(other.tried for _, other in words)
    return RecipientOutcome(spelling, outcome, detail, one.row.time, word.delay, tries, one.row.seq)


_WORDS: Final = {
    DELIVERED: "Delivered to",
    QUARANTINED: "Quarantined for",
    DISCARDED: "Discarded for",
    REJECTED: "Rejected for",
    BOUNCED: "Bounced for",
    DEFERRED: "Still deferred for",
}
_TONES: Final = {
    QUARANTINED: BAD, REJECTED: BAD, BOUNCED: BAD, DISCARDED: WARN, DEFERRED: WARN, OTHER: INFO, DELIVERED: GOOD,
}  # fmt: skip


def _verdict(people: Sequence[RecipientOutcome], found: Sequence[_Found]) -> tuple[str, str]:
    """One sentence and its tone."""
    if not people:
        if any(one.told.dropped for one in found):
            return "Discarded: nobody gets this mail", WARN
        return "", INFO
    counts = {name: sum(one.outcome == name for one in people) for name in (*_WORDS, OTHER)}
    said = [f"{words} {counts[name]:,} of {len(people):,}" for name, words in _WORDS.items() if counts[name]]
    if counts[OTHER]:
        said.append(f"not known for {counts[OTHER]:,} of {len(people):,}")
    said[0] = said[0][:1].upper() + said[0][1:] + f" recipient{'' if len(people) == 1 else 's'}"
    tone = next(tone for name, tone in _TONES.items() if counts[name])
    delays = [one.delay for one in people if one.outcome == DELIVERED and one.delay is not None]
    if delays and max(delays) > 0:
        said.append(f"slowest {content.seconds_words(max(delays))}")
    return " · ".join(said), tone


def _note(found: Sequence[_Found], whole: bool, people: Sequence[RecipientOutcome]) -> str:
    messages = sum(one.row.kind == MESSAGE for one in found)
    lines = sum(one.row.kind == MAILLOG for one in found)
    qids = {one.keys.qid for one in found if one.keys.qid}
    counted = " and ".join(
        f"{count:,} {words}{'' if count == 1 else 's'}"
        for count, words in ((messages, "message record"), (lines, "mail-log line"))
        if count
    )
    if not counted:
        return "Records of this type have no journey."
    cluster = next((one.keys.cluster for one in found if one.keys.cluster), "")
    by = "queue id" if len(qids) <= 1 else "queue id and Message-ID"
    where = f" on cluster {cluster}" if cluster else ""
    said = [f"{counted}{where}" + (f", joined by {by}" if len(found) > 1 else "")]
    if not lines and messages:
        passed = any(one.outcome == OTHER for one in people)
        why = (
            "what came after the filter is not known" if passed else "mail that stops in the filter has none"
        )
        said.append(f"no mail-log line is stored: {why}")
    if not messages and lines:
        said.append("no message record is stored for it")
    if not whole:
        said.append("there are more, or some cannot be read")
    return "; ".join(said)
