"""How records are asked for: text -> tree; tree -> predicate; tree -> SQL conditions; completion."""

from pod_desktop.query.complete import Completion, Role, Span, complete, spans
from pod_desktop.query.fault import QueryFault
from pod_desktop.query.fields import ALIASES, FIELDS, FLAGS, RAW, TOP_KEYS, Field, is_path, resolve
from pod_desktop.query.grammar import parse
from pod_desktop.query.pace import is_quick
from pod_desktop.query.predicate import Matcher, Values, value_test
from pod_desktop.query.predicate import compile as matcher
from pod_desktop.query.render import conjoin, name, quote, term, to_text

__all__ = [
    "ALIASES",
    "FIELDS",
    "FLAGS",
    "RAW",
    "TOP_KEYS",
    "Completion",
    "Field",
    "Matcher",
    "QueryFault",
    "Role",
    "Span",
    "Values",
    "complete",
    "conjoin",
    "is_path",
    "is_quick",
    "matcher",
    "name",
    "parse",
    "quote",
    "resolve",
    "spans",
    "term",
    "to_text",
    "value_test",
]
