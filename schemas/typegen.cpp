// Writes the names of the event types of a binary schema, for the build: typegen c|c++|standard SCHEMA.bfbs
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>
#include <string>

#include "src/types/schema.hpp"
#include "src/types/type_names.hpp"

namespace {

using namespace swarmbus::core;

std::string written(const std::string& what, std::span<const NamedType> types) {
    if (what == "c") return type_names_in_c(types, "SWARMBUS_EVENTS_H");
    if (what == "c++") return type_names_in_cpp(types, "<swarmbus/events_generated.h>");
    return standard_types_in_cpp(types);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: typegen c|c++|standard SCHEMA.bfbs\n";
        return 2;
    }
    try {
        std::ifstream file(argv[2], std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(file), {}};
        std::cout << written(argv[1], named_types(Schema(std::as_bytes(std::span(bytes)), {}, Schema::Root::unneeded)));
    } catch (const std::exception& e) {
        std::cerr << "typegen: " << argv[2] << ": " << e.what() << '\n';
        return 1;
    }
    return std::cout.flush() ? 0 : 1;
}
