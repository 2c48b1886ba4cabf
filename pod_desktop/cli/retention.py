"""retention: which old records the limits delete, and deleting them now."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing
from typing import Any

from pod_desktop.cli.formats import dumps
from pod_desktop.cli.options import App, Home
from pod_desktop.cli.terminal import Out, visible, warn
from pod_desktop.core.clock import SystemClock, iso


def retention(options: Namespace, app: App, out: Out) -> int:
    """Tell what would go, or let it go."""
    with closing(app.open_home(options.data_dir)) as home:
        if not options.apply:
            _tell_plan(home, options.json, out)
            return 0
        from pod_desktop import content
        from pod_desktop.services.retention import apply_now

        done = apply_now(home.data_dir, home.ledger, SystemClock(), content.read)
    for problem in done["problems"]:
        warn(f"pod-desktop: {visible(problem)}")
    out.bytes(dumps(done) + b"\n") if options.json else out.line(visible(done["words"]))
    return 1 if done["problems"] else 0


def _tell_plan(home: Home, json: bool, out: Out) -> None:
    from pod_desktop.services.retention import limits_of, plan_words, planned

    limits = limits_of(home.ledger)
    plan = planned(home.data_dir, limits, SystemClock().now())
    if json:
        segments: list[dict[str, Any]] = [
            {
                "records": one.records,
                "bytes": one.bytes_disk,
                "oldest": iso(one.oldest),
                "newest": iso(one.newest),
                "why": one.why,
            }
            for one in plan.doomed
        ]
        found = {
            "days": limits.days,
            "gigabytes": limits.gigabytes,
            "bytes_disk": plan.bytes_disk,
            "records": plan.records,
            "bytes": plan.bytes_freed,
            "parts": segments,
        }
        out.bytes(dumps(found) + b"\n")
        return
    out.line(plan_words(plan, limits))
    for one in plan.doomed:
        out.line(
            f"  {iso(one.oldest)[:16]}Z to {iso(one.newest)[:16]}Z  {one.records:>9,} records  "
            f"{one.bytes_disk / 1e6:>9,.1f} MB  {'too old' if one.why == 'age' else 'too large'}"
        )
