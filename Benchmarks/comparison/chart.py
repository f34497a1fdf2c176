"""The comparison as a picture: an SVG with every figure as a multiple of gocryptfs's, on a logarithmic axis.

Readable on a light and on a dark page: it brings no background, and its colours follow the reader's scheme.
"""

import math
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, TOP, STEP = 860, 150, 110, 92, 34
# Powers of two; what lies beyond is drawn at the edge.
FIRST, LAST = -5, 4
REFERENCE = "gocryptfs"

STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #24292f; }
.title { font-weight: 600; font-size: 15px; }
.quiet { fill: #57606a; font-size: 12px; }
.grid { stroke: #d0d7de; stroke-width: 1; }
.one { stroke: #57606a; stroke-width: 1.5; }
.bar { stroke: #0969da; stroke-width: 7; stroke-opacity: 0.35; }
.mark { fill: none; stroke-width: 1.8; }
.c0 { stroke: #0969da; fill: #0969da; } .c1 { stroke: #6e7781; } .c2 { stroke: #8250df; }
.c3 { stroke: #bf8700; } .c4 { stroke: #cf222e; }
.corrupt { fill: #cf222e; font-size: 11px; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .quiet { fill: #9198a1; } .grid { stroke: #3d444d; } .one { stroke: #9198a1; }
  .bar { stroke: #4493f8; } .c0 { stroke: #4493f8; fill: #4493f8; } .c1 { stroke: #9198a1; }
  .c2 { stroke: #ab7df8; } .c3 { stroke: #d29922; } .c4 { stroke: #f85149; } .corrupt { fill: #f85149; }
}
"""


def across(ratio):
    """Where a multiple of the reference lies, in pixels from the left."""
    power = min(max(math.log2(ratio), FIRST), LAST)
    return LEFT + (power - FIRST) / (LAST - FIRST) * (WIDTH - LEFT - RIGHT)


def mark(kind, x, y):
    """One point. Each kind has a shape of its own, for those who see no difference between the colours."""
    shapes = [
        f'<circle class="mark c0" cx="{x:.1f}" cy="{y:.1f}" r="5.5"/>',
        f'<path class="mark c1" d="M{x:.1f} {y - 7:.1f}v14"/>',
        f'<path class="mark c2" d="M{x - 5.5:.1f} {y:.1f}l5.5 -5.5l5.5 5.5l-5.5 5.5z"/>',
        f'<path class="mark c3" d="M{x - 5.5:.1f} {y + 4.5:.1f}h11l-5.5 -10z"/>',
        f'<path class="mark c4" d="M{x - 4.5:.1f} {y - 4.5:.1f}h9v9h-9z"/>',
    ]
    return shapes[kind]


def svg(cells, kinds, units, title, caption):
    """The picture.

    `cells` are by column and row; `kinds` the columns to draw beside the reference, ours first, five at most; `units`
    has a unit for each row, in their order.
    """
    height = TOP + STEP * len(units) + 46
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="16" y="24">{escape(title)}</text>',
        f'<text class="quiet" x="16" y="43">{escape(caption)}</text>',
    ]
    out += legend(kinds)
    bottom = TOP + STEP * len(units)
    for power in range(FIRST, LAST + 1):
        x, label = across(2.0**power), f"{2**power} ×" if power >= 0 else f"1/{2**-power} ×"
        out.append(f'<path class="{"one" if power == 0 else "grid"}" d="M{x:.1f} {TOP}V{bottom}"/>')
        out.append(f'<text class="quiet" x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">{label}</text>')
    out.append(
        f'<text class="quiet" x="{across(1):.1f}" y="{bottom + 35}" text-anchor="middle">'
        f"multiples of {REFERENCE}’s figure, logarithmic; to the right is faster</text>"
    )
    out.append(f'<text class="quiet" x="{WIDTH - 16}" y="{TOP - 8}" text-anchor="end">{escape(kinds[0])}</text>')
    for number, (row, unit) in enumerate(units.items()):
        out += row_marks(row, unit, TOP + STEP * (number + 0.5), cells, kinds)
    return "\n".join([*out, "</svg>", ""])


def legend(kinds):
    x = 16
    for number, name in enumerate(kinds):
        yield mark(number, x + 6, 66)
        yield f'<text x="{x + 18}" y="70">{escape(name)}</text>'
        x += 40 + 7.6 * len(name)


def row_marks(row, unit, y, cells, kinds):
    """A row's name, its points, and on the right what ours is of the reference's."""
    yield f'<text x="16" y="{y + 1:.1f}">{escape(row)}</text>'
    yield f'<text class="quiet" x="16" y="{y + 14:.1f}">{escape(unit)}</text>'
    reference = cells.get(REFERENCE, {}).get(row)
    if reference is None or not reference.figure:
        return
    spoiled = []
    for number, name in reversed(list(enumerate(kinds))):
        cell = cells.get(name, {}).get(row)
        if cell is None:
            continue
        if not cell.figure:
            spoiled.append(f"{name}: {cell.failure}")
            continue
        ratio = cell.figure / reference.figure
        if number == 0:
            yield f'<path class="bar" d="M{across(1):.1f} {y:.1f}H{across(ratio):.1f}"/>'
            yield f'<text x="{WIDTH - 16}" y="{y + 5:.1f}" text-anchor="end">{ratio:.2f} ×</text>'
        yield mark(number, across(ratio), y)
    if spoiled:
        yield f'<text class="corrupt" x="{LEFT + 6}" y="{y + 4:.1f}">✕ {escape(", ".join(spoiled))}</text>'
