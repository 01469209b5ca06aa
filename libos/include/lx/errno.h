// SPDX-License-Identifier: MIT
//
// Error numbers as Linux on x86-64 hands them to user programs.
//
// Every layer of the library OS and every server returns these negated (-LX_ENOENT), because musl
// and unmodified Linux binaries compare against exactly these values. Kernel errors (EXO_E...) are
// another space and are translated where they enter the library OS. The list is an X-macro so that
// the trace decoder can print names from it; the #defines can be used in assembly and in #if.
#ifndef LX_ERRNO_H
#define LX_ERRNO_H

#define LX_EPERM           1
#define LX_ENOENT          2
#define LX_ESRCH           3
#define LX_EINTR           4
#define LX_EIO             5
#define LX_ENXIO           6
#define LX_E2BIG           7
#define LX_ENOEXEC         8
#define LX_EBADF           9
#define LX_ECHILD          10
#define LX_EAGAIN          11
#define LX_ENOMEM          12
#define LX_EACCES          13
#define LX_EFAULT          14
#define LX_ENOTBLK         15
#define LX_EBUSY           16
#define LX_EEXIST          17
#define LX_EXDEV           18
#define LX_ENODEV          19
#define LX_ENOTDIR         20
#define LX_EISDIR          21
#define LX_EINVAL          22
#define LX_ENFILE          23
#define LX_EMFILE          24
#define LX_ENOTTY          25
#define LX_ETXTBSY         26
#define LX_EFBIG           27
#define LX_ENOSPC          28
#define LX_ESPIPE          29
#define LX_EROFS           30
#define LX_EMLINK          31
#define LX_EPIPE           32
#define LX_EDOM            33
#define LX_ERANGE          34
#define LX_EDEADLK         35
#define LX_ENAMETOOLONG    36
#define LX_ENOLCK          37
#define LX_ENOSYS          38
#define LX_ENOTEMPTY       39
#define LX_ELOOP           40
#define LX_ENOMSG          42
#define LX_EIDRM           43
#define LX_ECHRNG          44
#define LX_EL2NSYNC        45
#define LX_EL3HLT          46
#define LX_EL3RST          47
#define LX_ELNRNG          48
#define LX_EUNATCH         49
#define LX_ENOCSI          50
#define LX_EL2HLT          51
#define LX_EBADE           52
#define LX_EBADR           53
#define LX_EXFULL          54
#define LX_ENOANO          55
#define LX_EBADRQC         56
#define LX_EBADSLT         57
#define LX_EBFONT          59
#define LX_ENOSTR          60
#define LX_ENODATA         61
#define LX_ETIME           62
#define LX_ENOSR           63
#define LX_ENONET          64
#define LX_ENOPKG          65
#define LX_EREMOTE         66
#define LX_ENOLINK         67
#define LX_EADV            68
#define LX_ESRMNT          69
#define LX_ECOMM           70
#define LX_EPROTO          71
#define LX_EMULTIHOP       72
#define LX_EDOTDOT         73
#define LX_EBADMSG         74
#define LX_EOVERFLOW       75
#define LX_ENOTUNIQ        76
#define LX_EBADFD          77
#define LX_EREMCHG         78
#define LX_ELIBACC         79
#define LX_ELIBBAD         80
#define LX_ELIBSCN         81
#define LX_ELIBMAX         82
#define LX_ELIBEXEC        83
#define LX_EILSEQ          84
#define LX_ERESTART        85
#define LX_ESTRPIPE        86
#define LX_EUSERS          87
#define LX_ENOTSOCK        88
#define LX_EDESTADDRREQ    89
#define LX_EMSGSIZE        90
#define LX_EPROTOTYPE      91
#define LX_ENOPROTOOPT     92
#define LX_EPROTONOSUPPORT 93
#define LX_ESOCKTNOSUPPORT 94
#define LX_EOPNOTSUPP      95
#define LX_EPFNOSUPPORT    96
#define LX_EAFNOSUPPORT    97
#define LX_EADDRINUSE      98
#define LX_EADDRNOTAVAIL   99
#define LX_ENETDOWN        100
#define LX_ENETUNREACH     101
#define LX_ENETRESET       102
#define LX_ECONNABORTED    103
#define LX_ECONNRESET      104
#define LX_ENOBUFS         105
#define LX_EISCONN         106
#define LX_ENOTCONN        107
#define LX_ESHUTDOWN       108
#define LX_ETOOMANYREFS    109
#define LX_ETIMEDOUT       110
#define LX_ECONNREFUSED    111
#define LX_EHOSTDOWN       112
#define LX_EHOSTUNREACH    113
#define LX_EALREADY        114
#define LX_EINPROGRESS     115
#define LX_ESTALE          116
#define LX_EUCLEAN         117
#define LX_ENOTNAM         118
#define LX_ENAVAIL         119
#define LX_EISNAM          120
#define LX_EREMOTEIO       121
#define LX_EDQUOT          122
#define LX_ENOMEDIUM       123
#define LX_EMEDIUMTYPE     124
#define LX_ECANCELED       125
#define LX_ENOKEY          126
#define LX_EKEYEXPIRED     127
#define LX_EKEYREVOKED     128
#define LX_EKEYREJECTED    129
#define LX_EOWNERDEAD      130
#define LX_ENOTRECOVERABLE 131
#define LX_ERFKILL         132
#define LX_EHWPOISON       133

#define LX_EWOULDBLOCK LX_EAGAIN
#define LX_EDEADLOCK   LX_EDEADLK
#define LX_ENOTSUP     LX_EOPNOTSUPP

// Numbers a call may return as an error: -1 to -LX_ERRNO_MAX. 41 and 58 were never assigned.
#define LX_ERRNO_MAX 4095

// clang-format off
#define LX_ERRNO_LIST(X)                                                                           \
    X(EPERM) X(ENOENT) X(ESRCH) X(EINTR) X(EIO)                                                    \
    X(ENXIO) X(E2BIG) X(ENOEXEC) X(EBADF) X(ECHILD)                                                \
    X(EAGAIN) X(ENOMEM) X(EACCES) X(EFAULT) X(ENOTBLK)                                             \
    X(EBUSY) X(EEXIST) X(EXDEV) X(ENODEV) X(ENOTDIR)                                               \
    X(EISDIR) X(EINVAL) X(ENFILE) X(EMFILE) X(ENOTTY)                                              \
    X(ETXTBSY) X(EFBIG) X(ENOSPC) X(ESPIPE) X(EROFS)                                               \
    X(EMLINK) X(EPIPE) X(EDOM) X(ERANGE) X(EDEADLK)                                                \
    X(ENAMETOOLONG) X(ENOLCK) X(ENOSYS) X(ENOTEMPTY) X(ELOOP)                                      \
    X(ENOMSG) X(EIDRM) X(ECHRNG) X(EL2NSYNC) X(EL3HLT)                                             \
    X(EL3RST) X(ELNRNG) X(EUNATCH) X(ENOCSI) X(EL2HLT)                                             \
    X(EBADE) X(EBADR) X(EXFULL) X(ENOANO) X(EBADRQC)                                               \
    X(EBADSLT) X(EBFONT) X(ENOSTR) X(ENODATA) X(ETIME)                                             \
    X(ENOSR) X(ENONET) X(ENOPKG) X(EREMOTE) X(ENOLINK)                                             \
    X(EADV) X(ESRMNT) X(ECOMM) X(EPROTO) X(EMULTIHOP)                                              \
    X(EDOTDOT) X(EBADMSG) X(EOVERFLOW) X(ENOTUNIQ) X(EBADFD)                                       \
    X(EREMCHG) X(ELIBACC) X(ELIBBAD) X(ELIBSCN) X(ELIBMAX)                                         \
    X(ELIBEXEC) X(EILSEQ) X(ERESTART) X(ESTRPIPE) X(EUSERS)                                        \
    X(ENOTSOCK) X(EDESTADDRREQ) X(EMSGSIZE) X(EPROTOTYPE) X(ENOPROTOOPT)                           \
    X(EPROTONOSUPPORT) X(ESOCKTNOSUPPORT) X(EOPNOTSUPP) X(EPFNOSUPPORT) X(EAFNOSUPPORT)            \
    X(EADDRINUSE) X(EADDRNOTAVAIL) X(ENETDOWN) X(ENETUNREACH) X(ENETRESET)                         \
    X(ECONNABORTED) X(ECONNRESET) X(ENOBUFS) X(EISCONN) X(ENOTCONN)                                \
    X(ESHUTDOWN) X(ETOOMANYREFS) X(ETIMEDOUT) X(ECONNREFUSED) X(EHOSTDOWN)                         \
    X(EHOSTUNREACH) X(EALREADY) X(EINPROGRESS) X(ESTALE) X(EUCLEAN)                                \
    X(ENOTNAM) X(ENAVAIL) X(EISNAM) X(EREMOTEIO) X(EDQUOT)                                         \
    X(ENOMEDIUM) X(EMEDIUMTYPE) X(ECANCELED) X(ENOKEY) X(EKEYEXPIRED)                              \
    X(EKEYREVOKED) X(EKEYREJECTED) X(EOWNERDEAD) X(ENOTRECOVERABLE) X(ERFKILL)                     \
    X(EHWPOISON)
// clang-format on

#endif
