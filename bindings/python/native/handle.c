/* A handle that threads use at once and one of them closes. The library wants no call to begin once it is being closed;
 * between giving the interpreter lock up and beginning the call anything may happen, so calls are counted here. */
#include <unistd.h>

#include "native.h"

bool handle_enter(Handle *handle) {
    if (handle->bus == NULL) {
        raise_with(SWB_ERR_CLOSED, "it is closed; open the bus again, or subscribe anew");
        return false;
    }
    ++handle->calls;
    return true;
}

void handle_leave(Handle *handle) {
    if (--handle->calls == 0 && handle->last_left != NULL) PyThread_release_lock(handle->last_left);
}

void handle_close(Handle *handle) {
    swb_bus *const bus = handle->bus;
    if (bus == NULL) return;
    handle->bus = NULL;
    const bool forked = handle->owner != getpid();
    if (handle->calls > 0) {
        if (forked) return; /* the calls are those of threads that this process does not have */
        handle->last_left = PyThread_allocate_lock();
        if (handle->last_left == NULL) return;
        PyThread_acquire_lock(handle->last_left, NOWAIT_LOCK);
        swb_stop(bus);
        Py_BEGIN_ALLOW_THREADS PyThread_acquire_lock(handle->last_left, WAIT_LOCK);
        Py_END_ALLOW_THREADS PyThread_free_lock(handle->last_left);
        handle->last_left = NULL;
    }
    Py_BEGIN_ALLOW_THREADS swb_close(bus);
    Py_END_ALLOW_THREADS
}
