// SPDX-License-Identifier: MIT
// The texts of /proc's files (proctext.c), for its tree (procfs.c).
#ifndef FS_PROCTEXT_H
#define FS_PROCTEXT_H
#include <fs/file.h>
#include <fs/text.h>

struct who { // the process a path speaks of
    const volatile struct proc_rec *rec;
    int fd; // of fd/N
};

void proc_put_stat(struct text *t, const struct who *w);
void proc_put_status(struct text *t, const struct who *w);
void proc_put_cmdline(struct text *t, const struct who *w);
void proc_put_comm(struct text *t, const struct who *w);
void proc_put_meminfo(struct text *t, const struct who *w);
void proc_put_uptime(struct text *t, const struct who *w);
void proc_put_loadavg(struct text *t, const struct who *w);
void proc_put_kernel_stat(struct text *t, const struct who *w);
void proc_put_version(struct text *t, const struct who *w);
void proc_put_cpuinfo(struct text *t, const struct who *w);
void proc_put_mounts(struct text *t, const struct who *w);
void proc_put_filesystems(struct text *t, const struct who *w);

#endif
