// SPDX-License-Identifier: Apache-2.0
// JSON text for state.json, `list`, `features` and the log: a thin layer over RapidJSON's writers
// into a std::string.
//
//   JsonWriter json(JsonWriter::Style::two_spaces);
//   json.begin_object().field("id", id).field("pid", pid).field("hooks", names).end_object();
//   std::string text = std::move(json).take();
#pragma once

#include <rapidjson/prettywriter.h>
#include <rapidjson/writer.h>

#include <concepts>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace onggi {

class JsonWriter {
 public:
  enum class Style { compact, two_spaces, tabs };

  explicit JsonWriter(Style style = Style::compact);
  JsonWriter(const JsonWriter&) = delete;  // the RapidJSON writer points into this object
  JsonWriter& operator=(const JsonWriter&) = delete;
  ~JsonWriter() = default;

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) {
    return value(std::string_view(text));
  }  // else it would be a bool
  JsonWriter& value(bool truth);
  template <std::integral I>
  requires(!std::same_as<I, bool>) JsonWriter& value(I number) {
    if constexpr (std::is_signed_v<I>) {
      return integer(static_cast<int64_t>(number));
    } else {
      return integer(static_cast<uint64_t>(number));
    }
  }
  // A number that is text already, such as "0.12".
  JsonWriter& number(std::string_view text);
  // An array of values.
  template <std::ranges::input_range Values>
  requires(!std::convertible_to<const Values&, std::string_view>)
      JsonWriter& value(const Values& values) {
    begin_array();
    for (const auto& element : values) value(element);
    return end_array();
  }

  template <class Value>
  JsonWriter& field(std::string_view name, const Value& content) {
    return key(name).value(content);
  }

  std::string take() && { return std::move(sink_.text); }

 private:
  struct Sink {  // RapidJSON's output stream concept
    using Ch = char;
    void Put(char c) { text += c; }
    void Flush() {}
    std::string text;
  };
  using Compact = rapidjson::Writer<Sink>;
  using Pretty = rapidjson::PrettyWriter<Sink>;

  JsonWriter& integer(int64_t number);
  JsonWriter& integer(uint64_t number);

  Sink sink_;
  std::variant<Compact, Pretty> writer_;
};

}  // namespace onggi
