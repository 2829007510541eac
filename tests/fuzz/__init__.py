"""Properties of everything that reads what a host sends: report, frame and envelope, tried with invented input.

    python -m tests.fuzz 500             each property with 500 examples

`make faults` runs them under coverage and says how much of the parsers they reach.
"""
