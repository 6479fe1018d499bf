#include "src/life/fork_guard.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <mutex>

#include "src/error.hpp"
#include "src/segment/layout.h"

namespace swarmbus::core {
namespace {

std::mutex page_mutex;
std::uint64_t* page = nullptr;
std::uint64_t last_generation = 0;

}  // namespace

ForkGuard::ForkGuard() {
    const std::lock_guard lock(page_mutex);
    if (page == nullptr) {
        void* fresh = ::mmap(nullptr, SWB_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (fresh == MAP_FAILED) throw system_error(SWB_ERR_SYSTEM, "mapping the fork guard", errno);
        if (::madvise(fresh, SWB_PAGE, MADV_WIPEONFORK) != 0) {
            const int error = errno;
            ::munmap(fresh, SWB_PAGE);
            throw system_error(SWB_ERR_SYSTEM, "guarding against fork (madvise MADV_WIPEONFORK)", error);
        }
        page = static_cast<std::uint64_t*>(fresh);
    }
    if (*page == 0) __atomic_store_n(page, ++last_generation, __ATOMIC_RELAXED);
    page_ = page;
    generation_ = *page;
}

}  // namespace swarmbus::core
