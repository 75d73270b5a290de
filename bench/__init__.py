"""Measurements: every figure beside a limit of the same run, because only ratios travel."""
