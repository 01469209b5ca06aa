// SPDX-License-Identifier: MIT
/*
 * execd's line on the build machine: takes QEMU's command line as the relay makes it, and uses its
 * sockets, memory and spec. So relay and execd are tested together, with everything between them
 * but the machine.
 */
#include "../line.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int data = -1, memory_fd = -1;
static size_t memory_used = 1 << 20;
static char *spec_path;

int line_open(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char *at;
        if ((at = strstr(argv[i], "id=data,fd=")))
            data = dup(atoi(at + 11));
        if ((at = strstr(argv[i], "mem-path=")))
            memory_fd = open(at + 9, O_RDWR | O_CLOEXEC);
        if (strcmp(argv[i], "-initrd") == 0 && i + 1 < argc) {
            at = strrchr(argv[i + 1], ',');
            spec_path = at ? at + 1 : argv[i + 1];
            *strchr(spec_path, ' ') = 0;
        }
    }
    for (int fd = 3; fd < 1024; fd++) // what the relay gave to its machine is not the program's
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    return data < 0 || memory_fd < 0 || !spec_path ? -1 : 0;
}

void line_write(const uint8_t *bytes, size_t n)
{
    while (n) {
        ssize_t w = write(data, bytes, n);
        if (w < 0)
            exit(125);
        bytes += w;
        n -= (size_t)w;
    }
}

size_t line_read(uint8_t *bytes, size_t room)
{
    struct pollfd pfd = {.fd = data, .events = POLLIN};
    if (poll(&pfd, 1, 0) <= 0)
        return 0;
    ssize_t n = read(data, bytes, room < 3 ? room : 3); // short, as a port's FIFO is
    if (n <= 0)
        exit(125);
    return (size_t)n;
}

int line_memory(struct line_memory *memory, size_t size)
{
    memory->physical = memory_used;
    memory->size = size;
    memory->bytes =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, (off_t)memory_used);
    memory_used += size;
    return memory->bytes == MAP_FAILED ? -1 : 0;
}

const char *line_spec(size_t *bytes)
{
    static char spec[1 << 20];
    ssize_t n = read(open(spec_path, O_RDONLY | O_CLOEXEC), spec, sizeof spec);
    *bytes = n < 0 ? 0 : (size_t)n;
    return n < 0 ? NULL : spec;
}

void line_drop(void)
{
    close(data);
    close(memory_fd);
}
