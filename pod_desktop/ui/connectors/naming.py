"""Names that the wizard suggests and gives: of one connector, and of several that are made together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pod_desktop.core import connector as rules
from pod_desktop.core import responder as webhook
from pod_desktop.core.responder import RespondConnector
from pod_desktop.services.connectors import all_four

_COLLECT_ENDING: Final = "-proofpoint-on-demand"


def suggested_name(tenant: str, types: Sequence[str], taken: Iterable[str] = ()) -> str:
    """A name from tenant and type that is not taken yet.

    Args:
        tenant: As typed, perhaps still empty.
        types: Types of responders; none for a collector. Of several, what their names begin with.
        taken: Names that exist.
    """
    if not types:
        return rules.suggest_name(tenant, taken)
    used = {name.casefold() for name in taken}
    base = rules.suggest_name(tenant).removesuffix(_COLLECT_ENDING[1:]).strip("-") or "pod"
    number = 1
    while True:
        beginning = base if number == 1 else f"{base}-{number}"
        names = responder_names(beginning, types, one=False).values()
        if not used & {name.casefold() for name in names}:
            return beginning if len(types) > 1 else next(iter(names))
        number += 1


def responder_names(name: str, types: Sequence[str], *, one: bool) -> dict[str, str]:
    """What responders are called, by type.

    Args:
        name: As typed: the name itself, or what the names of several begin with.
        types: The types.
        one: `name` is the responder's own.
    """
    if one:
        return dict.fromkeys(types, name.strip())
    beginning = name.strip().removesuffix(_COLLECT_ENDING) or "pod"
    base = RespondConnector(name=beginning, tenant="", type=webhook.TYPES[0], cluster_id="")
    return {made.type: made.name for made in all_four(base) if made.type in types}
