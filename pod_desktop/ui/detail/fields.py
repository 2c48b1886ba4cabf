"""The Fields tab: the record as a tree of path, value and type, with a filter.

The tree's children are made when somebody opens their parent; a filtered list holds at most so many rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QMenu,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from pod_desktop.core import limits
from pod_desktop.ui import fonts
from pod_desktop.ui.text import PlainLabel, cell, copy, tip

MOST_FOUND: Final = 2_000
_LOOKED_AT: Final = 200_000
_DEEP: Final = 200
_OUR_NAMES: Final = {"record id": "id"}
"""Of our own fields, what queries call them."""
_Index = QModelIndex | QPersistentModelIndex
_FLAT = QModelIndex()


class Node:
    """A value at a path."""

    __slots__ = ("_children", "field", "name", "parent", "path", "row", "value")

    def __init__(self, name: str, path: str, value: Any, parent: Node | None, row: int) -> None:
        self.name, self.path, self.value, self.parent, self.row = name, path, value, parent, row
        self.field = ""
        """What queries call it, where that is not its path."""
        self._children: list[Node] | None = None

    @property
    def children(self) -> list[Node]:
        """Made when first asked for."""
        if self._children is None:
            self._children = list(_children(self))
        return self._children

    def adopt(self, nodes: list[Node]) -> None:
        """Take nodes made elsewhere as the children."""
        for row, node in enumerate(nodes):
            node.parent, node.row = self, row
        self._children = nodes

    @property
    def size(self) -> int:
        """How many children, without making them."""
        if self._children is not None:
            return len(self._children)
        return len(self.value) if isinstance(self.value, dict | list) else 0

    @property
    def words(self) -> str:
        """The value in one line."""
        value = self.value
        if isinstance(value, dict):
            return "" if value else "{}"
        if isinstance(value, list):
            return f"{len(value):,} items" if value else "[]"
        return cell(plain(value))

    @property
    def kind(self) -> str:
        """The JSON type."""
        return json_type(self.value)


def plain(value: Any) -> str:
    """A leaf as text: what JSON calls null, true and false so."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def json_type(value: Any) -> str:
    """object, array, string, number, boolean or null."""
    if isinstance(value, bool):
        return "boolean"
    if value is None:
        return "null"
    for types, word in ((dict, "object"), (list, "array"), (str, "string")):
        if isinstance(value, types):
            return word
    return "number"


def _children(node: Node) -> Iterator[Node]:
    value = node.value
    if isinstance(value, dict):
        for row, (name, inner) in enumerate(value.items()):
            yield Node(str(name), f"{node.path}.{name}" if node.path else str(name), inner, node, row)
    elif isinstance(value, list):
        for row, inner in enumerate(value):
            yield Node(f"[{row}]", f"{node.path}[{row}]", inner, node, row)


def found(root: Node, words: str) -> tuple[list[Node], bool]:
    """Leaves whose path or value holds all the words, and whether there were more than are given."""
    wanted = words.casefold().split()
    hits: list[Node] = []
    stack = [root]
    looked = 0
    while stack:
        node = stack.pop()
        looked += 1
        if looked > _LOOKED_AT:
            return hits, True
        if isinstance(node.value, dict | list):
            stack.extend(reversed(list(_children(node))))
            if node.value:
                continue
        text = f"{node.path} {plain(node.value)[: limits.TEXT_FIELD_CHARS]}".casefold()
        if node is not root and all(word in text for word in wanted):
            if len(hits) == MOST_FOUND:
                return hits, True
            hits.append(Node(node.path, node.path, node.value, None, len(hits)))
    return hits, False


class FieldsModel(QAbstractItemModel):
    """Path, value, type."""

    HEADS: Final = ("Field", "Value", "Type")

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._root = Node("", "", {}, None, 0)

    def show_root(self, root: Node) -> None:
        """Show the children of this node."""
        self.beginResetModel()
        self._root = root
        self.endResetModel()

    def node(self, index: _Index) -> Node:
        """The node at an index; the root at none."""
        return index.internalPointer() if index.isValid() else self._root

    def index(self, row: int, column: int, parent: _Index = _FLAT) -> QModelIndex:
        node = self.node(parent)
        if not 0 <= row < node.size or not 0 <= column < len(self.HEADS):
            return QModelIndex()
        return self.createIndex(row, column, node.children[row])

    def parent(self, index: _Index = _FLAT) -> QModelIndex:  # type: ignore[override]
        above = self.node(index).parent if index.isValid() else None
        if above is None or above is self._root:
            return QModelIndex()
        return self.createIndex(above.row, 0, above)

    def rowCount(self, parent: _Index = _FLAT) -> int:
        return 0 if parent.isValid() and parent.column() > 0 else self.node(parent).size

    def hasChildren(self, parent: _Index = _FLAT) -> bool:
        return self.rowCount(parent) > 0

    def columnCount(self, parent: _Index = _FLAT) -> int:
        return len(self.HEADS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.HEADS[section]
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        node = self.node(index)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return (cell(node.name), node.words, node.kind)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole and index.column() < 2:
            return tip(node.path if index.column() == 0 else plain(node.value) if not node.size else "")
        if role == Qt.ItemDataRole.FontRole and index.column() == 1:
            return fonts.mono()
        return None


class FieldsView(QWidget):
    """The tree, its filter, and what can be copied from it."""

    menu_asked = Signal(str, str, object, object)
    """(field, path, value, where on the screen): commands on one value are wanted. `field` is '' for paths."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = Node("", "", {}, None, 0)
        self._model = FieldsModel(self)
        self.filter = QLineEdit(clearButtonEnabled=True)
        self.filter.setPlaceholderText("Filter by field or value")
        self.filter.setAccessibleName("Filter fields")
        self.filter.setMaxLength(limits.REGEX_CHARS)
        self.tree = QTreeView()
        self.tree.setModel(self._model)
        self.tree.setAccessibleName("Fields")
        self.tree.setUniformRowHeights(True)
        self.tree.setTabKeyNavigation(False)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.tree.setIndentation(14)
        header = self.tree.header()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(False)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(0, 170)
        header.resizeSection(2, 64)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._note = PlainLabel("", "small", wrap=True)
        self._note.hide()
        self._later = QTimer(self, singleShot=True, interval=150)
        self._later.timeout.connect(self._search)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(6)
        top = QVBoxLayout()
        top.setContentsMargins(12, 0, 12, 0)
        top.addWidget(self.filter)
        top.addWidget(self._note)
        column.addLayout(top)
        column.addWidget(self.tree, 1)
        self.filter.textChanged.connect(lambda _text: self._later.start())
        self.tree.customContextMenuRequested.connect(self._menu)
        copying = QAction("Copy Value", self.tree)
        copying.setShortcut(QKeySequence.StandardKey.Copy)
        copying.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copying.triggered.connect(lambda _on=False: self.copy_values())
        self.tree.addAction(copying)

    def show_value(self, derived: dict[str, Any], value: Any) -> None:
        """Show our own fields first, then the record's."""
        root = Node(
            "", "", value if isinstance(value, dict) else {"": value} if value is not None else {}, None, 0
        )
        ours = [Node(name, name, inner, None, 0) for name, inner in derived.items()]
        for node in ours:
            node.field = _OUR_NAMES.get(node.name, node.name)
        root.adopt([*ours, *root.children])
        self._whole = root
        self._search()

    def _search(self) -> None:
        words = self.filter.text().strip()
        self._note.hide()
        if not words:
            self._model.show_root(self._whole)
            self._open_some()
            return
        hits, more = self._hits(words)
        root = Node("", "", {}, None, 0)
        root.adopt(hits)
        self._model.show_root(root)
        count = f"The first {len(hits):,} fields that match" if more else f"{len(hits):,} fields match"
        self._note.setText(count if hits else "No field matches")
        self._note.show()

    def _hits(self, words: str) -> tuple[list[Node], bool]:
        hits: list[Node] = []
        for node in self._whole.children:
            part, more = found(Node("", "", {node.name: node.value}, None, 0), words)
            for hit in part:
                hit.field = node.field
            hits += part
            if more or len(hits) > MOST_FOUND:
                return hits[:MOST_FOUND], True
        return hits, False

    def _open_some(self) -> None:
        """Open the first level where it is short, so that most of a record is in sight."""
        for row in range(min(self._model.rowCount(), _DEEP)):
            index = self._model.index(row, 0)
            if 0 < self._model.rowCount(index) <= 12:
                self.tree.expand(index)

    def chosen(self) -> list[Node]:
        """The selected nodes, from the top."""
        indexes = [index for index in self.tree.selectionModel().selectedIndexes() if index.column() == 0]
        return [self._model.node(index) for index in indexes[:MOST_FOUND]]

    def copy_values(self) -> None:
        """The values of the selected fields, one a line."""
        if nodes := self.chosen():
            copy("\n".join(_whole_text(node.value) for node in nodes))

    def copy_paths(self) -> None:
        """The paths of the selected fields, one a line."""
        if nodes := self.chosen():
            copy("\n".join(node.path for node in nodes))

    def _menu(self, place: QPoint) -> None:
        nodes = self.chosen()
        where = self.tree.viewport().mapToGlobal(place)
        if len(nodes) == 1:
            node = nodes[0]
            self.menu_asked.emit(node.field, node.path, node.value, where)
        elif nodes:
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.addAction("Copy Values", self.copy_values)
            menu.addAction("Copy Paths", self.copy_paths)
            menu.popup(where)


def _whole_text(value: Any) -> str:
    if isinstance(value, dict | list):
        import json

        return json.dumps(value, ensure_ascii=False, indent=2)
    return plain(value)
