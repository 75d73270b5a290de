"""Masking: what identifies a driver is shown by its last characters alone."""
