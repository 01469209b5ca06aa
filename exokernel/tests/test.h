// SPDX-License-Identifier: MIT
// What every test of the raw ABI needs: TAP on the kernel's log, an upcall stub, a second
// environment.
//
// A test is a static program, booted as the only module: it defines test_main and is the first
// environment, so it holds all authority. `end` runs the kernel's invariant checker and compares
// the counts of live objects with those at the start, so a test must give back what it took.
#ifndef TEST_H
#define TEST_H

#include <stdbool.h>
#include <exo/boot.h>
#include <exo/info.h>
#include <exo/stubs.h>

extern const struct exo_boot *boot;
void test_main(void);

// --- reporting -----------------------------------------------------------------------------------
void put(const char *format, ...) __attribute__((format(printf, 1, 2))); // %s %d %u %x %lx %ld
void ok_at(bool good, const char *what, int line);
#define ok(cond) ok_at((cond), #cond, __LINE__)
extern bool quiet; // only failures are reported and counted
// A call's result, printed when it differs.
void is_at(int64_t got, int64_t want, const char *what, int line);
#define is(got, want) is_at((int64_t)(got), (int64_t)(want), #got, __LINE__)
__attribute__((noreturn)) void test_end(void);
__attribute__((noreturn)) void test_stop(void); // without comparing the counts

static const char *const frame_kinds[] = {"firmware's frames", "free frames",  "kernel frames",
                                          "object frames",     "table frames", "anonymous frames",
                                          "frames of runs"};
static const char *const object_types[] = {
    "contexts",  "banks",  "runs", "segments", "address spaces", "environments",
    "endpoints", "slices", "irqs", "ioports",  "devices",        "machines"};

// --- the own context -----------------------------------------------------------------------------
#define CTX ((volatile struct exo_ctx *)EXO_BOOT_CTX_VA)
// Upcalls go to this function; registers may be changed in the save area.
void upcalls_to(void (*handler)(struct exo_save *save));
uint64_t now(void); // ns, from the exposed clock

// --- memory --------------------------------------------------------------------------------------
#define RW (EXO_R_READ | EXO_R_WRITE)
int64_t buy(uint64_t va, uint32_t pages, uint32_t rights);
int64_t unmap(uint64_t va, uint32_t pages);
int64_t map(exo_handle_t aspace, exo_handle_t cap, uint64_t va, uint64_t first, uint32_t pages,
            uint32_t rights);

// --- another context, and another environment that shares the address space ----------------------
struct peer {
    exo_handle_t env;   // 0: a context of this environment
    exo_handle_t block; // FRAMES of its block
    uint32_t index;
    exo_env_id_t id;
    volatile struct exo_ctx *ctx; // gone when it is dead
    char *msg;
};
// Starts fn(arg) there; slot (0..7) chooses its block and stack. fn must not return.
void peer_start(struct peer *peer, unsigned slot, bool new_env, exo_handle_t supervisor,
                uint64_t cookie, void (*fn)(void *arg), void *arg);
void peer_make(struct peer *peer, unsigned slot, bool new_env, exo_handle_t supervisor,
               uint64_t cookie, void (*fn)(void *arg),
               void *arg); // ... made, but not bound to a slice yet
void peer_end(
    struct peer *peer); // kills the environment, waits until it is dead, gives everything back
exo_handle_t give(const struct peer *peer, exo_handle_t cap,
                  uint32_t rights); // a handle in its table

static inline volatile struct exo_ctx *ctx_self(void)
{
    uint64_t self;

    __asm__ volatile("mov %%gs:8, %0" : "=r"(self));
    return (volatile struct exo_ctx *)self;
}

#define spin_until(cond)                                                                           \
    do                                                                                             \
        __asm__ volatile("pause" : : : "memory");                                                  \
    while (!(cond))

#endif
