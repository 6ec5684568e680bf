"""The agency's command line, judged by tools that are not ours."""
