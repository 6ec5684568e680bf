"""Benchmarks, run by `scripts/bench`; a measure to compare with stands beside, if there is one."""
