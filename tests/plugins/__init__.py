"""Plugins of the test run itself, loaded from pyproject.toml before all others."""
