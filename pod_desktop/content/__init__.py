"""How a record reads, one file a content type."""
