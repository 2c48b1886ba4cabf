"""POD Desktop: Proofpoint on Demand mail logs, live, searchable, and acted on from the record."""

__version__ = "0.1.0"
