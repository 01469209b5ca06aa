// SPDX-License-Identifier: MIT
// Clients in host tests; see client.h.
#include "client.h"

static struct proc_rec *record(const struct client *c)
{
    return (struct proc_rec *)(fake_proctab + EXO_ENV_INDEX(c->env) * PROC_REC_SIZE);
}

void client_start(struct client *c, unsigned index, uint32_t uid, uint32_t gid)
{
    static uint64_t births;
    *c = (struct client){.env = ++births << 32 | index, .max_caps = 60000};
    fake_envs[index] = (struct exo_env_info){.id = c->env, .state = EXO_ENV_LIVE};
    *record(c) = (struct proc_rec){.size = sizeof(struct proc_rec),
                                   .version = 1,
                                   .state = PROC_RUNNING,
                                   .env = c->env,
                                   .pid = (int32_t)(100 + index),
                                   .ruid = uid,
                                   .euid = uid,
                                   .suid = uid,
                                   .rgid = gid,
                                   .egid = gid,
                                   .sgid = gid};
}

void client_groups(struct client *c, const uint32_t *groups, uint32_t n)
{
    record(c)->ngroups = n;
    memcpy(record(c)->groups, groups, n * sizeof(*groups));
}

void client_die(struct client *c)
{
    fake_envs[EXO_ENV_INDEX(c->env)].state = EXO_ENV_DEAD;
    memset(record(c), 0, sizeof(*record(c)));
    fake_delete_all(c->env);
    world_settle();
}

// What the kernel does with the answer: all of its capabilities arrive, or none.
static bool deliver(struct client *c, unsigned caps)
{
    memset(c->recv, 0, sizeof(c->recv));
    bool fits = fake_count(c->env) + caps <= c->max_caps &&
                fake_envs[EXO_ENV_INDEX(c->env)].state == EXO_ENV_LIVE;
    for (unsigned i = 0; fits && i < caps; i++) {
        const struct exo_send *s = &CTX->send[i];
        c->recv[i] = fake_send(0, c->env, s->handle, s->rights, s->mode);
        CHECK(c->recv[i]);
    }
    return fits;
}

long call(struct client *c, exo_handle_t to, uint64_t op, const uint64_t args[5], const void *msg,
          size_t bytes, exo_handle_t second)
{
    struct fake_cap *cap = to ? fake_cap(to, c->env, EXO_CAP_ENDPOINT, EXO_R_CALL) : NULL;
    CHECK(!to || cap);
    CTX->in_badge = cap ? cap->badge : 0;
    CTX->in_env = c->env;
    CTX->recv[0] = second ? fake_send(c->env, 0, second, EXO_R_ALL, EXO_SEND_COPY) : 0;
    memset(MSG, 0x5a, EXO_MSG_SIZE);
    if (bytes)
        memcpy(MSG, msg, bytes);
    struct exo_msg m = {.meta = EXO_META(bytes, second != 0),
                        .w = {op, args[0], args[1], args[2], args[3], args[4]}};
    fake_now += 1000;
    serve_call(&m);
    unsigned caps = EXO_META_CAPS(m.meta);
    CHECK(EXO_META_BYTES(m.meta) <= EXO_MSG_SIZE && caps <= EXO_MSG_CAPS && !CTX->recv[0]);
    CHECK((long)m.w[0] >= 0 || (long)m.w[0] == -FS_MOUNT || m.meta == 0);
    bool ok = deliver(c, caps);
    open_delivered(ok);
    c->bytes = EXO_META_BYTES(m.meta);
    memcpy(c->msg, MSG, c->bytes);
    memcpy(c->w, m.w, sizeof(c->w));
    world_settle();
    return ok ? (long)m.w[0] : -LX_EIO;
}

long path_op(struct client *c, uint64_t op, const char *path, uint64_t a, uint64_t b, uint64_t d)
{
    return call(c, 0, op, ARGS(a, b, d), path, strlen(path) + 1, 0);
}

long path_op_at(struct file *dir, uint64_t op, const char *path, uint64_t a, uint64_t b, uint64_t d)
{
    return call(dir->c, dir->endpoint, op, ARGS(a, b, d), path, strlen(path) + 1, 0);
}

long path2_op(struct client *c, uint64_t op, const char *old, const char *new, uint64_t flags)
{
    char both[8192];
    size_t n = strlen(old) + 1, m = strlen(new) + 1;
    memcpy(both, old, n);
    memcpy(both + n, new, m);
    return call(c, 0, op, ARGS(flags), both, n + m, 0);
}

// --- files ---------------------------------------------------------------------------------------

static long opened(struct client *c, struct file *f, uint64_t flags, long err)
{
    *f = (struct file){.c = c};
    if (err < 0)
        return err;
    f->endpoint = c->recv[0];
    f->node_cap = c->recv[1];
    f->ring[0] = c->recv[2];
    f->ring[1] = c->recv[3];
    f->ino = c->w[1];
    f->mode = (uint32_t)c->w[3];
    f->access = flags & LX_O_ACCMODE;
    struct fake_cap *node =
        f->node_cap ? fake_cap(f->node_cap, c->env, EXO_CAP_FRAMES, EXO_R_READ) : NULL;
    if (node) {
        CHECK(!(node->rights & EXO_R_WRITE));
        f->node = fake_frame(node->obj->first);
        CHECK_EQ(f->node->ino, f->ino);
    }
    return 0;
}

long f_open(struct client *c, struct file *f, const char *path, uint64_t flags, uint32_t mode)
{
    return opened(c, f, flags,
                  call(c, 0, FS_OP_OPEN, ARGS(flags, mode), path, strlen(path) + 1, 0));
}

long f_open_at(struct file *dir, struct file *f, const char *path, uint64_t flags, uint32_t mode)
{
    return opened(
        dir->c, f, flags,
        call(dir->c, dir->endpoint, FS_OP_OPEN, ARGS(flags, mode), path, strlen(path) + 1, 0));
}

long f_chroot(struct client *c, struct file *f, const char *path, const struct file *root)
{
    return opened(
        c, f, LX_O_PATH | LX_O_DIRECTORY,
        call(c, 0, FS_OP_CHROOT, ARGS(0), path, strlen(path) + 1, root ? root->endpoint : 0));
}

void f_close(struct file *f)
{
    for (int i = 0; i < CLIENT_PARTS; i++) {
        if (f->part[i].seg)
            fake_delete(f->c->env, f->part[i].seg);
    }
    for (int i = 0; i < 2; i++) {
        if (f->ring[i])
            fake_delete(f->c->env, f->ring[i]);
    }
    if (f->node_cap)
        fake_delete(f->c->env, f->node_cap);
    if (f->endpoint)
        fake_delete(f->c->env, f->endpoint);
    *f = (struct file){.c = f->c};
    world_settle();
}

// The child's table is a copy: siblings of the parent's capabilities.
void client_fork(struct client *parent, struct client *child, struct file *f, struct file *copy)
{
    *copy = (struct file){
        .c = child, .node = f->node, .mode = f->mode, .access = f->access, .ino = f->ino};
    copy->endpoint = fake_send(parent->env, child->env, f->endpoint, EXO_R_ALL, EXO_SEND_COPY);
    copy->node_cap = fake_send(parent->env, child->env, f->node_cap, EXO_R_ALL, EXO_SEND_COPY);
}

long f_op(struct file *f, uint64_t op, uint64_t a, uint64_t b, uint64_t d)
{
    return call(f->c, f->endpoint, op, ARGS(a, b, d), NULL, 0, 0);
}

static long part_get(struct file *f, uint64_t index, bool write)
{
    CHECK(index < CLIENT_PARTS);
    if (f->part[index].seg && (f->part[index].writable || !write))
        return 0;
    long err = f_op(f, FS_OP_SEGMENT, index, write, 0);
    if (err < 0)
        return err;
    CHECK(f->c->recv[0]);
    if (f->part[index].seg)
        fake_delete(f->c->env, f->part[index].seg);
    f->part[index].seg = f->c->recv[0];
    f->part[index].writable = write;
    return 0;
}

uint8_t *f_page(struct file *f, uint64_t page, uint32_t rights)
{
    exo_handle_t seg = f->part[page / PART_PAGES].seg;
    struct fake_cap *c = seg ? fake_cap(seg, f->c->env, EXO_CAP_SEGMENT, rights) : NULL;
    struct fake_entry *e = c ? &c->obj->entry[page % PART_PAGES] : NULL;
    if (!e || !e->run || (rights & ~e->rights))
        return NULL;
    e->dirty |= (rights & EXO_R_WRITE) != 0;
    return fake_frame(e->frame);
}

long f_transfer(struct file *f, void *buf, size_t n, uint64_t offset, bool write)
{
    size_t done = 0;
    uint64_t filled = UINT64_MAX;
    uint32_t rights = EXO_R_READ | (write ? EXO_R_WRITE : 0);
    while (done < n) {
        uint64_t at = offset + done, page = at / PAGE;
        size_t chunk = n - done < PAGE - at % PAGE ? n - done : PAGE - at % PAGE;
        long err = part_get(f, page / PART_PAGES, write);
        uint8_t *frame = err < 0 ? NULL : f_page(f, page, rights);
        if (err == 0 && !frame) {
            CHECK(filled != page); // the server said it is there
            err = f_op(f, FS_OP_FILL, page, write, 0);
            filled = page;
        }
        if (err < 0)
            return done ? (long)done : err;
        if (!frame)
            continue;
        if (write)
            memcpy(frame + at % PAGE, (char *)buf + done, chunk);
        else
            memcpy((char *)buf + done, frame + at % PAGE, chunk);
        done += chunk;
    }
    return (long)done;
}

long f_pread(struct file *f, void *buf, size_t n, uint64_t offset)
{
    uint64_t size = f->node->size;
    n = offset >= size ? 0 : size - offset < n ? size - offset : n;
    return n ? f_transfer(f, buf, n, offset, false) : 0;
}

long f_message(struct file *f, const void *buf, size_t n, uint64_t offset)
{
    size_t done = 0;
    while (done < n) {
        size_t chunk = n - done < EXO_MSG_SIZE ? n - done : EXO_MSG_SIZE;
        long put = call(f->c, f->endpoint, FS_OP_WRITE,
                        ARGS(offset == UINT64_MAX ? offset : offset + done, chunk),
                        (const char *)buf + done, chunk, 0);
        if (put < 0)
            return done ? (long)done : put;
        done += (size_t)put;
    }
    return (long)done;
}

static long by_reserve(struct file *f, const void *buf, size_t n, uint64_t *offset)
{
    for (;;) {
        long got = f_op(f, FS_OP_RESERVE, *offset, n, 0);
        if (got <= 0)
            return got;
        uint64_t at = f->c->w[1];
        long done = f_transfer(f, (void *)(uintptr_t)buf, (size_t)got, at, true);
        long err = f_op(f, FS_OP_COMMIT, at, done > 0 ? (uint64_t)done : 0, 0);
        if (err == -LX_EAGAIN)
            continue;
        *offset = at;
        return done > 0 && err < 0 ? err : done;
    }
}

static long extend(struct file *f, const void *buf, size_t n, uint64_t *offset)
{
    long done = n > EXO_MSG_SIZE ? by_reserve(f, buf, n, offset) : -LX_EACCES;
    if (done != -LX_EACCES)
        return done;
    bool append = *offset == UINT64_MAX;
    done = f_message(f, buf, n, *offset);
    if (append && done > 0)
        *offset = f->c->w[2] + (uint64_t)((done - 1) % EXO_MSG_SIZE) + 1 - (uint64_t)done;
    return done;
}

long f_append(struct file *f, const void *buf, size_t n, uint64_t *at)
{
    size_t done = 0;
    while (done < n) {
        uint64_t offset = UINT64_MAX;
        long put = extend(f, (const char *)buf + done, n - done, &offset);
        if (put < 0)
            return done ? (long)done : put;
        if (at && !done)
            *at = offset;
        done += (size_t)put;
    }
    return (long)done;
}

long f_pwrite(struct file *f, const void *buf, size_t n, uint64_t offset)
{
    size_t done = 0;
    while (done < n) {
        uint64_t at = offset + done, size = f->node->size;
        size_t inside = at >= size ? 0 : size - at < n - done ? size - at : n - done;
        const char *from = (const char *)buf + done;
        long put = inside ? f_transfer(f, (void *)(uintptr_t)from, inside, at, true) : -LX_EACCES;
        if (put == -LX_EACCES)
            put = extend(f, from, n - done, &at);
        if (put < 0)
            return done ? (long)done : put;
        done += (size_t)put;
    }
    return (long)done;
}

struct lx_stat f_stat(struct file *f)
{
    struct lx_stat st;
    OK(call(f->c, f->endpoint, FS_OP_STAT, ARGS(LX_AT_EMPTY_PATH), "", 1, 0));
    memcpy(&st, f->c->msg, sizeof(st));
    return st;
}

struct lx_stat p_stat(struct client *c, const char *path)
{
    struct lx_stat st;
    OK(path_op(c, FS_OP_STAT, path, LX_AT_SYMLINK_NOFOLLOW, 0, 0));
    memcpy(&st, c->msg, sizeof(st));
    return st;
}
