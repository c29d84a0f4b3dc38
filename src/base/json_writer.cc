// SPDX-License-Identifier: Apache-2.0
// RapidJSON's two writer types behind one class. They do not check the encoding, so strings are
// made UTF-8 here.
#include "base/json_writer.h"

#include "base/utf8.h"

namespace onggi {

JsonWriter::JsonWriter(Style style) : writer_(std::in_place_type<Compact>, sink_) {
  if (style == Style::compact) return;
  Pretty& pretty = writer_.emplace<Pretty>(sink_);
  if (style == Style::tabs) {
    pretty.SetIndent('\t', 1);
  } else {
    pretty.SetIndent(' ', 2);
  }
}

JsonWriter& JsonWriter::begin_object() {
  std::visit([](auto& writer) { writer.StartObject(); }, writer_);
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  std::visit([](auto& writer) { writer.EndObject(); }, writer_);
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  std::visit([](auto& writer) { writer.StartArray(); }, writer_);
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  std::visit([](auto& writer) { writer.EndArray(); }, writer_);
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  // RapidJSON's grammar knows a key as a string at an even place of an object.
  return value(name);
}

JsonWriter& JsonWriter::value(std::string_view text) {
  const std::string clean = replace_malformed_utf8(text);
  const auto size = static_cast<rapidjson::SizeType>(clean.size());
  std::visit([&](auto& writer) { writer.String(clean.data(), size); }, writer_);
  return *this;
}

JsonWriter& JsonWriter::value(bool truth) {
  std::visit([&](auto& writer) { writer.Bool(truth); }, writer_);
  return *this;
}

JsonWriter& JsonWriter::number(std::string_view text) {
  std::visit(
      [&](auto& writer) { writer.RawValue(text.data(), text.size(), rapidjson::kNumberType); },
      writer_);
  return *this;
}

JsonWriter& JsonWriter::integer(int64_t number) {
  std::visit([&](auto& writer) { writer.Int64(number); }, writer_);
  return *this;
}

JsonWriter& JsonWriter::integer(uint64_t number) {
  std::visit([&](auto& writer) { writer.Uint64(number); }, writer_);
  return *this;
}

}  // namespace onggi
