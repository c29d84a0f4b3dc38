// SPDX-License-Identifier: Apache-2.0
// The parts of a JSON text as they stand, so that a document can be changed in one place and keep
// every other byte: unknown fields, the order of fields, numbers beyond 64 bits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace onggi::image {

struct JsonMember {
  std::string key;  // without escapes
  std::string_view key_text, value;
};

// Of a text that is an object, or an array, and that parse_json_object() has accepted. They refer
// to it.
std::vector<JsonMember> json_members(std::string_view object);
std::vector<std::string_view> json_elements(std::string_view array);

// The object with this member changed, or added at its end; an empty `value` takes it away.
std::string with_json_member(std::string_view object, std::string_view key, std::string_view value);
std::string json_array(const std::vector<std::string>& elements);

}  // namespace onggi::image
