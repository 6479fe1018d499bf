// Keeps pthread_cancel() from taking effect while this lives: the system calls of slow paths are
// cancellation points, and a thread that vanished in the middle of them would leave half a job.
#pragma once

#include <pthread.h>

namespace swarmbus::core {

class HoldCancellation {
public:
    HoldCancellation() noexcept { ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
    ~HoldCancellation() { ::pthread_setcancelstate(before_, nullptr); }
    HoldCancellation(const HoldCancellation&) = delete;
    HoldCancellation& operator=(const HoldCancellation&) = delete;

private:
    int before_ = PTHREAD_CANCEL_ENABLE;
};

}  // namespace swarmbus::core
