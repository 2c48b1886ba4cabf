"""Where secrets live: keychain, credentials directory, memory."""
