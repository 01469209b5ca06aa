// SPDX-License-Identifier: MIT
//
// Copy-on-write: as_clone, cow_break and unmap against each other and against stale TLB entries.
//
// A frame has an atomic count of the address spaces that map it. Each address space has a lock;
// no operation holds two of them, except that a clone also holds its unborn child, which nobody
// else can name. A page is writable, or read-only and marked COW. Processors that run an address
// space cache its page entries; user code reads and writes through the cache only.
//
// The rules for the kernel, each of which is needed (see the broken variants):
//  1. cow_break, under the address space's lock: re-read the page entry (another thread may have
//     been here; if it is writable just drop the stale entry of this processor). If the count
//     is 1, make the entry writable in place. That is stable: the count can only rise by a clone
//     of an address space that maps the frame, the only one is this one, and its lock is held. No
//     flush is needed for more rights.
//  2. Otherwise, in this order: buy a frame, copy, replace the entry, FLUSH all processors that
//     run the address space, and only then lower the old count. If the count is lowered before
//     the copy is complete, another sharer sees 1 and writes into what is being copied. If it is
//     lowered before the flush, others here still read a frame that may have a new owner.
//  3. Lowering returns the new value in one atomic step; who reaches 0 frees. Two sharers may
//     both see 2, both copy and both lower, so 0 is reached in cow_break too.
//  4. as_clone, under the parent's lock: raise the count BEFORE the child's entry exists; make
//     the parent's entry read-only; FLUSH all processors that run the parent, BEFORE the lock is
//     released and before the child runs. After a late flush a thread of the parent still writes
//     into the shared frame: the child sees it, and the parent's next cow_break loses it.
//  5. unmap and exit, under the lock: clear the entry, FLUSH, lower the count.
//
// Checked: reads return what the address space itself wrote last (for a child: what the parent's
// page held when the clone returned); a frame that becomes writable in place or is freed is in
// nobody else's tables or caches; counts never go wrong; at the end every frame is free.
// Broken on purpose: -DCLONE_LATE_FLUSH, -DLATE_REFS (child's entry before the count),
// -DEARLY_DROP (lower before copying), -DBREAK_NO_FLUSH, -DUNMAP_LATE_FLUSH, -DEARLY_READ (look at the entry before taking the lock),
// -DPLAIN_DROP (lower the count by a separate load and store).

#define SPACES  3               // 0, with threads 0 and 1; 1, its clone, shares its page; 2, unborn
#define THREADS 4
#define FRAMES  5               // enough for all three to copy at once, from two frames
#define NONE    15


// Kernel calls of each thread. Two runs keep the search small: in one the second thread of the
// first space only reads and writes; in the other it breaks too, and the third space only reads
// and writes.
#ifdef TWO_BREAKERS
#define OPS (me == 0 -> 2 : (me == 3 -> 0 : 1))
#else
#define OPS (me == 0 -> 2 : (me == 1 -> 0 : 1))
#endif

byte refs[FRAMES];
bool used[FRAMES];
byte data[FRAMES];              // the last value written
byte pte[SPACES];               // frame or NONE
bool pte_writable[SPACES];
bool locked[SPACES];
bool born[SPACES];
bool dead[SPACES];
byte expected[SPACES];          // what a read must return
byte tlb[THREADS];              // frame or NONE
bool tlb_writable[THREADS];
bool claimed;                   // somebody is cloning into the third

#define space_of(t)    (t < 2 -> 0 : t - 1)
#define mapped_by(s,f) (pte[s] == f || (s == 0 && (tlb[0] == f || tlb[1] == f)) ||              \
                        (s == 1 && tlb[2] == f) || (s == 2 && tlb[3] == f))
#define lock(s)   atomic { !locked[s] -> locked[s] = true }
#define unlock(s) locked[s] = false

// Waits for every processor that runs the space; each drops its entry on its own time.
inline flush(s)
{
    if
    :: s == 0 ->
        atomic { tlb[0] = NONE; tlb_writable[0] = false };
        atomic { tlb[1] = NONE; tlb_writable[1] = false }
    :: s == 1 -> atomic { tlb[2] = NONE; tlb_writable[2] = false }
    :: s == 2 -> atomic { tlb[3] = NONE; tlb_writable[3] = false }
    fi
}

inline lower(f)
{
    d_step {
        assert(used[f] && refs[f] > 0);
        refs[f] = refs[f] - 1;
        now_zero = refs[f] == 0;
        if
        :: now_zero ->
            assert(!mapped_by(0, f) && !mapped_by(1, f) && !mapped_by(2, f));
            used[f] = false;
            data[f] = 0
        :: else
        fi;
        now_zero = false
    }
}

#ifdef PLAIN_DROP
inline drop(f)
{
    seen = refs[f];
    d_step {
        assert(used[f] && seen > 0);
        refs[f] = seen - 1;
        if
        :: seen == 1 -> used[f] = false; data[f] = 0
        :: else
        fi;
        seen = 0
    }
}
#else
inline drop(f)
{
    lower(f)
}
#endif

// A new frame from the bank, at any time reused at once.
inline buy(f)
{
    d_step {
        f = 0;
        do
        :: f < FRAMES && used[f] -> f++
        :: else -> break
        od;
        assert(f < FRAMES);
        used[f] = true;
        refs[f] = 1;
        data[f] = 0
    }
}

inline cow_break(s)
{
#ifdef EARLY_READ
    old = pte[s];
    lock(s);
#else
    lock(s);
    old = pte[s];
#endif
    if
    :: old == NONE
    :: old != NONE && pte_writable[s] -> atomic { tlb[me] = NONE; tlb_writable[me] = false }
    :: old != NONE && !pte_writable[s] ->
        if
        :: refs[old] == 1 ->
            d_step {
                assert(s == 0 || !mapped_by(0, old));
                assert(s == 1 || !mapped_by(1, old));
                assert(s == 2 || !mapped_by(2, old));
                pte_writable[s] = true
            }
        :: else ->
            buy(new);
#ifdef EARLY_DROP
            drop(old);
#endif
            data[new] = data[old];
            atomic { pte[s] = new; pte_writable[s] = true };
#ifndef BREAK_NO_FLUSH
            flush(s);
#endif
#ifndef EARLY_DROP
            drop(old)
#endif
        fi
    fi;
    old = NONE;
    new = NONE;
    unlock(s)
}

inline as_clone(s, child)
{
    lock(s);
    old = pte[s];
    if
    :: old == NONE
    :: else ->
#ifndef LATE_REFS
        d_step { assert(used[old]); refs[old] = refs[old] + 1 };
#endif
        pte_writable[s] = false;
#ifdef CLONE_LATE_FLUSH
        unlock(s);
#else
        flush(s);
#endif
        // The moment of the clone: what the page holds now is the child's.
        d_step { pte[child] = old; expected[child] = data[old]; born[child] = true };
#ifdef LATE_REFS
        d_step { assert(used[old]); refs[old] = refs[old] + 1 };
#endif
#ifdef CLONE_LATE_FLUSH
        flush(s)
#endif
    fi;
    if
    :: old == NONE -> dead[child] = true; born[child] = true
    :: else
    fi;
    old = NONE;
    unlock(s)
}

inline unmap(s)
{
    lock(s);
    old = pte[s];
    if
    :: old == NONE
    :: else ->
        atomic { pte[s] = NONE; pte_writable[s] = false };
#ifdef UNMAP_LATE_FLUSH
        drop(old);
        flush(s)
#else
        flush(s);
        drop(old)
#endif
    fi;
    d_step { old = NONE; dead[s] = true; expected[s] = 0 };
    unlock(s)
}

// A processor running one thread. Its cache fills when user code touches the page.
proctype thread(byte me)
{
    byte s = space_of(me);
    byte ops, old = NONE, new = NONE;
    byte seen;
    bool now_zero, wrote;

    born[s];
    do
    :: atomic { tlb[me] == NONE && pte[s] != NONE ->     // the hardware walks the table
            tlb[me] = pte[s];
            tlb_writable[me] = pte_writable[s] }
    :: d_step { tlb[me] != NONE && data[tlb[me]] != expected[s] -> assert(false) }
    :: d_step { tlb[me] != NONE && tlb_writable[me] && !wrote ->
            assert(used[tlb[me]]);
            wrote = true;
            expected[s] = 2 * (s + 1) + 1 - (expected[s] & 1);
            data[tlb[me]] = expected[s] }
    :: ops < OPS && tlb[me] != NONE && !tlb_writable[me] ->
        ops++;
        wrote = false;
        cow_break(s)
    :: atomic { ops < OPS && !claimed && s != 2 && !dead[s] -> claimed = true };
        ops++;
        as_clone(s, 2)
    :: ops < OPS && !dead[s] ->
        ops = 2;
        unmap(s)
    :: ops >= OPS || dead[s] ->
        // The thread stops; its processor runs something else, without this space.
        atomic { tlb[me] = NONE; tlb_writable[me] = false; ops = 0; wrote = false };
        break
    od
}

active proctype observer()
{
    byte s, f, old = NONE, seen;
    bool now_zero;

    timeout ->
    d_step {
        do
        :: s < SPACES ->
            if
            :: pte[s] != NONE -> f = pte[s]; pte[s] = NONE; lower(f)
            :: else
            fi;
            born[s] = true;
            dead[s] = true;
            s++
        :: else -> break
        od;
        f = 0;
        do
        :: f < FRAMES -> assert(!used[f] && refs[f] == 0); f++
        :: else -> break
        od
    }
}

init
{
    atomic {
        byte i;

        do
        :: i < SPACES -> pte[i] = NONE; i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < THREADS -> tlb[i] = NONE; i++
        :: else -> break
        od;
        used[0] = true;
        refs[0] = 2;
        data[0] = 2;
        pte[0] = 0;
        pte[1] = 0;
        born[0] = true;
        born[1] = true;
        expected[0] = 2;
        expected[1] = 2;
        i = 0;
        run thread(0);
        run thread(1);
        run thread(2);
        run thread(3)
    }
}
