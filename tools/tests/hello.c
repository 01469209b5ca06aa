// SPDX-License-Identifier: MIT
// For shell-test: hello world by stdio, with a number that needs the floating point part of printf.
#include <stdio.h>

int main(int argc, char **argv)
{
    (void)argv;
    return printf("hello, world: %d words, %.2f\n", argc, argc / 4.0) < 0;
}
