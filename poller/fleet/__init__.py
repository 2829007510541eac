"""THE HOSTS OF A POLLER THAT STAYS: a thread for each, with its own interval and its own session."""
