"""The comparison as Markdown."""

UNITS = {
    "seq_write": "MB/s", "seq_read": "MB/s", "rand_read": "IOPS", "rand_write": "IOPS", "sync_write": "IOPS",
    "create": "files/s", "stat": "files/s", "walk": "files/s", "remove": "files/s", "sqlite": "transactions/s",
}


def lines(columns, cells):
    """The figures, then what each column is; a column that could not be measured is named with what is missing."""
    there = [c for c in columns if c.missing is None]
    yield "| | unit | " + " | ".join(c.name for c in there) + " |"
    yield "| --- | --- |" + " ---: |" * len(there)
    for row, unit in UNITS.items():
        yield f"| {row} | {unit} | " + " | ".join(cells[c.name][row].text() for c in there) + " |"
    yield ""
    for column in columns:
        left_out = f"left out: needs {column.missing}" if column.missing else column.about
        yield f"- **{column.name}**: {left_out}"


def verdict_lines(verdicts, summary):
    """A goal a column, a row of fsbench.py a row."""
    goals = list(dict.fromkeys(v.goal for v in verdicts))
    yield f"Goals: {summary}"
    yield ""
    yield "| | " + " | ".join(goals) + " |"
    yield "| --- |" + " --- |" * len(goals)
    for row in dict.fromkeys(v.row for v in verdicts):
        found = {v.goal: v.text() for v in verdicts if v.row == row}
        yield f"| {row} | " + " | ".join(found.get(goal, "") for goal in goals) + " |"
