"""Measures what the documentation claims, each as a ratio against something run beside it in the same minutes.

`make bench` runs all of it and prints a table, row by row; benchmarks/RESULTS.md keeps one such table with machine and
versions. One module per claim or few claims that share a setting; `clients/` are peers as scripts. Peers come from PyPI
into an environment of their own (.venv-bench) and from Debian (`make system-packages`); what is not installed is a row
that says so. All traffic stays on loopback.
"""
