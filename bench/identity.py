"""How well patients are matched (名寄せ): people of known truth, their charts at eight facilities, every candidate compared.

    python bench/identity.py                     20,000 people, one minute or two
    python bench/identity.py --people 5000 --seed 2

Fails (exit 1) where two persons would be linked by themselves. docs/decisions/0020-identity.md
"""

import argparse
import sys
import time

from rich import box
from rich.console import Console
from rich.table import Table

from fhir_server.identity.score import Grade
from fhir_server.sandbox.identities.charts import charts
from fhir_server.sandbox.identities.measuring import Figures, measure
from fhir_server.sandbox.identities.people import people
from fhir_server.search.parameters import Parameters
from profiles.definitions import r4


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--people", type=int, default=20_000)
    arguments.add_argument("--seed", type=int, default=1)
    asked = arguments.parse_args()
    began = time.perf_counter()
    made = charts(asked.seed, people(asked.seed, asked.people))
    figures = measure(made, Parameters(r4()))
    show(figures, asked.people, time.perf_counter() - began)
    sys.exit(1 if figures.wrong or figures.misformed else 0)


def show(figures: Figures, count: int, seconds: float) -> None:
    table = Table(box=box.SIMPLE, title=f"{count:,} people, {figures.charts:,} charts, {figures.pairs:,} true pairs, {seconds:.0f} s")
    table.add_column("")
    table.add_column("", justify="right")
    for what, value in rows(figures):
        table.add_row(what, value)
    Console().print(table)


def rows(figures: Figures) -> list[tuple[str, str]]:
    certain, probable, possible, _ = Grade
    return [
        ("people who share their name (kana) with another", f"{figures.namesakes:.1%}"),
        ("true pairs that are candidates (blocking)", f"{figures.blocking:.2%}"),
        *((f"  found by {key}", f"{found / figures.pairs:.1%}") for key, found in figures.by.most_common()),
        ("true pairs graded certain", f"{figures.recall(certain):.1%}"),
        ("  certain with a consent form that lists both", f"{figures.formed / figures.pairs:.1%}"),
        ("  certain or probable", f"{figures.recall(certain, probable):.2%}"),
        ("  certain, probable or possible", f"{figures.recall(certain, probable, possible):.2%}"),
        *((f"  guarded: {code}", f"{found / figures.pairs:.1%}") for code, found in figures.guarded.most_common()),
        ("pairs of two persons graded certain: false automatic links", f"{figures.false[certain]:,}"),
        ("  linked by a form that lists both by mistake (other name or birth)", f"{figures.misformed:,}"),
        ("  graded probable", f"{figures.false[probable]:,}"),
        ("  graded possible", f"{figures.false[possible]:,}"),
        ("  graded certainly-not", f"{figures.false[Grade.CERTAINLY_NOT]:,}"),
        ("candidates for a chart", f"{2 * figures.comparisons / figures.charts:.1f}"),
        ("one comparison", f"{figures.seconds / figures.comparisons * 1e6:.0f} µs"),
        ("one chart read", f"{figures.reading / figures.charts * 1e6:.0f} µs"),
    ]


if __name__ == "__main__":
    main()
