// SPDX-License-Identifier: MIT
/*
 * Replaces musl's file of the same name, whose seven inline SYSCALL instructions are the way into a
 * kernel. Here a system call is a function call: the library OS lives in the same address space and
 * its entry point stands at a fixed place in the context block that %gs points to.
 *
 * The call goes through real functions (src/thread/x86_64/exoc_sys.s) and not through inline asm,
 * so that the compiler knows that the caller-saved registers, the vector registers among them, are
 * gone afterwards, and keeps its own red zone clear. The number travels behind the arguments: these
 * are then already where the C ABI and the library OS want them, and a stub is two instructions.
 *
 * Calls that never sleep and are never begun again take the shorter way in, __exoc_leafN: those of
 * __exoc_short below, when the number is known to the compiler.
 *
 * The clock has its vDSO, as on Linux: libos/vdso.
 */
#define VDSO_USEFUL
#define VDSO_CGT_SYM "__vdso_clock_gettime"
#define VDSO_CGT_VER "LINUX_2.6"

#define __SYSCALL_LL_E(x) (x)
#define __SYSCALL_LL_O(x) (x)

__attribute__((__visibility__("hidden"))) long __exoc_sys0(long);
__attribute__((__visibility__("hidden"))) long __exoc_sys1(long, long);
__attribute__((__visibility__("hidden"))) long __exoc_sys2(long, long, long);
__attribute__((__visibility__("hidden"))) long __exoc_sys3(long, long, long, long);
__attribute__((__visibility__("hidden"))) long __exoc_sys4(long, long, long, long, long);
__attribute__((__visibility__("hidden"))) long __exoc_sys5(long, long, long, long, long, long);
__attribute__((__visibility__("hidden"))) long __exoc_sys6(long, long, long, long, long, long,
                                                           long);

__attribute__((__visibility__("hidden"))) long __exoc_leaf0(long);
__attribute__((__visibility__("hidden"))) long __exoc_leaf1(long, long);
__attribute__((__visibility__("hidden"))) long __exoc_leaf4(long, long, long, long, long);

// rt_sigaction, rt_sigprocmask, getpid, umask, getuid, getgid, geteuid, getegid, getppid, gettid
#define __exoc_short(n)                                                                            \
    (__builtin_constant_p(n) &&                                                                    \
     ((n) == 13 || (n) == 14 || (n) == 39 || (n) == 95 || (n) == 102 || (n) == 104 ||              \
      (n) == 107 || (n) == 108 || (n) == 110 || (n) == 186))

static __inline long __syscall0(long n)
{
    return __exoc_short(n) ? __exoc_leaf0(n) : __exoc_sys0(n);
}

static __inline long __syscall1(long n, long a1)
{
    return __exoc_short(n) ? __exoc_leaf1(a1, n) : __exoc_sys1(a1, n);
}

static __inline long __syscall2(long n, long a1, long a2)
{
    return __exoc_sys2(a1, a2, n);
}

static __inline long __syscall3(long n, long a1, long a2, long a3)
{
    return __exoc_sys3(a1, a2, a3, n);
}

static __inline long __syscall4(long n, long a1, long a2, long a3, long a4)
{
    return __exoc_short(n) ? __exoc_leaf4(a1, a2, a3, a4, n) : __exoc_sys4(a1, a2, a3, a4, n);
}

static __inline long __syscall5(long n, long a1, long a2, long a3, long a4, long a5)
{
    return __exoc_sys5(a1, a2, a3, a4, a5, n);
}

static __inline long __syscall6(long n, long a1, long a2, long a3, long a4, long a5, long a6)
{
    return __exoc_sys6(a1, a2, a3, a4, a5, a6, n);
}

// A call of the library OS that no kernel has: raise, which names its thread by itself.
#define SYS_exoc_raise 512

#define IPC_64 0
