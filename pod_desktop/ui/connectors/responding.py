"""The wizard's tab for responders: where actions are sent, and with which credentials."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QWidget

from pod_desktop.core import blocks
from pod_desktop.core import connector as rules
from pod_desktop.core import responder as webhook
from pod_desktop.core.faults import UserFault
from pod_desktop.core.responder import RespondConnector
from pod_desktop.core.secret import Secret
from pod_desktop.services.connectors import check_ca_file
from pod_desktop.ui.connectors import guide
from pod_desktop.ui.connectors.form import Form
from pod_desktop.ui.connectors.inputs import FilePath, SecretEdit
from pod_desktop.ui.connectors.testview import TestView
from pod_desktop.ui.widgets import Field, Notice

_CLEAR: Final = "Protocol HTTP: the access token and every action travel in clear text; anybody on the way can read and change them."
_UNVERIFIED: Final = "Certificates are not verified: anybody on the way can pose as the host. Better give the CA file that it is signed with. This warning stays on the connector."


class Responding(Form):
    """Hostname, Protocol, Token URL, Client ID, Client Secret, Cluster ID."""

    changed = Signal()

    def __init__(self, kept: str, parent: QWidget | None = None) -> None:
        """`kept` tells where the credentials will be kept."""
        super().__init__(parent)
        self._kept = kept
        self._stored = False
        self.headline = self.add_words("")
        self._build_address()
        self._build_credentials()
        self.test = TestView(brief=True)
        self.add(self.test)
        self.finish()
        self._listen()
        self._protocol_chosen()

    def _build_address(self) -> None:
        self.hostname = QLineEdit(webhook.DEFAULT_HOSTNAME)
        self.protocol = QComboBox()
        for name in webhook.PROTOCOLS:
            self.protocol.addItem(name, name)
        self.unverified = QCheckBox("Disable SSL Certificate Verification")
        self.unverified.setAccessibleName(self.unverified.text())
        self.ca_file = FilePath("CA file")
        self.token_url = QLineEdit(webhook.DEFAULT_TOKEN_URL)
        self._hostname = Field(
            "Hostname", self.hostname, required=True, note="host or host:port, without http:// or https://."
        )
        self._protocol = Field("Protocol", self.protocol, required=True)
        self._ca = Field(
            "CA file",
            self.ca_file,
            note="Empty: the certificates that this computer trusts. Else a PEM file.",
        )
        self._token = Field(
            "Token URL", self.token_url, required=True, note="Where Client ID and Secret become a token."
        )
        self.clear_notice = Notice(_CLEAR, blocks.WARN)
        self.unverified_notice = Notice(_UNVERIFIED, blocks.WARN)
        self.add_guided(
            self._hostname,
            "hostname",
            lambda: webhook.check_hostname(self.hostname.text()),
            guide.Steps(guide.HOSTNAME, guide.RESPOND),
        )
        self.add(self._protocol)
        self.add(self.clear_notice)
        self.add(self.unverified)
        self.add(self.unverified_notice)
        self.add_checked(self._ca, "ca_file", self._check_ca)
        self.add_checked(
            self._token,
            "token_url",
            lambda: webhook.check_token_url(self.token_url.text(), self.protocol.currentData()),
        )

    def _build_credentials(self) -> None:
        self.client_id, self.client_secret = QLineEdit(), SecretEdit("Client Secret")
        self.cluster_id = QLineEdit()
        self.cluster_id.setPlaceholderText("For example acme_hosted")
        self._id = Field("Client ID", self.client_id, required=True)
        self._secret = Field("Client Secret", self.client_secret, required=True, note=self._kept)
        self._cluster = Field(
            "Cluster ID",
            self.cluster_id,
            required=True,
            note="At the top of the Proofpoint on Demand management interface.",
        )
        self.moved = Notice("", blocks.WARN)
        self.add(self.moved)
        self.add_checked(
            self._id, "client_id", lambda: self._check_credential(self.client_id, "client_id", "Client ID")
        )
        self.add_guided(
            self._secret,
            "client_secret",
            lambda: self._check_credential(self.client_secret, "client_secret", "Client Secret"),
            guide.Steps(guide.CLIENT, guide.RESPOND),
        )
        self._cluster_steps = guide.Steps(guide.RESPONDER_CLUSTER_ID, guide.RESPOND)
        self.add_guided(
            self._cluster,
            "cluster_id",
            lambda: rules.check_cluster_id(self.cluster_id.text()),
            self._cluster_steps,
        )

    def _listen(self) -> None:
        for edit, field in (
            (self.hostname, self._hostname),
            (self.ca_file.edit, self._ca),
            (self.token_url, self._token),
            (self.client_id, self._id),
            (self.client_secret, self._secret),
            (self.cluster_id, self._cluster),
        ):
            edit.textChanged.connect(lambda _text, field=field: self._typed(field))
        self.protocol.currentIndexChanged.connect(lambda _row: self._protocol_chosen())
        self.unverified.toggled.connect(lambda _on: self._protocol_chosen())

    # what is typed

    def first_focus(self) -> QWidget:
        return self.hostname

    def values(self) -> dict[str, object]:
        """What is typed, as RespondConnector names it; credentials are not in it."""
        https = self.protocol.currentData() == webhook.HTTPS
        try:
            hostname = webhook.check_hostname(self.hostname.text())
        except UserFault:
            hostname = self.hostname.text().strip()
        return {
            "hostname": hostname,
            "protocol": self.protocol.currentData(),
            "verify_tls": not (https and self.unverified.isChecked()),
            "ca_file": self.ca_file.edit.text().strip() if https and not self.unverified.isChecked() else "",
            "token_url": self.token_url.text().strip(),
            "cluster_id": self.cluster_id.text().strip(),
        }

    def secrets(self) -> dict[str, Secret]:
        """The credentials that are typed and fit; nothing where those that are kept already stay."""
        found = {}
        for edit, name in ((self.client_id, "client_id"), (self.client_secret, "client_secret")):
            try:
                found[name] = Secret(webhook.check_credential(edit.text(), name, name))
            except UserFault:
                continue
        return found

    def forget(self) -> None:
        """Let go of what was typed as a secret."""
        self.client_id.clear()
        self.client_secret.clear()

    # one that exists already, or belongs to a collector that is made with it

    def show_connector(self, connector: RespondConnector) -> None:
        """Show these values; credentials are not among them."""
        self.hostname.setText(connector.hostname)
        self.protocol.setCurrentIndex(self.protocol.findData(connector.protocol))
        self.unverified.setChecked(not connector.verify_tls)
        self.ca_file.edit.setText(connector.ca_file)
        self.token_url.setText(connector.token_url)
        self.cluster_id.setText(connector.cluster_id)

    def expect_stored(self, stored: bool, why: str = "") -> None:
        """Whether empty credentials mean those that are kept already; `why` tells why not any more."""
        self._stored = stored
        for edit in (self.client_id, self.client_secret):
            edit.setPlaceholderText("Unchanged: the one that is kept" if stored else "")
        self.moved.say(why, blocks.WARN)
        for field in (self._id, self._secret):
            self.check_typed(field)

    def share_cluster(self, cluster_id: str | None) -> None:
        """Use the cluster of the collector beside it; None: it is typed here."""
        for part in (self._cluster, self._cluster_steps):
            part.setVisible(cluster_id is None)
        if cluster_id is not None:
            self.cluster_id.setText(cluster_id)

    # checks

    def _check_credential(self, edit: QLineEdit, name: str, title: str) -> str:
        both_empty = not self.client_id.text() and not self.client_secret.text()
        if self._stored and both_empty:
            return ""
        return webhook.check_credential(edit.text(), name, title)

    def _check_ca(self) -> str:
        return check_ca_file(self.ca_file.edit.text()) if self.ca_file.isEnabled() else ""

    def _typed(self, field: Field) -> None:
        self.check_typed(field)
        if field in (self._id, self._secret):
            for other in (self._id, self._secret):
                self.check_typed(other)
        self.changed.emit()

    def _protocol_chosen(self) -> None:
        https = self.protocol.currentData() == webhook.HTTPS
        unverified = https and self.unverified.isChecked()
        self.unverified.setVisible(https)
        self.clear_notice.setVisible(not https)
        self.unverified_notice.setVisible(unverified)
        self._ca.setVisible(https)
        self.ca_file.setEnabled(https and not unverified)
        for field in (self._token, self._ca):
            self.check_typed(field)
        self.changed.emit()
