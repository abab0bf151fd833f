"""What is the last round of training worth, at the size in use?

    python results/rounds.py      (after `make left-out`)

compares a turn's network before that round and after it, on what neither was shown. That the round
is part of the recipe was decided on the first turn. Writes results/rounds.csv.
"""

from collections.abc import Iterator
from pathlib import Path

from common import write
from left_out import before_the_last, p_values, rounds, scored
from left_out_tables import compared


def figures(turn: str) -> Iterator[dict[str, float | str]]:
    """What is found and flagged before the round and after it."""
    for name, run in (("before", before_the_last(turn)), ("after", rounds(turn)[-1])):
        scores = scored(turn, run)
        for row in compared({**scores, "p": p_values(scores)}):
            yield {"turn": turn, "last round": name, **row}


if __name__ == "__main__":
    write(
        [row for turn in ("first", "second") for row in figures(turn)], Path("results/rounds.csv")
    )
