# SPDX-License-Identifier: MIT
"""The table on the terminal, docs/performance.md and its plot.

The words of docs/performance.md are written by hand; what stands between the lines `<!-- NAME -->` and `<!-- end NAME -->` is
replaced by a complete run.
"""
import math
import os
import re
from xml.sax.saxutils import escape

# What each row is meant to cost at most, in instructions.
GOALS = {
    "getppid": 40, "sigaction": 60, "sigprocmask": 60, "read-zero": 80, "write-null": 80, "pread-4k": 700,
    "pread-64k": 9000, "write-4k": 900, "append-4k": 1500, "open-close": 1500, "stat": 400, "create-unlink": 5000,
    "readdir-1000": 60000, "pipe": 3000, "socketpair": 3500, "pipe-64k": 20000, "ring": 1500, "fork": 35000,
    "fork-64m": 80000, "spawn": 60000, "sh-true": 120000, "mmap": 2000, "fault": 1100, "fault-cow": 1700,
    "mprotect": 700, "segv": 2000, "raise": 400, "signal": 4000, "pthread": 6000, "condvar": 900, "poll-10": 500,
    "poll-100": 3000,
}
COLUMNS = ["exoc", "foreign", "linux", "tuned"]
HEADS = ["this", "Linux binary here", "Linux default", "Linux tuned"]


def number(value):
    if value is None:
        return "unsupported"
    return f"{value:,.0f}"


def ratio(figures, name, system="exoc"):
    mine, other = figures[system].get(name), figures["tuned"].get(name)
    return mine / other if mine is not None and other else None


def goal(name, figures):
    """The most a row should cost, or None: named, or for an application half of Linux's."""
    if name in GOALS:
        return GOALS[name]
    tuned = figures["tuned"].get(name)
    return tuned / 2 if name.startswith("app-") and tuned else tuned


def table_text(rows, figures, unit):
    wide = max(len(title) for _, title in rows)
    lines = [f"({unit} of one operation)", " ".join([" " * wide] + [f"{head:>17}" for head in HEADS] + ["   ratio"])]
    for name, title in rows:
        cells = [f"{number(figures[column].get(name)):>17}" for column in COLUMNS]
        share = ratio(figures, name)
        lines.append(" ".join([f"{title:<{wide}}"] + cells + [f"{share:8.2f}" if share else "       -"]))
    return "\n".join(lines)


def table_markdown(rows, figures, with_goals):
    heads = ["operation"] + HEADS + ["this / tuned"] + (["goal"] if with_goals else [])
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    for name, title in rows:
        share, mine = ratio(figures, name), figures["exoc"].get(name)
        cells = [title] + [number(figures[column].get(name)) for column in COLUMNS]
        cells.append(f"{share:.2f}" if share else "")
        if with_goals:
            most = goal(name, figures)
            met = mine is not None and most is not None and mine <= most
            cells.append("" if most is None else number(most) + (" met" if met else ""))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def figures_markdown(rows, figures, facts):
    named = [row for row in rows if row[0] in GOALS]
    apps = [row for row in rows if row[0].startswith("app-")]
    rest = [row for row in rows if row not in named and row not in apps]
    both = [share for share in (ratio(figures, name) for name, _ in rows) if share]
    slower = [title for name, title in rows
              if max(ratio(figures, name) or 0, ratio(figures, name, "foreign") or 0) > 1]
    return "\n".join([
        f"Taken {facts['date']} by `./exoc bench`: Linux {facts['linux']}, {facts['qemu']}, {facts['gcc']}, commit "
        f"{facts['commit']}.", "",
        f"Of {len(both)} rows that both systems have, this system needs fewer instructions than Linux tuned in "
        f"{sum(share <= 1 for share in both)}; the geometric mean of the ratios is "
        f"{math.exp(sum(map(math.log, both)) / len(both)):.2f}.", "",
        "### Operations with a goal", "", table_markdown(named, figures, True), "",
        "### More operations", "", table_markdown(rest, figures, False), "",
        "### Applications", "", table_markdown(apps, figures, True), "",
        "### Slower than Linux tuned", "",
        "\n".join(f"- {title}" for title in slower) or "None.", "",
        "![ratio to Linux tuned](performance.svg)"])


def wall_markdown(rows, figures, facts):
    return "\n".join([f"Nanoseconds under plain TCG, least of the rounds of `./exoc bench --wall` on {facts['date']}. They "
                      "depend on the host; the ratios less so.", "", table_markdown(rows, figures, False)])


def plot(rows, figures):
    """Bars on a logarithmic scale: how many times fewer (left) or more instructions than Linux tuned."""
    bars = [(title, ratio(figures, name)) for name, title in rows if ratio(figures, name)]
    left, width, step, top = 300, 560, 16, 40
    low, high = 1 / 16, 16

    def x(value):
        return left + width * math.log(min(max(value, low), high) / low) / math.log(high / low)

    height = top + step * len(bars) + 20
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 70}" height="{height}" '
           'font-family="sans-serif" font-size="11">', '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="{left}" y="14">instructions, this system / Linux tuned</text>']
    for value in (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16):
        label = str(int(value)) if value >= 1 else f"1/{int(1 / value)}"
        out.append(f'<line x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{top - 6}" y2="{height - 16}" '
                   f'stroke="{"black" if value == 1 else "#ccc"}"/>'
                   f'<text x="{x(value):.1f}" y="{top - 10}" text-anchor="middle">{label}</text>')
    for index, (title, share) in enumerate(bars):
        y = top + index * step
        start, end = sorted((x(share), x(1)))
        out.append(f'<text x="{left - 8}" y="{y + 11}" text-anchor="end">{escape(title)}</text>'
                   f'<rect x="{start:.1f}" y="{y + 2}" width="{max(end - start, 1):.1f}" height="{step - 5}" '
                   f'fill="{"#2a7f3f" if share <= 1 else "#b03a2e"}"/>'
                   f'<text x="{left + width + 8}" y="{y + 11}">{share:.2f}</text>')
    return "\n".join(out + ["</svg>"]) + "\n"


def replace(text, name, content):
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end {name} -->)", re.S)
    return pattern.sub(lambda match: f"{match.group(1)}{content}\n{match.group(2)}", text)


def write_split(docs, splits, parts):
    """{name: {part: instructions}} as the table "split"."""
    lines = ["| row | goal | all | " + " | ".join(parts) + " |", "|---" + "|---:" * (len(parts) + 2) + "|"]
    for name, counts in splits.items():
        cells = [f"`{name}`", number(GOALS[name]), number(sum(counts.values()))]
        lines.append("| " + " | ".join(cells + [number(counts[part]) for part in parts]) + " |")
    path = os.path.join(docs, "performance.md")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(replace(text, "split", "\n".join(lines)))


def write(docs, rows, figures, facts, wall):
    path = os.path.join(docs, "performance.md")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if wall:
        text = replace(text, "wall", wall_markdown(rows, figures, facts))
    else:
        text = replace(text, "figures", figures_markdown(rows, figures, facts))
        with open(os.path.join(docs, "performance.svg"), "w", encoding="utf-8") as f:
            f.write(plot(rows, figures))
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
