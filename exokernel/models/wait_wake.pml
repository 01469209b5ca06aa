// SPDX-License-Identifier: MIT
//
// Wait and wake on a physical word, with a sleeper count per frame.
//
// A waker must not trap when nobody sleeps: it stores the word, fences, reads the frame's sleeper
// count in an exposed page, and traps only if it is not zero. A waiter raises the count, fences,
// and only then compares the word. So of the two at least one sees the other's store (Dekker):
// either the waker reads a raised count and traps, or the waiter reads the new word and returns.
//
// What the kernel must do, and what this model shows:
//  1. wait: under the queue's lock raise the count, FENCE, compare the word and look for pending
//     notifications; enqueue if nothing has changed, else lower the count; unlock; sleep. The
//     fence is needed where the raise is a plain store: taking the lock came before it, and
//     releasing it comes too late. A locked add is its own fence.
//  2. wake: under the lock dequeue everybody who waits on the word, lowering the count for each.
//  3. notification, deadline and kill: set the pending mark first, then take the lock and dequeue
//     the waiter if it is queued, lowering the count. Who dequeues lowers, nobody else: a waiter
//     that was woken has nothing to undo.
//     A wait on several conditions is on all their queues or on none, under one lock for all.
//  4. the waker's fence between store and read is user code's duty; without it a waiter sleeps on.
//
// Stores go through store buffers as on x86 (TSO): a processor's own buffer drains in order and at
// any time, a fence and the taking of a lock wait until it is empty. Each processor here has at
// most one store of interest outstanding, so a buffer is one entry. Count stores happen under the
// lock only; unlocking is a store behind them in the same buffer, hence waits for it.
//
// Checked: at rest nobody sleeps whose word has changed or who has a notification pending; the
// count is the number of sleepers; it never falls below zero; at the end all have returned.
// Broken on purpose: -DLATE_COUNT (compare first, count afterwards), -DNO_WAITER_FENCE,
// -DNO_WAKER_FENCE, -DEARLY_PENDING (look for notifications before taking the lock),
// -DDOUBLE_LOWER (the woken waiter lowers as well).

#define WAITERS 2
#define WAKERS  2
#define ROUNDS  2

byte word;                // stored by wakers
byte count;               // the frame's sleeper count
bool locked;              // the wait queue's lock
bool queued[WAITERS];
bool pending[WAITERS];    // an unmasked notification, a deadline, a kill
byte expect[WAITERS];

bool word_buffered[WAKERS];
byte word_buffer[WAKERS];
bool count_buffered;      // of whoever holds the lock
byte count_buffer;

bool ending;              // every waiter is being told to go
byte returned;

#define lock()   atomic { !locked -> locked = true }
#define unlock() atomic { !count_buffered -> locked = false }
#define raise(by)                                                                                  \
    d_step {                                                                                       \
        if                                                                                         \
        :: count_buffered -> count_buffer = count_buffer + by                                      \
        :: else -> count_buffer = count + by                                                       \
        fi;                                                                                        \
        assert(count_buffer <= WAITERS);                                                           \
        count_buffered = true                                                                      \
    }

active proctype drain()
{
end:
    do
    :: atomic { count_buffered -> count = count_buffer; count_buffered = false; count_buffer = 0 }
    :: atomic { word_buffered[0] -> word = word_buffer[0]; word_buffered[0] = false }
    :: atomic { word_buffered[1] -> word = word_buffer[1]; word_buffered[1] = false }
    od
}

proctype waiter(byte me)
{
    byte round;
    bool changed, notified;

    do
    :: round == ROUNDS || ending -> break
    :: else ->
        round++;
        expect[me] = word;
#ifdef EARLY_PENDING
        notified = pending[me];
#endif
        lock();
#ifdef LATE_COUNT
        changed = word != expect[me];
        raise(1);
#else
        raise(1);
#ifndef NO_WAITER_FENCE
        !count_buffered;
#endif
        changed = word != expect[me];
#endif
#ifndef EARLY_PENDING
        notified = pending[me];
#endif
        if
        :: changed || notified -> raise(-1)
        :: else -> queued[me] = true
        fi;
        unlock();
        !queued[me];
#ifdef DOUBLE_LOWER
        if
        :: !changed && !notified -> lock(); raise(-1); unlock()
        :: else
        fi;
#endif
        pending[me] = false;
        changed = false;
        notified = false
    od;
    returned++
}

proctype waker(byte me)
{
    byte i;

    atomic { word_buffer[me] = me + 1; word_buffered[me] = true };
#ifndef NO_WAKER_FENCE
    !word_buffered[me];
#endif
    if
    :: count == 0
    :: count != 0 ->
        !word_buffered[me];     // entering the kernel and its lock drains the buffer
        lock();
        do
        :: i == WAITERS -> break
        :: i < WAITERS ->
            if
            :: queued[i] -> queued[i] = false; raise(-1)
            :: else
            fi;
            i++
        od;
        unlock()
    fi
}

// Ends waiter i's wait, at any time. (The waiters are alike, so it is enough to run one of these.)
proctype notifier(byte i)
{
    pending[i] = true;
    lock();
    if
    :: queued[i] -> queued[i] = false; raise(-1)
    :: else
    fi;
    unlock()
}

// Acts when nothing else can: everybody has finished or sleeps. Then it wakes the sleepers and
// sees all return.
active proctype observer()
{
    atomic {
        timeout ->
        assert(!locked && !count_buffered && !word_buffered[0] && !word_buffered[1]);
        assert(!queued[0] || (word == expect[0] && !pending[0]));
        assert(!queued[1] || (word == expect[1] && !pending[1]));
        assert(count == queued[0] + queued[1]);
        ending = true;
        count = 0;
        queued[0] = false;
        queued[1] = false
    };
    atomic {
        timeout ->
        assert(returned == WAITERS && count == 0)
    }
}

init
{
    atomic {
        run waiter(0);
        run waiter(1);
        run waker(0);
        run waker(1);
        run notifier(0)
    }
}
