"""The simulator for callers without an event loop: in a thread, and as a command."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from websockets.asyncio.client import connect

from pod_desktop.simulator import (
    running,
)
from tests.flow.speaking import NOON, drained, ids, opening, record, run

# From outside an event loop


def test_a_simulator_in_a_thread_can_be_steered() -> None:
    with running(rate=0, archive_rate=0) as sim:

        async def work() -> None:
            async with opening(sim.simulator) as ws:
                await asyncio.to_thread(sim.publish, "message", record("x", NOON))
                assert ids([bytes(await ws.recv(decode=False))]) == ["x"]
                assert await asyncio.to_thread(sim.drop_all, 1011) == 1
                assert await drained(ws) == []

        run(work)
        assert sim.emitted["message"] == {"x": 1}
        with pytest.raises(ZeroDivisionError):
            sim.do(lambda simulator: 1 / 0)


def test_a_taken_port_is_told_to_the_thread_that_asked() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(OSError),
        running(port=taken.getsockname()[1]),
    ):
        pass


COMMAND = [
    sys.executable,
    "-W",
    "error",
    "-c",
    "import sys; from pod_desktop.simulator import main; sys.exit(main(sys.argv[1:]))",
]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_one_json_line_and_ends_with_a_signal(how: signal.Signals) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--rate", "50", "--seed", "9"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told["pid"] == process.pid
        assert (
            told["api_url"].endswith(told["hostname"]) and told["token_url"] == told["api_url"] + "/v1/token"
        )

        async def work() -> None:
            url = f"{told['stream_url']}/v1/stream?cid={quote(told['cluster_id'])}&type=maillog"
            token = {"Authorization": f"Bearer {told['api_keys'][1]}"}
            async with connect(url, additional_headers=token, proxy=None) as ws:
                assert json.loads(await ws.recv())["id"]
                process.send_signal(how)
                await drained(ws)
                assert ws.close_code == 1001

        run(work)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (0, b"", b"")
    finally:
        process.kill()
        process.wait()


def test_the_command_writes_a_file_of_records(tmp_path: Path) -> None:
    from pod_desktop.simulator import main

    file = tmp_path / "deep" / "x.ndjson"
    assert main(["--export", str(file), "--records", "300", "--kind", "maillog"]) == 0
    lines = file.read_bytes().splitlines()
    assert len(lines) == 300 == len(set(ids(lines)))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--scenario", "none"], 2),
        (["--no-such-option"], 2),
        (["--help"], 0),
        (["--tls", "/nowhere", "/nowhere"], 1),
    ],
)
def test_bad_use_of_the_command_has_an_exit_code(
    words: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    from pod_desktop.simulator import main

    assert main(words) == code
    said = capsys.readouterr()
    assert re.search(r"\w", said.err if code else said.out)
