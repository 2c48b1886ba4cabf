"""One connector and its streams in the words of a table row: the state of the worst stream stands for all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Final

from pod_desktop.core import blocks, definition, status
from pod_desktop.core import connector as rules
from pod_desktop.core.clock import SECOND
from pod_desktop.core.responder import RespondConnector
from pod_desktop.core.status import Counters, StreamStatus
from pod_desktop.store import ConnectorEntry
from pod_desktop.ui import moments, theme

_WORST_FIRST: Final = (
    status.STOPPED_FAULT,
    status.WAITING,
    status.STOPPED,
    status.STARTING,
    status.CONNECTING,
    status.CATCHING_UP,
    status.LIVE,
    status.DISABLED,
)


_RESPONDER_WORDS: Final = {status.LIVE: "Ready", status.STOPPED: "Not tested"}
_WAITS: Final = "Waits for the collector service."


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What the table shows of one connector."""

    name: str
    category: str
    type: str
    content_type: str
    function: str
    tenant: str
    run_on: str
    status: str
    last_activity: str
    detail: str
    tone: str
    enabled: bool

    def holds(self, words: str) -> bool:
        """Does every one of these words stand somewhere in the row?"""
        shown = " ".join(str(getattr(self, field.name)) for field in fields(self)).casefold()
        return all(word in shown for word in words.casefold().split())


def row(
    entry: ConnectorEntry, streams: Sequence[StreamStatus], now: int, zone: moments.Zone | None = None
) -> Row:
    """
    Args:
        entry: The connector.
        streams: What its streams last said; any others are ignored.
        now: Microseconds UTC.
        zone: How times are written; the computer's own by default.
    """
    connector = entry.connector
    mine = of_connector(entry, streams)
    worst = worst_of(entry, mine)
    detail = _detail(entry, mine, worst, now, zone or moments.Zone())
    last = max((stream.last_activity for stream in mine), default=0)
    return Row(
        name=connector.name,
        category=definition.CATEGORY_TITLES.get(connector.category, connector.category),
        type=definition.type_title(connector),
        content_type=", ".join(definition.content_type_titles(connector)),
        function=rules.FUNCTION_TITLES.get(connector.function, connector.function),
        tenant=connector.tenant,
        run_on=rules.RUN_ON_TITLES.get(connector.run_on, connector.run_on),
        status=_words(entry, mine, worst),
        last_activity=moments.ago(last, now) if last else "never",
        detail=" ".join([*(f"⚠ {words}" for words in definition.warnings(connector)), detail]).strip(),
        tone=_tone(entry, worst),
        enabled=entry.enabled,
    )


def of_connector(entry: ConnectorEntry, streams: Iterable[StreamStatus]) -> list[StreamStatus]:
    """The streams of this connector that it still collects, in the order of content types; a responder's one state."""
    name, kinds = entry.connector.name.casefold(), entry.connector.content_types or (status.RESPOND,)
    mine = [stream for stream in streams if stream.connector.casefold() == name and stream.kind in kinds]
    return sorted(mine, key=lambda stream: kinds.index(stream.kind))


def worst_of(entry: ConnectorEntry, streams: Sequence[StreamStatus]) -> str:
    """The state that stands for the connector."""
    if not entry.enabled:
        return status.DISABLED
    states = {stream.state for stream in streams} - {status.DISABLED}
    none = status.STOPPED if responds(entry) else status.STARTING
    return next((state for state in _WORST_FIRST if state in states), none)


def responds(entry: ConnectorEntry) -> bool:
    """Function Respond."""
    return isinstance(entry.connector, RespondConnector)


def state_word(state: str, *, responder: bool = False) -> str:
    """The state as people read it."""
    if responder and state in _RESPONDER_WORDS:
        return _RESPONDER_WORDS[state]
    words = theme.STATE_WORD.get(state, state.replace("_", " "))
    return words[:1].upper() + words[1:]


def _tone(entry: ConnectorEntry, worst: str) -> str:
    tone = theme.STATE_TONE.get(worst, blocks.MUTED)
    return blocks.WARN if tone == blocks.GOOD and definition.warnings(entry.connector) else tone


def _words(entry: ConnectorEntry, streams: Sequence[StreamStatus], worst: str) -> str:
    words = state_word(worst, responder=responds(entry))
    if responds(entry):
        return words
    if worst == status.LIVE:
        return f"{words} · {moments.rate(sum(stream.rate for stream in streams))}"
    if worst == status.CATCHING_UP:
        shares = [stream.progress for stream in streams if stream.progress is not None]
        return f"{words} · {min(shares):.0%}" if shares else words
    return words


def _detail(
    entry: ConnectorEntry, streams: Sequence[StreamStatus], worst: str, now: int, zone: moments.Zone
) -> str:
    if worst == status.DISABLED:
        return f"{'Does' if responds(entry) else 'Collects'} nothing until it is enabled."
    told = next((stream for stream in streams if stream.state == worst), None)
    if told is None:
        return "Test it: that asks for a token and reads the list." if responds(entry) else _WAITS
    if responds(entry) and worst == status.LIVE:
        return told.what
    if worst == status.LIVE:
        lags = [stream.lag_s for stream in streams if stream.lag_s is not None]
        return f"caught up · lag {moments.span(max(lags))}" if lags else "caught up"
    parts = [told.what] if told.what else []
    if worst == status.CATCHING_UP and told.last_record:
        parts.insert(0, f"at {to_second(zone, told.last_record)}")
    if told.next_try > now:
        parts.append(f"next try {moments.ago(told.next_try, now)}")
    of_which = rules.CONTENT_TYPE_TITLES.get(told.kind, told.kind) if len(streams) > 1 else ""
    return (f"{of_which}: " if of_which else "") + " · ".join(parts)


def to_second(zone: moments.Zone, moment: int) -> str:
    """The moment without its thousandths."""
    return zone.short(moment).partition(".")[0]


def counter_facts(counters: Counters, gaps: Sequence[tuple[int, int]]) -> list[tuple[str, str]]:
    """(label, amount) of what came in and what became of it."""
    kept = counters.stored + counters.duplicates + counters.filtered + counters.quarantined
    return [
        ("Received", f"{counters.received:,}"),
        ("Stored", f"{counters.stored:,}"),
        ("Duplicates", f"{counters.duplicates:,}"),
        ("Filtered", f"{counters.filtered:,}"),
        ("Quarantined", f"{counters.quarantined:,}"),
        ("Lost", f"{max(0, counters.received - kept):,}"),
        ("Gaps", _gaps(gaps)),
        ("Raw size", moments.size(counters.bytes_raw)),
    ]


def _gaps(gaps: Sequence[tuple[int, int]]) -> str:
    if not gaps:
        return "none"
    missing = sum(end - begin for begin, end in gaps) / SECOND
    return f"{len(gaps):,} ({moments.span(missing)})"
