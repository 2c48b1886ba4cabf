"""The detail pane: one record as summary, fields and JSON."""
