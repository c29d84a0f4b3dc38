// SPDX-License-Identifier: Apache-2.0
// RapidJSON behind three functions.
#include "model/json.h"

#include "base/utf8.h"

namespace onggi::image {

Result<> parse_json_object(std::string_view bytes, std::string_view what, uint64_t limit,
                           rapidjson::Document& to) {
  if (bytes.size() > limit) {
    return make_error(ErrorKind::invalid_config, what, " is larger than ", limit, " bytes");
  }
  // Iterative, because the depth of nesting is the sender's choice.
  to.Parse<rapidjson::kParseIterativeFlag>(bytes.data(), bytes.size());
  if (to.HasParseError()) {
    return make_error(ErrorKind::invalid_config, what, " is not JSON, at byte ",
                      to.GetErrorOffset());
  }
  if (!to.IsObject()) return make_error(ErrorKind::invalid_config, what, " is not a JSON object");
  return {};
}

const rapidjson::Value* member_of(const rapidjson::Value& object, std::string_view key) {
  if (!object.IsObject()) return nullptr;
  const rapidjson::Value name(
      rapidjson::StringRef(key.data(), static_cast<rapidjson::SizeType>(key.size())));
  const auto member = object.FindMember(name);
  return member == object.MemberEnd() || member->value.IsNull() ? nullptr : &member->value;
}

std::string_view text_member(const rapidjson::Value& object, std::string_view key) {
  const rapidjson::Value* value = member_of(object, key);
  if (value == nullptr || !value->IsString()) return {};
  return {value->GetString(), value->GetStringLength()};
}

}  // namespace onggi::image
