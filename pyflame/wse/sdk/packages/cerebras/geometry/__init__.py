"""Geometry types of SdkLayout programs."""
