// Errors as exceptions.
#pragma once

#include <stdexcept>
#include <string>

#include <swarmbus.h>

namespace swarmbus {

// What a call threw: a code below zero of swb_result, and a text that says which thing, what was
// wrong with it and what to do.
class Error : public std::runtime_error {
public:
    Error(swb_result code, const std::string& message) : std::runtime_error(message), code_(code) {}
    swb_result code() const noexcept { return code_; }
    // "SWB_ERR_NO_BUS"
    const char* name() const noexcept { return swb_result_name(code_); }

private:
    swb_result code_;
};

namespace detail {

// Passes expected outcomes (0 and above) through, throws errors.
inline swb_result check(swb_result result) {
    if (result < 0) throw Error(result, swb_last_error());
    return result;
}

}  // namespace detail

}  // namespace swarmbus
