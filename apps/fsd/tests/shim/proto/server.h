// SPDX-License-Identifier: MIT
// The address sanitizer's heap lies where servers map what they hold.
#include_next <proto/server.h>
#undef SERVER_WINDOWS
#define SERVER_WINDOWS 0x0000200000000000ull
