// SPDX-License-Identifier: MIT
// A kernel for host tests of the file server: capabilities with their derivation tree, frames in
// one piece of memory, segments as tables of frames, one endpoint. All tables are one table; who
// owns a slot is written in it.
//
// Frames are poisoned when nobody holds them any more and zeroed when bought, as the real kernel
// does at some time between. Calls that may say EAGAIN do so now and then.
#ifndef FAKE_EXO_H
#define FAKE_EXO_H

#include <exo/exo.h>
#include <stdbool.h>

#define FAKE_FRAMES 16384u
#define FAKE_ENVS   64u

struct fake_object {
    uint32_t type;
    uint64_t id;
    uint32_t caps, wcaps; // slots that name it
    uint32_t held;        // FRAMES: segment entries
    uint64_t first, count;
    uint64_t limit, used; // BANK
    struct fake_entry {
        struct fake_object *run;
        uint64_t frame;
        uint32_t rights;
        bool dirty;
    } * entry; // SEGMENT: 512
    struct fake_object *next;
};

struct fake_cap {
    struct fake_object *obj; // NULL: vacant
    uint32_t generation;
    uint32_t rights;
    uint64_t badge;
    uint32_t parent; // slot, 0 = none
    uint64_t env;    // whose table; 0 = the server's
    bool watch;
    uint64_t window, window_pages;
};

extern struct fake_object *fake_objects;
extern exo_ns_t fake_now;
extern uint64_t fake_wakes;
extern bool fake_again; // answer EAGAIN now and then
extern unsigned long fake_seed;

void fake_start(uint64_t bank_frames); // everything fresh; the server's bank is in slot 1
exo_handle_t fake_module(const void *bytes, uint64_t n);
void *fake_frame(uint64_t frame);
struct fake_cap *fake_cap(exo_handle_t h, uint64_t env, uint32_t type,
                          uint32_t rights); // NULL: refused
unsigned fake_count(uint64_t env);          // capabilities of a table
// What a message does: a capability of `from` in the table of `to`. 0: refused.
exo_handle_t fake_send(uint64_t from, uint64_t to, exo_handle_t h, uint32_t rights, uint32_t mode);
exo_handle_t fake_endpoint(uint64_t env, uint64_t badge); // somebody else's
void fake_delete(uint64_t env, exo_handle_t h);
void fake_delete_all(uint64_t env);
exo_handle_t fake_childless(void); // the next notice, or 0
uint32_t fake_rand(uint32_t below);

#endif
