"""How events arrive: wire, verdict, session (only user of websockets), archive."""
