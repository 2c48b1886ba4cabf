"""Six questions an analyst asks, in the words of each tool. All tools must find the same number of records.

What the tools mean differs where the records would let it show; in these records it does not:
- ours takes times as moments, the others as texts in the cluster's zone: right as long as no change of the clocks lies
  between (log_time of lnav 0.11.1 does not compare right where times name a zone, so lnav is asked for texts too);
- ours compares without regard to case; what the others look for must be written as in the records (all lower case);
- ours reads subjects decoded, the others as the header has them (the phrase is ASCII, and not encoded);
- ripgrep sees text: a time becomes the days it lies in, a number an expression for how it may be written;
- the substring is one of a named member for all, since ours has no search through the text of whole records.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from find import goals, records
from pod_desktop.core.clock import DAY, iso
from pod_desktop.core.record import MESSAGE
from pod_desktop.simulator import localtime
from pod_desktop.store import Ask, Reader

FIRST: Final = 50
LNAV_FORMAT: Final[Mapping[str, object]] = {
    "$schema": "https://lnav.org/schemas/format-v1.schema.json",
    "pod_bench": {
        "title": "records", "description": "records of the service", "json": True, "hide-extra": True,
        "timestamp-field": "ts",
        "timestamp-format": ["%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S.%f%:z"],
        "line-format": [{"field": "ts"}, " ", {"field": "guid", "default-value": "-"}],
        "value": {"guid": {"kind": "string"}, "id": {"kind": "string"}},
    },
}  # fmt: skip
_LNAV_TIME: Final = "substr(json_extract(log_raw_text, '$.ts'), 1, 19)"
_NDJSON: Final = (
    "read_ndjson('{ndjson}', columns = {{guid: 'VARCHAR', ts: 'VARCHAR',"
    " envelope: 'STRUCT(\"from\" VARCHAR, rcpts VARCHAR[])', msg: 'STRUCT(\"header\" STRUCT(subject VARCHAR[]))',"
    ' filter: \'STRUCT(durationSecs DOUBLE, quarantine STRUCT("rule" VARCHAR),'
    ' modules STRUCT(spam STRUCT("version" STRUCT(definitions VARCHAR))))\'}})'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question."""

    name: str
    ours: str
    since: int | None = None
    """Microseconds UTC."""
    until: int | None = None
    jq: str
    """A condition."""
    rg: str
    """An expression for the line."""
    duck: str
    """A condition, for both forms."""
    lnav: str

    def ask(self) -> Ask:
        return goals.question(self.ours, kinds=(MESSAGE,), since=self.since, until=self.until)

    def options(self) -> list[str]:
        """Of our command line."""
        words = [self.ours, "--index", MESSAGE]
        if self.since is not None:
            words += ["--since", iso(self.since)]
        if self.until is not None:
            words += ["--until", iso(self.until)]
        return words


def six(reader: Reader) -> list[Asked]:
    """The questions, with values of records in this store."""
    senders = reader.count_by(Ask(kinds=(MESSAGE,)), "sender", 60)
    sender = next(name for name, _ in senders[30:] if "'" not in name)
    domains = [
        name
        for name, _ in reader.count_by(Ask(kinds=(MESSAGE,)), "sender.domain", 30)
        if not name.startswith("acme")
    ]
    domain, other = domains[4], "acme-labs.example"
    digits = goals.rare(reader).partition("*")[2].strip("*")
    week, fortnight = _local(14), _local(17)
    return [
        Asked(
            name="1 all mail of one sender in a week",
            ours=f'sender:"{sender}"', since=week, until=week + 7 * DAY,
            jq=f'.envelope.from == "{sender}" and .ts[0:19] >= "{_text(week)}" and .ts[0:19] < "{_text(week + 7 * DAY)}"',
            rg=rf'^\{{"guid":"[^"]*","ts":"({_days(week, 7)})T.*"envelope":\{{"from":"{_plain(sender)}"',
            duck=f"envelope.\"from\" = '{sender}' and ts >= '{_text(week)}' and ts < '{_text(week + 7 * DAY)}'",
            lnav=f"json_extract(log_raw_text, '$.envelope.from') = '{sender}' and {_LNAV_TIME} >= '{_text(week)}' and {_LNAV_TIME} < '{_text(week + 7 * DAY)}'",
        ),
        Asked(
            name="2 from one domain to another",
            ours=f"sender.domain:{domain} recipient.domain:{other}",
            jq=f'(.envelope.from // "" | endswith("@{domain}")) and any(.envelope.rcpts[]?; endswith("@{other}"))',
            rg=rf'"envelope":\{{"from":"[^"]*@{_plain(domain)}","rcpts":\[[^\]]*@{_plain(other)}"',
            duck=f"envelope.\"from\" like '%@{domain}' and array_to_string(envelope.rcpts, ' ') || ' ' like '%@{other} %'",
            lnav=f"json_extract(log_raw_text, '$.envelope.from') like '%@{domain}' and json_extract(log_raw_text, '$.envelope.rcpts') like '%@{other}\"%'",
        ),
        Asked(
            name="3 a phrase in the subject",
            ours='subject:"quarterly report"',
            jq='(.msg.header.subject[0] // "") | ascii_downcase | contains("quarterly report")',
            rg=r'(?i)"subject":\["[^"]*quarterly report',
            duck="contains(lower(msg.\"header\".subject[1]), 'quarterly report')",
            lnav="json_extract(log_raw_text, '$.msg.header.subject[0]') like '%quarterly report%'",
        ),
        Asked(
            name="4 quarantined by a rule since a time",
            ours="outcome:quarantined rule:phish", since=fortnight,
            jq=f'.filter.quarantine.rule == "phish" and .ts[0:19] >= "{_text(fortnight)}"',
            rg=rf'^\{{"guid":"[^"]*","ts":"({_days(fortnight, 30)})T.*"quarantine":\{{[^}}]*"rule":"phish"',
            duck=f"filter.quarantine.\"rule\" = 'phish' and ts >= '{_text(fortnight)}'",
            lnav=f"json_extract(log_raw_text, '$.filter.quarantine.rule') = 'phish' and {_LNAV_TIME} >= '{_text(fortnight)}'",
        ),
        Asked(
            name="5 a rare substring that nothing indexes",
            ours=f"filter.modules.spam.version.definitions:*{digits}*",
            jq=f'(.filter.modules.spam.version.definitions // "") | contains("{digits}")',
            rg=rf'"definitions":"[^"]*{digits}',
            duck=f"filter.modules.spam.\"version\".definitions like '%{digits}%'",
            lnav=f"json_extract(log_raw_text, '$.filter.modules.spam.version.definitions') like '%{digits}%'",
        ),
        Asked(
            name="6 a number of a JSON path above a limit",
            ours="filter.durationSecs:>2.055",
            jq=".filter.durationSecs > 2.055",
            rg=r'"durationSecs":2\.(055[0-9]*[1-9]|05[6-9]|0[6-9]|[1-9])',
            duck="filter.durationSecs > 2.055",
            lnav="json_extract(log_raw_text, '$.filter.durationSecs') > 2.055",
        ),
    ]  # fmt: skip


def commands(asked: Asked, tool: str, files: Mapping[str, str]) -> tuple[str, str]:
    """(the newest 50, the count) as a shell would be told; the count ends with its number, alone on a line."""
    ndjson = shlex.quote(files["ndjson"])
    match tool:
        case "jq":
            told = f"jq -c {shlex.quote(f'select({asked.jq})')}"
            return f"tac {ndjson} | {told} | head -{FIRST}", f"{told} {ndjson} | wc -l"
        case "ripgrep":
            told = shlex.quote(asked.rg)
            return f"tac {ndjson} | rg -m {FIRST} {told}", f"rg -c {told} {ndjson}"
        case "lnav":
            told = f"lnav -n -I {shlex.quote(files['lnav'])} -c "
            page = (
                f";select log_raw_text from pod_bench where {asked.lnav} order by log_line desc limit {FIRST}"
            )
            count = f";select count(*) from pod_bench where {asked.lnav}"
            return f"{told}{shlex.quote(page)} {ndjson}", f"{told}{shlex.quote(count)} {ndjson}"
        case "DuckDB, NDJSON" | "DuckDB, Parquet":
            ours = (
                _NDJSON.format(ndjson=files["ndjson"]) if tool.endswith("NDJSON") else f"'{files['parquet']}'"
            )
            told = f"{shlex.quote(files['duckdb'])} {shlex.quote(files['duck.py'])} ask "
            shown = 'guid, ts, envelope."from", envelope.rcpts, msg."header".subject'
            page = f"select {shown} from {ours} where {asked.duck} order by ts desc limit {FIRST}"
            count = f"select count(*) from {ours} where {asked.duck}"
            return (
                f"{told}{shlex.quote(page)} {shlex.quote(files['folder'])}",
                f"{told}{shlex.quote(count)} {shlex.quote(files['folder'])}",
            )
        case "ours, command":
            words = shlex.join(asked.options())
            told = f"{shlex.quote(files['python'])} -m pod_desktop --data-dir {shlex.quote(files['data'])}"
            return f"{told} search {words} --limit {FIRST} --format ndjson", f"{told} count {words}"
    raise ValueError(tool)


def _local(day: int) -> int:
    """Midnight where the cluster is, so many days behind the first record; microseconds UTC."""
    return records.BEGIN + day * DAY


def _text(micros: int) -> str:
    return localtime.stamp(micros)[:19]


def _days(micros: int, count: int) -> str:
    return "|".join(localtime.stamp(micros + day * DAY)[:10] for day in range(count))


def _plain(text: str) -> str:
    return text.replace(".", r"\.")
