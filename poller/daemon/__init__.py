"""`poller daemon`: the poller that stays. Each host at its own interval, over a session that is held between polls."""
