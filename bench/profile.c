// SPDX-License-Identifier: MIT
/*
 * A QEMU plugin that counts the instructions of a benchmark: which, how often, and in which
 * protection domain.
 *
 *     -plugin profile.so,out=FILE,enter=ADDRESS
 *
 * Counting is on between the two no-operations that bench/main.c executes around a timed run. The
 * domain is told by the kernel's way out (ADDRESS is that of cpu_enter_user): the first comparison
 * there reads the register save area of the context that goes on, and the address of that names the
 * context. FILE gets a line for each instruction and domain:
 *
 *     DOMAIN ADDRESS COUNT BYTES
 *
 * The few declarations of QEMU's plugin interface (version 1) that are needed stand here, so that
 * its sources need not be fetched.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*exec_fn_t)(unsigned cpu, void *data);
typedef void (*mem_fn_t)(unsigned cpu, uint32_t info, uint64_t address, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id_t,
                                           void (*)(plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, exec_fn_t, int flags,
                                            void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *, mem_fn_t, int flags, int access,
                                      void *data);
void qemu_plugin_register_atexit_cb(plugin_id_t, void (*)(plugin_id_t, void *), void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);

#define ACCESSES  3 // reads and writes
#define DOMAINS   32
#define BUCKETS   65536
#define ENTER_LEN 32 // the comparison is one of the first instructions

struct place {
    struct place *next;
    uint64_t address;
    uint8_t size, bytes[15];
    uint64_t count[DOMAINS];
};

EXPORT int qemu_plugin_version = 1;

static struct place *buckets[BUCKETS];
static uint64_t domains[DOMAINS], enter;
static unsigned domain_count = 1,
                domain; // 0: none known yet; the last one also stands for all that find no room
static bool counting;
static const char *out_name;

static void executed(unsigned cpu, void *data)
{
    struct place *place = data;
    (void)cpu;
    if (counting)
        place->count[domain]++;
}

static void marked(unsigned cpu, void *data)
{
    (void)cpu;
    counting = data != NULL;
}

static void entered(unsigned cpu, uint32_t info, uint64_t address, void *data)
{
    (void)cpu, (void)info, (void)data;
    for (domain = 1; domain < domain_count; domain++)
        if (domains[domain] == address)
            return;
    if (domain_count < DOMAINS)
        domains[domain_count++] = address;
    else
        domain = DOMAINS - 1;
}

static struct place *place_of(struct qemu_plugin_insn *insn)
{
    uint64_t address = qemu_plugin_insn_vaddr(insn);
    size_t size = qemu_plugin_insn_size(insn);
    struct place **head = &buckets[(address ^ address >> 16) % BUCKETS], *p;
    for (p = *head; p; p = p->next)
        if (p->address == address && p->size == size &&
            !memcmp(p->bytes, qemu_plugin_insn_data(insn), size))
            return p;
    p = calloc(1, sizeof(*p));
    if (!p)
        abort();
    p->address = address;
    p->size = (uint8_t)(size <= sizeof(p->bytes) ? size : sizeof(p->bytes));
    memcpy(p->bytes, qemu_plugin_insn_data(insn), p->size);
    p->next = *head;
    return *head = p;
}

static void translated(plugin_id_t id, struct qemu_plugin_tb *tb)
{
    static const uint8_t start[] = {0x0f, 0x1f, 0x80, 0x01, 0x5a, 0x0b, 0x0b};
    static const uint8_t end[] = {0x0f, 0x1f, 0x80, 0x02, 0x5a, 0x0b, 0x0b};
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const uint8_t *bytes = qemu_plugin_insn_data(insn);
        uint64_t address = qemu_plugin_insn_vaddr(insn);
        size_t size = qemu_plugin_insn_size(insn);
        if (size == sizeof(start) && !memcmp(bytes, start, size))
            qemu_plugin_register_vcpu_insn_exec_cb(insn, marked, 0, buckets);
        else if (size == sizeof(end) && !memcmp(bytes, end, size))
            qemu_plugin_register_vcpu_insn_exec_cb(insn, marked, 0, NULL);
        else
            qemu_plugin_register_vcpu_insn_exec_cb(insn, executed, 0, place_of(insn));
        if (address >= enter && address < enter + ENTER_LEN && size > 4 && bytes[0] == 0x48 &&
            bytes[1] == 0x81)
            qemu_plugin_register_vcpu_mem_cb(insn, entered, 0, ACCESSES, NULL);
    }
}

static void finish(plugin_id_t id, void *data)
{
    FILE *out = fopen(out_name, "w");
    (void)id, (void)data;
    if (!out)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct place *p = buckets[i]; p; p = p->next)
            for (unsigned d = 0; d < DOMAINS; d++) {
                if (!p->count[d])
                    continue;
                fprintf(out, "%u %" PRIx64 " %" PRIu64 " ", d, p->address, p->count[d]);
                for (unsigned b = 0; b < p->size; b++)
                    fprintf(out, "%02x", p->bytes[b]);
                fputc('\n', out);
            }
    fclose(out);
}

EXPORT int qemu_plugin_install(plugin_id_t id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (!strncmp(argv[i], "out=", 4))
            out_name = strdup(argv[i] + 4);
        else if (!strncmp(argv[i], "enter=", 6))
            enter = strtoull(argv[i] + 6, NULL, 0);
    }
    if (!out_name || !enter)
        return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, finish, NULL);
    return 0;
}
