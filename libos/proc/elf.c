// SPDX-License-Identifier: MIT
//
// Loading an ELF program: text as windows of the file's segments, data copied, bss on demand.
//
// Read-only segments map the file's cache itself; with exoc-cc's layout that is one directory entry
// for the text of a program up to 2 MiB. Writable segments are private memory filled from the file,
// at once when small. A program that comes as a FRAMES capability has its read-only segments mapped
// as windows of that allocation.
#include <proc/elf.h>
#include <mem/mem.h>
#include <fs/file.h>

// --- sources
// ----------------------------------------------------------------------------------------------
static long frames_read(exo_handle_t frames, uint8_t *dst, size_t n, uint64_t offset)
{
    size_t done = 0;
    while (done < n) {
        uint64_t at = offset + done, first = at / PAGE;
        uint64_t pages = page_up(at % PAGE + n - done) / PAGE;
        if (pages > 64)
            pages = 64;
        void *view;
        int64_t slot = exo_cap_copy(frames, EXO_R_READ, 0, 0);
        if (slot < 0)
            return -LX_ENOMEM;
        int error = window_map((exo_handle_t)slot, first, pages, EXO_R_READ, &view);
        if (!error) {
            size_t part = pages * PAGE - at % PAGE;
            part = part < n - done ? part : n - done;
            size_t left = user_copy(dst + done, (uint8_t *)view + at % PAGE, part);
            error = left ? -LX_EFAULT : 0;
            done += part;
            window_close(view, pages, (exo_handle_t)slot);
        } else {
            exo_cap_delete((exo_handle_t)slot);
        }
        if (error)
            return error;
    }
    return (long)done;
}

long source_read(const struct source *s, void *dst, size_t n, uint64_t offset)
{
    if (offset >= s->size)
        return 0;
    if (n > s->size - offset)
        n = s->size - offset;
    return s->file ? file_pread(s->file, dst, n, offset) : frames_read(s->frames, dst, n, offset);
}

int elf_read(struct elf *elf, const struct source *s)
{
    // Header and program headers almost always lie in the first kilobyte: one read.
    uint8_t first[1024];
    long got = source_read(s, first, sizeof first, 0);
    if (got < 0)
        return (int)got;
    memcpy(&elf->head, first, sizeof elf->head);
    int error =
        (size_t)got < sizeof elf->head ? -LX_ENOEXEC : elf_check_header(&elf->head, s->size);
    if (error)
        return error;
    size_t bytes = elf->head.e_phnum * sizeof elf->ph[0];
    elf->ph = heap_alloc(bytes);
    if (!elf->ph)
        return -LX_ENOMEM;
    if (elf->head.e_phoff + bytes <= (size_t)got)
        memcpy(elf->ph, first + elf->head.e_phoff, bytes);
    else if (source_read(s, elf->ph, bytes, elf->head.e_phoff) != (long)bytes)
        return -LX_ENOEXEC;
    return elf_check(elf, s->size);
}

// --- mapping
// ------------------------------------------------------------------------------------------------
static uint32_t prot_of(const struct lx_elf_phdr *p)
{
    return (p->p_flags & LX_PF_R ? LX_PROT_READ : 0) | (p->p_flags & LX_PF_W ? LX_PROT_WRITE : 0) |
           (p->p_flags & LX_PF_X ? LX_PROT_EXEC : 0);
}

static int map_anonymous(uint64_t start, uint64_t end, uint32_t prot, uint32_t more)
{
    if (start >= end)
        return 0;
    struct map_request q = {
        .addr = start, .len = end - start, .prot = prot, .map_flags = LX_MAP_FIXED | more};
    long r = mem_map(&q);
    return r < 0 ? (int)r : 0;
}

static int map_file(const struct source *s, uint64_t start, uint64_t end, uint32_t prot,
                    uint64_t offset, uint32_t region_flags)
{
    struct map_request q = {
        .addr = start,
        .len = end - start,
        .prot = prot,
        .map_flags = LX_MAP_FIXED,
        .region_flags = region_flags,
        .offset = offset,
    };
    file_ref(s->file);
    q.backing = backing_file(s->file);
    if (!q.backing)
        return -LX_ENOMEM;
    long r = mem_map(&q);
    return r < 0 ? (int)r : 0;
}

// Bytes of a FRAMES program: bought pages, filled, then protected.
static int copy_frames(const struct source *s, uint64_t start, uint64_t end, uint32_t prot,
                       uint64_t offset, uint64_t n)
{
    int error = map_anonymous(start, end, LX_PROT_READ | LX_PROT_WRITE, LX_MAP_POPULATE);
    if (error)
        return error;
    if (source_read(s, (void *)start, n, offset) != (long)n)
        return -LX_EIO;
    return (int)px_mprotect(start, end - start, (int)prot);
}

static int map_frames(const struct source *s, uint64_t start, uint64_t end, uint32_t prot,
                      uint64_t offset, uint64_t n)
{
    uint64_t pages = (end - start) / PAGE;
    if (prot & LX_PROT_WRITE || pages > BATCH_PAGES)
        return copy_frames(s, start, end, prot, offset, n);
    int64_t slot = exo_cap_copy(s->frames, prot_rights(prot), 0, 0);
    if (slot < 0)
        return copy_frames(s, start, end, prot, offset, n);
    struct exo_map_op op = {
        .kind = EXO_OP_MAP,
        .count = (uint32_t)pages,
        .va = start,
        .cap = (exo_handle_t)slot,
        .first = offset / PAGE,
        .rights = prot_rights(prot),
    };
    struct region like = {.start = start, .end = end, .prot = prot, .low = start, .high = end};
    if (exo_aspace_batch(0, libos_bank, &op, 1) != 1)
        return -LX_ENOMEM;
    return region_insert(&like, NULL);
}

static int load_segment(const struct elf *elf, unsigned i, const struct source *s, uint64_t bias)
{
    const struct lx_elf_phdr *p = &elf->ph[i];
    uint32_t prot = prot_of(p);
    uint64_t start = page_down(p->p_vaddr + bias);
    uint64_t file_end = p->p_vaddr + bias + p->p_filesz;
    uint64_t end = page_up(p->p_vaddr + bias + p->p_memsz);
    uint64_t offset = page_down(p->p_offset), pages_end = p->p_filesz ? page_up(file_end) : start;
    bool tail = p->p_memsz > p->p_filesz && p->p_filesz;
    int error = 0;
    if (p->p_filesz && s->file) {
        uint32_t flags = prot & LX_PROT_WRITE || tail ? RF_COPY
                         : elf_wide(elf, i, bias)     ? RF_WIDE
                                                      : 0;
        error = map_file(s, start, pages_end, prot | (tail ? LX_PROT_WRITE : 0), offset, flags);
    } else if (p->p_filesz) {
        error = map_frames(s, start, pages_end, prot | (tail ? LX_PROT_WRITE : 0), offset,
                           file_end - start);
    }
    if (!error && tail && user_zero((void *)file_end, pages_end - file_end))
        error = -LX_EFAULT;
    if (!error && tail && !(prot & LX_PROT_WRITE))
        error = (int)px_mprotect(start, pages_end - start, (int)prot);
    return error ? error : map_anonymous(pages_end, end, prot, 0);
}

int elf_load(const struct elf *elf, const struct source *s, uint64_t bias)
{
    for (unsigned i = 0; i < elf->head.e_phnum; i++) {
        if (elf->ph[i].p_type != LX_PT_LOAD || !elf->ph[i].p_memsz)
            continue;
        int error = load_segment(elf, i, s, bias);
        if (error)
            return error;
    }
    return 0;
}
