"""The live watch: what happens on this machine is told at once, in frames that nobody asked for one by one.

`watcher` is the loop, in a thread of its own. It waits for the kernel: `uevents` (devices come and go), `mounts`,
`packets` (who talks to whom; where that is not allowed `connections` looks each second). `readings` reads the sections
anew that may have changed, `event` writes and seals what is told. Travels only where a watch is wanted.
"""
