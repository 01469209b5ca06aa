#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Record golden terminal sessions on Linux: make_golden.py BUSYBOX OUTDIR

Each session runs a busybox applet with TERM=linux on a pty of 80x24, types keys, and keeps what the
program wrote (NAME.raw). The screen it must lead to (NAME.screen) comes from tmux, an emulator
that shares no code with ours. Run by hand when a session is added; the tests only read the files.
"""
import os, pty, select, struct, fcntl, subprocess, sys, tempfile, termios, time

COLS, ROWS = 80, 24
TEXT = "".join("line %03d: the quick brown fox jumps over the lazy dog %s\n" % (i, "x" * (i % 40))
               for i in range(1, 121))
SESSIONS = {
    # edit, open lines, delete, undo, search, page, long lines, stay inside vi
    "vi": (["vi", "text"], [
        "\x1b[B\x1b[B", "ihello \x1b", "odown\tbelow\x1b", "Oabove\x1b", "dd", "u", "3dd", "p",
        "/line 050\r", "A appended so that this line grows much longer than the screen is wide, "
        "for vi scrolls sideways then\x1b", "0", "\x06", "\x06", "\x02", "G", "gg", "J", "xx",
        "\x04", "\x15", ":set number\r", "yyp", "\x05", "\x19", "\x0c"]),
    # the same file written and left: the screen after vi
    "vi-quit": (["vi", "text"], ["dG", "ione\rtwo\x1b", ":wq\r"]),
    "less": (["less", "-N", "text"], [" ", " ", "b", "/fox\r", "n", "\x1b[B", "\x1b[A", "G", "k", "k"]),
    "ash": (["ash"], ["PS1='$ '\r", "echo one two", "\x1b[D\x1b[D\x1b[D\x1b[D", "three ", "\x01", "\x05\r",
                      "clear\r", "ls /nonexistent; echo st\xc3\xa4tus $?\r", "\x1b[A", "\x1b[A", "\x0b\r",
                      "echo " + "w" * 100, "\x7f\x7f\x7f", "\x1b[D" * 30, "ins", "\r"]),
}


def record(busybox, argv, keys, cwd):
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        env = {"TERM": "linux", "HOME": cwd, "PATH": cwd, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        os.execve(busybox, argv, env)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLS, 0, 0))
    out = b""

    def pump(seconds):
        nonlocal out
        while select.select([fd], [], [], seconds)[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:
                return
            if not data:
                return
            out += data
            if b"\x1b[6n" in data:
                os.write(fd, b"\x1b[1;1R")

    pump(0.4)
    for k in keys:
        os.write(fd, k.encode("latin-1"))
        pump(0.25)
    os.kill(pid, 9)
    os.close(fd)
    os.waitpid(pid, 0)
    return out


def tmux_screen(raw_path):
    sock = ["tmux", "-L", "golden%d" % os.getpid(), "-f", "/dev/null"]
    env = dict(os.environ, LC_ALL="C.UTF-8", TERM="xterm")
    subprocess.run(sock + ["new-session", "-d", "-x", str(COLS), "-y", str(ROWS),
                           "stty raw -echo; cat '%s'; sleep 60" % raw_path], env=env, check=True)
    subprocess.run(sock + ["set", "-g", "status", "off"], env=env)
    time.sleep(0.7)
    text = subprocess.run(sock + ["capture-pane", "-p"], env=env, stdout=subprocess.PIPE).stdout.decode()
    cursor = subprocess.run(sock + ["display-message", "-p", "#{cursor_x} #{cursor_y}"], env=env,
                            stdout=subprocess.PIPE).stdout.decode().strip()
    subprocess.run(sock + ["kill-server"], env=env)
    lines = (text.split("\n") + [""] * ROWS)[:ROWS]
    return "".join(l.rstrip() + "\n" for l in lines) + "cursor " + cursor + "\n"


def main():
    busybox, outdir = os.path.abspath(sys.argv[1]), sys.argv[2]
    for name, (argv, keys) in SESSIONS.items():
        with tempfile.TemporaryDirectory() as cwd:
            for applet in ("vi", "less", "ls", "clear"):
                os.symlink(busybox, os.path.join(cwd, applet))
            with open(os.path.join(cwd, "text"), "w") as f:
                f.write(TEXT)
            raw = record(busybox, argv, keys, cwd)
        path = os.path.join(outdir, name + ".raw")
        with open(path, "wb") as f:
            f.write(raw)
        with open(os.path.join(outdir, name + ".screen"), "w") as f:
            f.write(tmux_screen(os.path.abspath(path)))
        print(name, len(raw))


main()
