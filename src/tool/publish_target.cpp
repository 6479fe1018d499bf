#include "src/tool/publish_target.hpp"

namespace swarmbus::tool {
namespace {

class BusTarget final : public PublishTarget {
public:
    BusTarget(const std::string& bus, const Options& options) : bus_(bus, options) {}

    bool has_type(const std::string& type) override { return bus_.has_type(type); }
    Delivery publish(const std::string& type, const Message& message) override { return bus_.publish(type, message); }
    Delivery publish_json(const std::string& type, std::string_view json, const Message& message) override {
        return bus_.publish_json(type, json, message);
    }
    Delivery publish_cloudevent(std::string_view json) override { return bus_.publish_cloudevent(json); }

private:
    Bus bus_;
};

}  // namespace

std::unique_ptr<PublishTarget> bus_target(const std::string& bus, const Options& options) {
    return std::make_unique<BusTarget>(bus, options);
}

}  // namespace swarmbus::tool
