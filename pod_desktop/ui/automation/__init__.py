"""Playbooks in a window: the list, the editor with its backtest, arming, and what is held for approval."""
