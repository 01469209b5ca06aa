// SPDX-License-Identifier: MIT
// Frames, banks, segments, address spaces: the interfaces the rest of the kernel uses.
// Errors are negative exo errors.
#ifndef KERNEL_MEM_H
#define KERNEL_MEM_H

#include <object/kobj.h>

typedef uint64_t paddr_t;
struct aspace; // starts with struct kobj

static inline void *phys_to_virt(paddr_t pa)
{
    return (void *)(pa + EXO_DIRECT_BASE);
}
static inline paddr_t virt_to_phys(const void *va)
{
    return (paddr_t)va - EXO_DIRECT_BASE;
}

// --- start-up (called once by the boot code, in this order) -----------------------------------
// One range of RAM that is usable; everything else stays EXO_FRAME_NONE.
struct mem_range {
    paddr_t start, end;
};
// Builds the frame table (private and exposed), the environment table and slice table pages, the
// kernel's page tables (direct map, information pages, image) from `ranges`; `reserved` ranges
// (kernel image, modules, boot data) are not free. Maps them into the kernel half that all address
// spaces share.
// The image's parts, their rights and the holes between them: x86/image.h.
void mem_init(const struct mem_range *ram, unsigned nram, const struct mem_range *reserved,
              unsigned nreserved);
struct bank *bank_root(void); // owns all free frames after mem_init
// The exposed tables, in the kernel's writable view. Their lengths are in struct exo_info.
extern struct exo_info *info_page;
extern struct exo_env_info *info_envs;
extern struct exo_slice_info *info_slices;
paddr_t kernel_cr3(void); // page table without a user half, for an idle CPU
// Boot only: device memory (the local APIC) in the kernel half, uncached, for the kernel itself.
// x86/cpu.c: no CPU has this address space loaded any more (call before its tables are freed).
void cpu_unload_aspace(struct aspace *as);

// --- frames -------------------------------------------------------------------------------------
// Makes a FRAMES object (not bought: boot only) of frames that are reserved (a module) or outside
// RAM (device memory, framebuffer; bought with a small object from `bank`). *obj is named by no
// capability yet.
int frames_adopt(struct bank *bank, exo_fn_t first, uint64_t count, struct kobj **obj);
int frames_buy(struct bank *bank, uint64_t count, uint64_t flags, exo_fn_t at, struct kobj **obj);
volatile struct exo_frame *
frame_info(exo_fn_t fn);             // the exposed entry (kernel's writable view); NULL outside RAM
struct kobj *frame_run(exo_fn_t fn); // the FRAMES object a frame belongs to, or NULL

// Sleepers hold a frame's identity: a frame that is freed, or that a copy-on-write break leaves for
// a copy, while it has sleepers calls wait_frame_gone: they wake and look again.
void wait_frame_gone(exo_fn_t fn); // object/wait.c

// --- address spaces ------------------------------------------------------------------------------
int aspace_new(struct bank *bank, struct aspace **as);
paddr_t aspace_cr3(const struct aspace *as);
// Translates a user address. Returns the physical address and sets *rights, or 0 when not mapped.
paddr_t aspace_translate(const struct aspace *as, uint64_t va, uint32_t *rights);
// ctx_create: maps the two frames of a context block at va, read-write, outside any window; and
// takes that mapping away when the context goes (if it is still there and still names these
// frames).
int aspace_map_block(struct aspace *as, struct bank *bank, uint64_t va, const struct kobj *block);
void aspace_unmap_block(struct aspace *as, uint64_t va, const struct kobj *block);
// TLB: the kernel calls this when aspace's entries changed; other CPUs are told where it is loaded.
void tlb_flush(struct aspace *as, uint64_t va, uint64_t pages); // x86/tlb.c

// Does a part of what releases have put off (page tables of dead address spaces, long runs, folded
// banks); true while there is more. For changes of context, idle time, and before a call that found
// no memory is repeated: never in the middle of a call, whose objects it may free.
bool mem_work(unsigned budget);

// Checks every invariant of memory and capabilities (core/check.c); returns how many are broken,
// each logged.
uint64_t check_all(struct exo_check *out);

// --- capability glue (object/cap.c) --------------------------------------------------------------
// Looks a handle up in the current environment's table; 0 or a negative exo error.
int cap_find(exo_handle_t handle, enum exo_cap_type type, uint32_t rights, struct cap_slot **slot);
// The same for its object, whose address is stored in the pointer at `out`.
int obj_find(exo_handle_t handle, enum exo_cap_type type, uint32_t rights, void *out);
// A vacant slot in env's table, at `index` or anywhere (0); buys table pages from env's bank.
int cap_slot_for(struct env *env, uint32_t index, struct cap_slot **slot);
// The root capability of a new object in env's table: returns the handle or a negative error (the
// object is then released).
int64_t cap_name_new(struct env *env, struct kobj *obj, uint32_t rights, uint64_t badge);
// What an IRQ or IOPORT capability covers: the range it was narrowed to, or all (lines 0..15, ports
// 0..65535).
void cap_range(const struct cap_slot *slot, uint32_t *first, uint32_t *count);

// What the hooks of the capability core owe to waits and endpoints:
#define CAP_W_EVENT 0xff // slot.wkind of an endpoint capability whose CHILDLESS event is queued
// cap_hook_counted, every type, before the exposed counts follow.
void wait_counted(struct kobj *obj);
void endpoint_event_drop(struct cap_slot *slot); // cap_hook_unmap, slot.wkind is CAP_W_EVENT

#endif
