// SPDX-License-Identifier: MIT
/*
 * The first process of the Linux that is compared with: mounts what programs expect, runs the
 * command in /command (one word a line) on the console, and ends the machine through QEMU's exit
 * device.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define EXIT_PORT 0x501
#define WORDS     64

static void mount_all(void)
{
    mkdir("/proc", 0555);
    mkdir("/tmp", 01777);
    mkdir("/dev", 0755);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777");
    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
}

static void open_console(void)
{
    struct termios t;
    int fd = open("/dev/console", O_RDWR);
    if (fd >= 0 && tcgetattr(fd, &t) == 0) {
        t.c_oflag &= ~(tcflag_t)OPOST;
        tcsetattr(fd, TCSANOW, &t);
    }
    for (int i = 0; i < 3; i++)
        dup2(fd, i);
}

static void run(char *const argv[])
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        execv(argv[0], argv);
        perror(argv[0]);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    tcdrain(1);
}

int main(void)
{
    static char text[4096], *argv[WORDS + 1];
    int count = 0;
    mount_all();
    open_console();
    int fd = open("/command", O_RDONLY);
    ssize_t got = read(fd, text, sizeof(text) - 1);
    close(fd);
    for (char *word = strtok(got > 0 ? text : NULL, "\n"); word && count < WORDS;
         word = strtok(NULL, "\n"))
        argv[count++] = word;
    setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
    if (count)
        run(argv);
    if (ioperm(EXIT_PORT, 4, 1) == 0)
        outl(0, EXIT_PORT);
    return 0;
}
