"""Runs worlds: `python -m tests.world 20000`, `python -m tests.world --seed 7`."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter

from .ear import Broken
from .pair import World
from .recipe import draw
from .rows import never


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("worlds", type=int, nargs="?", default=200)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--most", type=int, default=5, help="failures to show")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.worlds) if options.seed is None else [options.seed]
    began = time.perf_counter()
    broken: Counter[str] = Counter()
    examples: dict[str, list[int]] = {}
    total: Counter[str] = Counter()
    rows: set[object] = set()
    for seed in seeds:
        world = World(draw(seed))
        try:
            witness = world.run()
        except Exception as why:
            name = why.invariant if isinstance(why, Broken) else f"{type(why).__name__} {str(why)[:60]}"
            broken[name] += 1
            examples.setdefault(name, []).append(seed)
            if sum(broken.values()) <= options.most or options.seed is not None:
                print(f"---- seed {seed}: {type(why).__name__}: {str(why)[:2000]}")
                if not isinstance(why, Broken) or options.seed is not None:
                    traceback.print_exc()
                if options.seed is not None:
                    print(world.recipe, *world.last, sep="\n")
            continue
        rows.update(world.rows)
        total.update(cuts=witness.cuts, truncates=witness.truncates, deletes=witness.deletes, blocks=witness.blocks)
        total["virtual seconds"] += round(world.clock.now - world.recipe.began)
    for row in never(rows):  # type: ignore[arg-type]
        print("never taken:", row)
    for name, n in broken.most_common():
        print(n, name, examples[name][:12])
    print(f"{len(seeds)} worlds, {sum(broken.values())} broken, {time.perf_counter() - began:.1f} s", dict(total))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
