// Writes the names of the event types of a binary schema, for the build: typegen c|c++ SCHEMA.bfbs
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>
#include <string>

#include "src/types/schema.hpp"
#include "src/types/type_names.hpp"

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: typegen c|c++ SCHEMA.bfbs\n";
        return 2;
    }
    try {
        std::ifstream file(argv[2], std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(file), {}};
        const swarmbus::core::Schema schema(std::as_bytes(std::span(bytes)), {}, swarmbus::core::Schema::Root::unneeded);
        const auto types = named_types(schema);
        std::cout << (std::string(argv[1]) == "c" ? type_names_in_c(types, "SWARMBUS_EVENTS_H")
                                                  : type_names_in_cpp(types, "<swarmbus/events_generated.h>"));
    } catch (const std::exception& e) {
        std::cerr << "typegen: " << argv[2] << ": " << e.what() << '\n';
        return 1;
    }
    return std::cout.flush() ? 0 : 1;
}
