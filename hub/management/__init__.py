"""Operator commands; each is a thin interface to one function."""
