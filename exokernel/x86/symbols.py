#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the assembly of the kernel's symbol table from a linked image: symbols.py NM IMAGE OUTPUT.

Functions only, as offsets from EXO_KERNEL_BASE in ascending order. It is linked behind the code, so the addresses stay
what they are in the second link.
"""
import subprocess
import sys

BASE = 0xffffffff80000000

nm, image, output = sys.argv[1:]
text = subprocess.run([nm, '-n', image], check=True, capture_output=True, text=True).stdout
found = []
for line in text.splitlines():
    fields = line.split()
    if len(fields) == 3 and fields[1] in 'tT' and int(fields[0], 16) >= BASE:
        found.append((int(fields[0], 16) - BASE, fields[2]))

with open(output, 'w') as f:
    names = 0
    f.write('    .section .symbols, "a"\n    .balign 8\n    .globl symbols, symbol_names, symbol_count\nsymbols:\n')
    for offset, name in found:
        f.write(f'    .long {offset:#x}, {names}\n')
        names += len(name) + 1
    f.write(f'symbol_count:\n    .long {len(found)}\nsymbol_names:\n')
    for _, name in found:
        f.write(f'    .asciz "{name}"\n')
    f.write('    .section .note.GNU-stack, "", @progbits\n')
