// SPDX-License-Identifier: MIT
//
// Death at every instruction, with the whole system running: what scenes and the director share.
//
// A scene is a play of one process, the victim, and what its survivors must see when it dies or is
// stopped in the midst of it. The director (director.c) holds a capability to give the victim the
// CPU (libos_yield_to), no more than any parent can have. In the deterministic machine a nanosecond
// is an instruction: it hands the victim N of them, then kills it, for every N of the play. What
// the victim calls runs on its time, so N also passes through the servers and the kernel.
#ifndef DEATH_H
#define DEATH_H

#include <errno.h>
#include <exo/libos.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct stage { // memory that director and victim truly share
    volatile uint32_t ready, go;
    volatile uint32_t crowd; // the spinners may begin
    volatile uint32_t done;  // the play is over
    volatile uint32_t count; // steps of the play that are complete
    volatile int32_t error;  // the play itself found something wrong: line
};
extern struct stage *stage;

struct scene {
    const char *name;
    void (*set)(void);    // director, before the victim is born
    void (*enter)(void);  // victim, before the first instruction that counts
    void (*play)(void);   // victim
    pid_t (*birth)(void); // director: makes the victim, whose life is the play. Without it: fork
    void (*reap)(int status); // director: the dead is another's child; checks what that one tells
    bool (*wake)(void); // director, when the victim sleeps: makes it go on. False: it sleeps on
    void (*meanwhile)(void); // director, while the victim is stopped: others must get on
    // Director, when the victim is dead. whole: the play was over before.
    void (*after)(bool whole);
    unsigned crowd; // while the victim is to stop, so many others want the CPU; only when named
    bool kill_only; // it cannot be stopped and continued
    int ends;       // the wait status of a play that ends the process itself, or 0: it does not
};

// Checks of set, meanwhile and after; a failure is told with the scene and N.
void expect(bool holds, int line, const char *text, long long got, long long want);
#define IS(got, want)                                                                              \
    do {                                                                                           \
        long long got_ = (long long)(got), want_ = (long long)(want);                              \
        expect(got_ == want_, __LINE__, #got " == " #want, got_, want_);                           \
    } while (0)
#define HOLDS(what) expect(!!(what), __LINE__, #what, 0, 1)

// Checks of the play.
#define MUST(what)                                                                                 \
    do {                                                                                           \
        if (!(what) && !stage->error)                                                              \
            stage->error = __LINE__;                                                               \
    } while (0)

// Waits until a condition holds, some hundred milliseconds at most.
#define SOON(what)                                                                                 \
    do {                                                                                           \
        for (int i_ = 0; i_ < 300 && !(what); i_++)                                                \
            usleep(1000);                                                                          \
        HOLDS(what);                                                                               \
    } while (0)

extern const char *self;           // this program
extern char *const no_arguments[]; // with which it ends at once, with status STATUS
#define STATUS 5

extern const struct scene pipe_scenes[], file_scenes[], process_scenes[], tty_scenes[];

int storm(unsigned kills, unsigned seed); // storm.c: kill -9 at random moments
#endif
