"""Masking: of what identifies a driver only the last characters are shown."""
