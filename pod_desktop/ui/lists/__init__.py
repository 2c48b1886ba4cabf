"""The Lists page: the org lists as the service tells them, and changing many entries at once."""
