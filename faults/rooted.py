"""Stands in for `python3` on a host and reports what the files under a folder say: a machine that can be edited.

`faults.counters.Files` writes the folder and the script that runs this; config.xml names that script as `python=`.
"""

from __future__ import annotations

import json
import os
import sys

from remote_probe import collect, run
from remote_probe.__main__ import Captured
from remote_probe.seal import frame
from tests.end_to_end.meddler import read_request, reseal


class Edited(Captured):
    """A captured machine whose clock goes back by calls/step seconds each time it is read."""

    reads = 0

    def now(self) -> float:
        self.reads += 1
        return super().now() - self.reads * float(self.text(b"/calls/step") or 0)


def main() -> None:
    _, body = read_request(sys.stdin.buffer)
    request = json.loads(body)
    collection = collect.Collection(request["sections"], 0)
    machine = Edited(os.fsencode(sys.argv[1]))
    machine.options.update(request["options"])
    machine.cursors = request["cursors"]
    collection.run(machine)
    xml = run.report(request, request["probe"], 0.01, collection)
    sys.stdout.buffer.write(frame(request["marker"], "report", reseal(body, xml)))
    sys.stdout.buffer.flush()
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
