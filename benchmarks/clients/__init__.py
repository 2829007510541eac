"""Peers as scripts: each connects to every host anew, must know its host key, logs in by key and runs `true`.

    python FILE AT_ONCE PORT USER KEY KNOWN_HOSTS ADDRESS…

They run in the peers' environment, in processes of their own; one that does not reach every host exits with 1.
"""
