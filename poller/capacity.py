"""How many hosts this machine can poll, from what polls cost."""
