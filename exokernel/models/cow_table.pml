// SPDX-License-Identifier: MIT
//
// A page table shared copy-on-write as a whole: clone, break and unmap against each other, against
// stale TLB entries, and against what processors cache of the directory.
//
// Two address spaces, the second made by a clone of the first, map one page through a table each
// has a directory entry for. A table is one space's own, or shared: then its directory entries are
// read-only and `sharers` counts them. A frame counts the tables that map it, so a shared table
// counts once. All calls hold the one kernel lock. Processors that run a space cache the directory
// entry (the table and whether it may be written through) and the page's translation, which they
// make from it at any time; user code reads and writes through the latter only.
//
// The rules for the kernel, each of which is needed (see the broken variants):
//  1. The clone makes the caller's directory entry read-only and FLUSHES the caller's processors
//     before the lock is released. The entries in the table stay as they are.
//  2. Nobody changes a table that is shared. Who must takes a copy, and then the page is
//     copy-on-write in BOTH tables: each may be made somebody's own later.
//  3. The frame counts the copy too, before the next one looks whether it is alone with it.
//  4. FLUSH when the copy is in place: the others may free the old table at any time.
//  5. Who is alone with a table has it back with the entries' rights as they were, without a flush.
//     Whether it is alone is read under the lock.
//
// Checked: reads return what the space itself wrote last (for the clone: what the page held when
// the call returned); nobody walks a table or uses a frame that is free; at the end all are free.
// Broken on purpose: -DSHARE_LATE_FLUSH, -DKEEP_WRITE (the old table's entry stays writable),
// -DNO_COUNT (the copy is not counted), -DCOPY_NO_FLUSH, -DEARLY_ALONE (read before the lock).

#define THREADS 3               // 0 and 1 run space 0, 2 runs space 1
#define TABLES  3
#define FRAMES  4
#define NONE    15
#define OPS     2

#define space_of(t) (t < 2 -> 0 : 1)

bool locked;
byte dir[2];                    // the table, or NONE
bool shared[2];                 // the directory entry is read-only
bool born[2], dead[2];
byte expected[2];               // what a read must return

bool table_used[TABLES];
byte sharers[TABLES];           // directory entries
byte entry[TABLES];             // the frame
bool entry_writable[TABLES];

bool frame_used[FRAMES];
byte refs[FRAMES];              // tables
byte data[FRAMES];

byte walk[THREADS];             // cached directory entry: a table, or NONE
bool walk_writable[THREADS];
byte tlb[THREADS];              // cached translation: a frame, or NONE
bool tlb_writable[THREADS];

#define lock()   atomic { !locked -> locked = true }
#define unlock() locked = false

inline forget(t)
{
    atomic { tlb[t] = NONE; tlb_writable[t] = false; walk[t] = NONE; walk_writable[t] = false }
}

// Each processor forgets on its own time, and is waited for.
inline flush(s)
{
    if
    :: s == 0 -> forget(0); forget(1)
    :: else -> forget(2)
    fi
}

inline table_buy(t)
{
    d_step {
        t = 0;
        do
        :: t < TABLES && table_used[t] -> t++
        :: else -> break
        od;
        assert(t < TABLES);
        table_used[t] = true;
        sharers[t] = 1
    }
}

inline frame_buy(f)
{
    d_step {
        f = 0;
        do
        :: f < FRAMES && frame_used[f] -> f++
        :: else -> break
        od;
        assert(f < FRAMES);
        frame_used[f] = true;
        refs[f] = 1
    }
}

inline frame_lower(f)
{
    d_step {
        assert(frame_used[f] && refs[f] > 0);
        refs[f] = refs[f] - 1;
        frame_used[f] = refs[f] > 0
    }
}

// The space's own table, by a copy where it is shared.
inline own(s)
{
#ifndef EARLY_ALONE
    alone = sharers[dir[s]] == 1;
#endif
    if
    :: !shared[s]
    :: shared[s] && alone -> shared[s] = false
    :: shared[s] && !alone ->
        old = dir[s];
        table_buy(new);
        d_step {
            entry[new] = entry[old];
            entry_writable[new] = false;
#ifndef KEEP_WRITE
            entry_writable[old] = false;
#endif
#ifndef NO_COUNT
            refs[entry[new]] = refs[entry[new]] + 1;
#endif
            sharers[old] = sharers[old] - 1
        };
        d_step { dir[s] = new; shared[s] = false };
#ifndef COPY_NO_FLUSH
        flush(s)
#endif
    fi;
    old = NONE
}

inline cow_break(s)
{
#ifdef EARLY_ALONE
    alone = dir[s] != NONE && sharers[dir[s]] == 1;
#endif
    lock();
    if
    :: dir[s] == NONE
    :: else ->
        own(s);
        old = entry[dir[s]];
        if
        :: entry_writable[dir[s]]
        :: !entry_writable[dir[s]] && refs[old] == 1 -> entry_writable[dir[s]] = true
        :: !entry_writable[dir[s]] && refs[old] > 1 ->
            frame_buy(new);
            data[new] = data[old];
            d_step { entry[dir[s]] = new; entry_writable[dir[s]] = true };
            flush(s);
            frame_lower(old)
        fi;
        forget(me)                  // a page fault does
    fi;
    d_step { old = NONE; new = NONE; alone = false };
    unlock()
}

// Something else of what the table maps is changed.
inline change(s)
{
    lock();
    alone = false;
    if
    :: dir[s] == NONE
    :: else -> own(s)
    fi;
    d_step { old = NONE; new = NONE; alone = false };
    unlock()
}

inline clone()
{
    lock();
    if
    :: dir[0] == NONE -> d_step { dead[1] = true; born[1] = true }
    :: else ->
        shared[0] = true;
#ifndef SHARE_LATE_FLUSH
        flush(0);
#endif
        d_step {
            sharers[dir[0]] = sharers[dir[0]] + 1;
            dir[1] = dir[0];
            shared[1] = true;
            expected[1] = data[entry[dir[0]]];
            born[1] = true
        }
    fi;
    unlock();
#ifdef SHARE_LATE_FLUSH
    flush(0)
#endif
}

inline unmap(s)
{
    lock();
    if
    :: dir[s] == NONE
    :: else ->
        d_step { old = dir[s]; dir[s] = NONE; shared[s] = false };
        flush(s);
        sharers[old] = sharers[old] - 1;
        if
        :: sharers[old] == 0 -> table_used[old] = false; frame_lower(entry[old])
        :: else
        fi
    fi;
    d_step { old = NONE; dead[s] = true };
    unlock()
}

proctype thread(byte me)
{
    byte s = space_of(me);
    byte ops, old = NONE, new = NONE;
    bool alone, wrote;

    born[s];
    do
    :: atomic { walk[me] == NONE && dir[s] != NONE ->      // the hardware reads the directory
            walk[me] = dir[s];
            walk_writable[me] = !shared[s] }
    :: atomic { walk[me] != NONE && tlb[me] == NONE ->     // and the table it remembers
            assert(table_used[walk[me]]);
            tlb[me] = entry[walk[me]];
            tlb_writable[me] = walk_writable[me] && entry_writable[walk[me]] }
    :: d_step { tlb[me] != NONE && !dead[s] && data[tlb[me]] != expected[s] -> assert(false) }
    :: d_step { tlb[me] != NONE && tlb_writable[me] && !wrote ->
            assert(frame_used[tlb[me]]);
            wrote = true;
            expected[s] = 2 * (s + 1) + 1 - (expected[s] & 1);
            data[tlb[me]] = expected[s] }
    :: ops < OPS && tlb[me] != NONE && !tlb_writable[me] ->
        ops++;
        wrote = false;
        cow_break(s)
    :: ops < OPS && shared[s] ->
        ops++;
        wrote = false;
        change(s)
    :: me == 0 && ops < OPS && !born[1] ->
        ops++;
        clone()
    :: me != 1 && ops < OPS && !dead[s] ->
        ops = OPS;
        unmap(s)
    :: ops >= OPS || dead[s] ->
        forget(me);                 // its processor runs something else
        break
    od
}

active proctype observer()
{
    byte s, f, old = NONE;

    timeout ->
    do
    :: s < 2 ->
        unmap(s);
        born[s] = true;
        s++
    :: else -> break
    od;
    do
    :: f < FRAMES -> assert(!frame_used[f]); f++
    :: else -> break
    od
}

init
{
    atomic {
        byte i;

        do
        :: i < THREADS -> tlb[i] = NONE; walk[i] = NONE; i++
        :: else -> break
        od;
        dir[1] = NONE;
        born[0] = true;
        table_used[0] = true;
        sharers[0] = 1;
        entry_writable[0] = true;
        frame_used[0] = true;
        refs[0] = 1;
        data[0] = 2;
        expected[0] = 2;
        run thread(0);
        run thread(1);
        run thread(2)
    }
}
