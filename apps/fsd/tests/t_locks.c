// SPDX-License-Identifier: MIT
// Record locks, locks of open files, flock.
#include "client.h"

static struct client c[4];
static struct file f[4];

static long lock(struct file *file, int cmd, int type, int64_t start, int64_t length)
{
    return call(file->c, file->endpoint, FS_OP_LOCK, ARGS(cmd, type, start, length, 0), NULL, 0, 0);
}

static long set(int who, int type, int64_t start, int64_t length)
{
    return lock(&f[who], LX_F_SETLK, type, start, length);
}

static long waits(int who, int type, int64_t start, int64_t length)
{
    return lock(&f[who], LX_F_SETLKW, type, start, length);
}

static void gets(int who, int type, int64_t start, int64_t length, int want, int64_t want_start,
                 int64_t want_length)
{
    OK(lock(&f[who], LX_F_GETLK, type, start, length));
    CHECK_EQ(c[who].w[1], want);
    if (want == LX_F_UNLCK)
        return;
    CHECK_EQ(c[who].w[2], want_start);
    CHECK_EQ(c[who].w[3], want_length);
}

static void ranges(void)
{
    OK(set(0, LX_F_WRLCK, 0, 0));
    CHECK_EQ(set(1, LX_F_RDLCK, 100, 10), -LX_EAGAIN);
    gets(1, LX_F_RDLCK, 100, 10, LX_F_WRLCK, 0, 0);
    CHECK_EQ(c[1].w[4], 101); // the pid
    uint32_t event = f[1].node->lock_event;
    OK(set(0, LX_F_UNLCK, 100, 10)); // splits
    CHECK(f[1].node->lock_event != event);
    OK(set(1, LX_F_WRLCK, 100, 10));
    CHECK_EQ(set(1, LX_F_WRLCK, 99, 1), -LX_EAGAIN);
    gets(1, LX_F_WRLCK, 0, 0, LX_F_WRLCK, 0, 100);
    gets(1, LX_F_WRLCK, 105, 0, LX_F_WRLCK, 110, 0);
    gets(0, LX_F_RDLCK, 0, 0, LX_F_WRLCK, 100, 10);
    OK(set(0, LX_F_RDLCK, 50, 20)); // downgrades the middle
    gets(2, LX_F_RDLCK, 50, 20, LX_F_UNLCK, 0, 0);
    gets(2, LX_F_WRLCK, 50, 20, LX_F_RDLCK, 50, 20);
    OK(set(2, LX_F_RDLCK, 60, 5));
    CHECK_EQ(set(0, LX_F_WRLCK, 50, 20), -LX_EAGAIN); // upgrade
    OK(set(2, LX_F_UNLCK, 0, 0));
    OK(set(0, LX_F_WRLCK, 50, 20));
    gets(2, LX_F_RDLCK, 0, 60, LX_F_WRLCK, 0, 100); // merged again
    OK(set(0, LX_F_UNLCK, 0, 0));
    OK(set(1, LX_F_UNLCK, 0, 0));
    gets(2, LX_F_WRLCK, 0, 0, LX_F_UNLCK, 0, 0);
    CHECK_EQ(set(0, LX_F_WRLCK, -1, 1), -LX_EINVAL);
    CHECK_EQ(set(0, 7, 0, 1), -LX_EINVAL);
    CHECK_EQ(set(0, LX_F_WRLCK, INT64_MAX, 2), -LX_EOVERFLOW);
    OK(set(0, LX_F_WRLCK, INT64_MAX, 1));
    gets(1, LX_F_WRLCK, 0, 0, LX_F_WRLCK, INT64_MAX, 0);
    OK(set(0, LX_F_UNLCK, 0, 0));
    CHECK_EQ(lock(&f[0], 4, LX_F_WRLCK, 0, 0), -LX_EINVAL);
    CHECK_EQ(lock(&f[3], LX_F_SETLK, LX_F_WRLCK, 0, 0), -LX_EBADF); // opened to read
    OK(lock(&f[3], LX_F_SETLK, LX_F_RDLCK, 0, 0));
    OK(f_op(&f[3], FS_OP_UNLOCK_ALL, 0, 0, 0));
    OK(set(0, LX_F_WRLCK, 0, 0));
    OK(f_op(&f[0], FS_OP_UNLOCK_ALL, 0, 0, 0));
    for (int i = 0; i < 3; i++)
        gets(i, LX_F_WRLCK, 0, 0, LX_F_UNLCK, 0, 0);
}

static void against_model(void)
{
    enum { BYTES = 40 };
    uint8_t held[3][BYTES] = {{0}};
    for (int round = 0; round < 20000; round++) {
        int who = (int)fake_rand(3), type = (int)fake_rand(3), start = (int)fake_rand(BYTES);
        int length = (int)fake_rand((uint32_t)(BYTES - start)) + 1;
        bool free = true;
        for (int i = start; i < start + length; i++) {
            for (int other = 0; other < 3; other++) {
                int has = held[other][i];
                if (other != who && has && type != LX_F_UNLCK && (has == 2 || type == LX_F_WRLCK))
                    free = false;
            }
        }
        CHECK_EQ(set(who, type, start, length), free ? 0 : -LX_EAGAIN);
        if (free)
            memset(&held[who][start],
                   type == LX_F_RDLCK   ? 1
                   : type == LX_F_WRLCK ? 2
                                        : 0,
                   (size_t)length);
    }
    for (int i = 0; i < 3; i++)
        OK(set(i, LX_F_UNLCK, 0, 0));
}

static void deadlocks(void)
{
    OK(set(0, LX_F_WRLCK, 0, 1));
    OK(set(1, LX_F_WRLCK, 1, 1));
    OK(set(2, LX_F_WRLCK, 2, 1));
    CHECK_EQ(waits(0, LX_F_WRLCK, 1, 1), -LX_EAGAIN);
    CHECK_EQ(waits(1, LX_F_RDLCK, 2, 1), -LX_EAGAIN);
    CHECK_EQ(set(2, LX_F_WRLCK, 0, 1), -LX_EAGAIN); // who does not wait is told so
    CHECK_EQ(waits(2, LX_F_WRLCK, 0, 1), -LX_EDEADLK);
    CHECK_EQ(waits(2, LX_F_RDLCK, 0, 2), -LX_EDEADLK);
    // One gives up waiting (a signal): no circle any more.
    gets(1, LX_F_RDLCK, 5, 1, LX_F_UNLCK, 0, 0);
    CHECK_EQ(waits(2, LX_F_WRLCK, 0, 1), -LX_EAGAIN);
    CHECK_EQ(waits(1, LX_F_RDLCK, 2, 1), -LX_EDEADLK);
    // The others go on.
    OK(set(1, LX_F_UNLCK, 0, 0));
    OK(waits(0, LX_F_WRLCK, 1, 1));
    for (int i = 0; i < 3; i++)
        OK(f_op(&f[i], FS_OP_UNLOCK_ALL, 0, 0, 0));
    OK(waits(2, LX_F_WRLCK, 0, 1));
    OK(set(2, LX_F_UNLCK, 0, 0));
    CHECK_EQ(locks_deadline(), EXO_NEVER);
}

// A process that dies has no locks, though its open lives on in its child, and waiters are told in
// a while.
static void death(void)
{
    struct client child;
    struct file copy;
    OK(set(2, LX_F_WRLCK, 0, 0));
    client_start(&child, 9, 1000, 100);
    client_fork(&c[2], &child, &f[2], &copy);
    CHECK_EQ(waits(0, LX_F_WRLCK, 0, 0), -LX_EAGAIN);
    CHECK(locks_deadline() != EXO_NEVER);
    uint32_t event = f[0].node->lock_event;
    client_die(&c[2]);
    CHECK_EQ(f[0].node->lock_event, event);
    fake_now += 100000000;
    world_settle();
    CHECK(f[0].node->lock_event != event);
    OK(waits(0, LX_F_WRLCK, 0, 0));
    CHECK_EQ(lock(&copy, LX_F_SETLK, LX_F_WRLCK, 0, 0), -LX_EAGAIN);
    OK(set(0, LX_F_UNLCK, 0, 0));
    OK(lock(&copy, LX_F_SETLK, LX_F_WRLCK, 0, 0));
    client_die(&child); // and its open with it: no need to wait
    OK(set(0, LX_F_WRLCK, 0, 0));
    OK(set(0, LX_F_UNLCK, 0, 0));
    client_start(&c[2], 3, 1000, 100);
    OK(f_open(&c[2], &f[2], "/f", LX_O_RDWR, 0));
}

static void of_opens(void)
{
    struct file again;
    OK(f_open(&c[0], &again, "/f", LX_O_RDWR, 0));
    OK(lock(&f[0], LX_F_OFD_SETLK, LX_F_WRLCK, 0, 10));
    CHECK_EQ(lock(&again, LX_F_OFD_SETLK, LX_F_WRLCK, 0, 10), -LX_EAGAIN); // the same process
    CHECK_EQ(set(0, LX_F_WRLCK, 0, 10), -LX_EAGAIN);
    CHECK_EQ(lock(&again, LX_F_OFD_SETLKW, LX_F_WRLCK, 0, 10), -LX_EAGAIN);
    OK(lock(&again, LX_F_OFD_GETLK, LX_F_WRLCK, 0, 10));
    CHECK(c[0].w[1] == LX_F_WRLCK && (int)c[0].w[4] == -1);
    OK(f_op(&f[0], FS_OP_UNLOCK_ALL, 0, 0, 0)); // not those of processes
    CHECK_EQ(lock(&again, LX_F_OFD_SETLK, LX_F_WRLCK, 0, 10), -LX_EAGAIN);
    f_close(&f[0]);
    OK(lock(&again, LX_F_OFD_SETLK, LX_F_WRLCK, 0, 10));
    f_close(&again);
    OK(f_open(&c[0], &f[0], "/f", LX_O_RDWR, 0));
}

static long flock_op(int who, int op)
{
    return f_op(&f[who], FS_OP_FLOCK, (uint64_t)op, 0, 0);
}

static void flocks(void)
{
    OK(flock_op(0, LX_LOCK_SH));
    OK(flock_op(1, LX_LOCK_SH));
    CHECK_EQ(flock_op(2, LX_LOCK_EX), -LX_EAGAIN);
    CHECK_EQ(flock_op(0, LX_LOCK_EX), -LX_EAGAIN); // gave its own up, so the other can
    OK(flock_op(1, LX_LOCK_EX));
    CHECK_EQ(flock_op(0, LX_LOCK_SH), -LX_EAGAIN);
    uint32_t event = f[0].node->lock_event;
    OK(flock_op(1, LX_LOCK_SH));
    CHECK(f[0].node->lock_event != event);
    OK(flock_op(0, LX_LOCK_SH));
    OK(flock_op(0, LX_LOCK_UN));
    CHECK_EQ(flock_op(0, 3), -LX_EINVAL);
    event = f[0].node->lock_event;
    f_close(&f[1]);
    CHECK(f[0].node->lock_event != event);
    OK(flock_op(2, LX_LOCK_EX));
    OK(set(0, LX_F_WRLCK, 0, 0)); // another kind of lock
    OK(flock_op(2, LX_LOCK_UN));
    OK(set(0, LX_F_UNLCK, 0, 0));
    OK(f_open(&c[1], &f[1], "/f", LX_O_RDWR, 0));
}

// A process that closes without a word has no locks either, once nobody has the file open.
static void closed(void)
{
    struct file mine, other;
    OK(f_open(&c[1], &mine, "/g", LX_O_CREAT | LX_O_RDWR, 0666));
    OK(lock(&mine, LX_F_SETLK, LX_F_WRLCK, 0, 0));
    f_close(&mine);
    OK(f_open(&c[2], &other, "/g", LX_O_RDWR, 0));
    OK(lock(&other, LX_F_SETLK, LX_F_WRLCK, 0, 0));
    f_close(&other);
}

static void limits(void)
{
    long err = 0;
    int64_t n = 0;
    for (; err == 0 && n < 100000; n++)
        err = set(0, LX_F_WRLCK, 2 * n, 1);
    CHECK_EQ(err, -LX_ENOLCK);
    OK(set(1, LX_F_WRLCK, 1, 1));
    CHECK_EQ(set(0, LX_F_UNLCK, 0, 1), 0);
    OK(set(0, LX_F_UNLCK, 0, 0));
    OK(set(1, LX_F_UNLCK, 0, 0));
}

int main(void)
{
    world_start(512, 400, 2000);
    for (unsigned i = 0; i < 4; i++)
        client_start(&c[i], i + 1, i ? 1000 : 0, 100);
    OK(path_op(&c[0], FS_OP_CHMOD, "/", 0777, 0, 0));
    OK(f_open(&c[0], &f[0], "/f", LX_O_CREAT | LX_O_RDWR, 0666));
    for (int i = 1; i < 4; i++)
        OK(f_open(&c[i], &f[i], "/f", i == 3 ? LX_O_RDONLY : LX_O_RDWR, 0));
    ranges();
    against_model();
    deadlocks();
    death();
    of_opens();
    flocks();
    closed();
    limits();
    for (int i = 0; i < 4; i++)
        client_die(&c[i]);
    world_fsck();
    return 0;
}
