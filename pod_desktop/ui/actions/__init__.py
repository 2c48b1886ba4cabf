"""Acting on records: the Actions tab, the desk it asks, and the thread on which actions are carried out."""
