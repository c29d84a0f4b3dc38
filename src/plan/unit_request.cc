// SPDX-License-Identifier: Apache-2.0
// Fields with an end mark instead of JSON: no escapes, one spelling for each request, and both
// sides fit on a screen.
#include "plan/unit_request.h"

#include <optional>

namespace onggi::plan {
namespace {

constexpr std::string_view kCommands[] = {"start", "stop", "set"};
constexpr std::string_view kBuses[] = {"system", "user"};
constexpr std::string_view kBasicTypes = "bynqiuxts";

// How many basic values belong together: 0 for a signature that is not known.
size_t values_of(std::string_view signature) {
  if (signature == "a(ss)") return 2;
  if (signature.starts_with('a')) signature.remove_prefix(1);
  return signature.size() == 1 && kBasicTypes.find(signature[0]) != std::string_view::npos ? 1 : 0;
}

class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  std::optional<std::string_view> next() {
    const size_t end = rest_.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view field = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return field;
  }
  // The index of the next field among `words`.
  template <size_t N>
  std::optional<size_t> next_of(const std::string_view (&words)[N]) {
    const std::optional<std::string_view> field = next();
    for (size_t i = 0; field && i < N; i++) {
      if (words[i] == *field) return i;
    }
    return std::nullopt;
  }

 private:
  std::string_view rest_;
};

bool read_property(Fields& fields, UnitProperty& property) {
  const auto name = fields.next(), signature = fields.next(), count = fields.next();
  if (!name || !signature || !count) return false;
  property.name = *name;
  property.signature = *signature;
  const std::optional<uint32_t> values = parse_decimal<uint32_t>(*count);
  const size_t together = values_of(*signature);
  if (name->empty() || !values || together == 0 || *values % together != 0) return false;
  if (!signature->starts_with('a') && *values != 1) return false;
  for (uint32_t i = 0; i < *values; i++) {
    const auto value = fields.next();
    if (!value) return false;
    property.values.emplace_back(*value);
  }
  return true;
}

bool read_request(Fields& fields, UnitRequest& request) {
  const std::optional<size_t> command = fields.next_of(kCommands), bus = fields.next_of(kBuses);
  const auto unit = fields.next();
  if (!command || !bus || !unit || unit->empty()) return false;
  request.command = static_cast<UnitCommand>(*command);
  request.user = *bus == 1;
  request.unit = *unit;
  while (!fields.empty()) {
    if (!read_property(fields, request.properties.emplace_back())) return false;
  }
  return true;
}

}  // namespace

std::string encode(const UnitRequest& request) {
  std::string bytes;
  const auto add = [&bytes](std::string_view field) { bytes.append(field) += '\0'; };
  add(kCommands[static_cast<size_t>(request.command)]);
  add(kBuses[request.user ? 1 : 0]);
  add(request.unit);
  for (const UnitProperty& property : request.properties) {
    add(property.name);
    add(property.signature);
    add(std::to_string(property.values.size()));
    for (const std::string& value : property.values) add(value);
  }
  return bytes;
}

Result<UnitRequest> decode_unit_request(std::string_view bytes) {
  UnitRequest request;
  Fields fields(bytes);
  if (read_request(fields, request)) return request;
  return make_error(ErrorKind::internal, "onggi-systemd: not a request");
}

}  // namespace onggi::plan
