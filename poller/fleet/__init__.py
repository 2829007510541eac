"""THE HOSTS OF A POLLER THAT STAYS: a thread for each, with its own interval and its own session.

    engine     what the daemon uses, whoever does the polling
    threads    the engine of one process: keepers, what they bring, how many at once
    tray       what the keepers bring, until it is taken; places: how many poll at once
    room       which hosts are held: as many as the open files are enough for
    keeper     one host's thread: wait -> poll -> hand over -> wait until it is stored
    wishes     what others want of that thread, until it heeds them
    holding    its session between polls: listened to, watched, lost; standing: how it stands, told where that is new
    agenda     when it is polled next, and what of its past decides that
    meaning    what a poll means for its session, and for the next one          (pure)
    pace       when next: intervals, what is late, how long after a failure     (pure)
    shards     the engine of several processes: each `shard` has a `worker`, they talk in `parcel`s

In: hosts and what is remembered of them. Out: polls, pushes, and how each connection stands. Nothing is stored here.
A thread that waits costs nothing: it sleeps in one poll(2) until its instant, a word of the host, or a wake.
"""
