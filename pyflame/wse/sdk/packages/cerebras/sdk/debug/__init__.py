"""Inspection of a finished run."""
