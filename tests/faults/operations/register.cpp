// Registering a schema: for a type that has none, and in place of one that it adds to.
#include <algorithm>

#include "src/types/schema_text.hpp"
#include "tests/faults/operation.hpp"
#include "tests/faults/stage.hpp"

namespace swarmbus::faults {
namespace {

constexpr const char* kType = "victim.registered";
constexpr const char* kShort = "table Event { first:int; } root_type Event;";
constexpr const char* kOther = "table Other { third:[int]; } root_type Other;";
// More than a page, which is missed if it stays when who took it is dead. Binary: to read its text would take most of the steps.
const std::string& long_schema() {
    static const std::string schema = [] {
        const auto binary =
            core::binary_of_text("/// " + std::string(5'000, 'x') + "\ntable Event { first:int; second:string; } root_type Event;");
        return std::string(reinterpret_cast<const char*>(binary.data()), binary.size());
    }();
    return schema;
}

std::size_t count_of(Bus& bus, const std::string& name) {
    const std::vector<RegisteredType> types = bus.types();
    return static_cast<std::size_t>(std::ranges::count(types, name, &RegisteredType::name));
}

class Register final : public Operation {
public:
    Register(std::string name, bool replaces) : Operation(std::move(name)), replaces_(replaces) {}
    void prepare(Victim& victim) override {
        bus_.emplace(victim.bus, options_of(Overflow::drop_oldest));
        // Schema texts have been read before: what that prepares once in a process is no part of it.
        bus_->register_type("victim.known", kShort);
        static_cast<void>(long_schema());
        if (replaces_) bus_->register_type(kType, kShort);
    }
    void ready(Stage& stage) override { stage.drain_all(); }
    void run(Victim&) override { bus_->register_type(kType, long_schema()); }
    // What is there is whole; then all goes as if nobody had died.
    void visit(Bus& bus) override {
        const std::uint32_t first = replaces_ ? 1 : 0;
        const std::size_t before = count_of(bus, kType);
        test::require(before == first || before == 1, "the type is there twice, or lost");
        if (before == 1) {
            const RegisteredType found = bus.type(kType);
            test::require(found.root == "Event" && (found.version == 1 || found.version == first + 1), "the registration is not whole");
            const bool added = found.version == first + 1;
            bus.register_type(kType, added ? long_schema() : kShort);
            test::require(bus.type(kType).version == found.version, "what was registered is another than the victim's");
            bus.publish_json(kType, added ? R"({"first":1,"second":"x"})" : R"({"first":1})");
        }
        bus.register_type("visitor.registered", kOther);
        test::require(count_of(bus, "visitor.registered") == 1 && count_of(bus, "victim.known") == 1, "a type is missing");
        for (const RegisteredType& type : bus.types()) bus.publish_json(type.name, "{}");
    }
    void leave() override { bus_.reset(); }

private:
    const bool replaces_;
    std::optional<Bus> bus_;
};

}  // namespace

void add_register_operations(Operations& all) {
    all.push_back(std::make_unique<Register>("register", false));
    all.push_back(std::make_unique<Register>("register_in_place_of_another", true));
}

}  // namespace swarmbus::faults
