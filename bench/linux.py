# SPDX-License-Identifier: MIT
"""Linux in the machine that `exoc exec` uses: its kernel, an initramfs, and how they are started."""
import glob
import gzip
import os
import re
import subprocess

MACHINE = ["qemu-system-x86_64", "-machine", "pc", "-accel", "tcg", "-nodefaults", "-display", "none", "-no-reboot",
           "-device", "isa-debug-exit,iobase=0x501,iosize=4"]
ICOUNT = ["-icount", "shift=0,sleep=off", "-seed", "1", "-rtc", "base=2024-01-01,clock=vm", "-cpu", "max,-erms,-fsrm"]
PLAIN = ["-cpu", "max", "-smp", "1"]
PROGRAMS = ["tcc", "sqlite3"]
PARAMETERS = "console=ttyS0 quiet loglevel=1 panic=-1 rdinit=/init"


def first_line(command):
    return subprocess.run(command, capture_output=True, text=True).stdout.split("\n")[0]


def qemu_version():
    return first_line(["qemu-system-x86_64", "--version"])


def version(kernel):
    """What the kernel's image says of itself, as in 6.1.192-2."""
    match = re.search(rb"Debian ([0-9]+[.][0-9.]+-[0-9]+) ", open(kernel, "rb").read(65536))
    return match.group(1).decode() if match else os.path.basename(kernel)


class Cpio:
    """An archive in the format "newc"; the names of one file share its content as hard links do."""

    def __init__(self):
        self.data, self.inode = bytearray(), 1

    def add(self, mode, names, content=b""):
        for name in names:
            body = content if name == names[-1] else b""
            fields = [self.inode, mode, 0, 0, len(names), 1704067200, len(body), 0, 0, 0, 0, len(name) + 1, 0]
            self.data += b"070701" + b"".join(b"%08X" % value for value in fields) + name.encode() + b"\0"
            self.data += b"\0" * (-len(self.data) % 4) + body
            self.data += b"\0" * (-len(self.data) % 4)
        self.inode += 1

    def finish(self):
        self.add(0, ["TRAILER!!!"])
        return bytes(self.data)


class Linux:
    def __init__(self, build):
        self.bench = os.path.join(build, "bench")

    def kernel(self):
        """The newest kernel of Debian's package, unpacked in the build directory and installed nowhere."""
        place = os.path.join(self.bench, "linux")
        found = glob.glob(os.path.join(place, "boot/vmlinuz-*"))
        if not found:
            os.makedirs(place, exist_ok=True)
            subprocess.run([os.path.join(os.path.dirname(os.path.abspath(__file__)), "fetch-linux"), place], check=True)
            found = glob.glob(os.path.join(place, "boot/vmlinuz-*"))
        return max(found)

    def initramfs(self, guest, command):
        """An archive with the guest directory as /bench, busybox with its links in /bin, and the command to run."""
        path = os.path.join(self.bench, "initramfs.gz")
        archive = Cpio()
        for name in ["bin", "sbin", "usr", "usr/bin", "usr/sbin", "bench", "bench/bin", "dev", "proc", "tmp"]:
            archive.add(0o40755, [name])
        with open(os.path.join(self.bench, "busybox.links"), encoding="utf-8") as f:
            links = ["bin/busybox"] + [line.strip().lstrip("/") for line in f]
        links = [name for name in links if name.split("/")[0] in ("bin", "sbin", "usr")]
        for name in sorted(os.listdir(guest)):
            file = os.path.join(guest, name)
            if os.path.isfile(file):
                content = open(file, "rb").read()
                mode = 0o100000 | (os.stat(file).st_mode & 0o777)
                archive.add(mode, ["bench/" + name], content)
                if name == "busybox":
                    archive.add(mode, links, content)
        for name in PROGRAMS:
            archive.add(0o100755, ["bench/" + name], open(os.path.join(self.bench, name + "-musl"), "rb").read())
        archive.add(0o100755, ["init"], open(os.path.join(self.bench, "linux-init"), "rb").read())
        archive.add(0o100644, ["command"], "\n".join(command).encode() + b"\n")
        with open(path, "wb") as f:
            f.write(gzip.compress(archive.finish(), 6, mtime=0))
        return path

    def run(self, image, parameters, memory, icount, timeout=1800):
        """What the command of the initramfs said."""
        command = MACHINE + (ICOUNT if icount else PLAIN) + [
            "-m", memory, "-kernel", self.kernel(), "-initrd", image, "-append", f"{PARAMETERS} {parameters}",
            "-serial", "stdio"]
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace",
                              timeout=timeout).stdout
