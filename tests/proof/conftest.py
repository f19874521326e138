"""Puts what the proofs import on the path, as proof.py does for itself."""

import proof  # noqa: F401
