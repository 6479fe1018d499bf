#include "src/error.hpp"

#include <system_error>

namespace swarmbus::core {

Error system_error(Result code, const std::string& what, int error_number) {
    return Error(code, what + ": " + std::generic_category().message(error_number));
}

}  // namespace swarmbus::core
