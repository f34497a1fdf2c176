"""Throughput with 1, 4 and 16 readers and writers, and how it scales."""

import os
import statistics
import subprocess

import fsbench

from . import measuring

THREADS = (1, 4, 16)
WORKS = {"write": "MiB/s", "read": "MiB/s", "rand_read": "IOPS", "rand_write": "IOPS"}


def key(name, threads):
    """What a figure is kept under, in JSON too."""
    return f"{name} {threads}"


def work(program, mebibytes, operations):
    """The work: takes a mount point, returns figures by "work threads"."""

    def on(mount):
        figures = {}
        for threads in THREADS:
            for name in WORKS:
                for number in range(threads) if name != "write" else ():
                    fsbench.evict(os.path.join(mount, str(number)))
                command = [program, mount, name, str(threads), str(mebibytes), str(operations)]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                figures[key(name, threads)] = float(done.stdout)
        return figures

    return on


def measure(columns, program, quick, rounds, directory):
    """Medians by column's name and "work threads"; None where no round came through."""
    sizes = (64, 2000) if quick else (256, 16000)
    results = measuring.interleaved(columns, work(program, *sizes), rounds, directory)
    return {
        name: {
            k: statistics.median(values) if (values := [r[k] for r in all_rounds if k in r]) else None
            for k in (key(work, threads) for work in WORKS for threads in THREADS)
        }
        for name, all_rounds in results.items()
    }


def table(medians, quick):
    """Lines of Markdown: a row a work and column, a cell a number of threads, with its ratio to one thread."""
    yield "### Filesystem: several readers and writers"
    yield ""
    size = "64 MiB or 2,000 operations" if quick else "256 MiB or 16,000 operations"
    yield f"`Benchmarks/comparison/parallel.c`: {size} in all, by so many threads, each with a file of its own; medians of"
    yield "rounds. All but `write` begin with empty caches, writing ends with fsync. In brackets: of one thread's."
    yield ""
    yield "| work | unit | filesystem | " + " | ".join(f"{n} thread{'s' if n > 1 else ''}" for n in THREADS) + " |"
    yield "| --- | --- | --- |" + " ---: |" * len(THREADS)
    for name, unit in WORKS.items():
        for column, figures in medians.items():
            alone = figures[key(name, 1)]
            shown = [cell(figures[key(name, n)], alone if n > 1 else None) for n in THREADS]
            yield f"| {name} | {unit} | {column} | " + " | ".join(shown) + " |"


def cell(figure, alone):
    """A figure, with what it is of one thread's."""
    if figure is None:
        return "failed"
    return f"{figure:.0f}" + (f" ({figure / alone:.2f} ×)" if alone else "")
