// SPDX-License-Identifier: MIT
//
// fork(): the child sees memory as it was and neither side sees what the other writes later: data,
// bss, heap, stack and private mappings.
#include "tap.h"
#include <sys/mman.h>
static int data = 1, bss[3000];

int main(void)
{
    int stack[2000] = {0}, go[2];
    tap_start();
    int *heap = calloc(50000, sizeof *heap);
    int *map = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(map != MAP_FAILED);
    data = bss[2999] = stack[1999] = heap[49999] = map[9999] = 5;
    SYS(pipe(go));
    pid_t pid = tap_fork();
    if (pid == 0) {
        tap_await(go[0]);
        EQ(data + bss[2999] + stack[1999] + heap[49999] + map[9999], 25);
        data = bss[2999] = stack[1999] = heap[49999] = map[9999] = 7;
        heap = realloc(heap, 1000000);
        EQ(heap[49999], 7);
        _exit(0);
    }
    data = bss[2999] = stack[1999] = heap[49999] = map[9999] = 6;
    tap_post(go[1]);
    EQ(tap_wait(pid), 0);
    EQ(data, 6);
    EQ(bss[2999], 6);
    EQ(stack[1999], 6);
    EQ(heap[49999], 6);
    EQ(map[9999], 6);
    IN_CHILD("and again, with what the parent has now") {
        EQ(data + map[9999], 12);
        pid = tap_fork();
        if (pid == 0) {
            EQ(data + map[9999], 12);
            data = 1;
            _exit(0);
        }
        EQ(tap_wait(pid), 0);
        EQ(data, 6);
    }
    return tap_done();
}
