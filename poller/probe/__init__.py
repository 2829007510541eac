"""The centre's half of the talk with the probe: what is sent (`wanted`, `payload`, `request`), and what comes back.

`envelope` opens a sealed answer, `report` checks its XML and makes readings of it. `values` is every number of a poll:
`gauges` of one reading, `rates` of two (`window`: which two); `sight` is what there was to see.
"""
