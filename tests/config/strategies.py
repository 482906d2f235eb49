"""Hypothesis strategies for tests of the configuration."""

from hypothesis import strategies as st

printable = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")))
"""Any text without control characters."""
