// The error that the core throws on its slow paths: a code of the table and what to do.
#pragma once

#include <stdexcept>
#include <string>

#include "capi/swarmbus.h"

namespace swarmbus::core {

using Result = ::swb_result;

class Error : public std::runtime_error {
public:
    Error(Result code, const std::string& message) : std::runtime_error(message), code_(code) {}
    Result code() const noexcept { return code_; }

private:
    Result code_;
};

// An error whose text ends with what the system said of errno.
Error system_error(Result code, const std::string& what, int error_number);

}  // namespace swarmbus::core
