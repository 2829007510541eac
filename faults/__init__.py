"""The fault campaign: what is broken on purpose, and what must still hold. `make faults` runs it."""
