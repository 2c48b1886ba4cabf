"""Curly-brace expressions: fill text and JSON bodies from a record, and explain what is missing.

Grammar: `{path}` is replaced by the value there; `{a | b}` by the first that has a value; `{{` and `}}`
are literal braces. A path is names joined by dots with `[n]` for list items and `["key"]` for keys that
hold dots, blanks or brackets. Only string leaves of a JSON body are templates: whatever a value holds, the
body keeps the structure that was written.
"""

from pod_desktop.template.body import check_body, fill_body
from pod_desktop.template.expression import (
    Expression,
    Path,
    TemplateFault,
    complete,
    fill_text,
    parse,
    paths_of,
    write_path,
)

__all__ = [
    "Expression",
    "Path",
    "TemplateFault",
    "check_body",
    "complete",
    "fill_body",
    "fill_text",
    "parse",
    "paths_of",
    "write_path",
]
