#include "src/types/field_path.hpp"

#include "src/error.hpp"

namespace swarmbus::core {

std::string to_string(const FieldPath* path) {
    if (path == nullptr) return {};
    std::string text = to_string(path->parent);
    if (path->name.empty()) return text + "[" + std::to_string(path->index) + "]";
    if (!text.empty()) text += '.';
    return text + std::string(path->name);
}

void throw_payload_fault(const FieldPath* path, const std::string& what) {
    const std::string where = to_string(path);
    throw Error(SWB_ERR_PAYLOAD, where.empty() ? what : where + ": " + what);
}

}  // namespace swarmbus::core
