"""Measures what the documentation claims, each as a ratio against something run beside it in the same minutes.

`make bench` runs all of it and prints a table; benchmarks/RESULTS.md keeps one such table with machine and versions.
Peers come from PyPI into an environment of their own (.venv-bench). All traffic stays on loopback.
"""
