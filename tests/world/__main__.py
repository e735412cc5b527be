"""Runs worlds: `python -m tests.world 20000`, `python -m tests.world --seed 7`."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from multiprocessing import Pool
from typing import NamedTuple

from .ear import Broken
from .pair import World
from .recipe import Recipe, draw
from .rows import Row, never
from .scripted import WORLDS


class Result(NamedTuple):
    name: str
    why: str | None
    """What is broken; None: nothing."""
    story: str
    rows: frozenset[Row]
    counts: dict[str, int]


def tried(name: str, recipe: Recipe) -> Result:
    world = World(recipe)
    try:
        witness = world.run()
    except Exception as why:
        broken = why.invariant if isinstance(why, Broken) else f"{type(why).__name__} {str(why)[:60]}"
        story = "\n".join([traceback.format_exc(), str(recipe), *world.last])
        return Result(name, broken, story, frozenset(world.rows), {})
    counts = {
        "cuts": witness.cuts,
        "truncates": witness.truncates,
        "deletes": witness.deletes,
        "blocks": witness.blocks,
        "virtual seconds": round(world.clock.now - recipe.began),
        "most beyond a claim, us": round(witness.worst_s * 1e6),
    }
    return Result(name, None, "", frozenset(world.rows), counts)


def _seed(seed: int) -> Result:
    return tried(f"seed {seed}", draw(seed))


def _told(results: Iterable[Result], most: int) -> int:
    broken: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    total: Counter[str] = Counter()
    rows: set[Row] = set()
    worlds = 0
    for result in results:
        worlds += 1
        rows |= result.rows
        worst = max(total["most beyond a claim, us"], result.counts.get("most beyond a claim, us", 0))
        total.update(result.counts)
        total["most beyond a claim, us"] = worst
        if result.why is not None:
            broken[result.why] += 1
            examples.setdefault(result.why, []).append(result.name)
            if sum(broken.values()) <= most:
                print(f"---- {result.name}: {result.story}\n")
    for row in never(rows):
        print("never taken:", row)
    for why, n in broken.most_common():
        print(n, why, examples[why][:12])
    print(f"{worlds} worlds, {sum(broken.values())} broken", dict(total))
    return 1 if broken else 0


def _all(seeds: Iterable[int], jobs: int) -> Iterator[Result]:
    for name, recipe in WORLDS.items():
        yield tried(name, recipe())
    with Pool(jobs) if jobs > 1 else nullcontext() as pool:
        yield from pool.imap(_seed, seeds, 25) if pool is not None else map(_seed, seeds)


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs the written worlds and so many drawn ones.")
    parser.add_argument("worlds", type=int, nargs="?", default=200)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="this one alone, with all that happened last")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--most", type=int, default=3, help="failures to show")
    options = parser.parse_args()
    if options.seed is not None:
        print(_seed(options.seed).story or "nothing is broken")
        return 0
    began = time.perf_counter()
    code = _told(_all(range(options.first, options.first + options.worlds), options.jobs), options.most)
    print(f"{time.perf_counter() - began:.1f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
