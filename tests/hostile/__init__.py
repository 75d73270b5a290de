"""Hostile inputs of every entry point, generated from a seed and replayed against a running hub."""
