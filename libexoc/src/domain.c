// SPDX-License-Identifier: MIT
//
// A new environment with the library OS in it. What cannot be mapped from outside (a window belongs
// to a slot of the environment itself) is mapped by a few instructions of starter code that the
// environment begins with: they map the text and the process records, then jump to the library OS.
//
// Layout of the boot area (proto/start.h, LIBOS_BOOT), which the library OS unmaps when it has read
// it:
//     page 0       starter code
//     page 1       its batch of map operations
//     page 8..15   stack
//     page 16..    struct libos_start and strings
#include <elf.h>
#include <exo/domain.h>
#include <proto/server.h>
#include <proto/start.h>
#include <string.h>

#define PAGE      EXO_PAGE_SIZE
#define SEGMENT   (512 * PAGE)
#define CODE_VA   LIBOS_BOOT
#define OPS_VA    (LIBOS_BOOT + PAGE)
#define STACK_LOW (LIBOS_BOOT + 8 * PAGE)
#define STACK_TOP (LIBOS_BOOT + 16 * PAGE)
#define START_VA  (LIBOS_BOOT + 16 * PAGE)
#define START_MAX (256 * PAGE)
#define RW        (EXO_R_READ | EXO_R_WRITE)

// Entered with rdi = start information, rsi = operations, rdx = their number, r12 = entry, r13 =
// bank, r15 = the call. The batch may stop early (it is bounded): it is made again with the rest.
// Then the entry, with rdi as it was. A failure is an undefined instruction: death.
__asm__(".pushsection .rodata\n"
        "starter_begin:\n"
        "  mov %rdi, %rbx\n"
        "  mov %rdx, %r10\n"
        "  mov %rsi, %rdx\n"
        "1: mov %r13, %rsi\n"
        "  xor %edi, %edi\n"
        "  mov %r15, %rax\n"
        "  syscall\n"
        "  test %rax, %rax\n"
        "  jle 2f\n"
        "  sub %rax, %r10\n"
        "  imul $40, %rax, %rax\n" // sizeof(struct exo_map_op)
        "  add %rax, %rdx\n"
        "  test %r10, %r10\n"
        "  jnz 1b\n"
        "  mov %rbx, %rdi\n"
        "  jmp *%r12\n"
        "2: ud2\n"
        "starter_end:\n"
        ".popsection\n");
_Static_assert(sizeof(struct exo_map_op) == 40, "starter code");
extern const uint8_t starter_begin[], starter_end[];
_Static_assert(sizeof(struct exo_map_op) == 40, "the starter steps over them");

exo_handle_t exo_map_bank = H_BANK;
static uint64_t window_next = SERVER_WINDOWS;

// Maps one part at va; -EXO_EEXISTS when a program that ran here before has left something there.
static int64_t map_part(exo_handle_t part, uint64_t va, uint64_t first, uint64_t pages,
                        uint32_t rights)
{
    struct exo_map_op op = {EXO_OP_MAP, (uint32_t)pages, va, part, first, rights, 0};
    int64_t done = exo_aspace_batch(0, exo_map_bank, &op, 1);
    return done == 1 ? 0 : done < 0 ? done : -EXO_ENOMEM;
}

// A slot has one window and an operation maps at most 512 pages: the parts of a longer run get
// copies of the capability.
void *exo_map(exo_handle_t cap, uint64_t first, uint64_t pages, uint32_t rights)
{
    uint64_t va = (window_next + SEGMENT - 1) & ~(SEGMENT - 1);
    for (uint64_t done = 0; done < pages;) {
        uint64_t n = pages - done < 512 ? pages - done : 512;
        int64_t part = done ? exo_cap_copy(cap, rights, 0, 0) : (int64_t)cap;
        int64_t err = part < 0
                          ? part
                          : map_part((exo_handle_t)part, va + done * PAGE, first + done, n, rights);
        if (err == -EXO_EEXISTS && !done && va < SERVER_WINDOWS_END) {
            va += SEGMENT;
            continue;
        }
        if (err < 0)
            return NULL;
        done += n;
    }
    window_next = va + pages * PAGE;
    return (void *)va;
}

int64_t exo_libos_image_read(exo_handle_t bank, exo_handle_t module, const void *elf,
                             uint64_t bytes, struct exo_libos_image *image)
{
    const Elf64_Ehdr *eh = elf;
    if (bytes < sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0 || eh->e_phoff > bytes ||
        eh->e_phnum > (bytes - eh->e_phoff) / sizeof(Elf64_Phdr))
        return -EXO_EINVAL;
    const Elf64_Phdr *ph = (const void *)((const char *)elf + eh->e_phoff);
    memset(image, 0, sizeof(*image));
    image->entry = eh->e_entry;
    for (int i = 0; i < eh->e_phnum; i++) {
        if (ph[i].p_type != PT_LOAD)
            continue;
        if (ph[i].p_offset > bytes || ph[i].p_filesz > bytes - ph[i].p_offset)
            return -EXO_EINVAL;
        if (ph[i].p_vaddr >= LIBOS_DATA) {
            image->data = (const char *)elf + ph[i].p_offset;
            image->data_bytes = ph[i].p_filesz;
            image->data_pages = (ph[i].p_vaddr - LIBOS_DATA + ph[i].p_memsz + PAGE - 1) / PAGE;
            if (ph[i].p_vaddr != LIBOS_DATA)
                return -EXO_EINVAL;
            continue;
        }
        int64_t seg = image->text ? (int64_t)image->text : exo_segment_create(bank);
        if (seg < 0)
            return seg;
        image->text = (exo_handle_t)seg;
        uint64_t pages = (ph[i].p_filesz + PAGE - 1) / PAGE;
        uint64_t at = (ph[i].p_vaddr - LIBOS_TEXT) / PAGE;
        int64_t err = exo_segment_fill(image->text, at, module, ph[i].p_offset / PAGE,
                                       pages | (uint64_t)(EXO_R_READ | EXO_R_EXEC) << 32);
        if (err < 0)
            return err;
    }
    return image->text && image->data_pages ? 0 : -EXO_EINVAL;
}

static int64_t write_memory(exo_handle_t env, uint64_t va, const void *bytes, uint64_t n)
{
    for (uint64_t done = 0; done < n;) {
        uint64_t chunk = n - done < PAGE ? n - done : PAGE;
        int64_t put = exo_env_memory(env, va + done, (const char *)bytes + done, chunk, 1);
        if (put < 0)
            return put;
        done += (uint64_t)put;
    }
    return 0;
}

// Buys the pages and writes what they hold.
static int64_t fill_space(const struct exo_domain *d, exo_handle_t env, exo_handle_t aspace)
{
    const struct exo_libos_image *libos = d->libos;
    struct exo_map_op ops[] = {
        {EXO_OP_BUY, (uint32_t)libos->data_pages, LIBOS_DATA, 0, 0, RW, 0},
        {EXO_OP_BUY, 2, LIBOS_BOOT, 0, 0, RW, 0},
        {EXO_OP_BUY, 8, STACK_LOW, 0, 0, RW, 0},
        {EXO_OP_BUY, (uint32_t)((d->start_bytes + PAGE - 1) / PAGE), START_VA, 0, 0, RW, 0},
    };
    struct exo_map_op text[] = {
        {EXO_OP_MAP, 512, LIBOS_TEXT, H_LIBOS, 0, EXO_R_READ | EXO_R_EXEC, 0},
        {EXO_OP_MAP, 512, LIBOS_PROCTAB, H_PROCTAB, 0, EXO_R_READ, 0},
    };
    struct exo_map_op code = {EXO_OP_PROTECT, 1, CODE_VA, 0, 0, EXO_R_READ | EXO_R_EXEC, 0};
    if (d->start_bytes > START_MAX || libos->data_pages > 512)
        return -EXO_EINVAL;
    int64_t err = exo_aspace_batch(aspace, d->bank, ops, 4);
    if (err != 4)
        return err < 0 ? err : -EXO_ENOMEM;
    if ((err = write_memory(env, LIBOS_DATA, libos->data, libos->data_bytes)) < 0 ||
        (err = write_memory(env, START_VA, d->start, d->start_bytes)) < 0 ||
        (err = write_memory(env, CODE_VA, starter_begin, (uint64_t)(starter_end - starter_begin))) <
            0 ||
        (err = write_memory(env, OPS_VA, text, sizeof(text))) < 0)
        return err;
    err = exo_aspace_batch(aspace, d->bank, &code, 1);
    return err == 1 ? 0 : err < 0 ? err : -EXO_EINVAL;
}

int64_t exo_domain_create(const struct exo_domain *d, exo_handle_t *env)
{
    int64_t aspace = exo_aspace_create(d->bank);
    if (aspace < 0)
        return aspace;
    int64_t made = exo_env_create(d->bank, (exo_handle_t)aspace, d->supervisor, d->cookie);
    if (made < 0) {
        exo_cap_delete((exo_handle_t)aspace);
        return made;
    }
    int64_t err = fill_space(d, (exo_handle_t)made, (exo_handle_t)aspace);
    for (unsigned i = 0; err >= 0 && i < d->nslots; i++)
        err = exo_cap_copy(d->slots[i].cap, d->slots[i].rights, (exo_handle_t)made,
                           d->slots[i].index);
    exo_cap_delete((exo_handle_t)aspace);
    if (err < 0) {
        exo_env_kill((exo_handle_t)made, 0, 0);
        exo_cap_delete((exo_handle_t)made);
        return err;
    }
    *env = (exo_handle_t)made;
    return 0;
}

int64_t exo_domain_write_start(const struct exo_domain *d, exo_handle_t env)
{
    return write_memory(env, START_VA, d->start, d->start_bytes);
}

int64_t exo_domain_start(const struct exo_domain *d, exo_handle_t env)
{
    struct exo_regs regs = {.size = sizeof(regs), .version = EXO_ABI_VERSION};
    int64_t block = exo_frames_alloc(d->bank, 2, 0, 0);
    if (block < 0)
        return block;
    int64_t ctx = exo_ctx_create(env, d->bank, (exo_handle_t)block, LIBOS_CTX);
    exo_cap_delete((exo_handle_t)block);
    if (ctx < 0)
        return ctx;
    regs.gpr.rip = CODE_VA;
    regs.gpr.rsp = STACK_TOP - 8;
    regs.gpr.rdi = START_VA;
    regs.gpr.rsi = OPS_VA;
    regs.gpr.rdx = 2;
    regs.gpr.r12 = d->libos->entry;
    regs.gpr.r13 = H_BANK;
    regs.gpr.r15 = EXO_CALL_MARK | EXO_CALL_aspace_batch;
    regs.gpr.rflags = 0x202;
    int64_t err = exo_ctx_set(env, (uint64_t)ctx, &regs);
    return err < 0 ? err : exo_ctx_bind(env, (uint64_t)ctx, d->slice);
}
