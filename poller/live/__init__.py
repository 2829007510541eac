"""What hosts say by themselves, as people are told it. Pure: values go in, values come out, clocks are passed in.

difference   what is remembered + what was read anew -> what came and went, in the words of a poll
fold         device, disk and mount of one insertion -> one event, whose text grows for a second
contacts     whom a host begins to talk with -> who of them is told, and how often
seats        signs of life and their absence -> connected, amber, dark, back
absence      a host that was away: from when until when, why, what its logs tell of that time
judging      rules that look at events, and at nothing else -> their verdicts
already      what a poll tells that was told before, and what it saw too early
document     the same values as JSON, for who watches from another process
"""
