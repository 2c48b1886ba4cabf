"""filter, collect --metrics, status and verify as people call them, and the files that start the service."""

from __future__ import annotations

import asyncio
import json
import os
import plistlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import xml.etree.ElementTree as xml
from pathlib import Path
from typing import Any

from pod_desktop.cli import arguments
from pod_desktop.core.clock import HOUR, SECOND, SystemClock
from pod_desktop.services.backfill import SETTLE
from pod_desktop.simulator import RESET, Simulator

ROOT = Path(__file__).resolve().parents[2]


def command(data: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "pod_desktop", "--data-dir", str(data), *words]


def environment(data: Path) -> dict[str, str]:
    secrets = data.parent / "secrets"
    secrets.mkdir(mode=0o700, exist_ok=True)
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "POD_DESKTOP_SECRETS_DIR": str(secrets),
        "TMPDIR": str(secrets),
    }


async def ran(data: Path, *words: str, told: str = "", code: int = 0) -> Any:
    out, _ = await both(data, *words, told=told, code=code)
    return json.loads(out) if "--json" in words and out else out


async def both(data: Path, *words: str, told: str = "", code: int = 0) -> tuple[str, str]:
    """Standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        *command(data, *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(data),
    )
    out, error = await process.communicate(told.encode())
    assert process.returncode == code, (out, error)
    return out.decode(), error.decode()


def definition(sim: Simulator, folder: Path, **more: object) -> Path:
    path = folder / "acme.json"
    values = {
        "name": "acme",
        "category": "email",
        "type": "proofpoint_on_demand",
        "tenant": "Acme",
        "cluster_id": sim.cluster_id,
        "content_types": ["message"],
        "collect_from": "2h",
        "stream_url": sim.stream_url,
        **more,
    }
    path.write_text(json.dumps(values))
    return path


def test_filters_hours_and_figures_from_the_command_line(tmp_path: Path) -> None:
    data = tmp_path / "data"

    async def work() -> None:
        async with Simulator(rate=50, archive_rate=0.2) as sim:
            added = ("filter", "add", "loud", "--where", "outcome:quarantined")
            assert "nothing until it is attached" in await ran(data, *added)
            await ran(data, *added, code=2)
            await ran(data, "filter", "add", "bad", "--where", "sender:(", code=2)
            secrets = json.dumps({"api_key": sim.api_keys[0], "api_key_2": sim.api_keys[1]})
            made = definition(sim, tmp_path, log_filters=["loud"], reconcile=True, backfill_order="oldest")
            await ran(data, "connector", "add", "--file", str(made), "--secrets-stdin", told=secrets)
            await ran(data, "collect", "--until-caught-up")
            told = await ran(data, "status", "--json")
            [acme] = told["connectors"]
            parts = [acme[name] for name in ("stored", "duplicates", "filtered", "quarantined")]
            assert acme["received"] == sum(parts) and acme["filtered"] == acme["filters"]["loud"] > 0
            archived = [run for run in acme["hours"] if run["state"] == "archived"]
            assert archived and sum(run["hours"] for run in archived) >= 1
            assert archived[0]["archive"] > 0 and archived[0]["type"] == "message"
            counted = sum(run["live"] + run["added"] for run in acme["hours"])
            assert counted == acme["stored"]
            shown = await ran(data, "status")
            assert "hours of the last 30 days" in shown and sim.api_keys[1] not in shown
            previewed = await ran(data, "filter", "preview", "--where", "outcome:delivered", "--json", code=2)
            assert previewed["error"]["where"] == "--where"
            previewed = await ran(data, "filter", "preview", "try", "--where", "outcome:delivered", "--json")
            counted = await ran(data, "count", "outcome:delivered", "--json")
            assert previewed["dropped"] == counted["count"] > 0
            assert previewed["looked_at"] == acme["stored"]
            await ran(data, "filter", "remove", "loud", code=2)
            await ran(data, "filter", "detach", "loud", "acme")
            assert (await ran(data, "filter", "list", "--json"))[0]["connectors"] == []
            await ran(data, "filter", "remove", "loud")
            verified = await ran(data, "verify", "--json")
            assert verified == {"ok": True, "records": acme["stored"], "problems": []}

    asyncio.run(asyncio.wait_for(work(), 200))


def until_no_hour_is_about_to_settle(seconds: int) -> None:
    """Wait where one more hour would count as over within these seconds: what is missing would change meanwhile."""
    while (SETTLE - SystemClock().now()) % HOUR < seconds * SECOND:
        time.sleep(0.5)


def test_hours_that_broke_off_are_told_at_the_end_of_catching_up(tmp_path: Path) -> None:
    data = tmp_path / "data"
    until_no_hour_is_about_to_settle(60)

    async def work() -> None:
        async with Simulator(rate=5, archive_rate=0.5) as sim:
            secrets = json.dumps({"api_key": sim.api_keys[0]})
            made = definition(sim, tmp_path, collect_from="2h")
            await ran(data, "connector", "add", "--file", str(made), "--secrets-stdin", told=secrets)
            sim.faults.end_after(1_000_000, RESET)  # live
            for _ in range(7):  # more than all tries of the hour under way and of the newest whole one
                sim.faults.end_after(3, RESET)
            _, said = await both(data, "collect", "--until-caught-up")
            assert re.search(r"\d hours? could not be fetched whole from the archive yet", said)
            assert "pod-desktop status" in said
            await ran(data, "connector", "remove", "acme")
        async with Simulator(rate=5, archive_rate=0.5) as sim:
            secrets = json.dumps({"api_key": sim.api_keys[0]})
            made = definition(sim, tmp_path, collect_from="4h", name="whole")
            await ran(data, "connector", "add", "--file", str(made), "--secrets-stdin", told=secrets)
            assert (await both(data, "collect", "whole", "--until-caught-up"))[1] == ""

    asyncio.run(asyncio.wait_for(work(), 200))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_prometheus_is_told_the_figures_on_this_computer_only(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()

    async def work() -> None:
        async with Simulator(rate=50) as sim:
            secrets = json.dumps({"api_key": sim.api_keys[0]})
            made = definition(sim, tmp_path, collect_from="now")
            await ran(data, "connector", "add", "--file", str(made), "--secrets-stdin", told=secrets)
            service = await asyncio.create_subprocess_exec(
                *command(data, "collect", "--metrics", str(port)),
                stdout=asyncio.subprocess.DEVNULL,
                env=environment(data),
            )
            try:
                page = await asyncio.to_thread(page_with, port, 'pod_desktop_stored_total{connector="acme"')
                assert 'pod_desktop_state{connector="acme",state="live",type="message"} 1.0' in page
                assert "pod_desktop_lag_seconds" in page and sim.api_keys[0] not in page
                addresses = Path("/proc/net/tcp").read_text() if Path("/proc/net/tcp").exists() else ""
                assert f"00000000:{port:04X}" not in addresses
            finally:
                began = time.monotonic()
                service.terminate()
                assert await service.wait() == 0
            assert time.monotonic() - began < 20

    asyncio.run(asyncio.wait_for(work(), 200))


def page_with(port: int, words: str) -> str:
    """The page once it tells of stored records."""
    until = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                page = str(answer.read().decode())
            lines = [line for line in page.splitlines() if line.startswith(words)]
            if lines and float(lines[0].rpartition(" ")[2]) > 0:
                return page
        except OSError:
            pass
        assert time.monotonic() < until
        time.sleep(0.05)


def test_the_files_that_start_the_service_are_sound_and_call_what_there_is() -> None:
    unit = (ROOT / "packaging/linux/pod-desktop-collect.service").read_text()
    start = next(line for line in unit.splitlines() if line.startswith("ExecStart="))
    assert start.split()[1:] == ["collect"] and "\nRestart=always\nRestartSec=2\n" in unit
    with (ROOT / "packaging/macos/com.pod-desktop.collect.plist").open("rb") as file:
        plist = plistlib.load(file)
    assert plist["ProgramArguments"][1:] == ["collect"] and plist["ThrottleInterval"] <= 5
    task = xml.parse(ROOT / "packaging/windows/pod-desktop-collect.xml").getroot()  # noqa: S314 - it is ours
    place = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    assert [one.text for one in task.iter(f"{place}Arguments")] == ["collect"]
    assert [one.text for one in task.iter(f"{place}ExecutionTimeLimit")] == ["PT0S"]
    assert arguments.parse(["collect"]).command == "collect"
    if analyze := shutil.which("systemd-analyze"):
        done = subprocess.run(
            [analyze, "verify", "--user", str(ROOT / "packaging/linux/pod-desktop-collect.service")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Unknown" not in done.stderr and "Failed to parse" not in done.stderr
