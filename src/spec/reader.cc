// SPDX-License-Identifier: Apache-2.0
// Typed reads of the JSON leaves, and the path text of a cursor.
#include "spec/reader.h"

#include "base/ascii.h"
#include "base/size.h"

#include <algorithm>

namespace onggi::spec {

namespace {

bool is_plain(char c) {
  return is_alphanumeric(c) || c == '_' || c == '-';
}

Error not_in_range(const Cursor& at, auto least, auto most) {
  const bool quoted = at.json().IsString() && parse_decimal<decltype(least)>(text_of(at.json()));
  return at.error("must be an integer from ", least, " to ", most,
                  quoted ? ", without quotes" : "");
}

// Engines and compose files write sizes such as "512m", which JSON has as plain numbers alone.
Error not_a_size(const Cursor& at, bool may_be_unlimited) {
  const Text given = text_of(at.json());
  const std::optional<int64_t> bytes = parse_size(given);
  FixedText<128> wanted("must be a number of bytes");
  if (bytes) wanted.append(" without quotes");
  if (bytes && !parse_decimal<int64_t>(given)) wanted.append(" (", given, " is ", *bytes, ")");
  return at.error(wanted.view(), may_be_unlimited ? ", or -1" : "");
}

}  // namespace

FixedText<128> Cursor::path() const {
  FixedText<128> path;
  if (parent_ == nullptr) return path.append(source_.name);
  append_path(path);
  return path;
}

void Cursor::append_path(FixedText<128>& path) const {
  if (parent_ == nullptr) {
    path.append(source_.prefix);
    return;
  }
  parent_->append_path(path);
  if (key_.data() == nullptr) {
    path.append("[", index_, "]");
  } else if (!key_.empty() && std::ranges::all_of(key_, is_plain)) {
    if (!path.empty() && !path.view().ends_with(' ')) path.append('.');
    path.append(key_);
  } else {
    path.append("[\"", key_, "\"]");
  }
}

Result<> read(const Cursor& at, bool& to) {
  if (!at.json().IsBool()) return at.error("must be true or false");
  to = at.json().GetBool();
  return {};
}

Result<> read(const Cursor& at, Text& to) {
  if (!at.json().IsString()) return at.error("must be a string");
  to = text_of(at.json());
  return {};
}

Result<> read(const Cursor& at, std::string& to) {
  Text text;
  TRY(read(at, text));
  if (text.find('\0') != Text::npos) return at.error("must not contain a NUL character");
  to = text;
  return {};
}

Result<> read(const Cursor& at, TextList& to) {
  if (!at.json().IsArray()) return at.error("must be an array of strings");
  to.reserve(at.json().Size());
  uint32_t index = 0;
  for (const Json& element : at.json().GetArray()) {
    TRY(read(Cursor(at, index++, element), to.emplace_back()));
  }
  return {};
}

Result<> read(const Cursor& at, TextMap& to) {
  if (!at.json().IsObject()) return at.error("must be an object of strings");
  to.reserve(at.json().MemberCount());
  for (const auto& member : at.json().GetObject()) {
    auto& [key, value] = to.emplace_back();
    key = text_of(member.name);
    TRY(read(Cursor(at, key, member.value), value));
  }
  return {};
}

Result<uint64_t> read_unsigned(const Cursor& at, uint64_t least, uint64_t most) {
  if (!at.json().IsUint64()) return not_in_range(at, least, most);
  const uint64_t value = at.json().GetUint64();
  if (value < least || value > most) return not_in_range(at, least, most);
  return value;
}

Result<int64_t> read_signed(const Cursor& at, int64_t least, int64_t most) {
  if (!at.json().IsInt64()) return not_in_range(at, least, most);
  const int64_t value = at.json().GetInt64();
  if (value < least || value > most) return not_in_range(at, least, most);
  return value;
}

Result<> read_bytes(const Cursor& at, int64_t& to) {
  if (at.json().IsString()) return not_a_size(at, true);
  return read(at, to);
}

Result<> read_bytes(const Cursor& at, uint64_t& to) {
  if (at.json().IsString()) return not_a_size(at, false);
  return read(at, to);
}

}  // namespace onggi::spec
