// SPDX-License-Identifier: MIT
// A kernel for init on the host: handles that go stale, environments with their deaths, banks that
// run out. Only init's own capability table is there; what it gives to others is checked and
// counted.
//
// It aborts on what init may never do, whatever it was asked: use a handle that is not its own, or
// a pointer that is not there (the sanitizer's part).
#ifndef FAKE_H
#define FAKE_H

#include <exo/exo.h>
#include <exo/domain.h>
#include <stdbool.h>

#define FAKE_ENVS 2048

int64_t exo_reply_wait(exo_handle_t endpoint, struct exo_msg *m, exo_ns_t deadline);

exo_handle_t fake_new(uint32_t type, uint64_t env); // a capability for init
unsigned fake_count(void);                          // init's capabilities
uint64_t fake_env_new(exo_handle_t *handle, uint64_t cookie);
bool fake_death(uint64_t *cookie); // of an environment that was killed: what init is told
void fake_kill(uint64_t env, uint32_t reason, uint64_t code);

extern exo_ns_t fake_now;
extern unsigned fake_room;               // how many more environments can be bought
extern uint8_t (*fake_any)(void);        // chance: from the fuzzer's input
extern unsigned char fake_memory[16384]; // of every process, from address 0x1000 on

#endif
