"""Fixtures for every test: `sshd` and `make_sshd` start OpenSSH servers of the test's own."""

pytest_plugins = ["tests.end_to_end.sshd", "tests.end_to_end.site"]
