"""Native libraries, compiled here, that make a process misbehave as real machines do. Loaded with LD_PRELOAD."""

import shutil
import subprocess
from pathlib import Path

# Weights repacked for the CPU come from `ggml_backend_dev_get_extra_bufts`. A CPU on which that code crashes: once it
# was asked for, the first computation is a segmentation fault.
CRASH_REPACKED = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <string.h>
static int repacked;
static void *find(const char *name) {  /* ctypes loads privately, so RTLD_NEXT does not see it */
    return dlsym(dlopen("libggml-base.so.0", RTLD_LAZY | RTLD_NOLOAD), name);
}
void *ggml_backend_reg_get_proc_address(void *reg, const char *name) {
    static void *(*real)(void *, const char *);
    if (!real) real = find("ggml_backend_reg_get_proc_address");
    if (!strcmp(name, "ggml_backend_dev_get_extra_bufts")) repacked = 1;
    return real(reg, name);
}
int ggml_backend_sched_graph_compute_async(void *sched, void *graph) {
    static int (*real)(void *, void *);
    if (!real) real = find("ggml_backend_sched_graph_compute_async");
    if (repacked) raise(SIGSEGV);
    return real(sched, graph);
}
"""

# Writes the family of every socket that is made to the file in SOCKET_LOG, and refuses all but local ones.
NO_SOCKETS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
static int allowed(int family, const char *call) {
    const char *path = getenv("SOCKET_LOG");
    FILE *log = path ? fopen(path, "a") : 0;
    if (log) { fprintf(log, "%s %d\n", call, family); fclose(log); }
    return family == AF_UNIX;
}
int socket(int family, int type, int protocol) {
    int (*real)(int, int, int) = dlsym(RTLD_NEXT, "socket");
    if (!allowed(family, "socket")) { errno = EACCES; return -1; }
    return real(family, type, protocol);
}
int connect(int fd, const struct sockaddr *address, socklen_t size) {
    int (*real)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
    if (!allowed(address->sa_family, "connect")) { errno = EACCES; return -1; }
    return real(fd, address, size);
}
"""


def compile_shim(source: str, folder: Path) -> Path:
    """A shared library from C source."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    assert compiler, "the build needs a C compiler, so the tests may use it"
    code, library = folder / "shim.c", folder / "shim.so"
    code.write_text(source)
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, code, "-ldl"], check=True)
    return library
