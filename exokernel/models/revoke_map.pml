// SPDX-License-Identifier: MIT
//
// Mapping a FRAMES capability against revoking it, copying it, and TLB shootdown.
//
// LOCK ORDER: capability lock, then an address space's lock, then what buys frames. Shootdown
// happens with these held; the answer to one needs none of them. (A kernel with one lock for all
// of it takes fewer turns than this model; the rules below are the same, 4 above all.)
//
// The rules for the kernel:
//  1. map: check the capability, install the entries and record the window in the slot without
//     letting go of the capability lock. Otherwise the slot may be revoked, or vacant, between the
//     check and the entry, and the mapping has no slot that leads to it.
//  2. deleting a slot: entries cleared, all processors FLUSHED, and only then the slot stops naming
//     its object (cap_hook_unmap before cap_hook_unref). The frame may have a new owner right after.
//  3. revoke: look for descendants anew after every time the capability lock was released. A list
//     made in the first batch misses the copy that one of them made since. While a revocation is
//     unfinished, derive and copy refuse, so the search comes to an end.
//  4. a processor answers shootdown requests wherever it waits: in user mode, spinning for any
//     lock, and while it waits for answers to its own. Otherwise: one spins for the capability
//     lock with interrupts off while its holder waits for that one's answer; or two shoot at each
//     other. Elsewhere in the kernel it need not answer, because it gets to such a place soon.
//  5. unmap by the window's owner takes the capability lock first as well: the record is the slot's.
//
// Processors 0 and 1 run an address space in which slot 1 (by 0) and its copy, slot 2 (by 1), are
// mapped at page 1 and 2. Processor 2 holds the parent and revokes. 0 and 1 also flush for reasons
// of their own, under two different address spaces' locks. Requests go to all processors.
//
// Checked: when revoke returns, no descendant, no window, no entry, no TLB entry is left, and none
// appears later; a slot that stops naming its object is mapped nowhere; nobody waits for ever.
// Broken on purpose: -DMAP_LETS_GO (1), -DLATE_FLUSH (2), -DFIRST_LIST (3), -DDEAF_LOCK,
// -DDEAF_SHOOTER (4), -DWRONG_ORDER (5).

#define CPUS  3
#define SLOTS 3                 // 0: the parent, 1: its child, 2: copy of the child
#define CAPS  0                 // locks
#define SPACE 1                 // of the address space with the windows
#define OTHER 2                 // of another one

bool locked[3];
bool used[SLOTS];
bool window[SLOTS];
bool entry[SLOTS];              // the page table entry at the page that the slot maps
bool revoking;
bool revoked;                   // revoke has returned
bool asked[CPUS];               // requests to flush
bool tlb1[CPUS];                // cached entry of page 1, of page 2
bool tlb2[CPUS];

#define tlb_none(s) (s == 1 -> !tlb1[0] && !tlb1[1] : !tlb2[0] && !tlb2[1])
#define answer()    atomic { asked[me] -> tlb1[me] = false; tlb2[me] = false; asked[me] = false }

#ifdef DEAF_LOCK
#define lock(l) atomic { !locked[l] -> locked[l] = true }
#else
#define lock(l)                                                                                    \
    do                                                                                             \
    :: atomic { !locked[l] -> locked[l] = true; break }                                            \
    :: answer()                                                                                    \
    od
#endif
#define unlock(l) locked[l] = false

inline flush()
{
    atomic { tlb1[me] = false; tlb2[me] = false };
    atomic {
        asked[(me + 1) % CPUS] = true;
        asked[(me + 2) % CPUS] = true
    };
#ifdef DEAF_SHOOTER
    !asked[(me + 1) % CPUS] && !asked[(me + 2) % CPUS]
#else
    do
    :: atomic { !asked[(me + 1) % CPUS] && !asked[(me + 2) % CPUS] -> break }
    :: answer()
    od
#endif
}

inline map(s)
{
    lock(CAPS);
#ifdef MAP_LETS_GO
    ok = used[s];
    unlock(CAPS);
    if
    :: ok -> lock(SPACE); entry[s] = true; window[s] = true; unlock(SPACE)
    :: else
    fi;
    ok = false
#else
    if
    :: used[s] -> lock(SPACE); entry[s] = true; window[s] = true; unlock(SPACE)
    :: else
    fi;
    unlock(CAPS)
#endif
}

inline unmap(s)
{
#ifdef WRONG_ORDER
    lock(SPACE);
    lock(CAPS);
#else
    lock(CAPS);
    lock(SPACE);
#endif
    if
    :: window[s] -> entry[s] = false; flush(); window[s] = false
    :: else
    fi;
    unlock(SPACE);
    unlock(CAPS)
}

inline copy()
{
    lock(CAPS);
    if
    :: used[1] && !revoking -> used[2] = true
    :: else
    fi;
    unlock(CAPS)
}

// Something else that flushes, e.g. copy-on-write.
inline other_flush(l)
{
    lock(l);
    flush();
    unlock(l)
}

inline delete(s)
{
    if
    :: window[s] ->
        lock(SPACE);
        entry[s] = false;
#ifdef LATE_FLUSH
        atomic { window[s] = false; used[s] = false; assert(!entry[s] && tlb_none(s)) };
        flush();
#else
        flush();
#endif
        window[s] = false;
        unlock(SPACE)
    :: else
    fi;
    atomic { used[s] = false; assert(!entry[s] && !window[s] && tlb_none(s)) }
}

// What user code and an interrupted processor do at any time.
#define user()                                                                                     \
    :: atomic { entry[1] && !tlb1[me] -> tlb1[me] = true }                                         \
    :: atomic { entry[2] && !tlb2[me] -> tlb2[me] = true }                                         \
    :: answer()

proctype mapper(byte me)
{
    byte ops;
    bool ok;

end:
    do
    user()
    :: ops < 3 -> ops++; map(1)
    :: ops < 3 -> ops++; unmap(1)
    :: ops < 3 -> ops++; other_flush(SPACE)
    od
}

proctype copier(byte me)
{
    byte ops;
    bool ok;

end:
    do
    user()
    :: ops < 3 -> ops++; copy()
    :: ops < 3 -> ops++; map(2)
    :: ops < 3 -> ops++; other_flush(OTHER)
    od
}

proctype revoker(byte me)
{
#ifdef FIRST_LIST
    bool listed1 = used[1], listed2 = used[2];
#else
#define listed1 true
#define listed2 true
#endif

    do
    :: lock(CAPS);
        revoking = true;
        if
        :: used[1] && listed1 -> delete(1)
        :: else ->
            if
            :: used[2] && listed2 -> delete(2)
            :: else -> revoking = false; unlock(CAPS); break
            fi
        fi;
        unlock(CAPS)
    od;
    atomic {
        revoked = true;
        assert(!used[1] && !window[1] && !entry[1] && tlb_none(1));
        assert(!used[2] && !window[2] && !entry[2] && tlb_none(2))
    };
end:
    do
    :: answer()
    :: atomic { used[1] || used[2] || entry[1] || entry[2] || !tlb_none(1) || !tlb_none(2) ->
            assert(false) }
    od
}

init
{
    atomic {
        used[0] = true;
        used[1] = true;
        run mapper(0);
        run copier(1);
        run revoker(2)
    }
}
