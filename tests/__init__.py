"""The tests mirror the tree they test."""
