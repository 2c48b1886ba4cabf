"""Where events live. Other rooms import what stands here."""

from pod_desktop.store.catalog import listed as listed_entries
from pod_desktop.store.catalog import sealed_entries
from pod_desktop.store.copies import Info as ColumnInfo
from pod_desktop.store.copies import Part as ColumnPart
from pod_desktop.store.copies import digest as column_digest
from pod_desktop.store.copies import info as column_info
from pod_desktop.store.copies import parts as column_parts
from pod_desktop.store.copies import remove as remove_column_part
from pod_desktop.store.datadir import DataDir, Lock, default_root, lock_holder
from pod_desktop.store.journal import Journal
from pod_desktop.store.ledger import (
    CollectEntry,
    Command,
    ConnectorEntry,
    Ledger,
    RespondEntry,
    ServiceInfo,
)
from pod_desktop.store.notes import NOTES_FILE, Note, Notes, Noting
from pod_desktop.store.playbook_rows import FiringRow, Part, PlaybookEntry, Turn, Version
from pod_desktop.store.playbooks import Playbooks, counted
from pod_desktop.store.port import (
    BACKFILL,
    LIVE,
    Ask,
    Candidates,
    Commit,
    Committed,
    FieldValues,
    Marks,
    Matches,
    Order,
    Piece,
    Place,
    Progress,
    Reader,
    Source,
    Spots,
    StoredRecord,
    Stretch,
    Totals,
    Writer,
)
from pod_desktop.store.promoting import DamagedPart, Extent, extents
from pod_desktop.store.promoting import Values as ColumnValues
from pod_desktop.store.promoting import make as make_column_part
from pod_desktop.store.promoting import sample as sample_column
from pod_desktop.store.repair import Repaired, repair
from pod_desktop.store.retention import (
    Cleared,
    Doomed,
    Limits,
    Plan,
    Prepared,
    Retaining,
    prepare,
    prepare_kept,
)
from pod_desktop.store.retention import plan as plan_retention
from pod_desktop.store.schema import segment_of
from pod_desktop.store.seal import Stopped
from pod_desktop.store.segments import open_reader, open_writer
from pod_desktop.store.verify import verify

__all__ = [
    "BACKFILL",
    "LIVE",
    "NOTES_FILE",
    "Ask",
    "Candidates",
    "Cleared",
    "CollectEntry",
    "ColumnInfo",
    "ColumnPart",
    "ColumnValues",
    "Command",
    "Commit",
    "Committed",
    "ConnectorEntry",
    "DamagedPart",
    "DataDir",
    "Doomed",
    "Extent",
    "FieldValues",
    "FiringRow",
    "Journal",
    "Ledger",
    "Limits",
    "Lock",
    "Marks",
    "Matches",
    "Note",
    "Notes",
    "Noting",
    "Order",
    "Part",
    "Piece",
    "Place",
    "Plan",
    "PlaybookEntry",
    "Playbooks",
    "Prepared",
    "Progress",
    "Reader",
    "Repaired",
    "RespondEntry",
    "Retaining",
    "ServiceInfo",
    "Source",
    "Spots",
    "Stopped",
    "StoredRecord",
    "Stretch",
    "Totals",
    "Turn",
    "Version",
    "Writer",
    "column_digest",
    "column_info",
    "column_parts",
    "counted",
    "default_root",
    "extents",
    "listed_entries",
    "lock_holder",
    "make_column_part",
    "open_reader",
    "open_writer",
    "plan_retention",
    "prepare",
    "prepare_kept",
    "remove_column_part",
    "repair",
    "sample_column",
    "sealed_entries",
    "segment_of",
    "verify",
]
