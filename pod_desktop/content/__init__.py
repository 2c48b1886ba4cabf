"""How a record reads, one file a content type.

read() is the one door in: bytes to columns, never an exception. document() is the clean view of a raw record,
values() a field of it, summary() what an analyst decides by, offers() what an action may take.
"""

from __future__ import annotations

from pod_desktop.content.document import Document, document
from pod_desktop.content.door import CONTENT, offers, read, search_text, summary, title, values
from pod_desktop.content.kind import Kind
from pod_desktop.content.mime import bare
from pod_desktop.content.offers import Offer, fillable
from pod_desktop.content.recognise import sniff, unwrap
from pod_desktop.content.wording import seconds_words

__all__ = [
    "CONTENT",
    "Document",
    "Kind",
    "Offer",
    "bare",
    "document",
    "fillable",
    "offers",
    "read",
    "search_text",
    "seconds_words",
    "sniff",
    "summary",
    "title",
    "unwrap",
    "values",
]
