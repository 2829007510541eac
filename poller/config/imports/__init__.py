"""Other programs' lists of hosts as lines for config.xml: readers (text in, Inventory out) and one writer."""
