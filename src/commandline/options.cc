// SPDX-License-Identifier: Apache-2.0
// The option parser: one pass over the arguments, no state outside it.
#include "commandline/options.h"

#include "base/nearest.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace onggi::cli {
namespace {

const OptionRow* find_name(std::span<const OptionRow> rows, std::string_view name) {
  const auto row = std::ranges::find_if(
      rows, [&](const OptionRow& each) { return !name.empty() && each.name == name; });
  return row == rows.end() ? nullptr : &*row;
}

const OptionRow* find_letter(std::span<const OptionRow> rows, char letter) {
  const auto row = std::ranges::find(rows, letter, &OptionRow::letter);
  return row == rows.end() ? nullptr : &*row;
}

Error unknown_option(std::span<const OptionRow> rows, std::string_view dashes,
                     std::string_view name) {
  Error error = make_error(ErrorKind::invalid_config, "unknown option '", dashes, name, "'");
  std::vector<std::string_view> names = {"help"};
  for (const OptionRow& row : rows) {
    if (row.help != nullptr) names.emplace_back(row.name);
  }
  const std::string_view meant = nearest(name, names);
  if (!meant.empty()) error.hint.append("did you mean '--", meant, "'?");
  return error;
}

class Parser {
 public:
  Parser(std::span<const OptionRow> rows, void* target, Arguments rest)
      : rows_(rows), target_(target), rest_(rest) {}

  Result<ParsedArguments> parse(Operands operands) {
    while (!rest_.empty() && !parsed_.help) {
      const std::string_view word = take();
      if (word == "--") break;
      if (word.size() > 1 && word[0] == '-') {
        TRY(word[1] == '-' ? long_option("--", word.substr(2)) : short_options(word.substr(1)));
        continue;
      }
      parsed_.operands.push_back(word);
      if (operands == Operands::last) break;
    }
    parsed_.operands.insert(parsed_.operands.end(), rest_.begin(), rest_.end());
    return std::move(parsed_);
  }

 private:
  std::string_view take() {
    const std::string_view word = rest_.front();
    rest_ = rest_.subspan(1);
    return word;
  }

  Result<> long_option(std::string_view dashes, std::string_view text) {
    const size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const OptionRow* row = find_name(rows_, name);
    if (row == nullptr && (name == "help" || name == "usage")) {
      parsed_.help = true;
      return {};
    }
    if (row == nullptr) return unknown_option(rows_, dashes, name);
    if (equals == std::string_view::npos) return assign(*row, std::nullopt);
    return assign(*row, text.substr(equals + 1));
  }

  Result<> short_options(std::string_view text) {
    if (text.size() > 1 && find_name(rows_, text.substr(0, text.find('='))) != nullptr)
      return long_option("-", text);
    while (!text.empty()) {
      const char letter = text[0];
      text.remove_prefix(1);
      const OptionRow* row = find_letter(rows_, letter);
      if (row == nullptr && (letter == 'h' || letter == '?')) {
        parsed_.help = true;
        return {};
      }
      if (row == nullptr) return unknown_option(rows_, "-", std::string_view(&letter, 1));
      if (text.starts_with('=')) return assign(*row, text.substr(1));
      if (row->value != nullptr)
        return text.empty() ? assign(*row, std::nullopt) : assign(*row, text);
      TRY(assign(*row, std::nullopt));
    }
    return {};
  }

  Result<> assign(const OptionRow& row, std::optional<std::string_view> value) {
    if (!value && row.value == nullptr) value = "true";
    if (!value && rest_.empty()) {
      return make_error(ErrorKind::invalid_config, spelling(row), " requires a value: ", row.value);
    }
    if (!value) value = take();
    if (value->empty() && row.not_empty)
      return make_error(ErrorKind::invalid_config, spelling(row), " must not be empty");
    return row.assign(row, target_, *value);
  }

  std::span<const OptionRow> rows_;
  void* target_;
  Arguments rest_;
  ParsedArguments parsed_;
};

Error wrong_value(const OptionRow& row, std::string_view text, std::string_view wanted) {
  return make_error(ErrorKind::invalid_config, spelling(row), " '", text, "' is not ", wanted);
}

}  // namespace

namespace detail {

Result<> assign_flag(const OptionRow& row, bool& to, std::string_view text) {
  if (text != "true" && text != "false") return wrong_value(row, text, "true or false");
  to = text == "true";
  return {};
}

Result<> assign_number(const OptionRow& row, uint32_t& to, std::string_view text) {
  const std::optional<uint32_t> number = parse_decimal<uint32_t>(text);
  if (!number) return wrong_value(row, text, "a number");
  to = *number;
  return {};
}

Result<size_t> choice_index(const OptionRow& row, std::string_view text) {
  std::string_view words = row.value;
  for (size_t index = 0; !words.empty(); ++index) {
    const size_t end = std::min(words.find('|'), words.size());
    if (words.substr(0, end) == text) return index;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return wrong_value(row, text, std::string("one of ") + row.value);
}

}  // namespace detail

std::string spelling(const OptionRow& row) {
  return *row.name != 0 ? std::string("--") + row.name : std::string("-") + row.letter;
}

Result<ParsedArguments> parse_options(std::span<const OptionRow> rows, void* target,
                                      Arguments arguments, Operands operands) {
  return Parser(rows, target, arguments).parse(operands);
}

}  // namespace onggi::cli
