# SPDX-License-Identifier: MIT
"""Where the instructions of one benchmark go: `exoc bench --profile NAME`.

QEMU runs with the plugin bench/profile.c, which counts each instruction between the marks of a timed run, for each protection
domain. Here addresses become functions, by the ELF files of the build. A domain's program is told by the instructions themselves:
programs overlap in address, so a candidate must have the same bytes there.
"""
import bisect
import collections
import os
import subprocess
import sys

import linux

REPEATS = 5  # of bench/main.c
KERNEL = 0xFFFF800000000000


class Elf:
    """The functions of a program, and its bytes by address."""

    def __init__(self, name, path):
        self.name, self.starts, self.names, self.parts = name, [], [], []
        symbols = {}
        for line in self.tool("nm", path):
            words = line.split()
            if len(words) == 3 and words[1] in "tTwW":
                symbols.setdefault(int(words[0], 16), words[2])
        self.starts = sorted(symbols)
        self.names = [symbols[start] for start in self.starts]
        data = open(path, "rb").read()
        for line in self.tool("readelf", "-lW", path):
            words = line.split()
            if words[:1] == ["LOAD"]:
                offset, address, size = (int(words[i], 16) for i in (1, 2, 4))
                self.parts.append((address, data[offset:offset + size]))

    @staticmethod
    def tool(*command):
        return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()

    def has(self, address, code):
        return any(start <= address < start + len(data) and data[address - start:address - start + len(code)] == code
                   for start, data in self.parts)

    def function(self, address):
        at = bisect.bisect_right(self.starts, address) - 1
        return (self.names[at], self.starts[at]) if at >= 0 else (hex(address), address)


def programs(build):
    files = [("kernel", "exokernel/exoc-kernel"), ("libos", "libos/libos.elf"), ("bench", "bench/guest/bench"),
             ("fsd", "apps/fsd/fsd.elf"), ("init", "apps/init/init.elf"), ("ttyd", "apps/ttyd/ttyd"),
             ("busybox", "apps/busybox/tree/busybox_unstripped"), ("execd", "apps/execd/execd"),
             ("sqlite3", "bench/sqlite3-exoc"), ("tcc", "bench/tcc-exoc")]
    return [Elf(name, os.path.join(build, path)) for name, path in files
            if os.path.exists(os.path.join(build, path))]


def run(args, out):
    enter = next(line.split()[0] for line in Elf.tool("nm", os.path.join(args.build, "exokernel/exoc-kernel"))
                 if line.endswith(" cpu_enter_user"))
    plugin = os.path.join(args.build, "bench/profile.so")
    env = {**os.environ, "EXOC_BUILD": args.build, "EXOC_QEMU": f"-plugin {plugin},out={out},enter=0x{enter}"}
    add = ["--add", os.path.join(args.build, "bench/guest") + ":/bench"]
    for name in linux.PROGRAMS:
        file = os.path.join(args.build, f"bench/{name}-exoc")
        add += ["--add", f"{file}:/bench/{name}"] if os.path.exists(file) else []
    done = subprocess.run([args.exoc, "exec", "--icount", "--mem", "512", "--timeout", "1800"] + add +
                          ["--", "/bench/bench", args.profile], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=env)
    words = done.stdout.strip().split("\t")
    if len(words) != 4 or words[1] in ("unsupported", "failed") or not os.path.exists(out):
        sys.exit(f"bench: no profile of {args.profile}: {done.stdout.strip()}")
    return float(words[1]), int(words[2]) * REPEATS, words[3]


def program_of(known, address, code):
    """Its ELF file, or None for code that is in none: of a program not built here."""
    return next((elf for elf in known if elf.has(address, code)), None)


def read(path, known):
    """Lines of the plugin as [domain, program's name, function, calls, count]."""
    rows = []
    for line in open(path, encoding="utf-8"):
        domain, address, count, code = line.split()
        address, code = int(address, 16), bytes.fromhex(code)
        # The kernel patches some of its instructions, so only its address counts.
        elf = known[0] if address >= KERNEL else program_of(known[1:], address, code)
        name, start = elf.function(address) if elf else (hex(address), None)
        rows.append((domain, elf.name if elf else "?", name, int(count) if address == start else 0, int(count)))
    return rows


def domain_names(rows):
    """A domain is called by the program most of whose instructions it executes; the libOS and the kernel are everybody's."""
    votes = collections.defaultdict(collections.Counter)
    for domain, program, _, _, count in rows:
        votes[domain][program] += count if program not in ("kernel", "libos", "?") else 0
    names, seen = {}, collections.Counter()
    for domain, counter in sorted(votes.items(), key=lambda item: int(item[0])):
        program, count = counter.most_common(1)[0]
        name = program if count else "other"
        seen[name] += 1
        names[domain] = name if seen[name] == 1 else f"{name}.{seen[name]}"
    return names


def profile(args, name):
    """The cost, the operations, the title, and the rows of one benchmark's profile."""
    out = os.path.join(args.build, "bench/profile.out")
    if os.path.exists(out):
        os.remove(out)
    args.profile = name
    cost, operations, title = run(args, out)
    return cost, operations, title, read(out, programs(args.build))


def split(args, names):
    """{name: {part: instructions of one operation}} with the parts of PARTS."""
    result = {}
    for name in names:
        _, operations, _, rows = profile(args, name)
        parts = collections.Counter()
        for _, program, _, _, count in rows:
            part = program if program in ("kernel", "libos", "init", "fsd") else "programs"
            parts[part] += count / operations
        result[name] = parts
    return result


PARTS = ["kernel", "libos", "programs", "fsd", "init"]


def main(args):
    cost, operations, title, rows = profile(args, args.profile)
    names = domain_names(rows)
    total, counts, calls = 0, collections.Counter(), collections.Counter()
    places = collections.Counter()
    for domain, program, function, called, count in rows:
        where = "kernel" if program == "kernel" else program if program == names[domain] else f"{names[domain]}: {program}"
        counts[where, function] += count
        calls[where, function] += called
        places[where] += count
        total += count
    print(f"{title}: {cost:,.0f} instructions by the clock, {total / operations:,.1f} counted\n")
    for where, count in places.most_common():
        print(f"{count / operations:12,.1f}  {100 * count / total:5.1f} %  {where}")
    print(f"\n{'instructions':>12}  {'share':>7}  {'calls':>8}  function")
    for (where, function), count in counts.most_common(args.lines):
        print(f"{count / operations:12,.1f}  {100 * count / total:5.1f} %  {calls[where, function] / operations:8.2f}  "
              f"{function} ({where})")
    return 0
