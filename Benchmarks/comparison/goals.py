"""What our columns are to reach, as ratios of others in the same run."""

from dataclasses import dataclass

TWICE = ("seq_write", "seq_read", "rand_write", "sqlite")


@dataclass(frozen=True)
class Verdict:
    """One goal in one row. `ratio` is None where there is nothing to compare, and then nothing was met or missed."""

    row: str
    goal: str
    ratio: float | None
    least: float
    against: str
    failed: bool = False

    @property
    def met(self):
        """True, False, or None where nothing could be compared."""
        if self.failed:
            return False
        return None if self.ratio is None else self.ratio >= self.least

    def text(self):
        """As it stands in a table."""
        word = {True: "met", False: "**missed**", None: "not compared"}[self.met]
        return word if self.ratio is None else f"{self.ratio:.2f} × {self.against}: {word}"


def against(row, goal, ours, others, least):
    """Ours beside the best of some columns, each a name and its cells."""
    figures = {name: cells[row].figure for name, cells in others.items()}
    figures = {name: figure for name, figure in figures.items() if figure}
    mine = ours[row].figure
    if mine is None:
        return Verdict(row, goal, None, least, "", failed=True)
    if not figures:
        return Verdict(row, goal, None, least, "")
    best = max(figures, key=figures.get)
    return Verdict(row, goal, mine / figures[best], least, best)


def gocryptfs_volume(rows, ours, columns):
    """The goals of our gocryptfs volume; `columns` are the others' cells by name."""
    verdicts = []
    for row in rows:
        peers = {n: c for n, c in columns.items() if n in ("gocryptfs", "securefs", "rclone")}
        verdicts.append(against(row, "the best peer, ≥ 1", ours, peers, 1))
        if row in TWICE:
            verdicts.append(against(row, "gocryptfs, ≥ 2", ours, only(columns, "gocryptfs"), 2))
        verdicts.append(against(row, "passthrough, ≥ 0.9", ours, only(columns, "passthrough"), 0.9))
    return verdicts


def rclone_volume(rows, ours, columns):
    """The goals of our rclone volume: sequential rows at least at rclone's own, and a database that stays whole."""
    verdicts = [
        against(row, "rclone, ≥ 1", ours, only(columns, "rclone"), 1)
        for row in rows
        if row in ("seq_write", "seq_read")
    ]
    sound = ours["sqlite"].figure is not None
    return verdicts + [Verdict("sqlite", "correct", 1.0 if sound else None, 1, "sound", failed=not sound)]


def only(columns, name):
    """That column alone, or none."""
    return {n: c for n, c in columns.items() if n == name}


def summary(verdicts):
    """One line: how many, and which were missed."""
    judged = [v for v in verdicts if v.met is not None]
    missed = [f"{v.row} ({v.goal})" for v in judged if not v.met]
    line = f"{len(judged) - len(missed)} of {len(judged)} met"
    return line + (f"; missed: {', '.join(missed)}." if missed else ".")
