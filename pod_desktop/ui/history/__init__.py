"""The Action History page."""
