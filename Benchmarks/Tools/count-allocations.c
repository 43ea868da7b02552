// SPDX-License-Identifier: Apache-2.0

// Counts the allocations of a process into which it is loaded (LD_PRELOAD, Linux).
//
// SIGUSR1 writes "allocations N bytes B frees F" to the standard error: the totals since the process began. The end of
// the process does so when COUNT_ALLOCATIONS_AT_EXIT is set. When
// COUNT_ALLOCATIONS_STACKS names a file, the first SIGUSR2 begins to record the stack of every allocation, and the
// second writes the file: a line a stack, with its count and the return addresses, innermost first, as module+offset.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static atomic_ullong allocations, bytes, frees;

enum { DEPTH = 40, STACKS = 1 << 14 };
static struct stack {
  uint64_t hash, count;
  int depth;
  void *frames[DEPTH];
} stacks[STACKS];
static atomic_int recording;
static atomic_flag busy = ATOMIC_FLAG_INIT;
static __thread int inside;

static void record(void) {
  inside = 1;
  void *frames[DEPTH + 2];
  int depth = backtrace(frames, DEPTH + 2) - 2;
  uint64_t hash = 14695981039346656037u;
  for (int i = 0; i < depth; i++) hash = (hash ^ (uint64_t)frames[i + 2]) * 1099511628211u;
  while (atomic_flag_test_and_set(&busy)) {}
  for (unsigned i = hash % STACKS, n = 0; n < STACKS && depth > 0; i = (i + 1) % STACKS, n++) {
    if (stacks[i].count && stacks[i].hash != hash) continue;
    if (!stacks[i].count) {
      stacks[i].hash = hash;
      stacks[i].depth = depth;
      memcpy(stacks[i].frames, frames + 2, depth * sizeof(void *));
    }
    stacks[i].count++;
    break;
  }
  atomic_flag_clear(&busy);
  inside = 0;
}

static inline void count(size_t size) {
  atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&bytes, size, memory_order_relaxed);
  if (atomic_load_explicit(&recording, memory_order_relaxed) && !inside) record();
}

void *malloc(size_t size) { count(size); return __libc_malloc(size); }
void *calloc(size_t n, size_t size) { count(n * size); return __libc_calloc(n, size); }
void *realloc(void *p, size_t size) { count(size); return __libc_realloc(p, size); }
void *memalign(size_t alignment, size_t size) { count(size); return __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { count(size); return __libc_memalign(alignment, size); }
int posix_memalign(void **p, size_t alignment, size_t size) {
  count(size);
  *p = __libc_memalign(alignment, size);
  return *p ? 0 : ENOMEM;
}
void free(void *p) {
  if (p) atomic_fetch_add_explicit(&frees, 1, memory_order_relaxed);
  __libc_free(p);
}

// For a program that asks by itself (dlsym): how many there were since it began.
unsigned long long counted_allocations(void) { return allocations; }

static void report(int signal) {
  (void)signal;
  char line[128];
  int n = snprintf(line, sizeof line, "allocations %llu bytes %llu frees %llu\n", allocations, bytes, frees);
  if (write(2, line, n) < 0) {}
}

static void toggle(int signal) {
  (void)signal;
  const char *path = getenv("COUNT_ALLOCATIONS_STACKS");
  if (!path) return;
  if (!atomic_exchange(&recording, 1)) return;
  atomic_store(&recording, 0);
  inside = 1;
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  for (int i = 0; i < STACKS; i++) {
    if (!stacks[i].count) continue;
    dprintf(file, "%llu", (unsigned long long)stacks[i].count);
    for (int f = 0; f < stacks[i].depth; f++) {
      Dl_info info;
      if (dladdr(stacks[i].frames[f], &info) && info.dli_fname) {
        dprintf(file, " %s+%lx", info.dli_fname, (long)((char *)stacks[i].frames[f] - (char *)info.dli_fbase));
      } else {
        dprintf(file, " ?+%p", stacks[i].frames[f]);
      }
    }
    dprintf(file, "\n");
  }
  close(file);
  if (write(2, "stacks written\n", 15) < 0) {}
  inside = 0;
}

__attribute__((constructor)) static void start(void) {
  void *frame[1];
  backtrace(frame, 1);  // loads the unwinder before anything is recorded
  sigaction(SIGUSR1, &(struct sigaction){.sa_handler = report, .sa_flags = SA_RESTART}, NULL);
  sigaction(SIGUSR2, &(struct sigaction){.sa_handler = toggle, .sa_flags = SA_RESTART}, NULL);
}

__attribute__((destructor)) static void end(void) {
  if (getenv("COUNT_ALLOCATIONS_AT_EXIT")) report(0);
}
