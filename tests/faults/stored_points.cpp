#include "tests/faults/stored_points.hpp"

#include <fstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace swarmbus::faults {

StoredPoints::StoredPoints(std::string path) : path_(std::move(path)) {
    std::ifstream file(path_);
    if (file) points_ = nlohmann::json::parse(file).get<std::map<std::string, std::size_t>>();
}

std::size_t StoredPoints::stored(const std::string& operation) const {
    const auto found = points_.find(operation);
    return found == points_.end() ? 0 : found->second;
}

std::size_t StoredPoints::least(const std::string& operation) const { return stored(operation) * 4 / 5; }

void StoredPoints::write() const {
    std::ofstream file(path_, std::ios::trunc);
    file << nlohmann::json(points_).dump(2) << '\n';
    if (!file.flush()) throw std::runtime_error(path_ + " can't be written");
}

}  // namespace swarmbus::faults
