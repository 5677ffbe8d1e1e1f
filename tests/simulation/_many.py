import sys

sys.path.insert(0, "/work/wt/dispatch")
from interlock.rehearsal import parcels
from tests.simulation import runner
import multiprocessing

if __name__ == "__main__":
    a, n, kind = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    between = {"one": parcels.ONE_BY_ONE, "whole": parcels.WHOLE_ORDERS}[kind]
    seeds = []
    s = a
    while len(seeds) < n:
        if parcels._falls(s, between):
            seeds.append(s)
        s += 1
    print(seeds[0], seeds[-1])
    import inspect

    sys.exit(runner.run(iter(seeds) if False else seeds, 2, None, None, None))
