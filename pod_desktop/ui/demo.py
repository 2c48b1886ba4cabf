"""The demo: a data directory that is thrown away, and a simulated cluster that ends with its window."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pod_desktop.core.connector import CollectConnector
from pod_desktop.core.responder import TYPES, RespondConnector
from pod_desktop.core.secret import Secret
from pod_desktop.services.supervise import program

if TYPE_CHECKING:
    from pod_desktop.services.connectors import Connectors

CONNECTOR: Final = "demo-proofpoint"
RESPONDER: Final = "demo"
TENANT: Final = "Acme"
RATE: Final = 8
"""Records a second: lively, and still to be read."""


class Demo:
    """A data directory that is thrown away, and a simulated cluster that ends with this process."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="pod-desktop-demo-"))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> dict[str, Any]:
        """Start the cluster; where it is and its keys. Blocks for a moment: call it on a worker."""
        self._process = subprocess.Popen(
            program("simulate", "--rate", str(RATE), "--until-eof"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        coordinates: dict[str, Any] = json.loads(line)
        return coordinates

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def remove(self) -> None:
        """Stop the cluster and forget its records."""
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)


def connect_demo(connectors: Connectors, coordinates: dict[str, Any]) -> None:
    """Make the demo's connectors: one that collects, and the four responders. Keys stay in memory."""
    from pod_desktop.services.connectors import Draft, all_four

    collect = CollectConnector(
        name=CONNECTOR,
        tenant=TENANT,
        cluster_id=coordinates["cluster_id"],
        content_types=("message", "maillog"),
        stream_url=coordinates["stream_url"],
    )
    respond = RespondConnector(
        name=RESPONDER,
        tenant=TENANT,
        type=TYPES[0],
        cluster_id=coordinates["cluster_id"],
        hostname=coordinates["hostname"],
        protocol="HTTP",
        token_url=coordinates["token_url"],
    )
    key = {"api_key": Secret(coordinates["api_keys"][0])}
    credentials = {name: Secret(coordinates[name]) for name in ("client_id", "client_secret")}
    connectors.create_all(
        [
            Draft(connector=collect, secrets=key),
            *(Draft(connector=each, secrets=credentials) for each in all_four(respond)),
        ],
        session_only=True,
    )
