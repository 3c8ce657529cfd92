"""Plugins of the test session."""
