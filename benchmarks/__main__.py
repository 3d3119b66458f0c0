"""The works, each against its limit or a peer on the same machine in the same minute: `python -m benchmarks`.

Absolute figures say more about the machine than about the code, so only ratios have goals. Each round runs a
work and the other one in turns, a slice at a time; the result is the median of the rounds.
"""

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path

from benchmarks.appends import Appends
from benchmarks.peers import Peers
from benchmarks.place import Workbench
from benchmarks.previews import Previews
from benchmarks.reads import Reads
from benchmarks.relays import Relays
from benchmarks.work import measure, result, table

RESULTS = Path(__file__).parent / "results" / "latest.json"


def main() -> int:
    """Run the works, print the ratios and write them down."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how many count (default: %(default)s)")
    parser.add_argument("--only", default="", metavar="NAME", help="the works with this in their line")
    parser.add_argument("--output", type=Path, help=f"where to (default: {RESULTS.name}, if all works run)")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C does: end what was started
    try:
        with tempfile.TemporaryDirectory() as directory, Workbench(Path(directory)) as place:
            appends = Appends(place)
            groups = (appends, Peers(place, appends), Reads(place), Relays(place), Previews(place))
            works = [work for group in groups for work in group.works()]
            works = [work for work in works if arguments.only in f"{work.name} {work.against}"]
            for work in works:
                if work.missing:
                    print(f"left out: {work.name} against {work.against}: {work.missing}", flush=True)
            works = [work for work in works if not work.missing]
            results = [result(*measured) for measured in measure(works, arguments.rounds)]
    except KeyboardInterrupt:
        print("\nInterrupted: nothing is written down.", file=sys.stderr)
        return 130
    print(f"\n{place.machine}\n{table(results)}")
    output = arguments.output or (None if arguments.only else RESULTS)
    if output is not None:
        output.parent.mkdir(exist_ok=True)
        output.write_text(json.dumps({"machine": place.machine, "works": results}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
