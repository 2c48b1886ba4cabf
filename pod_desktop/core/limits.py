"""Every limit of the program, in one place. Tests try each at limit-1, limit and limit+1."""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

# In from outside
FRAME_BYTES: Final = 64 * MIB
"""Largest WebSocket message taken. Never unbounded: permessage-deflate can expand 1,028 times."""
JSON_DEPTH: Final = 64
"""Levels of nesting; deeper records are kept raw as unreadable. A real message record has about 8."""
JSON_KEYS: Final = 50_000
"""Members and items of one record that the clean view shows."""
COLUMN_CHARS: Final = 4_096
"""One column of the store (sender, subject, …). The raw record is always whole."""
RECIPIENTS: Final = 1_000
"""Recipients of one record that become searchable columns."""
TEXT_CHARS: Final = 64 * KIB
"""Indexed text of one record."""
TEXT_FIELD_CHARS: Final = 16 * KIB
"""What one field adds to the indexed text."""

# On the screen
CELL_CHARS: Final = 512
TOOLTIP_CHARS: Final = 2_000
VIEWER_PAGE_CHARS: Final = 64 * KIB
VIEWER_LINE_CHARS: Final = 1_000
ROW_RECIPIENTS: Final = 4
VIEW_ROWS: Final = 80_000_000
"""Rows times row height must stay below 2**31 pixels."""

# Asked by a person
QUERY_CHARS: Final = 100_000
QUERY_DEPTH: Final = 64
QUERY_TERMS: Final = 1_024
"""Different terms of one query, as Lucene has it (maxClauseCount). Whole values do not count: one look into an
index finds any number of them, and lists of addresses are long."""
QUERY_REGEXES: Final = 64
"""Different regular expressions of one query: each is tried on each value, at about 2 µs."""
REGEX_CHARS: Final = 1_000
NAME_CHARS: Final = 128
SECRET_CHARS: Final = 16 * KIB
IMPORT_FILE_CHARS: Final = 64 * MIB
"""One line of an imported file."""
CONNECTOR_FILE_BYTES: Final = 1 * MIB

# Collecting
SEGMENT_RECORDS: Final = 250_000
BLOCK_RECORDS: Final = 256
BATCH_RECORDS: Final = 2_000
LIVE_BATCH_SECONDS: Final = 0.15
"""How long a live record may wait for company before it is committed."""
QUEUE_RECORDS: Final = 8_000
QUEUE_BYTES: Final = 128 * MIB
"""Frames read but not yet committed, per stream; beyond, the socket waits."""
ARCHIVE_DAYS: Final = 30
"""The service's archive reaches back this far (Proofpoint, Log API)."""
LIVE_BUFFER_SECONDS: Final = 3_600
"""The service replays at most this much after a drop (Proofpoint, Log API)."""
PING_SECONDS: Final = 30.0
PONG_SECONDS: Final = 90.0
"""Long on purpose: a pong waits behind unread data when this side is busy."""
CONNECT_SECONDS: Final = 20.0
STOP_SECONDS: Final = 5.0
"""A clean stop drains within this."""
DISK_WARN_BYTES: Final = 2 * 1024 * MIB
"""Less free than this where records are stored, and the state says so."""
DISK_STOP_BYTES: Final = 256 * MIB
"""Less free than this, and streams end their sessions cleanly: what is stored must stay usable (indexes, logs)."""
DISK_RESUME_BYTES: Final = 512 * MIB
"""Once so much is free again they go on by themselves."""
DISK_CHECK_SECONDS: Final = 2.0
HEALTH_SECONDS: Final = 300.0
"""A state that has not changed is renewed this often, so that old news is told from good news."""
SLEEP_SECONDS: Final = 30.0
"""Clocks that part by more than this within a moment: the computer slept, or its clock was set."""
FILTER_CONDITIONS: Final = 10
"""Conditions of one log filter (the connector guide)."""
FILTERS: Final = 100
VAULT_SECONDS: Final = 10.0
"""A locked keychain may wait for a person for ever; after this the caller is told."""
