"""How records are asked for: text -> tree; tree -> predicate; tree -> SQL conditions; completion."""

from pod_desktop.query.fault import QueryFault
from pod_desktop.query.fields import ALIASES, FIELDS, FLAGS, TOP_KEYS, Field, is_path, resolve
from pod_desktop.query.grammar import parse
from pod_desktop.query.paths import find
from pod_desktop.query.predicate import Matcher, Values, value_test
from pod_desktop.query.predicate import compile as matcher

__all__ = [
    "ALIASES",
    "FIELDS",
    "FLAGS",
    "TOP_KEYS",
    "Field",
    "Matcher",
    "QueryFault",
    "Values",
    "find",
    "is_path",
    "matcher",
    "parse",
    "resolve",
    "value_test",
]
