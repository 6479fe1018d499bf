// What stands between the core and C: no exception leaves, every failure leaves a message.
#pragma once

#include <exception>
#include <new>
#include <string>

#include "capi/swarmbus.h"
#include "src/error.hpp"

namespace swarmbus::capi {

// Stores the message swb_last_error() returns; never throws.
swb_result fail(swb_result code, const char* message) noexcept;

// Runs `call`, which returns a swb_result; turns what it throws into one.
template <typename Call>
swb_result guarded(Call&& call) noexcept {
    try {
        return call();
    } catch (const core::Error& e) {
        return fail(e.code(), e.what());
    } catch (const std::bad_alloc&) {
        return fail(SWB_ERR_MEMORY, "out of memory");
    } catch (const std::exception& e) {
        return fail(SWB_ERR_INTERNAL, e.what());
    } catch (...) {
        return fail(SWB_ERR_INTERNAL, "an unknown exception");
    }
}

}  // namespace swarmbus::capi
