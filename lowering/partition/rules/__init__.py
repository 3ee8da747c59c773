"""Partition rules: how one primitive of the core set runs on tiles."""
