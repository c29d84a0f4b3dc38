// SPDX-License-Identifier: Apache-2.0
// Command line options as data. A row names a member of an options struct; the parser, the help
// text, the bash completion and the man page all read the same rows:
//
//   constexpr auto kKillOptions = options<KillOptions>({
//       option<&KillOptions::all>("all", 'a', nullptr, "signal every process of the container"),
//   });
//
// What the member's type means: bool: a flag; std::optional<bool>: a flag that may be left alone;
// std::string, uint32_t: a value; std::vector<std::string>: a value each time; an enum: one of the
// words that the value column lists as "first|second", in the order of the enumerators.
#pragma once

#include "base/result.h"
#include "base/text.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace onggi::cli {

struct OptionRow {
  const char* name;   // long name, empty if there is only a letter
  char letter;        // 0: none
  const char* value;  // what help calls the value; nullptr: a flag
  const char* help;   // nullptr: not shown
  Result<> (*assign)(const OptionRow& row, void* target, std::string_view text);
  bool not_empty = false;  // a value that is empty is an error
};

// "--bundle", or "-V" for a row without long name.
std::string spelling(const OptionRow& row);

// A table that remembers which struct its rows fill.
template <class Target, size_t N>
struct OptionTable {
  using target_type = Target;
  std::array<OptionRow, N> rows;
  constexpr operator std::span<const OptionRow>() const {
    return rows;
  }  // NOLINT(google-explicit-constructor)
};

namespace detail {

template <class Target>
struct TypedRow {
  OptionRow row;
};

template <class Class, class Member>
Class class_of(Member Class::*);
template <class Class, class Member>
Member member_of(Member Class::*);

Result<> assign_flag(const OptionRow& row, bool& to, std::string_view text);
Result<> assign_number(const OptionRow& row, uint32_t& to, std::string_view text);
// The index of `text` among the words of row.value.
Result<size_t> choice_index(const OptionRow& row, std::string_view text);

template <auto Member>
Result<> assign(const OptionRow& row, void* target, std::string_view text) {
  auto& to = static_cast<decltype(class_of(Member))*>(target)->*Member;
  using Type = std::remove_reference_t<decltype(to)>;
  if constexpr (std::is_same_v<Type, bool>) {
    return assign_flag(row, to, text);
  } else if constexpr (std::is_same_v<Type, std::optional<bool>>) {
    return assign_flag(row, to.emplace(), text);
  } else if constexpr (std::is_same_v<Type, std::vector<std::string>>) {
    to.emplace_back(text);
    return {};
  } else if constexpr (std::is_same_v<Type, uint32_t>) {
    return assign_number(row, to, text);
  } else if constexpr (std::is_enum_v<Type>) {
    to = static_cast<Type>(TRY(choice_index(row, text)));
    return {};
  } else {
    to = std::string(text);
    return {};
  }
}

template <auto Member, auto Value>
Result<> assign_constant(const OptionRow& row, void* target, std::string_view text) {
  bool wanted = false;
  TRY(assign_flag(row, wanted, text));
  if (wanted) static_cast<decltype(class_of(Member))*>(target)->*Member = Value;
  return {};
}

}  // namespace detail

template <auto Member>
constexpr auto option(const char* name, char letter, const char* value, const char* help) {
  using Type = decltype(detail::member_of(Member));
  static_assert(std::is_same_v<Type, bool> || std::is_same_v<Type, std::optional<bool>> ||
                std::is_same_v<Type, uint32_t> || std::is_same_v<Type, std::string> ||
                std::is_same_v<Type, std::vector<std::string>> || std::is_enum_v<Type>);
  return detail::TypedRow<decltype(detail::class_of(Member))>{
      {name, letter, value, help, detail::assign<Member>}};
}

// A flag that is short for another option with a certain value; whichever comes last wins.
template <auto Member, auto Value>
constexpr auto shorthand(const char* name, char letter, const char* help) {
  return detail::TypedRow<decltype(detail::class_of(Member))>{
      {name, letter, nullptr, help, detail::assign_constant<Member, Value>}};
}

template <class Target, size_t N>
constexpr OptionTable<Target, N> options(const detail::TypedRow<Target> (&rows)[N]) {
  OptionTable<Target, N> table = {};
  for (size_t i = 0; i < N; ++i) table.rows[i] = rows[i].row;
  return table;
}

// For options whose empty value would be as if they were not there: "--root '$DIR'" with an unset
// variable.
template <class Target, size_t N>
constexpr OptionTable<Target, N> not_empty_options(const detail::TypedRow<Target> (&rows)[N]) {
  OptionTable<Target, N> table = options(rows);
  for (OptionRow& row : table.rows) row.not_empty = row.value != nullptr;
  return table;
}

template <class Target>
constexpr OptionTable<Target, 0> no_options() {
  return {};
}

template <class Target, size_t N, size_t M>
constexpr OptionTable<Target, N + M> operator+(const OptionTable<Target, N>& first,
                                               const OptionTable<Target, M>& second) {
  OptionTable<Target, N + M> joined = {};
  for (size_t i = 0; i < N; ++i) joined.rows[i] = first.rows[i];
  for (size_t i = 0; i < M; ++i) joined.rows[N + i] = second.rows[i];
  return joined;
}

enum class Operands {
  mixed,  // options may follow operands
  last,   // the first operand ends the options: what follows belongs to the command it names
};

using Arguments = std::span<const std::string_view>;

struct ParsedArguments {
  std::vector<std::string_view> operands;
  // --help or -h (crun's: --usage, -?) was there; nothing after it was looked at.
  bool help = false;
};

// Fills `target`, whose type must be the one of the rows. Accepted: --name VALUE, --name=VALUE, -n
// VALUE, -nVALUE, -n=VALUE, -abc for flags, long names with a single dash (go-runc sends them), and
// "--" before operands.
Result<ParsedArguments> parse_options(std::span<const OptionRow> rows, void* target,
                                      Arguments arguments, Operands operands);

}  // namespace onggi::cli
