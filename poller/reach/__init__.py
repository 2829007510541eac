"""Echo requests (ICMP): is the machine gone, or only its SSH? Never a bare connection to its sshd."""
