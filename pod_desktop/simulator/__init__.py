"""A Proofpoint on Demand that behaves, and misbehaves on command."""
