// SPDX-License-Identifier: Apache-2.0
// The text is known to be JSON, so that only strings and brackets have to be told apart.
#include "model/json_slices.h"

#include <rapidjson/document.h>

namespace onggi::image {

namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Behind the string that begins at `at`.
size_t string_end(std::string_view text, size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

// The parts between commas of the outermost level, without its brackets.
std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  text = trimmed(text);
  if (!text.starts_with('{') && !text.starts_with('[')) return parts;  // null
  text = text.substr(1, text.size() - 2);
  size_t start = 0, depth = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') at = string_end(text, at) - 1;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (c != ',' || depth != 0) continue;
    parts.push_back(trimmed(text.substr(start, at - start)));
    start = at + 1;
  }
  const std::string_view last = trimmed(text.substr(start));
  if (!last.empty()) parts.push_back(last);
  return parts;
}

std::string unescaped(std::string_view key_text) {
  rapidjson::Document key;
  key.Parse(key_text.data(), key_text.size());
  return key.IsString() ? std::string(key.GetString(), key.GetStringLength()) : std::string();
}

}  // namespace

std::vector<JsonMember> json_members(std::string_view object) {
  std::vector<JsonMember> members;
  for (std::string_view part : parts_of(object)) {
    const size_t end = string_end(part, 0);
    const std::string_view key_text = part.substr(0, end);
    const std::string_view value = trimmed(part.substr(part.find(':', end) + 1));
    members.push_back({unescaped(key_text), key_text, value});
  }
  return members;
}

std::vector<std::string_view> json_elements(std::string_view array) {
  return parts_of(array);
}

std::string with_json_member(std::string_view object, std::string_view key,
                             std::string_view value) {
  std::string text = "{";
  const auto add = [&](std::string_view key_text, std::string_view content) {
    text.append(text.size() > 1 ? "," : "").append(key_text).append(":").append(content);
  };
  bool found = false;
  for (const JsonMember& member : json_members(object)) {
    const bool same = member.key == key;
    if (!same) add(member.key_text, member.value);
    if (same && !found && !value.empty()) add(member.key_text, value);
    found = found || same;
  }
  if (!found && !value.empty()) add(std::string("\"").append(key).append("\""), value);
  return text += "}";
}

std::string json_array(const std::vector<std::string>& elements) {
  std::string text = "[";
  for (const std::string& element : elements) text.append(text.size() > 1 ? "," : "") += element;
  return text += "]";
}

}  // namespace onggi::image
