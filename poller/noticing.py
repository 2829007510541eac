"""WHAT HOSTS SAY BY THEMSELVES, taken in by the thread that owns the journal."""
