// SPDX-License-Identifier: MIT
// Hostile clients: calls made of the fuzzer's bytes, on the root or on whatever capability the
// client holds, with any capability along. After each input every client dies, the volume is what
// it was at the start, and nothing has leaked.
//
// A call in the input: operation, sender (2 bits) and target (6), length of the message, a byte for
// each argument with what it stands for, the message. A path is made of short names, so that calls
// meet each other's files.
#include "client.h"

enum { CLIENTS = 3, HELD = 24 };

static struct client clients[CLIENTS];
static exo_handle_t held[CLIENTS][HELD];
static char *snapshot;
static uint64_t snapshot_frames, first_frame;
static const uint8_t *in, *end;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t next(void)
{
    return in < end ? *in++ : 0;
}

static uint64_t argument(void)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     2,
                                     4095,
                                     4096,
                                     4097,
                                     1 << 21,
                                     (1 << 21) - 1,
                                     INT64_MAX,
                                     UINT64_MAX,
                                     EXT_FILE_MAX,
                                     EXT_FILE_MAX - 1,
                                     1ull << 32,
                                     UINT32_MAX,
                                     LX_AT_EMPTY_PATH,
                                     LX_AT_REMOVEDIR,
                                     LX_O_CREAT | LX_O_RDWR,
                                     LX_O_CREAT | LX_O_RDWR | LX_O_TRUNC,
                                     LX_O_PATH,
                                     LX_O_DIRECTORY,
                                     LX_O_WRONLY | LX_O_NONBLOCK,
                                     LX_S_IFIFO | 0666,
                                     LX_S_IFCHR | 0666,
                                     LX_S_IFSOCK | 0600,
                                     LX_UTIME_NOW,
                                     LX_UTIME_OMIT,
                                     0777,
                                     07777,
                                     LX_F_SETLKW,
                                     LX_F_OFD_SETLK,
                                     1ull << 63,
                                     1ull << 40};
    uint8_t kind = next();
    if (kind < 64)
        return kind;
    if (kind < 64 + sizeof(edges) / sizeof(edges[0]))
        return edges[kind - 64];
    uint64_t v = 0;
    for (int i = 0; i < (kind & 7); i++)
        v = v << 8 | next();
    return v;
}

static size_t paths(char *at)
{
    static const char *const words[] = {"/",  "a",      "b",      "c",         "..",   ".",
                                        "//", "",       "proc",   "dir",       "link", "/a",
                                        "/b", "/dir/x", "/dir/y", "/proc/self"};
    size_t n = 0;
    for (uint8_t count = next() % 8; count; count--) {
        uint8_t byte = next();
        if (byte & 0x80) {
            at[n++] = 0;
        } else if (byte & 0x40) {
            at[n++] = (char)byte;
        } else {
            n += (size_t)sprintf(at + n, "%s/", words[byte % 16]);
            n -= byte & 0x20 ? 0 : 1;
        }
    }
    at[n] = 0;
    return n + (next() != 255);
}

static size_t message(char *at)
{
    uint8_t kind = next();
    if (kind < 200)
        return paths(at);
    size_t n = kind < 230 ? kind - 200 : kind < 240 ? EXO_MSG_SIZE : (size_t)next() * 16;
    for (size_t i = 0; i < n; i++)
        at[i] = i < 64 ? (char)next() : 'x';
    return n;
}

static void keep(int who)
{
    for (int i = 0; i < EXO_MSG_CAPS; i++) {
        exo_handle_t *place = &held[who][(unsigned)next() % HELD];
        if (!clients[who].recv[i])
            continue;
        if (*place)
            fake_delete(clients[who].env, *place);
        *place = clients[who].recv[i];
    }
}

// Writes wherever a segment it holds lets it.
static void scribble(int who, exo_handle_t h)
{
    struct fake_cap *c = fake_cap(h, clients[who].env, EXO_CAP_SEGMENT, EXO_R_WRITE);
    for (uint32_t i = 0; c && i < 512; i++) {
        struct fake_entry *e = &c->obj->entry[i];
        if (!e->run || !(e->rights & EXO_R_WRITE))
            continue;
        memset(fake_frame(e->frame), 'S', 4096);
        e->dirty = true;
    }
}

static void one_call(void)
{
    static char msg[2 * EXO_MSG_SIZE];
    uint8_t op = next(), what = next();
    int who = (what >> 6) % CLIENTS;
    exo_handle_t to = held[who][what % HELD], second = held[who][next() % HELD];
    if (op == 255) {
        scribble(who, to);
        return;
    }
    if (op == 254) {
        fake_delete(clients[who].env, to);
        held[who][what % HELD] = 0;
        world_settle();
        return;
    }
    if (op == 253) {
        fake_now += next() * 10000000ull;
        world_settle();
        return;
    }
    if (to && !fake_cap(to, clients[who].env, EXO_CAP_ENDPOINT, EXO_R_CALL))
        to = 0;
    if (!fake_cap(second, clients[who].env, 0, 0) || next() % 4)
        second = 0;
    uint64_t args[5];
    for (int i = 0; i < 5; i++)
        args[i] = argument();
    size_t n = message(msg);
    clients[who].max_caps = next() % 16 ? 60000 : fake_count(clients[who].env) + 1;
    memset(clients[who].recv, 0, sizeof(clients[who].recv));
    call(&clients[who], to, op % FS_OP_MOUNT, args, msg, n, second);
    keep(who);
}

static void begin(void)
{
    world_start(512, 400, 900);
    struct fake_object *o = fake_objects;
    while (o->type != EXO_CAP_FRAMES || o->count != 400)
        o = o->next;
    client_start(&clients[0], 1, 0, 0);
    OK(path_op(&clients[0], FS_OP_MKDIR, "/proc", 0555, 0, 0));
    OK(path_op(&clients[0], FS_OP_MOUNT, "/proc", FS_MOUNT_PROC, 0,
               0)); // for all inputs; they make no mounts
    first_frame = o->first;
    snapshot_frames = o->count;
    snapshot = malloc(snapshot_frames * PAGE);
    memcpy(snapshot, fake_frame(first_frame), snapshot_frames * PAGE);
    fake_again = true;
}

static void restart(void)
{
    struct ext_mount_args args = {.now = vol.now, .mem_size = 1u << 20};
    static void *mem;
    if (!mem)
        mem = aligned_alloc(16, args.mem_size);
    args.mem = mem;
    struct ext_dev *dev = vol.dev;
    memcpy(fake_frame(first_frame), snapshot, snapshot_frames * PAGE);
    OK(ext_mount(&vol, dev, &args));
    vol.watch = &names_watch;
    names_forget_all();
    fake_now = 1000000000;
    fake_seed = 1;
    for (unsigned i = 0; i < CLIENTS; i++)
        client_start(&clients[i], i + 1, i ? 1000 + i : 0, 100);
    memset(held, 0, sizeof(held));
    OK(path_op(&clients[0], FS_OP_CHMOD, "/", 01777, 0, 0));
    OK(path_op(&clients[0], FS_OP_MKDIR, "/dir", 0777, 0, 0));
    OK(path_op(&clients[0], FS_OP_CHMOD, "/dir", 0777, 0, 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned baseline;
    if (!snapshot)
        begin();
    restart();
    in = data;
    end = data + size;
    for (int i = 0; i < 200 && in < end; i++)
        one_call();
    world_check();
    for (int i = 0; i < CLIENTS; i++)
        client_die(&clients[i]);
    world_forget();
    CHECK(!vol.why);
    unsigned left = 0;
    for (struct fake_object *o = fake_objects; o; o = o->next)
        left += o->caps && !(o->type == EXO_CAP_FRAMES &&
                             o->count <= 16); // chunks of the volume, page of zeroes
    if (!baseline)
        baseline = left;
    CHECK_EQ(left, baseline);
    return 0;
}
