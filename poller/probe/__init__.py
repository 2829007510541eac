"""The centre's half of the talk with the probe: what is sent (`wanted`, `payload`, `request`), and what comes back.

`envelope` opens a sealed answer, `report` checks its XML and makes values of it, `rates` compares two of them.
"""
