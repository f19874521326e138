"""The workflow's own package: what the rules call, from the tables to the verdict."""

__version__ = "0.1.0"
SHOWN_LANES = 100
"""Lanes of a run that are all compared with each other and drawn in the report; of more, those that matter."""
