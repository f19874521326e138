"""The workflow's own package: what the rules call, from the tables to the verdict."""

__version__ = "0.1.0"
