"""Kill imports at random moments for some minutes: `make kill-test ARGS="--seed 7 --rounds 10 --seconds 120"`.

Each round begins with an empty data directory, starts the same import up to three times, kills one of the processes
with -9 somewhere from its start to its end, and then lets it end in peace: what is stored has to equal an undisturbed
import, and no process and no lock may be left. A failure names its round; the same seed plays the same victims again.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from tests.ssmix2.imports import hospital
from tests.ssmix2.killing import VICTIMS, equals_undisturbed, interrupted_import, undisturbed

FILES = 240
ENDS = {"import": {-9, 0}, "worker": {3, 0}, "server": {3, 0}, "mongod": {3, 0}}


def play(rng, root, data, seconds, expected):
    """Play one round; give its victims and how each import ended."""
    story = []
    documents = sum(key.startswith("Provenance/") for key in expected)
    for _ in range(rng.choice((1, 1, 2, 3))):
        victim, beside = rng.choice(VICTIMS), rng.random() < 0.3
        seconds_in = rng.random() * seconds
        least = rng.randrange(documents) if rng.random() < 0.8 else None  # else at any time, also while it starts or ends
        ended = interrupted_import(root, data, victim, beside=beside, least=least, seconds=seconds_in)
        moment = f"after {seconds_in:.1f} s" if least is None else f"at {least} documents"
        story.append((victim, "beside" if beside or victim == "server" else "alone", moment, ended.status))
        assert ended.status in ENDS[victim], (story, ended)
        assert "Traceback" not in ended.stderr, (story, ended)
    equals_undisturbed(root, data, expected)
    return story


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="plays the same victims and moments again")
    parser.add_argument("--rounds", type=int, default=100, help="at most so many (default 100)")
    parser.add_argument("--seconds", type=float, default=240.0, help="no round begins later than this (default 240, at most 240)")
    words = parser.parse_args()
    print(f"seed {words.seed}", flush=True)
    started, rng, victims = time.monotonic(), Random(words.seed), Counter()
    with tempfile.TemporaryDirectory(prefix="tsunagi-kill-") as name:
        directory = Path(name)
        root = hospital(directory, 8, FILES, seed=3, revisions=True)
        expected, seconds = undisturbed(root, directory / "undisturbed")
        print(f"undisturbed: {len(expected)} resources in {seconds:.1f} s", flush=True)
        for number in range(1, words.rounds + 1):
            if time.monotonic() - started > min(words.seconds, 240.0):
                break
            story = play(rng, root, directory / f"round-{number}", seconds, expected)
            victims.update(victim for victim, *_ in story)
            print(f"round {number}: " + ", ".join(" ".join(map(str, each)) for each in story) + ": as if nothing had happened", flush=True)
    print(f"{victims.total()} kills in {time.monotonic() - started:.0f} s: {dict(victims)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
