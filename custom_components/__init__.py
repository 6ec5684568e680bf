"""A regular package: so that the test harness's own folder of this name never wins."""
