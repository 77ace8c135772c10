"""Draws a terminal's text, bold and coloured as it was, as an SVG: terminal.py < TEXT > PICTURE."""
import html
import re
import sys

COLUMNS, WIDTH, HEIGHT, MARGIN = 100, 8.43, 19, 16  # characters a line; pixels of a character, of a line, around all
COLOURS = {"31": "#f38ba8", "32": "#a6e3a1", "33": "#f9e2af", "36": "#94e2d5"}


def pieces(line):
    """Each stretch of a line with the codes that it is drawn by."""
    codes = set()
    for part in re.split(r"(\x1b\[[\d;]*m)", line):
        if found := re.fullmatch(r"\x1b\[([\d;]*)m", part):
            words = found[1].split(";")
            codes = set() if words in ([""], ["0"]) else codes | set(words)
        elif part:
            yield part, set(codes)


def wrapped(line):
    """The line as lists of pieces, none longer than the terminal is wide."""
    rows, room = [[]], COLUMNS
    for text, codes in pieces(line):
        while len(text) > room:
            rows[-1].append((text[:room], codes))
            text, room = text[room:], COLUMNS
            rows.append([])
        rows[-1].append((text, codes))
        room -= len(text)
    return rows


def drawn(row, number):
    x, y = MARGIN, MARGIN + HEIGHT * (number + 0.75)
    for text, codes in row:
        colour = next((COLOURS[code] for code in codes if code in COLOURS), "#cdd6f4")
        shown = html.escape(text).replace(" ", "\u00a0")  # several spaces would be drawn as one
        weight = ' font-weight="bold"' if "1" in codes else ""
        yield f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}"{weight}>{shown}</text>'
        x += WIDTH * len(text)


rows = [row for line in sys.stdin.read().rstrip().split("\n") for row in wrapped(line)]
width, height = 2 * MARGIN + WIDTH * COLUMNS, 2 * MARGIN + HEIGHT * len(rows)
print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}">')
print(f'<rect width="100%" height="100%" rx="8" fill="#1e1e2e"/>')
print('<g font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="14">')
for number, row in enumerate(rows):
    print(*drawn(row, number), sep="\n")
print("</g></svg>")
