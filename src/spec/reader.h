// SPDX-License-Identifier: Apache-2.0
// A cursor over the JSON document with strict typed reads. Each cursor knows the one above it, so
// the path of a wrong value ("linux.resources.memory.limit") costs nothing until there is one. The
// keys of an object are rows of a table:
//
//   constexpr Field<Root> kFields[] = {{"path", into<&Root::path>, kRequired}, {"readonly",
//   into<&Root::readonly>}}; Result<> read(const Cursor& at, Root& to) { return read_object(at,
//   kFields, to); }
#pragma once

#include "base/result.h"
#include "spec/names.h"
#include "spec/spec.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace onggi::spec {

using Json = rapidjson::Value;

inline Text text_of(const Json& string) {
  return {string.GetString(), string.GetStringLength()};
}

// What the cursors of a document share.
struct Source {
  Text name;  // of the document, and the place of its root: "config.json"
  Text
      prefix;  // before the places below the root: empty, "linux.resources" or "--process x.json: "
  std::vector<std::string>& ignored;  // a line for each key that was probably meant to be another
  std::string& unknown_key;           // Spec::unknown_key
};

class Cursor {
 public:
  Cursor(const Json& root, const Source& source) : json_(root), source_(source) {}
  Cursor(const Cursor& parent, Text key, const Json& json)
      : json_(json), source_(parent.source_), parent_(&parent), key_(key) {}
  Cursor(const Cursor& parent, uint32_t index, const Json& json)
      : json_(json), source_(parent.source_), parent_(&parent), index_(index) {}
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  ~Cursor() = default;

  const Json& json() const { return json_; }
  Text key() const { return key_; }
  FixedText<128> path() const;

  template <class... Parts>
  Error error(const Parts&... parts) const {
    return config_error(path().view(), parts...);
  }
  // The same for a member of this object which need not exist.
  template <class... Parts>
  Error error_below(Text key, const Parts&... parts) const {
    return Cursor(*this, key, json_).error(parts...);
  }

  // A member that must exist does not, maybe because it is misspelt.
  Error missing(Text key) const;
  // A key of this object that is in no table: the specification wants it ignored (config.md,
  // "Extensibility"), but a limit or a protection must not be absent for a slip of the pen.
  void note_unknown(Text key, std::span<const Text> known) const;
  // For a value that is known and means nothing on Linux.
  template <class... Parts>
  void note_ignored(const Parts&... parts) const {
    FixedText<640> line(path().view());
    line.append(": ");
    (line.append(parts), ...);
    source_.ignored.emplace_back(line.view());
  }

 private:
  void append_path(FixedText<128>& path) const;
  bool is_of_other_platform(Text key) const;

  const Json& json_;
  const Source& source_;
  const Cursor* parent_ = nullptr;
  Text key_;
  uint32_t index_ = 0;
};

Result<> read(const Cursor& at, bool& to);
Result<> read(const Cursor& at, Text& to);
// A copy, for a value that outlives the document. It holds no NUL.
Result<> read(const Cursor& at, std::string& to);
Result<> read(const Cursor& at, TextList& to);
Result<> read(const Cursor& at, TextMap& to);  // an object of strings

Result<uint64_t> read_unsigned(const Cursor& at, uint64_t least, uint64_t most);
Result<int64_t> read_signed(const Cursor& at, int64_t least, int64_t most);
// The same, where the number counts bytes: a size in quotes ("512m") is told as a number.
Result<> read_bytes(const Cursor& at, int64_t& to);
Result<> read_bytes(const Cursor& at, uint64_t& to);

template <std::integral I>
Result<> read(const Cursor& at, I& to) {
  using Limits = std::numeric_limits<I>;
  if constexpr (std::is_signed_v<I>) {
    to = static_cast<I>(TRY(read_signed(at, Limits::min(), Limits::max())));
  } else {
    to = static_cast<I>(TRY(read_unsigned(at, 0, Limits::max())));
  }
  return {};
}

template <class T>
Result<> read(const Cursor& at, std::optional<T>& to) {
  return read(at, to.emplace());
}

template <class T>
Result<> read(const Cursor& at, std::vector<T>& to) {
  if (!at.json().IsArray()) return at.error("must be an array");
  to.reserve(at.json().Size());
  uint32_t index = 0;
  for (const Json& element : at.json().GetArray()) {
    TRY(read(Cursor(at, index++, element), to.emplace_back()));
  }
  return {};
}

// The error for a text that is not among `names`; `kind` is what they are: "capability".
Error unknown_name(const Cursor& at, Text text, std::span<const Text> names, Text kind);

// A string out of `names`.
template <class T, size_t N>
Result<T> read_name(const Cursor& at, const Name<T> (&names)[N], Text kind) {
  Text text;
  TRY(read(at, text));
  const std::optional<T> value = find_name(names, text);
  if (value) return *value;
  Text known[N];
  std::ranges::transform(names, known, &Name<T>::text);
  return unknown_name(at, text, known, kind);
}

// An array of strings out of `names`, as one mask.
template <class T, size_t N>
Result<T> read_flags(const Cursor& at, const Name<T> (&names)[N], Text kind) {
  if (!at.json().IsArray()) return at.error("must be an array of strings");
  T mask = 0;
  uint32_t index = 0;
  for (const Json& element : at.json().GetArray()) {
    mask |= TRY(read_name(Cursor(at, index++, element), names, kind));
  }
  return mask;
}

inline constexpr bool kRequired = true;

template <class T>
struct Field {
  Text key;
  Result<> (*read)(const Cursor&, T&);
  bool required = false;
};

template <auto kMember>
struct MemberReader;
template <class T, class M, M T::*kMember>
struct MemberReader<kMember> {
  static Result<> read_member(const Cursor& at, T& to) { return read(at, to.*kMember); }
};
template <auto kMember>
inline constexpr auto into = &MemberReader<kMember>::read_member;

template <auto kMember>
struct BytesReader;
template <class T, class M, std::optional<M> T::*kMember>
struct BytesReader<kMember> {
  static Result<> read_member(const Cursor& at, T& to) {
    return read_bytes(at, (to.*kMember).emplace());
  }
};
template <class T, std::integral M, M T::*kMember>
struct BytesReader<kMember> {
  static Result<> read_member(const Cursor& at, T& to) { return read_bytes(at, to.*kMember); }
};
template <auto kMember>
inline constexpr auto bytes_into = &BytesReader<kMember>::read_member;

// Unknown keys are ignored, as config.md demands. null is what Go programs write for an absent
// slice or pointer, and means absent.
template <class T, size_t N>
Result<> read_object(const Cursor& at, const Field<T> (&fields)[N], T& to) {
  static_assert(N <= 64);
  if (!at.json().IsObject()) return at.error("must be an object");
  uint64_t seen = 0;
  for (const auto& member : at.json().GetObject()) {
    const Text key = text_of(member.name);
    size_t row = 0;
    while (row < N && fields[row].key != key) ++row;
    if (row == N) {
      Text known[N];
      for (size_t i = 0; i < N; ++i) known[i] = fields[i].key;
      at.note_unknown(key, known);
    } else if (!member.value.IsNull()) {
      seen |= uint64_t{1} << row;
      TRY(fields[row].read(Cursor(at, key, member.value), to));
    }
  }
  for (size_t row = 0; row < N; ++row) {
    if (fields[row].required && (seen >> row & 1) == 0) {
      return at.missing(fields[row].key);
    }
  }
  return {};
}

// ── the objects, each in the parse_*.cc of its chapter ──
Result<> read(const Cursor& at, IdMapping& to);
Result<> read(const Cursor& at, Mount& to);
Result<> read(const Cursor& at, Process& to);
Result<> read(const Cursor& at, Hooks& to);
Result<> read(const Cursor& at, Linux& to);
Result<> read(const Cursor& at, Resources& to);
Result<> read(const Cursor& at, Seccomp& to);

}  // namespace onggi::spec
