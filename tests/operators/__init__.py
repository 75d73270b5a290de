"""Tests of who operates the hub."""
