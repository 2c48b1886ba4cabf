"""What is seen: the only room that names PySide6 or qasync."""
