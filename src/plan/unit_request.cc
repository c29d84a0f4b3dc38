// SPDX-License-Identifier: Apache-2.0
// Fields with an end mark instead of JSON, so that both sides fit on a screen.
#include "plan/unit_request.h"

#include "base/fields.h"

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

bool read_property(FieldReader& fields, UnitProperty& property) {
  const auto name = fields.next(), signature = fields.next();
  const std::optional<uint32_t> values = fields.next_number<uint32_t>();
  if (!name || !signature || !values) return false;
  property.name = *name;
  property.signature = *signature;
  const size_t together = values_of(*signature);
  if (name->empty() || together == 0 || *values % together != 0) return false;
  if (!signature->starts_with('a') && *values != 1) return false;
  for (uint32_t i = 0; i < *values; i++) {
    const auto value = fields.next();
    if (!value) return false;
    property.values.emplace_back(*value);
  }
  return true;
}

bool read_request(FieldReader& fields, UnitRequest& request) {
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
  add_field(bytes, kCommands[static_cast<size_t>(request.command)]);
  add_field(bytes, kBuses[request.user ? 1 : 0]);
  add_field(bytes, request.unit);
  for (const UnitProperty& property : request.properties) {
    add_field(bytes, property.name);
    add_field(bytes, property.signature);
    add_field(bytes, property.values.size());
    for (const std::string& value : property.values) add_field(bytes, value);
  }
  return bytes;
}

Result<UnitRequest> decode_unit_request(std::string_view bytes) {
  UnitRequest request;
  FieldReader fields(bytes);
  if (read_request(fields, request)) return request;
  return make_error(ErrorKind::internal, "onggi-systemd: invalid request");
}

}  // namespace onggi::plan
