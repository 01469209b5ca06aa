// SPDX-License-Identifier: MIT
//
// qsort(), bsearch(), lfind(), tsearch(), hsearch(): large, sorted, equal and reversed inputs.
#include "tap.h"
#include <search.h>

static int compare(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

static int walked, walk_last, walk_wrong;

static void walk(const void *node, VISIT order, int depth)
{
    int value = **(int *const *)node;
    (void)depth;
    if (order != postorder && order != leaf)
        return;
    walk_wrong += walked++ && value <= walk_last;
    walk_last = value;
}

int main(void)
{
    static int v[5000];
    void *root = NULL;
    tap_start();
    for (int kind = 0; kind < 4; kind++) {
        int wrong = 0;
        long sum = 0;
        unsigned seed = 1;
        for (int i = 0; i < 5000; i++) {
            seed = seed * 1103515245 + 12345;
            v[i] = kind == 0 ? (int)(seed >> 8) % 10000 : kind == 1 ? i : kind == 2 ? 5000 - i : 7;
            sum += v[i];
        }
        qsort(v, 5000, sizeof *v, compare);
        for (int i = 0; i < 5000; i++) {
            wrong += i && v[i - 1] > v[i];
            sum -= v[i];
        }
        EQ(wrong, 0);
        EQ(sum, 0);
        int *found = bsearch(&v[1234], v, 5000, sizeof *v, compare);
        OK(found && *found == v[1234]);
        OK(bsearch(&(int){-1}, v, 5000, sizeof *v, compare) == NULL);
    }
    for (int i = 0; i < 500; i++)
        v[i] = i * 37 % 500;
    for (int i = 0; i < 500; i++)
        NEED(tsearch(&v[i], &root, compare));
    twalk(root, walk);
    EQ(walked, 500);
    EQ(walk_wrong, 0);
    OK(tfind(&(int){77}, &root, compare) != NULL);
    OK(tdelete(&(int){77}, &root, compare) != NULL);
    OK(tfind(&(int){77}, &root, compare) == NULL);
    size_t n = 500;
    OK(lfind(&v[9], v, &n, sizeof *v, compare) == &v[9]);
    NEED(hcreate(100));
    OK(hsearch((ENTRY){"key", &v[3]}, ENTER) != NULL);
    ENTRY *e = hsearch((ENTRY){"key", NULL}, FIND);
    OK(e && e->data == &v[3]);
    OK(hsearch((ENTRY){"other", NULL}, FIND) == NULL);
    return tap_done();
}
