"""The panel in a real browser; only Home Assistant behind it is scripted."""
