"""A labelled control with a line below it: help, or what is wrong and how to mend it."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from pod_desktop.ui.text import PlainLabel


class Field(QWidget):
    """Label above, control, then a note that turns into the fault while there is one."""

    def __init__(
        self,
        label: str,
        control: QWidget,
        *,
        required: bool = False,
        note: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.control = control
        self._note = note
        self._label = PlainLabel(f"{label} *" if required else label, "label")
        self._below = PlainLabel(note, "help", wrap=True)
        self._below.setVisible(bool(note))
        control.setAccessibleName(f"{label}, required" if required else label)
        control.setAccessibleDescription(note)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        for part in (self._label, control, self._below):
            layout.addWidget(part)
        self.setFocusProxy(control)

    def fault(self, what: str, hint: str = "") -> None:
        """Say what is wrong beside the control; '' takes it away again."""
        words = f"{what} {hint}".strip()
        self._below.setText(words or self._note)
        self._below.setProperty("role", "fault" if what else "help")
        self._below.setVisible(bool(words or self._note))
        self.control.setProperty("fault", bool(what))
        self.control.setAccessibleDescription(words or self._note)
        for part in (self._below, self.control):
            part.style().unpolish(part)
            part.style().polish(part)

    def say(self, note: str) -> None:
        """Another note below the control; a fault that is shown stays."""
        self._note = note
        if not self.faulty:
            self.fault("")

    @property
    def faulty(self) -> bool:
        """Whether a fault is shown."""
        return bool(self.control.property("fault"))
