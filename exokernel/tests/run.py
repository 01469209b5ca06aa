#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots the kernel with one program as the module `init` and passes its TAP on.

run.py [--cpu MODEL] [--append WORDS] [--memory MIB] [--timeout S] [--iso bios|uefi] [--expect-panic TEXT] KERNEL PROGRAM

With --iso KERNEL is the ELF64 image and GRUB starts it from a CD made for the purpose. The program ends the machine through the exit device; no plan, a plan that does not match, a panic or a timeout is a
failure. With --expect-panic the machine must panic with this text.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile


TAP = r'(not )?ok \d|1\.\.|#'


GRUB = """set timeout=0
insmod all_video
menuentry exoc {{
    multiboot2 /boot/kernel {append}
    module2 /boot/init init load
}}
"""
ICOUNT = ['-icount', 'shift=0,sleep=off', '-seed', '1', '-rtc', 'base=2024-01-01,clock=vm']
OVMF = '/usr/share/OVMF/OVMF_{}_4M.fd'


def direct(args):
    return ['-kernel', args.kernel, '-initrd', f'{args.program} init load', '-append', args.append]


def iso(args, scratch):
    boot = scratch / 'iso/boot'
    (boot / 'grub').mkdir(parents=True)
    shutil.copy(args.kernel, boot / 'kernel')
    shutil.copy(args.program, boot / 'init')
    (boot / 'grub/grub.cfg').write_text(GRUB.format(append=args.append))
    subprocess.run(['grub-mkrescue', '-o', scratch / 'cd.iso', scratch / 'iso'], check=True, capture_output=True)
    options = ['-cdrom', scratch / 'cd.iso']
    if args.iso == 'uefi':
        shutil.copy(OVMF.format('VARS'), scratch / 'vars.fd')
        options += ['-drive', f'if=pflash,format=raw,readonly=on,file={OVMF.format("CODE")}',
                    '-drive', f'if=pflash,format=raw,file={scratch / "vars.fd"}']
    return options


def run(args, scratch):
    command = [
        'qemu-system-x86_64', '-serial', 'stdio', '-display', 'none', '-monitor', 'none', '-no-reboot',
        '-m', str(args.memory), '-accel', 'tcg', '-cpu', args.cpu, '-device', 'isa-debug-exit,iobase=0x501,iosize=4',
    ] + (iso(args, scratch) if args.iso else direct(args)) + (ICOUNT if args.icount else [])
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=args.timeout)
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b'').decode(errors='replace'), 'timeout'
    return (done.stdout + done.stderr).decode(errors='replace'), done.returncode


def verdict(text, status, expect):
    if expect:
        if f'PANIC: {expect}' not in text:
            return f'no panic with "{expect}"'
        return None if re.search(r'env_teardown\+', text) and 'env_exit(2a' in text else 'no names in the report'
    plan = re.findall(r'^1\.\.(\d+)\r?$', text, re.M)
    good = len(re.findall(r'^ok \d+', text, re.M))
    bad = len(re.findall(r'^not ok \d+', text, re.M))
    if status == 'timeout':
        return 'timeout'
    if bad or 'PANIC' in text:
        return f'{bad} failed' if bad else 'panic'
    if not plan or int(plan[-1]) != good or good == 0:
        return f'plan {plan}, {good} passed'
    return None if status == 1 else f'exit status {status}'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--cpu', default='max')
    parser.add_argument('--append', default='')
    parser.add_argument('--memory', type=int, default=48)
    parser.add_argument('--timeout', type=int, default=100)
    parser.add_argument('--icount', action='store_true')
    parser.add_argument('--expect-panic')
    parser.add_argument('--iso', choices=['bios', 'uefi'])
    parser.add_argument('kernel')
    parser.add_argument('program')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        text, status = run(args, pathlib.Path(scratch))
    problem = verdict(text, status, args.expect_panic)
    lines = text.replace('\r', '').splitlines()
    shown = ''.join(f'{"" if re.match(TAP, line) else "# "}{line}\n' for line in lines)
    if args.expect_panic and not problem:
        shown = 'ok 1 - panicked as expected\n1..1\n'
    sys.stdout.write(shown)
    if problem:
        sys.stdout.write(f'\nBail out! {problem}\n')
    sys.exit(1 if problem else 0)


main()
